//! Is all of the input read, once, in order: files, directories, globs, standard input, framing?

use serde_json::{Value, json};

use crate::support::{
    events::{account_open, event, file_of},
    readback::{quarantine, rows},
    workdir::{LOADER, Loader, Outcome, Workdir},
};

/// Path and number of lines of each source in the report, paths relative to the working directory.
fn sources(dir: &Workdir, outcome: &Outcome) -> Vec<(String, u64)> {
    let root = format!("{}/", dir.path("").display()).replace("//", "/");
    let source = |source: &Value| {
        let path = source["path"].as_str().unwrap();
        (path.strip_prefix(&root).unwrap_or(path).to_owned(), source["lines"].as_u64().unwrap())
    };
    outcome.report()["sources"].as_array().unwrap().iter().map(source).collect()
}

/// The event ids of all rows.
fn event_ids(dir: &Workdir) -> Vec<String> {
    let mut ids: Vec<_> =
        rows(&dir.target()).into_values().flatten().map(|row| row[0].replace('"', "")).collect();
    ids.sort();
    ids
}

fn one_event(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1) + "\n"
}

#[test]
fn several_sources_are_one_input() {
    let dir = Workdir::new();
    dir.write("b.json", one_event("b") + &one_event("bb"));
    dir.write("a.json", one_event("a"));
    dir.write("in/c.json", one_event("c"));
    let outcome = dir
        .loader()
        .source("-")
        .source("b.json")
        .source("in")
        .source("a.json")
        .stdin(one_event("d"))
        .arg("-b")
        .succeeds();
    assert_eq!(event_ids(&dir), ["a", "b", "bb", "c", "d"]);
    let expected = [("a.json", 1), ("b.json", 2), ("in/c.json", 1), ("-", 1)];
    assert_eq!(sources(&dir, &outcome), expected.map(|(path, lines)| (path.to_owned(), lines)));
}

#[test]
fn a_directory_is_all_files_below_it_but_private_ones() {
    let dir = Workdir::new();
    for name in [
        "a.json",
        "b",
        "deep/er/c.jsonl",
        "x.y/d.txt",
        "_private.json",
        ".hidden",
        "_staging/e.json",
        "deep/.git/f.json",
    ] {
        dir.write(&format!("in/{name}"), one_event(name));
    }
    dir.loader().source("in").arg("--backfill").succeeds();
    assert_eq!(event_ids(&dir), ["a.json", "b", "deep/er/c.jsonl", "x.y/d.txt"]);
}

#[test]
fn a_glob_is_all_files_that_match() {
    let dir = Workdir::new();
    for name in [
        "2024-10-10.json",
        "2024-10-11.json",
        "2024-11-10.json",
        "other.txt",
        "day.json/part",
        "deep/2024-10-12.json",
    ] {
        dir.write(&format!("in/{name}"), one_event(name));
    }
    dir.loader().source("in/2024-10-*.json").arg("--backfill").succeeds();
    assert_eq!(event_ids(&dir), ["2024-10-10.json", "2024-10-11.json"]);

    dir.loader().source(dir.path("in/[a-z]*.json")).arg("--backfill").succeeds();
    assert_eq!(event_ids(&dir), ["day.json/part"], "a directory that matches is read like a directory");

    dir.loader().source("in/**/2024*.json").arg("--backfill").succeeds();
    assert_eq!(
        event_ids(&dir),
        ["2024-10-10.json", "2024-10-11.json", "2024-11-10.json", "deep/2024-10-12.json"]
    );
}

/// A shell has expanded its patterns already; so a name that looks like a pattern is first of all a name.
#[test]
fn a_file_may_have_any_name() {
    let dir = Workdir::new();
    for name in ["a [1].json", "*.json", "São Paulo?.json"] {
        dir.write(&format!("in/{name}"), one_event(name));
        let outcome = dir.loader().source(dir.path("in").join(name)).arg("--backfill").succeeds();
        assert_eq!(event_ids(&dir), [name], "{outcome}");
    }
}

