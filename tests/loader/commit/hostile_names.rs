//! Names like `../../etc` in data, catalogs and sources: does nothing leave the target, and no control
//! character reach a terminal?

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    events::file_of,
    files::{paths, visible},
    readback::{quarantine, quarantine_records, rows},
    workdir::{Outcome, Workdir},
};

/// Names that lead elsewhere, end a path or a line, are too long, or control a terminal.
fn names() -> Vec<String> {
    let short = [
        "../../etc",
        "../x",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "C:\\x",
        "~",
        "%2e%2e",
        "a\0b",
        "a\nb",
        "\n# \u{1b}[2J",
        "\u{1b}]0;title\u{7}",
        "\u{202e}gpj",
        "_eventloader",
        "_quarantine",
        "-rf",
    ];
    let long = ["x".repeat(4096), "é".repeat(3000), "../".repeat(1365)];
    short.into_iter().map(str::to_owned).chain(long).collect()
}

/// An event with one of its fields changed.
fn event(pointer: &str, value: &str) -> Value {
    let mut event = json!({
        "event_id": "e", "timestamp": "2024-10-10T12:00:00", "domain": "account", "event_type": "account-open",
        "data": {"id": 1, "reason": "r"},
    });
    *event.pointer_mut(pointer).unwrap() = json!(value);
    event
}

/// For each name, events that have it in every place.
fn events() -> String {
    let mut lines = Vec::new();
    for name in names() {
        for pointer in ["/event_id", "/timestamp", "/domain", "/event_type", "/data/id", "/data/reason"] {
            lines.push(event(pointer, &name).to_string());
        }
        let mut unknown = event("/event_id", "unknown");
        unknown["data"][name.as_str()] = json!(1);
        unknown[&format!("{name} ")] = json!({name.as_str(): [name]});
        lines.push(unknown.to_string());
    }
    lines.join("\n")
}

/// Output for people has newlines but no other control characters.
#[track_caller]
fn assert_inert(text: &str, outcome: &Outcome) {
    let acts = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}'..='\u{202E}');
    assert!(!text.contains(acts), "a terminal would act upon {} of {outcome}", visible(text.as_bytes()));
}

#[test]
fn names_in_events_lead_nowhere() {
    for flags in [&["--layout=plain"][..], &["--layout=hive", "--partition-by=hour", "--flatten=false"]] {
        let dir = Workdir::new();
        // So deep that a path which goes up some levels would still be seen.
        dir.write("a/b/c/in.json", events());
        let before: BTreeSet<_> = paths(&dir.path("")).into_iter().collect();
        let outcome =
            dir.loader_into("a/b/c/target").source("a/b/c/in.json").arg("-b").args(flags).succeeds();

        let partition = if flags.len() == 1 {
            "2024/10/10/account-open"
        } else {
            "year=2024/month=10/day=10/hour=12/event_type=account-open"
        };
        let mut new: Vec<_> =
            paths(&dir.path("")).into_iter().filter(|path| !before.contains(path)).collect();
        new.retain(|path| path != "report.json" && !path.starts_with("a/b/c/target/_"));
        let mut expected = vec!["a/b/c/target".to_owned()];
        for part in partition.split('/').chain(["part-00000.zstd.parquet"]) {
            expected.push(format!("{}/{part}", expected.last().unwrap()));
        }
        assert_eq!(new, expected, "{outcome}");
        let private = paths(&dir.path("a/b/c/target/_eventloader"));
        assert_eq!(private, ["commit-000001.json", "layout.json", "lock"], "{outcome}");
        assert_eq!(paths(&dir.path("a/b/c/target/_quarantine")).len(), 1, "{outcome}");

        // Only names that become paths have to be safe; as ids and texts they are as good as any.
        let ids: BTreeSet<_> =
            rows(&dir.path("a/b/c/target"))[partition].iter().map(|row| row[0].clone()).collect();
        for name in names().iter().filter(|name| !name.is_empty()) {
            assert!(ids.contains(&json!(name).to_string()), "{name:?} is an event_id of {outcome}");
        }
        assert_eq!(outcome.reasons()["unknown_event"], 2 * names().len() as u64, "{outcome}");
        assert_inert(&outcome.stderr, &outcome);
    }
}

