//! The files of a target of tables → what a reader of their logs sees: the rows' files and the bad lines.
//!
//! Logs are read by their JSON commits alone, from the first one on. Names are without the ids of attempts,
//! so that two targets with the same contents are equal.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;

use crate::support::files::{Tree, tree};

const COMMITS: &str = "_eventloader/commits/";

/// Whether a directory is a target of tables.
pub(crate) fn is_of_tables(target: &Path) -> bool {
    target.join(COMMITS).is_dir()
}

/// A table as its newest version is.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The number of the commit of the target that wrote it.
    pub(crate) commit: u64,
    pub(crate) version: u64,
    /// Paths in the target.
    pub(crate) files: BTreeSet<String>,
}

/// The tables of a target, by their directories.
pub(crate) fn tables(tree: &Tree) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::<String, Table>::new();
    for (path, log) in tree {
        let Some((table, version)) = version_of(path) else { continue };
        let expected = tables.get(table).map_or(0, |table| table.version + 1);
        assert_eq!(version, expected, "{path} comes after another version");
        let state = tables.entry(table.to_owned()).or_default();
        state.version = version;
        let mut transactions = 0;
        for action in json_lines(log) {
            if let Some(added) = action.get("add") {
                let file = format!("{table}/{}", added["path"].as_str().unwrap());
                let there = tree.get(&file).map(|bytes| bytes.len() as u64);
                // A sweep deletes the files of old versions; those of the newest one are looked at below.
                assert!(there.is_none() || there == added["size"].as_u64(), "{path} adds {file}: {there:?}");
                assert!(state.files.insert(file), "{path} adds a file again");
            } else if let Some(removed) = action.get("remove") {
                let file = format!("{table}/{}", removed["path"].as_str().unwrap());
                assert!(state.files.remove(&file), "{path} removes {file}, which it does not have");
            } else if let Some(transaction) = action.get("txn") {
                assert_eq!(transaction["appId"], "eventloader", "{path}");
                let commit = transaction["version"].as_u64().unwrap();
                assert!(commit > state.commit, "{path} is commit {commit} after {}", state.commit);
                assert!(
                    tree.contains_key(&record_of(commit)),
                    "{path} is commit {commit}, which is not recorded"
                );
                (state.commit, transactions) = (commit, transactions + 1);
            }
        }
        assert_eq!(transactions, 1, "{path} is one commit");
    }
    tables
}

fn version_of(path: &str) -> Option<(&str, u64)> {
    let (table, version) = path.split_once("/_delta_log/")?;
    Some((table, version.strip_suffix(".json")?.parse().ok()?))
}

fn json_lines(text: &[u8]) -> impl Iterator<Item = Value> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
}

fn record_of(number: u64) -> String {
    format!("{COMMITS}{number:020}.json")
}

/// The records of a target, in their order.
pub(crate) fn records(tree: &Tree) -> Vec<Value> {
    let records = tree.iter().filter(|(path, _)| path.starts_with(COMMITS));
    let records: Vec<Value> = records.map(|(_, text)| serde_json::from_slice(text).unwrap()).collect();
    for (record, number) in records.iter().zip(1..) {
        assert_eq!(record["number"].as_u64(), Some(number), "each number has one record");
    }
    records
}

/// The paths of the quarantine's objects that count.
pub(crate) fn bad_lines(tree: &Tree) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for record in records(tree) {
        let changes = record["changes"].as_array().unwrap();
        for change in changes.iter().filter(|change| change["directory"] == "_quarantine") {
            let path = |name: &Value| format!("_quarantine/{}", name.as_str().unwrap());
            for removed in change["removes"].as_array().into_iter().flatten() {
                paths.remove(&path(removed));
            }
            paths.extend(change["files"].as_array().unwrap().iter().map(|file| path(&file["name"])));
        }
    }
    paths
}

/// By table and by file of the quarantine: names without attempts → bytes.
pub(crate) fn contents(tree: &Tree) -> BTreeMap<String, Tree> {
    let bytes_of =
        |path: &String| tree.get(path).unwrap_or_else(|| panic!("{path} is named, and is not there")).clone();
    let mut contents = BTreeMap::<String, Tree>::new();
    for (table, state) in tables(tree) {
        let files: Tree = state.files.iter().map(|path| (without_attempt(path), bytes_of(path))).collect();
        assert_eq!(files.len(), state.files.len(), "{table} has two files of one name: {:?}", state.files);
        if !files.is_empty() {
            contents.insert(table, files);
        }
    }
    for path in bad_lines(tree) {
        let name = without_attempt(&path);
        assert!(
            contents.insert(name, Tree::from([(String::new(), bytes_of(&path))])).is_none(),
            "{path} is twice"
        );
    }
    contents
}

/// `a/part-00000-<attempt>.zstd.parquet` → `a/part-00000.zstd.parquet`
pub(crate) fn without_attempt(path: &str) -> String {
    let (stem, rest) = path.rsplit_once('-').unwrap();
    let (attempt, extension) = rest.split_once('.').unwrap();
    assert!(attempt.len() == 32 && attempt.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
    format!("{stem}.{extension}")
}

/// Whether some table does not have the last record yet.
pub(crate) fn is_unfinished(tree: &Tree) -> bool {
    let (records, tables) = (records(tree), tables(tree));
    let Some(last) = records.last() else { return false };
    let changes = last["changes"].as_array().unwrap().iter().filter(|change| !change["event_type"].is_null());
    let mut touched = changes.map(|change| change["directory"].as_str().unwrap().split('/').next().unwrap());
    touched.any(|table| tables.get(table).is_none_or(|table| Some(table.commit) != last["number"].as_u64()))
}

/// After a sweep, a target has its records and logs and what they name, and nothing else.
#[track_caller]
pub(crate) fn assert_swept(target: &Path) {
    let tree = tree(target);
    let mut named: BTreeSet<_> = tables(&tree).into_values().flat_map(|table| table.files).collect();
    named.extend(bad_lines(&tree));
    let is_own = |path: &str| {
        path.contains("/_delta_log/")
            || path.starts_with(COMMITS)
            || matches!(path, "_eventloader/history.json" | "_eventloader/published.json")
    };
    let debris: Vec<_> = tree.keys().filter(|path| !is_own(path) && !named.contains(*path)).collect();
    assert!(debris.is_empty(), "left behind in {}: {debris:?}", target.display());
}