/// Linux allows names that are not text; two that look alike on a screen are still two files.
#[cfg(target_os = "linux")]
#[test]
fn files_whose_names_are_no_text_are_all_read() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let dir = Workdir::new();
    fs_err::create_dir(dir.path("in")).unwrap();
    for (event_id, name) in [("a", b"x\xFE.json"), ("b", b"x\xFF.json")] {
        let bad_line = "no JSON\n";
        fs_err::write(dir.path("in").join(OsStr::from_bytes(name)), one_event(event_id) + bad_line).unwrap();
    }
    let outcome = dir.loader().source("in").arg("--backfill").succeeds();
    assert_eq!(event_ids(&dir), ["a", "b"], "{outcome}");
    assert_eq!(quarantine(&dir.target()).len(), 2, "a bad line of each");
}

#[test]
fn a_file_named_twice_is_read_once() {
    let dir = Workdir::new();
    dir.write("in/a.json", one_event("a") + "{\n");
    let absolute = dir.path("in/a.json");
    let loader = dir
        .loader()
        .source("in/a.json")
        .source(absolute)
        .source("./in/../in/a.json")
        .source("in")
        .source("in/*");
    let outcome = loader.arg("--backfill").succeeds();
    assert_eq!((outcome.count("lines"), outcome.count("superseded")), (2, 0), "{outcome}");
    assert_eq!(sources(&dir, &outcome).len(), 1);
    assert_eq!(quarantine(&dir.target()).len(), 1);
}

/// By its smallest path; a directory that links back to itself is read once.
#[cfg(unix)]
#[test]
fn links_lead_to_each_file_and_directory_once() {
    use std::os::unix::fs::symlink;
    let dir = Workdir::new();
    dir.write("in/b/one.json", one_event("one"));
    dir.write("in/two.json", one_event("two"));
    dir.write("elsewhere/three.json", one_event("three"));
    symlink(dir.path("in"), dir.path("in/b/loop")).unwrap();
    symlink(dir.path("in"), dir.path("in/other loop")).unwrap();
    symlink(dir.path("in/b"), dir.path("in/a")).unwrap();
    symlink(dir.path("in/two.json"), dir.path("in/zwei.json")).unwrap();
    symlink(dir.path("elsewhere"), dir.path("in/c")).unwrap();
    for given in [["in", "in/zwei.json"], ["in/zwei.json", "in"]] {
        let loader = given.into_iter().fold(dir.loader(), Loader::source);
        let outcome = loader.arg("--backfill").succeeds();
        assert_eq!(event_ids(&dir), ["one", "three", "two"]);
        let expected = [("in/a/one.json", 1), ("in/c/three.json", 1), ("in/two.json", 1)];
        let found = sources(&dir, &outcome);
        assert!(found.iter().all(|(path, _)| !path.contains("zwei")), "{found:?}");
        let found: Vec<_> = found.iter().map(|(path, lines)| (path.as_str(), *lines)).collect();
        assert_eq!(found, expected, "{given:?}");
    }

    // Nor does a link hide that a source is the target's own.
    symlink(dir.target(), dir.path("in/target")).unwrap();
    dir.loader().source("in").arg("--backfill").exits(2).says(&["in/target"]);
}

/// Among equal timestamps the last in the input is the latest; the input is ordered by path, then by line.
#[test]
fn the_order_of_the_input_is_that_of_the_paths() {
    let dir = Workdir::new();
    let version = |id: i32| account_open("e", "2024-10-10T12:00:00", id) + "\n";
    for (name, id) in [("b.json", 4), ("a/b.json", 3), ("a.json", 2), ("a-b.json", 1), ("B.json", 0)] {
        dir.write(&format!("in/{name}"), version(10 + id) + &version(id));
    }
    let latest = || rows(&dir.target())["2024/10/10/account-open"][0][4].clone();
    let files = ["b.json", "B.json", "a-b.json", "a/b.json", "a.json"];
    for (count, expected) in [(5, "4"), (1, "0"), (2, "1"), (4, "3")] {
        let skip = usize::from(count < 5);
        let loader = files
            .iter()
            .skip(skip)
            .take(count)
            .fold(dir.loader(), |loader, name| loader.source(format!("in/{name}")));
        let outcome = loader.arg("--backfill").succeeds();
        assert_eq!(latest(), expected, "{outcome}");
    }
    dir.loader().source("in").arg("--backfill").succeeds();
    assert_eq!(latest(), "4", "a directory");
    dir.loader().source("-").source("in").stdin(version(7)).arg("--backfill").succeeds();
    assert_eq!(latest(), "7", "standard input comes last");
}

