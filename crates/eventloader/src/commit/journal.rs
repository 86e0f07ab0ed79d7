//! What a commit will do, and what it has done → `journal.json` while it is at work, `commit-N.json` for ever after.
//!
//! Invariant: a journal that is there is whole, and all that it speaks of is on disk. The commits of a target, read one after the
//! other, say which files it holds (`history.rs`).

use std::{io::Write, path::Path, time::SystemTime};

use events_core::partition::Day;
use serde::{Deserialize, Serialize};

use super::{Change, PRIVATE, Target, TargetLayout, durability, history::History};
use crate::{
    disk::{self, File},
    error::Error,
    fates::Fates,
    latest::DedupeScope,
    raw_content::RawContent,
    settings::Mode,
};

/// In the private directory: a commit that is not done.
pub(super) const FILE: &str = "journal.json";
/// In the private directory: a journal that is being written.
const NEW_FILE: &str = "journal.json.new";
const VERSION: u32 = 2;

/// A commit of a target.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Commit {
    version: u32,
    /// Counted from 1.
    pub(crate) number: u64,
    /// When it was recorded, in UTC.
    pub(crate) at: String,
    pub(crate) layout: TargetLayout,
    pub(crate) load: LoadFacts,
    pub(crate) changes: Vec<Change>,
}

/// What is kept of the load that a commit is of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoadFacts {
    #[serde(default)]
    pub(crate) mode: Mode,
    pub(crate) dedupe_scope: DedupeScope,
    pub(crate) counts: Fates,
    /// Rows that partitions held before and hold still, of those that a merge has written again.
    #[serde(default)]
    pub(crate) held_kept: u64,
    #[serde(default)]
    pub(crate) sources: Vec<LoadedSource>,
    /// Stands for all that says what is loaded of a source: catalog, domains, types and days.
    #[serde(default)]
    pub(crate) what: String,
}

/// A source of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoadedSource {
    pub(crate) path: String,
    /// What it held, as it is stored; of merges alone.
    pub(crate) content: Option<RawContent>,
}

impl Commit {
    pub(super) fn new(
        root: &Path,
        changes: Vec<Change>,
        layout: TargetLayout,
        load: LoadFacts,
    ) -> Result<Self, Error> {
        let last = History::last_number(root)?;
        Ok(Self { version: VERSION, number: last + 1, at: utc_now(), layout, load, changes })
    }

    /// Its name in the private directory when it is done.
    pub(super) fn file_name(&self) -> String {
        file_name(self.number)
    }

    /// Where it is when it is done, in its target.
    pub(crate) fn path(&self) -> String {
        format!("{PRIVATE}/{}", self.file_name())
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = disk::read(path).map_err(Error::io("reading what a load recorded"))?;
        let damaged = |line, problem| Error::Damaged { path: path.to_owned(), line, problem };
        let commit: Self =
            serde_json::from_slice(&text).map_err(|error| damaged(error.line(), error.to_string()))?;
        if commit.version != VERSION {
            return Err(damaged(
                1,
                format!("version {} of another eventloader; use that one", commit.version),
            ));
        }
        Ok(commit)
    }
}

impl Target {
    /// Makes the commit count, whatever happens from here on.
    pub(super) fn record(&self, journal: &Commit) -> std::io::Result<()> {
        // The journal must not become durable before what it speaks of.
        durability::sync_staged(&self.lock, &self.staging(), &journal.changes)?;
        let text = serde_json::to_vec(journal)?;
        let private = self.private();
        let temporary = private.join(NEW_FILE);
        let mut file = File::create(&temporary)?;
        file.write_all(&text)?;
        file.sync()?;
        disk::rename(&temporary, &self.journal())?;
        durability::sync_directory(&private)
    }

    /// The commit that an interrupted load left undone.
    pub(super) fn unfinished(&self) -> Result<Option<Commit>, Error> {
        if is_unfinished(&self.root)? { Commit::read(&self.journal()).map(Some) } else { Ok(None) }
    }

    /// Deletes a journal that never came to be one.
    pub(super) fn clear_new_journal(&self) -> std::io::Result<()> {
        disk::delete_file(&self.private().join(NEW_FILE))
    }
}

/// Whether a commit of the target was interrupted.
pub(crate) fn is_unfinished(root: &Path) -> Result<bool, Error> {
    let looking = Error::io("looking for the journal of an interrupted load");
    disk::is_there(&root.join(PRIVATE).join(FILE)).map_err(looking)
}

pub(super) fn file_name(number: u64) -> String {
    format!("commit-{number:06}.json")
}

/// The numbers of the commits that are done and not folded, ascending.
pub(super) fn numbers(root: &Path) -> Result<Vec<u64>, Error> {
    let names = disk::names_in(&root.join(PRIVATE)).map_err(Error::io("listing the target's commits"))?;
    let number = |name: &std::ffi::OsString| {
        name.to_str()?.strip_prefix("commit-")?.strip_suffix(".json")?.parse::<u64>().ok()
    };
    let mut numbers: Vec<_> = names.unwrap_or_default().iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// `2024-10-10T07:08:09Z`
fn utc_now() -> String {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let day = Day::from_epoch_days(days.try_into().unwrap_or(0));
    format!("{day}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}
