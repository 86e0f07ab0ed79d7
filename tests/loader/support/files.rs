//! The files of a target as one value, how two targets differ, and assertions whose messages show what is
//! wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The files below a directory: path, with `/` between its parts → bytes.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// All files below `dir`, including private ones; none if there is no `dir`.
pub(crate) fn tree(dir: &Path) -> Tree {
    let read = |(name, path): (String, PathBuf)| (name, fs_err::read(path).unwrap());
    files(dir).into_iter().map(read).collect()
}

/// The files of a target that matter to its users: partitions and quarantine.
pub(crate) fn published(target: &Path) -> Tree {
    let mut tree = tree(target);
    tree.retain(|name, _| !name.starts_with("_eventloader/"));
    tree
}

/// When the files that [`published`] lists were last modified.
pub(crate) fn modified(target: &Path) -> BTreeMap<String, SystemTime> {
    let mut stamps = BTreeMap::new();
    for (name, path) in files(target) {
        if !name.starts_with("_eventloader/") {
            stamps.insert(name, fs_err::metadata(path).unwrap().modified().unwrap());
        }
    }
    stamps
}

/// Everything below a directory, including directories; links are not followed.
pub(crate) fn paths(dir: &Path) -> Vec<String> {
    let (mut paths, mut unread) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(next) = unread.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            paths.push(entry.path().strip_prefix(dir).unwrap().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                unread.push(entry.path());
            }
        }
    }
    paths.sort();
    paths
}

fn files(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut unread = if dir.exists() { vec![dir.to_owned()] } else { Vec::new() };
    while let Some(next) = unread.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                unread.push(entry.path());
            } else {
                let parts: Vec<_> = entry
                    .path()
                    .strip_prefix(dir)
                    .unwrap()
                    .iter()
                    .map(|part| part.display().to_string())
                    .collect();
                found.push((parts.join("/"), entry.path()));
            }
        }
    }
    found
}

/// How one tree became another, a line for each file.
pub(crate) fn changes(before: &Tree, after: &Tree) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, old) in before {
        match after.get(name) {
            None => changes.push(format!("{name} is gone")),
            Some(new) if new != old => {
                changes.push(format!("{name} was replaced: {} bytes, now {}", old.len(), new.len()));
            }
            Some(_) => {}
        }
    }
    changes
        .extend(after.keys().filter(|name| !before.contains_key(*name)).map(|name| format!("{name} is new")));
    changes.sort();
    changes
}

/// Two trees are the same, byte for byte.
#[track_caller]
pub(crate) fn assert_same_tree(expected: &Tree, found: &Tree, what: &str) {
    let changes = changes(expected, found);
    assert!(
        changes.is_empty(),
        "{what}: these files differ from what was expected:\n  {}",
        changes.join("\n  ")
    );
}

/// A finished load leaves nothing of its own in the target except for the lock and its records: the layout
/// and the commits.
#[track_caller]
pub(crate) fn assert_no_debris(target: &Path) {
    let private = tree(target).into_keys().filter(|name| name.starts_with("_eventloader/"));
    let debris: Vec<String> = private
        .filter(|name| {
            !matches!(
                name.as_str(),
                "_eventloader/lock"
                    | "_eventloader/layout.json"
                    | "_eventloader/history.json"
                    | "_eventloader/published.json"
            ) && !is_commit(name)
        })
        .collect();
    assert!(debris.is_empty(), "left behind in {}: {debris:?}", target.display());
}

fn is_commit(name: &str) -> bool {
    let number = name.strip_prefix("_eventloader/commit-").or(name.strip_prefix("_eventloader/commits/"));
    let number = number.and_then(|rest| rest.strip_suffix(".json"));
    number.is_some_and(|number| number.parse::<u64>().is_ok())
}

/// Two lists are the same; if not, the message says what is missing and what is too much, and shows both in
/// full.
#[track_caller]
pub(crate) fn assert_same_lines(expected: &[String], found: &[String], what: &str) {
    assert!(expected == found, "{what}\n{}", difference(expected, found));
}

/// Bytes as one line of readable text, at most a screen of it.
pub(crate) fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes[..bytes.len().min(1000)].utf8_chunks() {
        for letter in chunk.valid().chars() {
            let escaped = letter.is_control().then(|| letter.escape_default().to_string());
            text += &escaped.unwrap_or_else(|| letter.to_string());
        }
        chunk.invalid().iter().for_each(|byte| write!(text, "\\x{byte:02X}").unwrap());
    }
    if bytes.len() > 1000 {
        write!(text, "… ({} bytes)", bytes.len()).unwrap();
    }
    text
}

/// What is missing in `found`, what is too much, and both in full.
fn difference(expected: &[String], found: &[String]) -> String {
    let mut text = String::new();
    let mut show = |title: &str, lines: &[&String]| {
        writeln!(text, "{title} ({})", lines.len()).unwrap();
        lines.iter().take(200).for_each(|line| writeln!(text, "  {line}").unwrap());
    };
    let (all_expected, all_found) = (BTreeSet::from_iter(expected), BTreeSet::from_iter(found));
    show("missing:", &all_expected.difference(&all_found).copied().collect::<Vec<_>>());
    show("too much:", &all_found.difference(&all_expected).copied().collect::<Vec<_>>());
    show("all that was expected:", &expected.iter().collect::<Vec<_>>());
    show("all that was found:", &found.iter().collect::<Vec<_>>());
    text
}