#[test]
fn no_file_is_an_error_and_an_empty_one_is_not() {
    let dir = Workdir::new();
    fs_err::create_dir(dir.path("empty")).unwrap();
    for source in ["missing.json", "missing/", "empty", "in/*.json"] {
        dir.loader().source(source).arg("--backfill").exits(1).says(&[source.trim_end_matches('/')]);
        assert!(!dir.target().exists(), "{source}");
    }
    for content in ["", "\n", " \r\n\t\n\n", "\u{FEFF}", "\u{FEFF}\r\n"] {
        let source = dir.write("in.json", content);
        let outcome = dir.loader().source(source).arg("--backfill").succeeds();
        assert_eq!(outcome.count("lines"), outcome.count("blank"), "{content:?}: {outcome}");
        assert_eq!(
            outcome.count("lines"),
            content.split_terminator('\n').count() as u64,
            "{content:?}: {outcome}"
        );
        assert_eq!(
            (outcome.count("written"), &outcome.report()["partitions"]),
            (0, &json!([])),
            "{content:?}"
        );
    }
    let outcome = dir.loader().source("-").arg("--backfill").succeeds();
    assert_eq!(outcome.count("lines"), 0, "standard input that is empty");
}

#[test]
fn framing_makes_no_difference_to_events() {
    let (a, b) = (account_open("a", "2024-10-10T12:00:00", 1), account_open("b", "2024-10-10T12:00:00", 2));
    for (name, content, blank) in [
        ("newlines", format!("{a}\n{b}\n"), 0),
        ("no last newline", format!("{a}\n{b}"), 0),
        ("CRLF", format!("{a}\r\n{b}\r\n"), 0),
        ("CRLF, no last newline", format!("{a}\r\n{b}\r"), 0),
        ("a BOM", format!("\u{FEFF}{a}\n{b}\n"), 0),
        ("blank lines", format!("\n{a}\n\n \t\r\n{b}\n\n"), 4),
        ("a BOM on a blank line", format!("\u{FEFF} \n{a}\n{b}\n"), 1),
        ("white space at the end, no newline", format!("{a}\n{b}\n  "), 1),
    ] {
        let dir = Workdir::new();
        let outcome = dir.loader().source(dir.write("in.json", content)).arg("--backfill").succeeds();
        assert_eq!(event_ids(&dir), ["a", "b"], "{name}: {outcome}");
        assert_eq!((outcome.count("blank"), outcome.count("lines")), (blank, 2 + blank), "{name}: {outcome}");
    }
}

#[test]
fn a_bad_line_keeps_its_place_and_its_bytes() {
    let good = account_open("a", "2024-10-10T12:00:00", 1);
    let bad = ["\u{FEFF}{\"x\"\r", "\u{FEFF}{}", "{\"a\":\"\u{0}é\"}", "a\rb", "  [] "];
    let dir = Workdir::new();
    let file = [bad[0], &good, bad[1], "", bad[2], bad[3], bad[4]].join("\n");
    let source = dir.write("in.json", &file);
    dir.loader().source(&source).arg("--backfill").succeeds();

    let found: Vec<_> =
        quarantine(&dir.target()).into_iter().map(|bad| (bad.line, bad.offset, bad.raw)).collect();
    let lines = [1, 3, 5, 6, 7];
    let offset = |raw: &str| file.find(raw).unwrap() as u64;
    let expected: Vec<_> =
        lines.iter().zip(bad).map(|(&line, raw)| (line, offset(raw), raw.as_bytes().to_vec())).collect();
    assert_eq!(found, expected);

    // Standard input is a source like any other; its name is `-`.
    dir.loader_into("other").source("-").stdin(file).arg("--backfill").succeeds();
    let of_stdin = quarantine(&dir.path("other"));
    assert!(of_stdin.iter().all(|bad| bad.source == "-"), "{of_stdin:?}");
    assert_eq!(of_stdin.into_iter().map(|bad| (bad.line, bad.offset, bad.raw)).collect::<Vec<_>>(), found);
}

