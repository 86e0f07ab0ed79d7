//! Files whose last line was cut off, by a full disk or a copy, and runs that continue them.

use fs_err as fs;
use tempfile::TempDir;

use crate::{
    continued::{APPEND, NEW_FILE, WORLDS},
    support::{names, stdout, text, write, write_failure},
};

/// Numbers of lines, and the length to which the last one is cut: at its beginning, within its id, within its
/// payload, and to all but a byte.
const CUTS: [(usize, usize); 5] = [(4, 1), (4, 30), (1, 30), (4, 150), (4, usize::MAX)];

/// The first `count` lines, the last of which is cut.
fn cut_off(world: &str, count: usize, cut: usize) -> String {
    let lines = stdout(&["--world", world, "-n", &count.to_string()]);
    let last = lines[..lines.len() - 1].rfind('\n').map_or(0, |end| end + 1);
    lines[..(last.saturating_add(cut)).min(lines.len() - 2)].to_owned()
}

#[test]
fn a_last_line_that_was_cut_off_is_written_again() {
    for world in WORLDS {
        for (count, cut) in CUTS {
            for flags in [&APPEND[..], &NEW_FILE, &["--if-exists", "append", "--rotate", "hour"]] {
                let directory = TempDir::new().unwrap();
                fs::write(directory.path().join("events.json"), cut_off(world, count, cut)).unwrap();
                let said = write(directory.path(), &[&["--world", world, "-n", "6"], flags].concat());
                assert!(
                    said.ends_with("; the last line of events.json had been cut off and was written again\n")
                );
                let mut lines: Vec<_> = names(directory.path());
                lines.sort_by_key(|name| if name == "events.json" { String::new() } else { name.clone() });
                let lines: String = lines.iter().map(|name| text(directory.path(), name)).collect();
                let expected = stdout(&["--world", world, "-n", &(count + 5).to_string()]);
                assert_eq!(lines, expected, "{world}, {count} events, cut to {cut}, {flags:?}");
            }
        }
    }
}

/// It is nobody's line, or the line of an event in the middle, or cannot be cut out.
#[test]
fn a_last_line_that_was_cut_off_is_never_lost() {
    let four = stdout(&["-n", "4"]);
    let later: String = stdout(&["-n", "9"]).lines().last().unwrap()[..200].to_owned();
    let earlier: String = four.lines().nth(1).unwrap()[..200].to_owned();
    let compressed = zstd::encode_all(cut_off("simple", 4, 99).as_bytes(), 1).unwrap();
    for (name, contents) in [
        ("events.json", format!("{four}{later}").into_bytes()),
        ("events.json", format!("{four}{earlier}").into_bytes()),
        ("events.json", format!("{four}{{\"event_id\": 7").into_bytes()),
        ("events.json.zst", compressed),
    ] {
        for if_exists in [APPEND, NEW_FILE] {
            let directory = TempDir::new().unwrap();
            fs::write(directory.path().join(name), &contents).unwrap();
            let (code, said) = write_failure(directory.path(), &if_exists);
            assert_eq!((code, said.lines().count()), (1, 1), "{said}");
            assert!(said.contains(&format!("{name} was cut off")), "{said}");
            assert!(fs::read(directory.path().join(name)).unwrap() == contents);
            assert_eq!(names(directory.path()), [name]);
        }
    }
}
