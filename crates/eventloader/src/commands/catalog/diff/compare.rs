//! The tables of two sides → their differences, by event type.
//!
//! Invariant: each column that is not the same on both sides is in one difference for each pair of types that
//! it has. A column that only some files of a target have is no new one.

use std::collections::BTreeMap;

use events_core::{
    catalog::OTHERS,
    table::{ColumnChange, Fate},
};

use super::{
    change::{Change, Difference},
    tables::{Key, Table, Tables},
};

/// By domain and name of the event types, as a merge meets them.
pub(super) fn compare(before: &Tables, after: &Tables) -> Vec<Change> {
    let mut changes = Vec::new();
    let owners = owners(before);
    let keys: Vec<_> = before.keys().union(&after.keys()).cloned().collect();
    for key in keys {
        // A load can be asked for flat or nested tables, so those that are held decide.
        let is_held_nested = |side: &Tables| {
            side.held.as_ref()?;
            side.table(&key, true)?.is_nested()
        };
        let is_nested = [before, after].into_iter().find_map(is_held_nested);
        let flatten = is_nested.map_or(before.form.flatten, |is_nested| !is_nested);
        let differences = match (before.table(&key, flatten), after.table(&key, flatten)) {
            (Some(old), Some(new)) => between(&old, &new),
            (None, Some(new)) if before.held.is_none() || !after.has_built_in(&key) => {
                vec![Difference::TypeAdded { directory: new.directory.clone() }]
            }
            (Some(_), None) if after.held.is_none() || !before.has_built_in(&key) => {
                vec![Difference::TypeLost]
            }
            _ => Vec::new(),
        };
        let taken = after.table(&key, flatten).and_then(|new| taken(&key, &new, &owners));
        let of_type = |difference| Change { event_type: Some(key.clone()), difference };
        changes.extend(differences.into_iter().chain(taken).map(of_type));
    }
    changes
}

/// The event types that are held, by their directories.
fn owners(tables: &Tables) -> BTreeMap<String, Key> {
    let named = tables.keys().into_iter().filter(|(_, name)| name != OTHERS);
    let owner = |key: Key| tables.table(&key, true).map(|table| (table.directory, key));
    named.filter_map(owner).collect()
}

/// The directory of another event type.
fn taken(key: &Key, new: &Table, owners: &BTreeMap<String, Key>) -> Option<Difference> {
    let owner = owners.get(&new.directory).filter(|owner| *owner != key && key.1 != OTHERS)?;
    Some(Difference::DirectoryTaken { directory: new.directory.clone(), owner: owner.clone() })
}

fn between(old: &Table, new: &Table) -> Vec<Difference> {
    let mut differences = Vec::new();
    if old.directory != new.directory {
        let (from, to) = (old.directory.clone(), new.directory.clone());
        differences.push(Difference::Directory { from, to });
    }
    if old.version != new.version {
        let (from, to) = (old.version.clone(), new.version.clone());
        differences.push(Difference::Version { from, to });
    }
    let Some((asked, _)) = new.columns.first() else { return differences };
    let mut found: Vec<(ColumnChange, usize, usize)> = Vec::new();
    for (held, files) in &old.columns {
        for change in held.changes(asked) {
            match found.iter_mut().find(|(known, ..)| *known == change) {
                Some((_, tables, of_files)) => {
                    *tables += 1;
                    *of_files += files;
                }
                None => found.push((change, 1, *files)),
            }
        }
    }
    found
        .retain(|(change, tables, _)| !matches!(change.fate, Fate::Added(_)) || *tables == old.columns.len());
    let difference = |(change, _, files)| Difference::Column { change, files };
    differences.extend(found.into_iter().map(difference));
    differences
}