#[test]
fn lines_of_any_length_are_found_whole() {
    // Around and beyond every block size in use, some lines longer than a block.
    let lengths = [
        1_usize << 10,
        (1 << 16) - 300,
        1 << 16,
        (1 << 20) - 200,
        1 << 20,
        3 << 20,
        (4 << 20) + 1,
        (1 << 23) + 17,
        10,
        200,
    ];
    let line = |(index, length): (usize, &usize)| {
        event(
            &format!("e{index}"),
            "2024-10-10T12:00:00",
            "account-open",
            &format!("{{\"reason\": \"{}\"}}", "x".repeat(*length)),
        )
    };
    let dir = Workdir::new();
    let source = dir.write("in.json", file_of(lengths.iter().enumerate().map(line)));
    dir.loader().source(source).arg("--backfill").succeeds();
    let found: Vec<_> =
        rows(&dir.target())["2024/10/10/account-open"].iter().map(|row| row[7].len() - 2).collect();
    assert_eq!(found, lengths);
}

/// Pipes that the shell names: `/dev/stdin`, and `/dev/fd/63` for `<(…)`.
#[cfg(target_os = "linux")]
#[test]
fn pipes_of_the_shell_are_sources() {
    let dir = Workdir::new();
    dir.write("a.json", one_event("a"));
    dir.write("b.json", one_event("b"));
    let bash = |command: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", command, LOADER, "-t", "target", "--report", "report.json", "--backfill"]);
        Loader::new(bash, &dir)
    };
    for (command, ids) in [
        (r#""$0" "$@" -s <(cat a.json)"#, &["a"][..]),
        (r#""$0" "$@" -s <(gzip < a.json) -s <(cat b.json) -s c.json"#, &["a", "b", "c"]),
        (r#"cat a.json | "$0" "$@" -s /dev/stdin"#, &["a"]),
        (r#"cat a.json | "$0" "$@" -s /dev/fd/0 -s - -s /dev/stdin -s b.json"#, &["a", "b"]),
        (r#""$0" "$@" -s /dev/stdin < a.json"#, &["a"]),
        (r#""$0" "$@" -s /dev/stdin <<< "$(cat a.json)""#, &["a"]),
        (r#""$0" "$@" --mode merge --skip-loaded -s <(cat b.json)"#, &["a", "b"]),
    ] {
        dir.write("c.json", one_event("c"));
        let outcome = bash(command).succeeds();
        assert_eq!(event_ids(&dir), ids, "{command}: {outcome}");
    }
    // An open file that has no name any more.
    bash(r#"exec 3< c.json; rm c.json; "$0" "$@" -s /dev/fd/3"#).succeeds();
    assert_eq!(event_ids(&dir), ["c"]);
}

/// A name need not be text.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_a_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let dir = Workdir::new();
    let name = OsStr::from_bytes(b"in\xFF.json");
    fs_err::write(dir.path("").join(name), one_event("a") + "bad\n").unwrap();
    dir.loader().source(name).arg("--backfill").succeeds();
    assert_eq!(event_ids(&dir), ["a"]);
    assert!(
        quarantine(&dir.target())[0].source.contains("in\\xff.json"),
        "{:?}",
        quarantine(&dir.target())[0].source
    );
    dir.bare_loader().args(["catalog", "check"]).arg(name).exits(3);
    dir.bare_loader().args(["catalog", "infer", "--all"]).arg(name).succeeds();
    let missing = OsStr::from_bytes(b"out\xFF.json");
    dir.loader().source(missing).arg("--backfill").exits(1).says(&["out\u{FFFD}.json", "no such file"]);
}
