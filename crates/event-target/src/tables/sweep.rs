//! Objects of a target that nothing refers to → deleted, once they are old enough.
//!
//! Such objects are files of runs that were killed or overtaken, files that a later commit has replaced, and
//! scratch files. A replaced file is still what a reader of an older version of its table needs; it is
//! deleted when it was replaced longer ago than asked for.
//!
//! Invariant: no object goes that the last record or the newest version of a table names, none of a log, and
//! none that is younger than asked for: it may belong to a run that has not committed yet.

use std::{
    collections::BTreeSet,
    io,
    time::{Duration, SystemTime},
};

use storage::Found;

use super::{SCRATCH, Tables, look::table_of_log, table_of};
use crate::{QUARANTINE, TargetError};

const SWEEPING: &str = "deleting what nothing refers to";
/// So many objects are deleted at once.
const DELETED_AT_ONCE: usize = 16;

/// What a sweep has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// The number of objects.
    pub objects: u64,
    /// Their length.
    pub bytes: u64,
}

impl Tables {
    /// Deletes objects that nothing has referred to for so long.
    pub(crate) fn sweep(&self, older_than: Duration) -> Result<Swept, TargetError> {
        let before = SystemTime::now().checked_sub(older_than).unwrap_or(SystemTime::UNIX_EPOCH);
        // What is listed first can't be named only by a commit that is made later, unless it is young.
        let objects = self.store.list_after("", "").map_err(TargetError::io(SWEEPING))?;
        let tables: BTreeSet<_> = objects.iter().filter_map(|found| table_of_log(&found.key)).collect();
        let mut kept: BTreeSet<String> = self.history(|_, _| {})?.files.into_keys().collect();
        for table in &tables {
            kept.extend(self.needed_in(table, before)?);
        }
        let is_ours = |key: &str| {
            let is_table = tables.contains(table_of(key)) || is_of_first_run(key);
            let is_file = is_table && table_of_log(key).is_none() && key.ends_with(".parquet");
            is_file
                || table_of(key) == QUARANTINE
                || key.strip_prefix(SCRATCH).is_some_and(|rest| rest.starts_with('/'))
        };
        let is_swept =
            |found: &&Found| is_ours(&found.key) && found.modified <= before && !kept.contains(&found.key);
        let swept: Vec<_> = objects.iter().filter(is_swept).collect();
        workers::map(DELETED_AT_ONCE, swept.len(), |number| self.store.delete(&swept[number].key))
            .map_err(|error: io::Error| TargetError::io(SWEEPING)(error))?;
        Ok(Swept { objects: swept.len() as u64, bytes: swept.iter().map(|found| found.bytes).sum() })
    }

    /// The files of a table that its newest version names, or that were replaced lately.
    fn needed_in(&self, table: &str, before: SystemTime) -> Result<Vec<String>, TargetError> {
        let Some(snapshot) = self.snapshot(table)? else { return Ok(Vec::new()) };
        let before_ms = before.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let is_needed = |removed_ms: Option<i64>| {
            removed_ms.is_none_or(|removed_ms| {
                i128::from(removed_ms) > i128::try_from(before_ms).unwrap_or(i128::MAX)
            })
        };
        let removed = snapshot.removed.values().filter(|file| is_needed(file.deletion_time_ms));
        let paths = snapshot.files.keys().chain(removed.map(|file| &file.path));
        Ok(paths.map(|path| format!("{table}/{path}")).collect())
    }
}

/// Whether a run that was killed would have made a table with this file: it is in a day, and named by its
/// attempt.
fn is_of_first_run(key: &str) -> bool {
    const ID_DIGITS: usize = 32;
    let mut names = key.split('/').skip(1);
    let is_in_day = names.next().is_some_and(|name| name.starts_with("day="));
    let name = names.last().and_then(|name| name.rsplit_once('-')?.1.split_once('.'));
    let is_id = |id: &str| id.len() == ID_DIGITS && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_in_day && name.is_some_and(|(id, _)| is_id(id))
}
