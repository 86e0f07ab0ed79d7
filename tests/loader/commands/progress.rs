//! What a terminal shows while a load runs; a pseudo-terminal stands in for it.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::workdir::{LOADER, Workdir};

/// What a load from a slow standard input prints on a terminal.
fn said_on_a_terminal(args: &[&str]) -> String {
    let dir = Workdir::new();
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let terminal = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let mut loader = Command::new(LOADER);
    loader.args(["-s", "-", "--backfill", "-t"]).arg(dir.target()).args(args).stdin(Stdio::piped());
    loader
        .env("TERM", "xterm")
        .stderr(fs_err::OpenOptions::new().write(true).open(terminal).unwrap().into_parts().0);
    let mut running = loader.spawn().unwrap();
    // Only the loader may hold the terminal open, so that reading it ends with the loader.
    drop(loader);
    let reader = thread::spawn(move || {
        let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
        let mut controller = File::from(controller);
        // On Linux, reading a terminal that nobody holds open any more is an error.
        while let Ok(length @ 1..) = controller.read(&mut bytes) {
            said.extend_from_slice(&bytes[..length]);
        }
        String::from_utf8(said).unwrap()
    });
    let mut input = running.stdin.take().unwrap();
    for _ in 0..5 {
        input.write_all(b"\n").unwrap();
        thread::sleep(Duration::from_millis(250));
    }
    drop(input);
    assert!(running.wait().unwrap().success());
    reader.join().unwrap()
}

#[test]
fn a_terminal_shows_how_far_a_load_has_come_and_then_the_summary_alone() {
    let said = said_on_a_terminal(&[]);
    assert!(said.contains("reading "), "{said:?}");
    // The last thing before the summary is to clear the line.
    let (_, summary) = said.rsplit_once("\u{1b}[2K").unwrap();
    assert!(summary.trim_start().starts_with("5 lines read"), "{said:?}");
    assert!(!said.contains("\u{1b}[3"), "a colour: {said:?}");
}

#[test]
fn a_quiet_load_shows_nothing_on_a_terminal() {
    assert_eq!(said_on_a_terminal(&["--quiet"]), "");
}
