//! `--end-date`, `--duration` and `--bytes` instead of a number of events.

use chrono::{Duration, NaiveDateTime};
use fs_err as fs;
use tempfile::TempDir;

use crate::support::{failure, names, run, stdout, text, write};

const WORLDS: [&str; 2] = ["simple", "ledger"];

/// A stream that is longer than any amount in these tests.
fn long(world: &str) -> String {
    stdout(&["--world", world, "-n", "20000"])
}

fn time(line: &str) -> NaiveDateTime {
    let end = line[67..].find('"').unwrap();
    line[67..67 + end].parse().unwrap()
}

/// The lines that come before `end`.
fn before(lines: &str, end: &str) -> String {
    let end: NaiveDateTime = end.parse().unwrap();
    lines.split_inclusive('\n').take_while(|line| time(line) < end).collect()
}

#[test]
fn an_end_date_is_the_last_day() {
    for world in WORLDS {
        let long = long(world);
        for (end_date, end) in [("2024-10-10", "2024-10-11T00:00:00"), ("2024-10-16", "2024-10-17T00:00:00")]
        {
            let expected = before(&long, end);
            assert!(stdout(&["--world", world, "--end-date", end_date]) == expected, "{world} {end_date}");
        }
    }
}

#[test]
fn a_duration_counts_from_the_first_event() {
    for world in WORLDS {
        let long = long(world);
        for (duration, end) in [
            ("2d", "2024-10-12T00:00:00"),
            ("12h", "2024-10-10T12:00:00"),
            ("90m", "2024-10-10T01:30:00"),
            ("3600s", "2024-10-10T01:00:00"),
            ("0s", "2024-10-10T00:00:00"),
        ] {
            let expected = before(&long, end);
            assert!(stdout(&["--world", world, "--duration", duration]) == expected, "{world} {duration}");
        }
        let later = stdout(&["--world", world, "--duration", "1d", "--first-event", "3000"]);
        let rest: String = long.split_inclusive('\n').skip(3000).collect();
        let end = time(&rest) + Duration::days(1);
        assert!(later == before(&rest, &end.format("%Y-%m-%dT%H:%M:%S%.f").to_string()), "{world}");
    }
}

#[test]
fn days_that_are_appended_are_those_that_were_missing() {
    let directory = TempDir::new().unwrap();
    for end_date in ["2024-10-10", "2024-10-13", "2024-10-13", "2024-10-12"] {
        write(directory.path(), &["--end-date", end_date, "--rotate", "day", "--if-exists", "append"]);
    }
    let files = names(directory.path()).into_iter().map(|name| text(directory.path(), &name));
    assert_eq!(files.collect::<String>(), stdout(&["--end-date", "2024-10-13"]));
}

#[test]
fn the_calendar_is_no_longer_than_it_is() {
    for world in WORLDS {
        let last_day = stdout(&["--world", world, "-d", "9999-12-31", "--end-date", "9999-12-31"]);
        assert_eq!(stdout(&["--world", world, "-d", "9999-12-31", "--duration", "2d"]), last_day);
        assert!(last_day.lines().count() > 1_000);
        assert!(last_day.lines().all(|line| line[67..].starts_with("9999-12-31T")));
    }
    let (code, said) = failure(&["-d", "2024-10-10", "--end-date", "2024-10-09"]);
    assert_eq!(
        (code, said.as_str()),
        (2, "error: --end-date 2024-10-09 is before --start-date 2024-10-10\n")
    );
}

#[test]
fn bytes_end_with_the_last_line_that_fits() {
    for world in WORLDS {
        let long = long(world);
        let line = long.find('\n').unwrap() + 1;
        let chunk: usize = long.split_inclusive('\n').take(2048).map(str::len).sum();
        for bytes in
            [0, 1, line - 1, line, line + 1, 5_000, chunk - 1, chunk, chunk + 1, 1_000_000, 1_234_567]
        {
            let end = long[..bytes].rfind('\n').map_or(0, |end| end + 1);
            for threads in ["1", "2", "3"] {
                let written =
                    stdout(&["--world", world, "--threads", threads, "--bytes", &bytes.to_string()]);
                assert!(written == long[..end], "{world} {bytes} {threads}: {}", written.len());
            }
        }
    }
}

/// The size is that of the lines before compression; and the rest of the stream can follow.
#[test]
fn bytes_are_those_of_the_lines() {
    let directory = TempDir::new().unwrap();
    let flags = ["--bytes", "1MiB", "--compress", "zstd"];
    let said = write(directory.path(), &flags);
    let written = text(directory.path(), "events.json.zst");
    let long = long("simple");
    assert_eq!(written, long[..=long[..1 << 20].rfind('\n').unwrap()]);
    assert!(
        said.starts_with(&format!("wrote {} events ({} bytes, ", written.lines().count(), written.len())),
        "{said}"
    );
    write(directory.path(), &[&flags[..], &["--if-exists", "append"]].concat());
    let both = text(directory.path(), "events.json.zst");
    assert!(both.len() > written.len() && long.starts_with(&both), "{} bytes", both.len());
    assert!(fs::metadata(directory.path().join("events.json.zst")).unwrap().len() < 1 << 20);
}

/// A percentage of faults is one of all events, however their number was given.
#[test]
fn faults_are_counted_when_the_events_are() {
    let day = ["--end-date", "2024-10-10", "--faults", "blank=10%"];
    let events = stdout(&day[..2]).lines().count();
    let blank = stdout(&day).lines().filter(|line| line.trim().is_empty()).count();
    assert_eq!(blank, (events + 5) / 10);
    let output = run(&["--duration", "1s", "--faults", "blank=2"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn one_size_at_a_time() {
    for arguments in [
        &["-n", "5", "--bytes", "5kB"][..],
        &["--end-date", "2024-10-10", "--duration", "1d"],
        &["--duration", "1d", "--num-events", "7"],
        &["--duration", "1 day"],
        &["--bytes", "many"],
        &["--end-date", "2024-10-32"],
        &["-w", "--bytes", "5kB", "--files", "2"],
        &["--bytes", "5kB", "--faults", "late=1"],
        &["--bytes", "5kB", "--manifest", "x"],
    ] {
        let (code, said) = failure(arguments);
        assert_eq!((code, said.lines().count()), (2, 1), "{arguments:?}: {said}");
    }
}
