//! A table's log → snapshots.
//!
//! In: the log's objects. Out: what the table is now, or what its next commits make of a snapshot. The
//! objects are found by one listing behind the last checkpoint; commits are read on several connections.
//!
//! Invariant: every commit behind the checkpoint is read, in order, or the log has a gap and is refused.

use serde_json::Value;
use storage::Store;

use crate::{
    Action, LogError, Snapshot,
    listing::{HINT, Listing, commit_name, version_name},
    snapshot::{Beginning, Seen},
    support,
};

/// How many commits are read at once from a store that is not a directory.
const CONNECTIONS: usize = 16;

/// How many commits are held at once, as they are read.
const COMMITS_HELD: usize = 128;

/// How often a log is read again that somebody else cleans up meanwhile.
const TRIES: u32 = 3;

/// A table of a store.
#[derive(Debug, Clone)]
pub struct Table<'s> {
    pub(crate) store: &'s dyn Store,
    root: String,
    /// The key of its log, with the `/` behind it.
    log: String,
}

impl<'s> Table<'s> {
    /// The table whose key is `root`, whether it exists or not; of an empty key, the store itself.
    #[must_use]
    pub fn new(store: &'s dyn Store, root: &str) -> Self {
        let root = root.trim_end_matches('/');
        let log = if root.is_empty() { "_delta_log/".to_owned() } else { format!("{root}/_delta_log/") };
        Self { store, root: root.to_owned(), log }
    }

    /// The table as it is now; `None` if it has no log.
    ///
    /// # Errors
    /// A log that can't be read, is damaged, has a gap, or needs what this crate does not know.
    pub fn snapshot(&self) -> Result<Option<Snapshot>, LogError> {
        Self::again(|| {
            let listing = self.list()?;
            let behind = listing.checkpoint.as_ref().map(|(version, _)| *version);
            let mut commits =
                listing.commits_behind(behind).map_err(|missing| self.gap(&listing, missing))?;
            let mut snapshot = match &listing.checkpoint {
                Some((version, keys)) => self.read_checkpoint(*version, keys)?,
                None if commits.is_empty() && listing.has_begun => return Err(self.gap(&listing, 0)),
                None if commits.is_empty() => return Ok(None),
                None => self.begin(commits.remove(0))?,
            };
            self.follow(&mut snapshot, &commits)?;
            Ok(Some(snapshot))
        })
    }

    /// Applies the commits that were made behind a snapshot.
    ///
    /// # Errors
    /// See [`Self::snapshot`]; then the snapshot is what it was, or that of a commit in between.
    pub fn refresh(&self, snapshot: &mut Snapshot) -> Result<(), LogError> {
        let behind = self.key(&commit_name(snapshot.version));
        let found = self.store.list_after(&self.log, &behind)?;
        let followed = match Listing::of(&self.log, found).commits_behind(Some(snapshot.version)) {
            Ok(commits) => self.follow(snapshot, &commits),
            Err(missing) => Err(self.missing(missing)),
        };
        match followed {
            // The commits are in a checkpoint by now, and were deleted.
            Err(gap @ LogError::Gap { .. }) => {
                let newer = self.snapshot()?.filter(|newer| newer.version > snapshot.version);
                newer.map_or(Err(gap), |newer| {
                    *snapshot = newer;
                    Ok(())
                })
            }
            followed => followed,
        }
    }

    /// The actions of a version, without those that this crate does not know; `None` if there is no commit
    /// of it, or it was deleted because a checkpoint has what it did.
    ///
    /// # Errors
    /// A commit that can't be read, is damaged, or needs what this crate does not know.
    pub fn actions(&self, version: u64) -> Result<Option<Vec<Action>>, LogError> {
        let key = self.key(&commit_name(version));
        self.store.read(&key)?.map(|bytes| self.parse(&key, &bytes)).transpose()
    }

    /// Tries again while commits vanish between two looks, because somebody else cleans up the log.
    fn again<T>(read: impl Fn() -> Result<T, LogError>) -> Result<T, LogError> {
        let mut tries = 1;
        loop {
            match read() {
                Err(LogError::Gap { .. }) if tries < TRIES => tries += 1,
                result => return result,
            }
        }
    }

