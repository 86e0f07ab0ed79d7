//! What a terminal shows while a load runs; a pseudo-terminal stands in for it.

use std::{io::Write, process::Command, thread, time::Duration};

use crate::support::{
    terminal::on_a_terminal,
    workdir::{LOADER, Workdir},
};

/// What a load from a slow standard input prints on a terminal.
fn said_on_a_terminal(args: &[&str]) -> String {
    let dir = Workdir::new();
    let mut loader = Command::new(LOADER);
    loader.args(["-s", "-", "--backfill", "-t"]).arg(dir.target()).args(args);
    let (status, said) = on_a_terminal(loader, |mut input| {
        for _ in 0..5 {
            input.write_all(b"\n").unwrap();
            thread::sleep(Duration::from_millis(250));
        }
    });
    assert!(status.success(), "{said}");
    said
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
