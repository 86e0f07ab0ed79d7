//! What is in a target of tables: its history, its partitions, and whether its files are as recorded.
//!
//! A file of rows is there if the log of its table names it and the object exists. Objects that nothing
//! refers to are not looked at: they belong to runs that are not done, or that were killed.
//!
//! Invariant: nothing is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use delta_log::{Snapshot, Table};
use storage::{Found, ObjectReader};

use super::{
    COMMITS, Tables, publish,
    records::{self, Records},
    table_of,
};
use crate::{
    Commit, Compared, Difference, Differs, History, ListedFiles, Partitions, QUARANTINE, Stamp, StoredFile,
    TargetError,
    differences::{COMPARING, Found as Seen},
    staged_file::checksum_of_all,
};

/// So many requests are made at once.
const REQUESTS_AT_ONCE: usize = 16;
/// From so many files on, a directory of a bucket is listed instead of asking for each.
const LISTED_FROM: usize = 20;

impl Tables {
    fn records(&self) -> Records<'_> {
        Records { store: &*self.store }
    }

    /// Whether anything was ever committed.
    pub(crate) fn is_target(&self) -> Result<bool, TargetError> {
        let begun = self.store.directory().map(|root| storage::find(&root.join(COMMITS)));
        let begun = begun.transpose().map_err(TargetError::io("looking for the target's commits"))?;
        Ok(begun.flatten().is_some() || self.records().last()? > 0)
    }

    /// What all commits come to. `look` is called for each that is not summarized, with the history before
    /// it.
    pub(crate) fn history(&self, look: impl FnMut(&History, &Commit)) -> Result<History, TargetError> {
        self.records().history(look)
    }

    /// The key of the last record, if some table does not have yet what it says.
    pub(crate) fn unfinished(&self) -> Result<Option<String>, TargetError> {
        let records = self.records();
        let Some(number) = records.unpublished()? else { return Ok(None) };
        let is_published = publish::is_published(&*self.store, &records.read(number)?)?;
        Ok((!is_published).then(|| records::key(number)))
    }

    /// Refuses a place where nothing was ever committed.
    pub(crate) fn require_target(&self) -> Result<(), TargetError> {
        if self.is_target()? {
            return Ok(());
        }
        let problem = "no load has ever written there; check the path".to_owned();
        Err(TargetError::Unusable { path: self.store.address("").into(), problem })
    }

    /// Compares the recorded files that are `wanted` with those that are there.
    pub(crate) fn compare(
        &self,
        history: &History,
        threads: usize,
        wanted: impl Fn(&str, &StoredFile) -> bool,
    ) -> Result<Compared, TargetError> {
        let files: Vec<_> = history.files.iter().filter(|(path, file)| wanted(path, file)).collect();
        let tables = files.iter().filter(|(_, file)| file.event_type.is_some());
        let named = self.named(&tables.map(|(path, _)| table_of(path)).collect())?;
        let there = self.find(files.iter().map(|(path, _)| path.as_str()).collect())?;
        let compared = history.compare(threads, wanted, |path, file| {
            if file.event_type.is_some() && !named.contains_key(path) {
                return Ok(Seen::Differs(Differs::Unlisted));
            }
            self.look(file, there.get(path))
        })?;
        self.require_newest(history, &compared.differences)?;
        Ok(compared)
    }

    /// What is found in the place of a recorded file.
    pub(super) fn look(&self, file: &StoredFile, found: Option<&Found>) -> io::Result<Seen> {
        let Some(found) = found else { return Ok(Seen::Differs(Differs::Missing)) };
        if found.bytes != file.bytes {
            return Ok(Seen::Differs(Differs::Changed));
        }
        let stamp = Stamp::from(found.stamp);
        match file.stamp {
            Some(recorded) if recorded == stamp => return Ok(Seen::Untouched),
            // Nobody else has an object of this name, and it has been there ever since.
            None if self.store.directory().is_none() => return Ok(Seen::Same(stamp)),
            _ => {}
        }
        let is_same = self.checksum(&found.key)? == (file.bytes, file.checksum);
        Ok(if is_same { Seen::Same(stamp) } else { Seen::Differs(Differs::Changed) })
    }

    fn checksum(&self, key: &str) -> io::Result<(u64, u64)> {
        checksum_of_all(&mut ObjectReader::new(self.store.open(key, None)?.into(), 0))
    }

    /// The objects of these keys that exist.
    fn find(&self, keys: Vec<&str>) -> Result<BTreeMap<String, Found>, TargetError> {
        let mut directories = BTreeMap::<&str, Vec<&str>>::new();
        for key in keys {
            directories.entry(table_of(key)).or_default().push(key);
        }
        let is_listed = |of: &[&str]| self.store.directory().is_none() && of.len() >= LISTED_FROM;
        let (listed, asked): (Vec<_>, Vec<_>) = directories.into_iter().partition(|(_, of)| is_listed(of));
        let asked: Vec<_> = asked.into_iter().flat_map(|(_, keys)| keys).collect();
        let mut found = workers::map(REQUESTS_AT_ONCE, listed.len(), |number| {
            self.store.list_after(&format!("{}/", listed[number].0), "")
        })
        .map_err(TargetError::io(COMPARING))?;
        let single = workers::map(REQUESTS_AT_ONCE, asked.len(), |number| self.store.find(asked[number]));
        found.push(single.map_err(TargetError::io(COMPARING))?.into_iter().flatten().collect());
        Ok(found.into_iter().flatten().map(|found| (found.key.clone(), found)).collect())
    }

    /// The files that the logs of these tables name, by their paths in the target, with their lengths.
    fn named(&self, tables: &BTreeSet<&str>) -> Result<BTreeMap<String, u64>, TargetError> {
        let tables: Vec<_> = tables.iter().copied().collect();
        let snapshots = workers::map(REQUESTS_AT_ONCE, tables.len(), |number| self.snapshot(tables[number]))?;
        let files = tables.into_iter().zip(snapshots).flat_map(|(table, snapshot)| {
            let files = snapshot.into_iter().flat_map(|snapshot| snapshot.files.into_values());
            files.map(move |file| (format!("{table}/{}", file.path), file.size_bytes))
        });
        Ok(files.collect())
    }

    pub(super) fn snapshot(&self, table: &str) -> Result<Option<Snapshot>, TargetError> {
        Ok(Table::new(&*self.store, table).snapshot()?)
    }

    /// The files of these tables' logs that no commit recorded.
    pub(crate) fn foreign(
        &self,
        history: &History,
        partitions: &Partitions,
    ) -> Result<Vec<Difference>, TargetError> {
        let tables = partitions.values().flatten().map(|file| table_of(&file.path)).collect();
        let named = self.named(&tables)?;
        let foreign = named.into_keys().filter(|path| !history.files.contains_key(path));
        let foreign = foreign.map(|path| Difference { path, differs: Differs::Foreign, recorded: None });
        let foreign: Vec<_> = foreign.collect();
        self.require_newest(history, &foreign)?;
        Ok(foreign)
    }

    /// Differences between a history and tables that are newer, or did not have its last commit yet, say
    /// nothing.
    fn require_newest(&self, history: &History, differences: &[Difference]) -> Result<(), TargetError> {
        let Some(first) = differences.first() else { return Ok(()) };
        let is_newer = self.records().last()? > history.commits() || self.unfinished()?.is_some();
        let named = self.named(&differences.iter().map(|difference| table_of(&difference.path)).collect())?;
        let is_gone = |difference: &Difference| match difference.differs {
            Differs::Unlisted => named.contains_key(&difference.path),
            Differs::Foreign => !named.contains_key(&difference.path),
            _ => false,
        };
        if is_newer || differences.iter().any(is_gone) {
            let (path, what) = (self.store.address("").into(), first.path.clone());
            return Err(TargetError::Overtaken { path, what });
        }
        Ok(())
    }

    /// All files that readers see, and those of the quarantine.
    pub(crate) fn list_files(&self) -> Result<ListedFiles, TargetError> {
        let history = self.history(|_, _| {})?;
        let objects = self.store.list_after("", "").map_err(TargetError::io("looking through the target"))?;
        let tables: BTreeSet<_> = objects.iter().filter_map(|found| table_of_log(&found.key)).collect();
        let named = self.named(&tables)?;
        let is_bad_lines = |key: &str| table_of(key) == QUARANTINE && history.files.contains_key(key);
        let seen = objects.iter().filter(|found| named.contains_key(&found.key) || is_bad_lines(&found.key));
        let files = seen.map(|found| (found.key.clone(), found.bytes)).collect();
        let is_unlisted = |key: &str| history.files.contains_key(key) && !named.contains_key(key);
        let unlisted = objects.iter().filter(|found| is_unlisted(&found.key) && !is_bad_lines(&found.key));
        let unlisted = unlisted.map(|found| found.key.clone()).collect();
        Ok(ListedFiles { files, unlisted, not_files: Vec::new() })
    }

    /// The names of the objects that have bad lines.
    pub(crate) fn bad_lines(history: &History) -> Vec<String> {
        let inside = |(path, _): (&String, _)| path.rsplit_once('/').map(|(_, name)| name.to_owned());
        history.in_directory(QUARANTINE).filter_map(inside).collect()
    }

    /// The name of the object that has the bad lines of a source.
    pub(crate) fn bad_lines_of(history: &History, source: &str) -> Option<String> {
        Self::bad_lines(history).into_iter().find(|name| stem_and_extension(name).0 == source)
    }
}

/// The parts of an object's name that are the same in all commits: those around the id of the run.
pub(crate) fn stem_and_extension(name: &str) -> (&str, &str) {
    let parts = name.rsplit_once('-').and_then(|(stem, rest)| Some((stem, rest.split_once('.')?.1)));
    parts.unwrap_or((name, ""))
}

/// The table whose log an object belongs to.
pub(super) fn table_of_log(key: &str) -> Option<&str> {
    let (table, inside) = key.split_once('/')?;
    inside.starts_with("_delta_log/").then_some(table)
}