    /// Lists the log from the last checkpoint on. The hint where that is may be old, wrong or missing.
    fn list(&self) -> Result<Listing, LogError> {
        if let Some(version) = self.hint()? {
            let found = self.store.list_after(&self.log, &self.key(&version_name(version)))?;
            let listing = Listing::of(&self.log, found);
            if listing.checkpoint.is_some() {
                return Ok(listing);
            }
        }
        Ok(Listing::of(&self.log, self.store.list_after(&self.log, "")?))
    }

    fn hint(&self) -> Result<Option<u64>, LogError> {
        let hint = self.store.read(&self.key(HINT))?;
        let hint: Option<Value> = hint.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(hint.and_then(|hint| hint["version"].as_u64()))
    }

    /// The snapshot of version 0.
    fn begin(&self, version: u64) -> Result<Snapshot, LogError> {
        let actions = self.actions(version)?.ok_or_else(|| self.missing(version))?;
        let key = self.key(&commit_name(version));
        Beginning::from_iter(actions).snapshot(version).map_err(|problem| self.damaged(&key, None, problem))
    }

    /// Applies commits that follow a snapshot without a gap. After an error, some may be applied.
    fn follow(&self, snapshot: &mut Snapshot, versions: &[u64]) -> Result<(), LogError> {
        let connections = if self.store.directory().is_some() { 1 } else { CONNECTIONS };
        for versions in versions.chunks(COMMITS_HELD) {
            let commits = workers::map(connections, versions.len(), |at| {
                self.actions(versions[at])?.ok_or_else(|| self.missing(versions[at]))
            })?;
            for (version, actions) in versions.iter().zip(commits) {
                snapshot.apply(*version, actions);
            }
        }
        Ok(())
    }

    /// The actions of a commit.
    fn parse(&self, key: &str, bytes: &[u8]) -> Result<Vec<Action>, LogError> {
        if bytes.trim_ascii().is_empty() {
            return Err(self.damaged(key, None, "it is empty".to_owned()));
        }
        let (mut actions, mut seen) = (Vec::new(), Seen::default());
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let damaged = |problem| self.damaged(key, Some(number), problem);
            let Some(action) = Action::of_line(line).map_err(damaged)? else { continue };
            seen.note(&action).map_err(damaged)?;
            self.check_known(&action)?;
            actions.push(action);
        }
        Ok(actions)
    }

    /// Refuses an action that makes the table one that this crate does not know.
    pub(crate) fn check_known(&self, action: &Action) -> Result<(), LogError> {
        let known = match action {
            Action::Protocol(protocol) => support::refuse_protocol(protocol),
            Action::Metadata(metadata) => support::refuse_metadata(metadata),
            _ => Ok(()),
        };
        known.map_err(|needs| self.unsupported(needs))
    }

    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.log)
    }

    pub(crate) fn unsupported(&self, needs: String) -> LogError {
        LogError::Unsupported { address: self.address(), needs }
    }

    pub(crate) fn address(&self) -> String {
        self.store.address(&self.root)
    }

    pub(crate) fn damaged(&self, key: &str, line: Option<u64>, problem: String) -> LogError {
        LogError::Damaged { address: self.store.address(key), line, problem }
    }

    pub(crate) fn missing(&self, version: u64) -> LogError {
        self.missing_object(&self.key(&commit_name(version)))
    }

    pub(crate) fn missing_object(&self, key: &str) -> LogError {
        LogError::Gap { address: self.store.address(key) }
    }

    pub(crate) fn invalid(&self, problem: String) -> LogError {
        LogError::Invalid { address: self.address(), problem }
    }

    /// A log whose beginning is in a checkpoint that is not read, or that has lost a commit.
    fn gap(&self, listing: &Listing, missing: u64) -> LogError {
        let has_beginning = listing.checkpoint.is_some() || missing > 0;
        if listing.has_version_2 && !has_beginning { self.version_2() } else { self.missing(missing) }
    }

    pub(crate) fn version_2(&self) -> LogError {
        self.unsupported("needs v2Checkpoint: it begins with a checkpoint of version 2".to_owned())
    }
}
