//! What a run would make of a partition, and what is there → what the change does.
//!
//! What readers see of a partition is what the log of its table names. Another program may have put that
//! there.
//!
//! Invariant: a change does nothing only if the log names the recorded files, their objects are as recorded,
//! and these are the files that the run would write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use delta_log::PartitionValues;

use super::{Tables, look::stem_and_extension, partition_values, table_of};
use crate::{Action, Change, History, TargetError, differences::Found};

/// The paths in the target of the files that a table's log names, by their partitions.
type Named = BTreeMap<PartitionValues, Vec<String>>;

/// The logs of tables, each read when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Logs(Mutex<BTreeMap<String, Arc<Named>>>);

impl Tables {
    /// What a change will do to the files of its directory.
    pub(crate) fn action(&self, change: &Change, history: &History) -> Result<Action, TargetError> {
        let replaced =
            |path: &str| change.replaces_all || change.removes.iter().any(|removed| removed == name_of(path));
        let recorded = history.in_directory(&change.directory).filter(|(path, _)| replaced(path));
        let recorded: BTreeMap<_, _> = recorded.map(|(path, file)| (path.as_str(), file)).collect();
        // Bad lines are where the records say.
        let is_of_rows = change.event_type.is_some();
        let log = if is_of_rows { self.log(table_of(&change.directory))? } else { Arc::default() };
        let named = log.get(&partition_values(&change.directory)).into_iter().flatten().map(String::as_str);
        let named: BTreeSet<_> = named.filter(|path| replaced(path)).collect();
        match (recorded.is_empty() && named.is_empty(), change.files.is_empty()) {
            (true, _) => return Ok(Action::Created),
            (false, true) => return Ok(Action::Removed),
            (false, false) => {}
        }
        // The codec is part of a name.
        let name = |path| stem_and_extension(name_of(path));
        let there = recorded.iter().map(|(path, file)| (name(path), file.bytes, file.checksum));
        let new = change.files.iter().map(|file| (name(&file.name), file.bytes, file.checksum));
        let is_same = there.eq(new) && (!is_of_rows || recorded.keys().eq(&named));
        if !is_same {
            return Ok(Action::Replaced);
        }
        for (path, file) in recorded {
            let comparing = TargetError::io("comparing with the target");
            let found = self.store.find(path).map_err(&comparing)?;
            if let Found::Differs(_) = self.look(file, found.as_ref()).map_err(comparing)? {
                return Ok(Action::Replaced);
            }
        }
        Ok(Action::Unchanged)
    }

    fn log(&self, table: &str) -> Result<Arc<Named>, TargetError> {
        let logs = || self.logs.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logs().get(table).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut named = Named::new();
        for (path, file) in self.snapshot(table)?.into_iter().flat_map(|snapshot| snapshot.files) {
            named.entry(file.partition_values).or_default().push(format!("{table}/{path}"));
        }
        let named = Arc::new(named);
        logs().insert(table.to_owned(), Arc::clone(&named));
        Ok(named)
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}
