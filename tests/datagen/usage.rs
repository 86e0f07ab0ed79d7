//! Help, version, wrong flags, and the other end of the pipe.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::support::{command, failure, stdout};

#[test]
fn help_is_complete() {
    insta::assert_snapshot!("help", stdout(&["--help"]));
}

#[test]
fn short_help_is_short() {
    insta::assert_snapshot!("short_help", stdout(&["-h"]));
}

#[test]
fn version_shows_the_commit_and_the_stream_version() {
    let stream = format!("stream version {}", datagen::STREAM_VERSION);
    let expected = format!("datagen {}\n", command_line::version_text(env!("CARGO_PKG_VERSION"), &[&stream]));
    assert_eq!(stdout(&["--version"]), expected);
    assert_eq!(stdout(&["-V"]), expected);
}

#[test]
fn wrong_values_are_one_line_and_exit_code_2() {
    let form = "write the day as YYYY-MM-DD, for example 2024-10-10";
    let no_day = "there is no such day";
    for (date, advice) in [
        ("10.10.2024", form),
        ("2024-1-1", form),
        ("10000-01-01", form),
        ("2024-10-10T00:00:00", form),
        ("2023-02-29", no_day),
        ("2024-13-01", no_day),
        ("0000-01-01", "there is no year 0; give a year from 0001 to 9999"),
    ] {
        let expected = format!("error: invalid value '{date}' for '--start-date <YYYY-MM-DD>': {advice}\n");
        assert_eq!(failure(&["-d", date]), (2, expected));
    }
    for arguments in
        [["--threads", "0"], ["--threads", "many"], ["-n", "1.5"], ["-s", "18446744073709551616"]]
    {
        let (code, said) = failure(&arguments);
        assert_eq!((code, said.lines().count()), (2, 1), "{said}");
    }
}

#[test]
fn unknown_flags_and_words_are_exit_code_2() {
    for arguments in [&["--number", "5"][..], &["extra"], &["--if-exists", "replace"], &["-n"]] {
        let (code, said) = failure(arguments);
        assert_eq!(code, 2);
        assert!(said.starts_with("error: "), "{said}");
    }
}

#[test]
fn the_calendar_ends_with_the_year_9999() {
    for (date, count) in
        [("9999-12-31", "90000"), ("9999-12-31", "2000"), ("2024-10-10", "18446744073709551615")]
    {
        let expected = format!(
            "error: {count} events from {date} run past the year 9999: \
             ask for fewer events or an earlier --start-date\n"
        );
        assert_eq!(failure(&["-d", date, "-n", count]), (1, expected));
    }
    let last_day = stdout(&["-d", "9999-12-31", "-n", "700"]);
    assert!(last_day.lines().all(|line| line[67..].starts_with("9999-12-31T")));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    for threads in ["1", "2", "5"] {
        let mut child = command(&["-n", "1000000000", "--threads", threads])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(first_line, stdout(&["-n", "1"]));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
    }
}

/// Counting the events of the first of these runs would take for ever, and those of the others minutes.
#[test]
fn the_first_line_does_not_wait_for_the_last() {
    let ledger = ["--world", "ledger", "--events-per-day", "10000000000"];
    for arguments in [
        &[&ledger[..], &["--end-date", "9999-12-31"]].concat()[..],
        &[&ledger[..], &["--duration", "2900000d"]].concat(),
        &["-d", "0001-01-01", "--end-date", "9999-12-31"],
        &["-d", "0001-01-01", "--duration", "9999999d", "--rate", "1000"],
        &["-n", "2000000000", "--faults", "late=1%"],
        &["--world", "ledger", "-n", "2000000000", "--faults", "late=1%,stale=7"],
    ] {
        for threads in ["1", "3"] {
            let mut run = command(&[arguments, &["--threads", threads]].concat());
            let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut first_line = String::new();
            BufReader::new(run.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
            let output = run.wait_with_output().unwrap();
            assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "{arguments:?}");
            assert!(first_line.starts_with("{\"event_id\": \"c07bbad8-"), "{arguments:?}: {first_line}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_line_and_exit_code_1() {
    let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["-n", "10"]).stdout(full.into_parts().0).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "error: cannot write the events: No space left on device (os error 28)\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_man_page_and_the_completions_know_every_flag() {
    for what in ["man", "complete-bash", "complete-zsh", "complete-fish", "complete-powershell"] {
        // troff writes a hyphen as \-.
        let text = stdout(&["--generate", what]).replace('\\', "");
        for flag in [
            "seed",
            "num-events",
            "start-date",
            "write-data",
            "base-path",
            "if-exists",
            "threads",
            "event-id",
        ] {
            assert!(text.contains(flag), "{what}: no {flag} in {text}");
        }
    }
    let (code, said) = failure(&["--generate", "man", "-n", "5"]);
    assert_eq!((code, said.lines().count()), (2, 1), "{said}");
}
