//! Rows that replace those of a target → its files, and commits that record these files.
//!
//! Invariant: only the rows themselves differ from what a right load would leave.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::wrong_target::Partitions;
use crate::support::files::tree;

/// The only file of a partition with few rows.
const PART: &str = "part-00000.zstd.parquet";

/// Puts rows in the place of those that are present, and records them as the load that left them would have.
pub(super) fn put(target: &Path, present: &Partitions, partitions: &Partitions) {
    for directory in present.keys().filter(|directory| !partitions.contains_key(*directory)) {
        fs_err::remove_dir_all(target.join(directory)).unwrap();
    }
    let is_other = |(directory, batch): &(&String, &RecordBatch)| present.get(*directory) != Some(batch);
    for (directory, batch) in partitions.iter().filter(is_other) {
        write_part(&target.join(directory), batch);
    }
    record(target, partitions);
}

/// Lets each commit say of a partition what is there now, as if it had written that.
fn record(target: &Path, partitions: &Partitions) {
    let mut commits = commits_of(target);
    let mut known = Vec::new();
    for commit in &mut commits {
        let changes = commit.changes();
        known.extend(changes.clone());
        changes.retain(|change| is_of_quarantine(change) || partitions.contains_key(directory_of(change)));
        for change in changes.iter_mut().filter(|change| !is_of_quarantine(change)) {
            let files = files_in(target, directory_of(change), partitions);
            change["files"] = files;
        }
    }
    // A partition that the right load did not have is the last commit's.
    let is_new = |directory: &&String| known.iter().all(|change| directory_of(change) != *directory);
    for directory in partitions.keys().filter(is_new) {
        let is_alike = |change: &&Value| last_part(directory_of(change)) == last_part(directory);
        let mut change = known.iter().find(is_alike).unwrap().clone();
        change["directory"] = json!(directory);
        change["files"] = files_in(target, directory, partitions);
        commits.last_mut().unwrap().changes().push(change);
    }
    for commit in &mut commits {
        commit.balance();
        commit.write();
    }
}

fn is_of_quarantine(change: &Value) -> bool {
    change["event_type"].is_null()
}

fn last_part(directory: &str) -> Option<&str> {
    directory.rsplit('/').next()
}

/// Empties the quarantine, as if no load had kept a bad line.
pub(super) fn empty_quarantine(target: &Path) {
    fs_err::remove_dir_all(target.join("_quarantine")).unwrap();
    for mut commit in commits_of(target) {
        commit.changes().retain(|change| !is_of_quarantine(change));
        commit.write();
    }
}

fn write_part(directory: &Path, batch: &RecordBatch) {
    fs_err::create_dir_all(directory).unwrap();
    let file = fs_err::File::create(directory.join(PART)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// As a commit lists the files of a partition.
fn files_in(target: &Path, directory: &str, partitions: &Partitions) -> Value {
    let bytes = fs_err::read(target.join(directory).join(PART)).unwrap();
    json!([{
        "staged": "", "name": PART, "rows": partitions[directory].num_rows(), "bytes": bytes.len(), "checksum": xxh3_64(&bytes)
    }])
}

fn directory_of(change: &Value) -> &str {
    change["directory"].as_str().unwrap()
}

/// What a load recorded.
struct Commit {
    path: PathBuf,
    content: Value,
}

fn commits_of(target: &Path) -> Vec<Commit> {
    let names = tree(&target.join("_eventloader")).into_keys().filter(|name| name.starts_with("commit-"));
    let read = |name: String| {
        let path = target.join("_eventloader").join(name);
        let content = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        Commit { path, content }
    };
    names.map(read).collect()
}

impl Commit {
    fn changes(&mut self) -> &mut Vec<Value> {
        self.content["changes"].as_array_mut().unwrap()
    }

    /// Counts rows that the right loader left out as written, not superseded; in a merge, as kept.
    fn balance(&mut self) {
        let files = self.changes().iter().filter(|change| !is_of_quarantine(change));
        let rows: u64 = files.map(|change| change["files"][0]["rows"].as_u64().unwrap_or(0)).sum();
        let load = &mut self.content["load"];
        let number = |value: &Value| value.as_u64().unwrap();
        let more = rows.saturating_sub(number(&load["counts"]["written"]) + number(&load["held_kept"]));
        if load["mode"] == "merge" {
            load["held_kept"] = json!(number(&load["held_kept"]) + more);
        } else {
            load["counts"]["written"] = json!(number(&load["counts"]["written"]) + more);
            load["counts"]["superseded"] = json!(number(&load["counts"]["superseded"]) - more);
        }
    }

    fn write(&self) {
        fs_err::write(&self.path, serde_json::to_vec(&self.content).unwrap()).unwrap();
    }
}