#[test]
fn a_terminal_is_not_given_what_it_would_act_upon() {
    let dir = Workdir::new();
    dir.write("in.json", events());
    let outcome = dir.bare_loader().args(["catalog", "check", "in.json"]).exits(3);
    assert_inert(&outcome.stdout, &outcome);
    let outcome = dir.bare_loader().args(["catalog", "infer", "in.json"]).succeeds();
    assert_inert(&(outcome.stdout.clone() + &outcome.stderr), &outcome);
    for (index, name) in names().iter().enumerate() {
        dir.write("one.json", event("/event_type", name).to_string());
        let outcome = dir.loader().args(["-s", "one.json", "-b", "--max-bad-lines=0"]).exits(3);
        outcome.says(&["one.json:1", "an event type of the catalog"]);
        assert_inert(&outcome.stderr, &outcome);
        let missing = format!("{index}\u{1b}[2J\n.json");
        let outcome = dir.loader().args(["-s", &missing, "-b"]).exits(1);
        outcome.says(&["\\u001B", "check --source-file"]);
        assert_inert(&outcome.stderr, &outcome);
    }
}

#[test]
fn a_catalog_with_such_names_of_directories_or_columns_is_refused() {
    let dir = Workdir::new();
    dir.write("in.json", event("/event_id", "e").to_string());
    for name in names() {
        let quoted = json!(name).to_string().replace('\u{202e}', "\\u202e");
        for (what, catalog) in [
            ("a directory", format!("[domain.a.events.b]\ndirectory = {quoted}")),
            ("a column", format!("[domain.a.events.b.fields]\nx = {{ type = 'string', column = {quoted} }}")),
            (
                "a member",
                format!(
                    "[domain.a.events.b.fields]\nx = {{ fields = {{ y = {{ type = 'string', column = {quoted} }} }} }}"
                ),
            ),
        ] {
            if matches!(what, "a column" | "a member")
                && matches!(name.as_str(), "_eventloader" | "_quarantine")
            {
                continue; // A column may have an underscore in front.
            }
            dir.write("c.toml", &catalog);
            let before = paths(&dir.path(""));
            let outcome =
                dir.bare_loader().args(["-s", "in.json", "-t", "target", "-b", "--catalog", "c.toml"]).run();
            assert_eq!(outcome.status.code(), Some(2), "{name:?} as {what}: {outcome}");
            outcome.says(&["c.toml:"]);
            assert_inert(&outcome.stderr, &outcome);
            assert_eq!(paths(&dir.path("")), before, "{name:?} as {what}");
        }
    }
}

/// The names of event types are written in hexadecimal where they are no names of directories.
#[test]
fn event_types_of_such_names_have_directories_in_their_target() {
    let dir = Workdir::new();
    let refused = |name: &String| name.is_empty() || name.len() > 255;
    for name in names().iter().filter(|name| refused(name)) {
        dir.write("c.toml", format!("[domain.a.events.{}]", json!(name)));
        dir.loader().args(["-s", "in.json", "-b", "--catalog", "c.toml"]).exits(2).says(&["c.toml:1"]);
    }
    let names: Vec<_> = names().into_iter().filter(|name| !refused(name)).collect();
    let event = |name: &String| json!({"event_id": "e", "timestamp": "2024-10-10", "domain": "a", "event_type": name});
    dir.write("in.json", file_of(names.iter().map(|name| event(name).to_string())));
    let quoted =
        |name: &String| json!(name).to_string().replace('\u{202e}', "\\u202e").replace('\u{7}', "\\u0007");
    dir.write("c.toml", file_of(names.iter().map(|name| format!("[domain.a.events.{}]", quoted(name)))));
    let before: BTreeSet<_> = paths(&dir.path("")).into_iter().collect();
    for (layout, day) in [("plain", "2024/10/10"), ("hive", "year=2024/month=10/day=10")] {
        let target = format!("a/b/c/{layout}");
        let loader = dir.loader_into(&target).args(["-s", "in.json", "-b", "--catalog", "c.toml"]);
        let outcome = loader.args(["--layout", layout]).succeeds();
        assert_inert(&outcome.stderr, &outcome);
        assert_eq!(outcome.count("written"), names.len() as u64, "{outcome}");
        let directories: BTreeSet<_> = rows(&dir.path(&target)).into_keys().collect();
        assert_eq!(directories.len(), names.len(), "{directories:?}");
        for directory in directories {
            let name = directory.strip_prefix(&format!("{day}/")).unwrap();
            let name = name.strip_prefix("event_type=").unwrap_or_else(|| {
                assert!(!name.starts_with(['_', '.', '-']), "{name:?} is no path, and not hidden");
                name
            });
            assert!(name.chars().all(|c| c.is_alphanumeric() || "-_.~%".contains(c)), "{name:?}");
        }
        dir.bare_loader().arg("verify").arg(dir.path(&target)).succeeds();
    }
    let outside =
        paths(&dir.path("")).into_iter().filter(|path| !before.contains(path) && !path.starts_with("a/b/c"));
    assert_eq!(outside.collect::<Vec<_>>(), ["a", "a/b", "report.json"]);
}

