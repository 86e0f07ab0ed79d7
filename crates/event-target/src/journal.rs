//! A commit, before and after it is carried out → `journal.json` while it is in progress, `commit-N.json`
//! afterwards.
//!
//! Invariant: an existing journal is complete, and all files that it names are on disk. The commits of a
//! target, read one after the other, determine which files it has (`history.rs`).

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use events_core::table::TableColumns;
use serde::{Deserialize, Serialize};

use crate::{
    Change, DedupeScope, FileForm, Fingerprint, History, LineCounts, Mode, PRIVATE, Stamp, StoredFile,
    SupersededKinds, TargetError, TargetLayout, json_file,
    partitions::{Target, durability},
};

/// In the private directory: a commit in progress.
pub(crate) const FILE: &str = "journal.json";
const READING: &str = "reading a recorded commit";
const VERSION: u32 = 3;
/// The oldest version that is read: it has no stamps, and nothing that was accepted.
const VERSION_MIN: u32 = 2;

/// A commit of a target.
#[derive(Debug, Serialize, Deserialize)]
pub struct Commit {
    version: u32,
    /// Counted from 1.
    pub number: u64,
    /// When it was recorded, in UTC.
    pub at: String,
    /// The layout of the target.
    pub layout: TargetLayout,
    /// The load.
    pub load: LoadFacts,
    /// What it does to each directory.
    pub changes: Vec<Change>,
    /// Of a target of tables or a database: tells the run from any other.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) attempt: String,
    /// Of a target of tables: the schemas of those that are new, or get another one, by their directories.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) schemas: BTreeMap<String, String>,
}

/// Facts about the load of a commit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LoadFacts {
    /// Its mode.
    #[serde(default)]
    pub mode: Mode,
    /// Where it decided "latest".
    pub dedupe_scope: DedupeScope,
    /// What became of its lines.
    pub counts: LineCounts,
    /// What it superseded. Older commits don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<SupersededKinds>,
    /// In a merge: existing rows that stay, in the partitions that were rewritten.
    #[serde(default, rename = "held_kept")]
    pub existing_kept: u64,
    /// Its sources.
    #[serde(default)]
    pub sources: Vec<LoadedSource>,
    /// Objects that were read and not loaded, because the target has their contents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recognised: Vec<LoadedSource>,
    /// Identifies what is loaded of a source: catalog, domains, types and days.
    #[serde(default)]
    pub what: String,
    /// The stamps of recorded files that were found unchanged, where other ones or none were recorded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stamps: BTreeMap<String, Stamp>,
    /// How it wrote its partitions. Older commits don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FileForm>,
    /// The columns of the tables that it wrote, by their names in its changes; those that an earlier commit
    /// recorded may be missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, TableColumns>,
    /// The envelope of a catalog that it read with, as a catalog file, by its name in the quarantine; one
    /// that an earlier commit recorded may be missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub envelopes: BTreeMap<String, String>,
    /// What was recorded without a load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// What was taken out of the quarantine for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded: Option<Discarded>,
}

/// Bad lines that were taken out of the quarantine for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discarded {
    /// How many, by reason.
    pub lines: BTreeMap<String, u64>,
    /// The reasons that were asked for; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The sources that were asked for; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// Files that are recorded as they were found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Accepted {
    /// The paths of recorded files that are gone.
    pub gone: Vec<String>,
    /// Those that have other bytes, or are new, by path. Their commit is the one that records them.
    pub files: BTreeMap<String, StoredFile>,
    /// Whether all sources are forgotten, so that they count as new.
    pub forgets_sources: bool,
}

/// A source of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedSource {
    /// Its path in the load.
    pub path: String,
    /// Its content as stored; in merges only.
    pub content: Option<Fingerprint>,
    /// Of an object of a bucket: its `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

impl Commit {
    pub(crate) fn new(
        root: &Path,
        changes: Vec<Change>,
        layout: TargetLayout,
        load: LoadFacts,
    ) -> Result<Self, TargetError> {
        let last = History::last_number(root)?;
        Ok(Self::of_number(last + 1, changes, layout, load))
    }

    fn of_number(number: u64, changes: Vec<Change>, layout: TargetLayout, load: LoadFacts) -> Self {
        let (attempt, schemas) = (String::new(), BTreeMap::new());
        Self { version: VERSION, number, at: utc_now(), layout, load, changes, attempt, schemas }
    }

