//! The records of a target of tables: one for each commit, in the order of their numbers.
//!
//! ```text
//! _eventloader/commits/00000000000000000007.json   a commit; whoever creates it has made the commit
//! _eventloader/history.json                        what the first of them come to
//! _eventloader/published.json                      the number of a record that all of its tables have
//! ```
//!
//! Invariant: a record is never changed and never deleted. The other two objects are hints: what they say is
//! true, but there may be newer records.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use storage::{Put, Store};

use super::COMMITS;
use crate::{Commit, History, TargetError};

const HISTORY: &str = "_eventloader/history.json";
const PUBLISHED: &str = "_eventloader/published.json";

/// A summary is written once there are so many records behind the last one.
const RECORDS_BEHIND_MAX: u64 = 20;
/// So many records are requested at once.
const READ_AT_ONCE: usize = 16;

/// The records of a target.
#[derive(Clone, Copy)]
pub(super) struct Records<'s> {
    pub(super) store: &'s dyn Store,
}

#[derive(Serialize, Deserialize)]
struct Published {
    number: u64,
}

impl Records<'_> {
    /// What all commits come to. `look` is called for each that is not in the summary, with the history
    /// before it.
    pub(super) fn history(self, mut look: impl FnMut(&History, &Commit)) -> Result<History, TargetError> {
        let published = self.published()?;
        let mut history = self.summary()?;
        self.add_newer(&mut history, &mut look)?;
        history.reaches(published);
        Ok(history)
    }

    /// The same from all records, whether they are in the summary or not.
    #[cfg(test)]
    pub(super) fn history_from_the_first(
        self,
        mut look: impl FnMut(&History, &Commit),
    ) -> Result<History, TargetError> {
        let mut history = History::default();
        self.add_newer(&mut history, &mut look)?;
        Ok(history)
    }

    /// Adds the commits that a history does not have yet.
    fn add_newer(
        self,
        history: &mut History,
        look: &mut impl FnMut(&History, &Commit),
    ) -> Result<(), TargetError> {
        let numbers = self.numbers_behind(history.commits())?;
        for numbers in numbers.chunks(READ_AT_ONCE) {
            let read = workers::map(READ_AT_ONCE, numbers.len(), |index| self.read(numbers[index]))?;
            for commit in read {
                look(history, &commit);
                history.add(commit);
            }
        }
        Ok(())
    }

    fn summary(self) -> Result<History, TargetError> {
        let summary = self.read_json(HISTORY, "reading the recorded loads")?;
        summary.map_or_else(
            || Ok(History::default()),
            |summary: History| summary.of_known_version(self.path(HISTORY)),
        )
    }

    /// The numbers of the records behind one, ascending.
    fn numbers_behind(self, last: u64) -> Result<Vec<u64>, TargetError> {
        let listed = self.store.list_after(COMMITS, &key(last));
        let listed = listed.map_err(TargetError::io("listing the target's commits"))?;
        let number = |key: &str| key.strip_prefix(COMMITS)?.strip_suffix(".json")?.parse().ok();
        Ok(listed.iter().filter_map(|found| number(&found.key)).collect())
    }

    pub(super) fn read(self, number: u64) -> Result<Commit, TargetError> {
        let key = key(number);
        let path = self.path(&key);
        let damaged = |problem| TargetError::Damaged { path: path.clone(), line: 1, problem };
        let commit: Option<Commit> = self.read_json(&key, "reading a recorded commit")?;
        let commit = commit.ok_or_else(|| damaged("it is missing".to_owned()))?.of_known_version(&path)?;
        if commit.number == number {
            return Ok(commit);
        }
        Err(damaged(format!("it is the record of commit {}", commit.number)))
    }

    /// Creates a record, and finds out whether it was this one.
    pub(super) fn create(self, number: u64, text: &[u8]) -> io::Result<Put> {
        storage::create(self.store, &key(number), text)
    }

    /// The number of the last record; 0 if there is none.
    pub(super) fn last(self) -> Result<u64, TargetError> {
        let published = self.published()?;
        let summarized = self.summary()?.commits();
        let last = self.numbers_behind(summarized)?.last().copied().unwrap_or(summarized);
        Ok(last.max(published))
    }

    /// Whether there is no record of this number, as far as can be told.
    pub(super) fn is_free(self, number: u64) -> bool {
        matches!(self.store.find(&key(number)), Ok(None))
    }

    /// The last record that is not known to be in all of its tables.
    pub(super) fn unpublished(self) -> Result<Option<u64>, TargetError> {
        let published = self.published()?;
        Ok(self.numbers_behind(published)?.last().copied())
    }

    /// The number of a record that all tables have; 0 if none is noted. It is read before records are listed,
    /// so that these reach it, unless some are lost.
    fn published(self) -> Result<u64, TargetError> {
        let published = self.read_json::<Published>(PUBLISHED, "reading what was published last")?;
        Ok(published.map_or(0, |published| published.number))
    }

    /// Notes that all tables have what this record says.
    pub(super) fn note_published(self, number: u64) -> io::Result<()> {
        self.store.put(PUBLISHED, &serde_json::to_vec(&Published { number })?)
    }

    /// Writes a summary if there are many records behind the last one.
    pub(super) fn summarize(self) -> Result<(), TargetError> {
        let last = self.summary()?.commits();
        if self.numbers_behind(last)?.len() < usize::try_from(RECORDS_BEHIND_MAX).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let mut history = self.history(|_, _| {})?;
        history.forget_old();
        let text = serde_json::to_vec(&history).map_err(|error| TargetError::io(WRITING)(error.into()))?;
        self.store.put(HISTORY, &text).map_err(TargetError::io(WRITING))
    }

    fn read_json<T: DeserializeOwned>(
        self,
        key: &str,
        doing: &'static str,
    ) -> Result<Option<T>, TargetError> {
        let Some(text) = self.store.read(key).map_err(TargetError::io(doing))? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| TargetError::Damaged {
            path: self.path(key),
            line: error.line(),
            problem: error.to_string(),
        })
    }

    fn path(self, key: &str) -> PathBuf {
        self.store.address(key).into()
    }
}

const WRITING: &str = "summarizing the recorded loads";

/// The key of a record.
pub(crate) fn key(number: u64) -> String {
    format!("{COMMITS}{number:020}.json")
}