/// Whatever the domains in the data are called, a draft's files stay in its directory, and the draft loads
/// its events.
#[test]
fn a_draft_of_such_names_stays_in_its_directory_and_can_be_loaded() {
    let dir = Workdir::new();
    dir.write("a/in.json", events());
    let before: BTreeSet<_> = paths(&dir.path("")).into_iter().collect();
    let outcome =
        dir.bare_loader().args(["catalog", "infer", "a/in.json", "--output", "a/drafts"]).succeeds();
    assert_inert(&outcome.stderr, &outcome);
    let new: Vec<_> = paths(&dir.path("")).into_iter().filter(|path| !before.contains(path)).collect();
    let is_draft = |path: &&String| path.as_str() == "a/drafts" || path.starts_with("a/drafts/");
    assert_eq!(new.iter().filter(is_draft).count(), new.len(), "{new:?}");
    assert!(new.len() > names().len() / 2, "a file for each domain: {new:?}");

    let outcome =
        dir.loader_into("a/target").args(["-s", "a/in.json", "-b", "--catalog", "a/drafts"]).succeeds();
    assert!(!outcome.reasons().contains_key("unknown_event"), "{outcome}");
    let outside: Vec<_> = paths(&dir.path("")).into_iter().filter(|path| !path.starts_with("a/")).collect();
    assert_eq!(outside, ["a", "report.json"], "{outcome}");
}

/// Also files whose names are not text, and files whose names equal the escaped form of those.
#[cfg(target_os = "linux")]
#[test]
fn each_source_has_a_quarantine_file_of_its_own_whatever_its_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

    let dir = Workdir::new();
    let with_front = |end: &[u8]| [&[b'n'; 60], end].concat();
    let short: [&[u8]; 11] = [
        b"a\nb",
        b"a_b",
        b"a\x1b[2J",
        b"x\xFE",
        b"x\xFF",
        br"x\xfe",
        br"x\xff",
        b"-rf",
        br"..\..\etc",
        b"...",
        b"\xC3\xA9",
    ];
    let long = [with_front(b"\xFE"), with_front(b"\xFF"), with_front(br"\xfe"), with_front(&[b'n'; 195])];
    let file_names: Vec<_> = short.into_iter().map(<[u8]>::to_vec).chain(long).collect();
    fs_err::create_dir(dir.path("in")).unwrap();
    let path = |name: &[u8]| dir.path("in").join(OsStr::from_bytes(name));
    for (index, name) in file_names.iter().enumerate() {
        fs_err::write(path(name), format!("bad line {index}\n")).unwrap();
    }
    let mut loader = dir.loader().args(["-s", "in/../in", "-b", "--max-bad-lines=100%"]);
    for name in file_names.iter().filter(|name| name.starts_with(b".")) {
        loader = loader.source(path(name)); // In a directory they are left out.
    }
    let outcome = loader.succeeds();
    assert_eq!(outcome.count("quarantined.total"), file_names.len() as u64, "{outcome}");
    let kept: BTreeSet<_> = quarantine(&dir.target()).into_iter().map(|bad| bad.raw).collect();
    assert_eq!(kept.len(), file_names.len(), "each bad line is kept: {kept:?}");
    let files = paths(&dir.target().join("_quarantine"));
    assert_eq!(files.len(), file_names.len(), "{files:?}");
    assert!(files.iter().all(|name| !name.contains(['/', '\n', '\u{1b}'])), "{files:?}");
    let sources: BTreeSet<_> = quarantine_records(&dir.target())
        .into_iter()
        .map(|(record, _)| record["source"].to_string())
        .collect();
    assert_eq!(sources.len(), file_names.len(), "each has its own name: {sources:?}");

    let outcome = dir.loader().source(OsStr::from_bytes(b"in/x\xFE")).arg("-b").exits(3);
    assert_inert(&outcome.stderr, &outcome);
}