    /// The commit of a target that knows the run by its attempt.
    pub(crate) fn with_attempt(
        number: u64,
        attempt: String,
        changes: Vec<Change>,
        layout: TargetLayout,
        load: LoadFacts,
    ) -> Self {
        Self { attempt, ..Self::of_number(number, changes, layout, load) }
    }

    /// When it was recorded, in milliseconds since 1970.
    pub(crate) fn at_ms(&self) -> i64 {
        DateTime::parse_from_rfc3339(&self.at).map_or(0, |at| at.timestamp_millis())
    }

    /// Whether a file of this path is one of its own.
    pub(crate) fn has(&self, path: &str) -> bool {
        let is_it = |change: &Change| {
            let name = path.strip_prefix(&change.directory).and_then(|rest| rest.strip_prefix('/'));
            name.is_some_and(|name| change.files.iter().any(|file| file.name == name))
        };
        self.changes.iter().any(is_it)
    }

    /// Its name in the private directory when it is done.
    pub(crate) fn file_name(&self) -> String {
        file_name(self.number)
    }

    /// Its path in the target when it is done.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{PRIVATE}/{}", self.file_name())
    }

    /// Reads a commit that is recorded.
    pub(crate) fn read(path: &Path) -> Result<Self, TargetError> {
        let commit: Option<Self> = json_file::read(path, READING)?;
        let damaged = |problem| TargetError::Damaged { path: path.to_owned(), line: 1, problem };
        let commit = commit.ok_or_else(|| damaged("it is missing".to_owned()))?.of_known_version(path)?;
        if path.file_name().is_some_and(|name| name != FILE && *name != *file_name(commit.number)) {
            return Err(damaged(format!("it is the record of commit {}", commit.number)));
        }
        Ok(commit)
    }

    /// Refuses what another eventloader wrote at `path`.
    pub(crate) fn of_known_version(self, path: &Path) -> Result<Self, TargetError> {
        if (VERSION_MIN..=VERSION).contains(&self.version) {
            return Ok(self);
        }
        let problem = format!("format version {} of another eventloader; use that eventloader", self.version);
        Err(TargetError::Damaged { path: path.to_owned(), line: 1, problem })
    }
}

impl Target {
    /// Records the commit: from here on it will be carried out, whatever happens.
    pub(crate) fn record(&self, journal: &Commit) -> std::io::Result<()> {
        // The journal must not become durable before the files that it names.
        durability::sync_staged(&self.lock, &self.staging(), &journal.changes)?;
        json_file::replace(&self.private(), FILE, journal)
    }

    /// The commit that an interrupted load has recorded and not finished.
    pub(crate) fn unfinished(&self) -> Result<Option<Commit>, TargetError> {
        unfinished(&self.root)
    }
}

/// The commit of a target that was recorded and not finished.
pub(crate) fn unfinished(root: &Path) -> Result<Option<Commit>, TargetError> {
    if is_unfinished(root)? { Commit::read(&root.join(PRIVATE).join(FILE)).map(Some) } else { Ok(None) }
}

/// Whether a commit of the target was interrupted.
pub(crate) fn is_unfinished(root: &Path) -> Result<bool, TargetError> {
    let looking = TargetError::io("looking for the journal of an interrupted load");
    storage::is_there(&root.join(PRIVATE).join(FILE)).map_err(looking)
}

pub(crate) fn file_name(number: u64) -> String {
    format!("commit-{number:06}.json")
}

/// The numbers of the commits that are done and not folded, ascending.
pub(crate) fn numbers(root: &Path) -> Result<Vec<u64>, TargetError> {
    let names =
        storage::names_in(&root.join(PRIVATE)).map_err(TargetError::io("listing the target's commits"))?;
    let number = |name: &std::ffi::OsString| {
        name.to_str()?.strip_prefix("commit-")?.strip_suffix(".json")?.parse::<u64>().ok()
    };
    let mut numbers: Vec<_> = names.unwrap_or_default().iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// `2024-10-10T07:08:09Z`
fn utc_now() -> String {
    let now = DateTime::<Utc>::from(SystemTime::now());
    now.to_rfc3339_opts(SecondsFormat::Secs, true)
}
