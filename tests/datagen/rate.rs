//! Live feeds, and what a terminal shows, by means of a pseudo-terminal.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

use crate::support::{command, decompressed, names, run, stdout, text, write};

#[test]
fn a_live_feed_has_the_same_bytes() {
    let expected = stdout(&["-n", "9000"]);
    for rate in ["100000", "10000000"] {
        for threads in ["1", "3"] {
            assert!(stdout(&["-n", "9000", "--rate", rate, "--threads", threads]) == expected, "{rate}");
        }
    }
    let compressed =
        |threads| run(&["-n", "9000", "--rate", "60000", "--compress", "zstd", "--threads", threads]).stdout;
    assert!(decompressed(&compressed("1")) == expected.as_bytes());
    assert!(compressed("1") == compressed("3"));
    let directory = TempDir::new().unwrap();
    write(directory.path(), &["-n", "9000", "--rate", "60000", "--rotate", "day"]);
    assert_eq!(
        names(directory.path()).iter().map(|name| text(directory.path(), name)).collect::<String>(),
        expected
    );
}

/// The last of 51 events may come 0.5 s after the start, the first immediately.
#[test]
fn a_live_feed_takes_its_time() {
    let started = Instant::now();
    let lines = stdout(&["-n", "51", "--rate", "100"]);
    assert!(started.elapsed() >= Duration::from_millis(500), "{:?}", started.elapsed());
    assert_eq!(lines, stdout(&["-n", "51"]));
}

/// At one event an hour, nothing may wait for the next event, compressed or not.
#[test]
fn each_line_of_a_slow_feed_can_be_read_at_once() {
    for compress in ["none", "gzip", "zstd"] {
        let mut feed = command(&["-n", "1000", "--rate", "1", "--compress", compress])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(feed.stdout.take().unwrap());
        let mut lines: Box<dyn BufRead> = match compress {
            "gzip" => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(out))),
            "zstd" => Box::new(BufReader::new(zstd::Decoder::with_buffer(out).unwrap())),
            _ => Box::new(out),
        };
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, stdout(&["-n", "1"]), "{compress}");
        assert_eq!(feed.try_wait().unwrap(), None, "the feed goes on");
        feed.kill().unwrap();
        feed.wait().unwrap();
    }
}

/// Runs on a terminal, and returns what was printed there.
fn said_on_a_terminal(stdout_too: bool, arguments: &[&str]) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let terminal = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let open = || fs_err::OpenOptions::new().write(true).open(&terminal).unwrap().into_parts().0;
    let mut datagen: Command = command(arguments);
    datagen.env("TERM", "xterm").stderr(open());
    datagen.stdout(if stdout_too { Stdio::from(open()) } else { Stdio::null() });
    let mut running = datagen.spawn().unwrap();
    // Only the program may have the terminal open, so that reading from it ends with the program.
    drop(datagen);
    let reader = thread::spawn(move || {
        let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
        let mut controller = File::from(controller);
        // On Linux, reading from a terminal that its last user has closed is an error.
        while let Ok(length @ 1..) = controller.read(&mut bytes) {
            said.extend_from_slice(&bytes[..length]);
        }
        String::from_utf8(said).unwrap()
    });
    assert!(running.wait().unwrap().success());
    reader.join().unwrap()
}

/// Slow enough to be seen.
const SLOW: [&str; 4] = ["-n", "50", "--rate", "50"];

#[test]
fn a_terminal_shows_how_far_a_run_has_come_and_then_the_summary_alone() {
    let directory = TempDir::new().unwrap();
    let into = ["-w", "-b", directory.path().to_str().unwrap()];
    let said = said_on_a_terminal(false, &[&SLOW[..], &into].concat());
    assert!(said.contains("writing [") && said.contains(" of 50 events, "), "{said:?}");
    // The line is cleared just before the summary.
    let (_, summary) = said.rsplit_once("\u{1b}[2K").unwrap();
    assert!(summary.trim_start().starts_with("wrote 50 events"), "{said:?}");
    assert!(!said.contains("\u{1b}[3"), "a colour: {said:?}");
}

#[test]
fn a_terminal_shows_how_far_a_run_on_standard_output_has_come_if_that_goes_elsewhere() {
    let said = said_on_a_terminal(false, &SLOW);
    assert!(said.contains("writing ["), "{said:?}");
    let said = said_on_a_terminal(true, &SLOW);
    assert_eq!(said.replace("\r\n", "\n"), stdout(&["-n", "50"]));
}

#[test]
fn a_quiet_or_short_run_shows_nothing_on_a_terminal() {
    let directory = TempDir::new().unwrap();
    let into = ["--quiet", "-w", "-b", directory.path().to_str().unwrap()];
    assert_eq!(said_on_a_terminal(false, &[&SLOW[..], &into].concat()), "");
    assert_eq!(text(directory.path(), "events.json"), stdout(&["-n", "50"]));
    assert_eq!(said_on_a_terminal(false, &["-n", "50"]), "");
}
