//! The names in a log's directory → the checkpoint to begin with, and the commits behind it.
//!
//! Invariant: names that are not exactly those of the protocol are nobody's; a checkpoint in parts counts
//! when all of its parts are there.

use std::collections::BTreeMap;

use storage::Found;

/// What an object of the log is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Commit,
    Checkpoint { part: u32, parts: u32 },
}

/// The objects of a log that a snapshot is read from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The newest complete checkpoint: its version, and the keys of its parts.
    pub(crate) checkpoint: Option<(u64, Vec<String>)>,
    /// The versions of the commits, rising.
    pub(crate) commits: Vec<u64>,
    /// Whether there is a checkpoint of version 2, which is not read.
    pub(crate) has_version_2: bool,
    /// Whether there is anything that only a log has that has begun.
    pub(crate) has_begun: bool,
}

impl Listing {
    /// Of the objects below `prefix`, the log's directory with its `/`.
    pub(crate) fn of(prefix: &str, found: Vec<Found>) -> Self {
        let mut commits = Vec::new();
        let mut checkpoints: BTreeMap<(u64, u32), BTreeMap<u32, String>> = BTreeMap::new();
        let (mut has_version_2, mut has_begun) = (false, false);
        for Found { key, .. } in found {
            let Some(name) = key.strip_prefix(prefix) else { continue };
            has_begun |= is_of_a_log(name);
            match version_and_kind(name) {
                Some((version, Kind::Commit)) => commits.push(version),
                Some((version, Kind::Checkpoint { part, parts })) => {
                    checkpoints.entry((version, parts)).or_default().insert(part, key);
                }
                None => has_version_2 |= is_version_2(name),
            }
        }
        let is_complete = |((_, parts), keys): &(&(u64, u32), &BTreeMap<_, _>)| keys.len() == *parts as usize;
        let newest = checkpoints.iter().rev().find(is_complete);
        let checkpoint = newest.map(|((version, _), keys)| (*version, keys.values().cloned().collect()));
        commits.sort_unstable();
        Self { checkpoint, commits, has_version_2, has_begun }
    }

    /// The commits behind a version, without a gap, up to the newest that is known of; of a log that begins
    /// without a checkpoint, from 0 on. Otherwise the first one that is missing.
    pub(crate) fn commits_behind(&self, version: Option<u64>) -> Result<Vec<u64>, u64> {
        let first = version.map_or(0, |version| version + 1);
        let checkpoint = self.checkpoint.as_ref().map(|(version, _)| *version);
        let Some(last) = self.commits.last().copied().max(checkpoint).filter(|last| *last >= first) else {
            return Ok(Vec::new());
        };
        let commits: Vec<_> = self.commits.iter().copied().filter(|commit| *commit >= first).collect();
        let found = (first..=last).zip(&commits).find(|(expected, commit)| expected != *commit);
        match found {
            Some((missing, _)) => Err(missing),
            None if first + commits.len() as u64 <= last => Err(first + commits.len() as u64),
            None => Ok(commits),
        }
    }
}

/// The name of the hint where the last checkpoint is.
pub(crate) const HINT: &str = "_last_checkpoint";

/// The digits of a version in a name.
const VERSION_DIGITS: usize = 20;
const PART_DIGITS: usize = 10;

/// The name of a commit.
pub(crate) fn commit_name(version: u64) -> String {
    format!("{version:020}.json")
}

/// What stands before all names of a version, and behind all of the versions before.
pub(crate) fn version_name(version: u64) -> String {
    format!("{version:020}")
}

fn version_and_kind(name: &str) -> Option<(u64, Kind)> {
    let (version, rest) = version_of(name)?;
    if rest == ".json" {
        return Some((version, Kind::Commit));
    }
    if rest == ".checkpoint.parquet" {
        return Some((version, Kind::Checkpoint { part: 1, parts: 1 }));
    }
    let (part, parts) = rest.strip_prefix(".checkpoint.")?.strip_suffix(".parquet")?.split_once('.')?;
    let (part, parts) = (number_of(part, PART_DIGITS)?, number_of(parts, PART_DIGITS)?);
    let (part, parts) = (u32::try_from(part).ok()?, u32::try_from(parts).ok()?);
    (1..=parts).contains(&part).then_some((version, Kind::Checkpoint { part, parts }))
}

fn version_of(name: &str) -> Option<(u64, &str)> {
    let (version, rest) = name.split_at_checked(VERSION_DIGITS)?;
    // No program gets so far that there is no next version.
    let version = number_of(version, VERSION_DIGITS).filter(|version| *version < u64::MAX)?;
    Some((version, rest))
}

fn number_of(text: &str, digits: usize) -> Option<u64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Whether it is a checkpoint of version 2, named by a UUID.
fn is_version_2(name: &str) -> bool {
    let Some((_, rest)) = version_of(name) else { return false };
    let Some(rest) = rest.strip_prefix(".checkpoint.") else { return false };
    let id = rest.strip_suffix(".parquet").or_else(|| rest.strip_suffix(".json"));
    id.is_some_and(|id| id.len() == 36 && !id.contains('.'))
}

/// Whether it is made behind a commit: where nothing else is left, a log has lost its beginning.
fn is_of_a_log(name: &str) -> bool {
    let is_made_behind = |rest: &str| {
        rest == ".json"
            || rest == ".crc"
            || rest.starts_with(".checkpoint.")
            || rest.ends_with(".compacted.json")
    };
    name == HINT || version_of(name).is_some_and(|(_, rest)| is_made_behind(rest))
}
