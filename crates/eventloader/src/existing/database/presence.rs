//! The record of a target → the partitions of its tables that have no row any more.
//!
//! Rows and their record change in one transaction, so they differ only where somebody has changed rows by
//! hand. To count all rows takes as long as reading them; to find one of each partition takes a look into the
//! index on `timestamp`.
//!
//! Invariant: a partition that is emptied, or whose table is gone, is found. How many rows are in the others
//! is compared where they are merged, and by `verify`.

use std::collections::BTreeMap;

use event_postgres::quoted_literal;
use event_target::{Difference, Differs, History, Location, StoredFile, TargetError, TargetLayout};
use events_core::{partition::PartitionUnit, sql_text::double_quoted};

/// The recorded partitions without rows; none where the target is no database.
pub(crate) fn without_rows(target: &Location, history: &History) -> Result<Vec<Difference>, TargetError> {
    let layout = history.layout.as_ref().and_then(TargetLayout::parts);
    let (Some(database), Some((layout, unit))) = (target.database_of(), layout) else {
        return Ok(Vec::new());
    };
    let hours = match unit {
        PartitionUnit::Day => 24,
        PartitionUnit::Hour => 1,
    };
    let mut tables = BTreeMap::<&str, BTreeMap<i64, &str>>::new();
    let has_rows = |(_, file): &(&String, &StoredFile)| file.event_type.is_some() && file.rows > 0;
    for (path, _) in history.files.iter().filter(has_rows) {
        let partition = path.rsplit_once('/').map_or("", |(partition, _)| partition);
        let Some(index) = layout.index_in(unit, partition) else { continue };
        tables.entry(layout.directory_in(partition)).or_default().insert(index, path);
    }
    let mut missing = Vec::new();
    for (table, paths) in tables {
        let name = format!("{}.{}", double_quoted(database.schema()), double_quoted(table));
        let units: Vec<_> = paths.keys().map(ToString::to_string).collect();
        let is_there = format!("SELECT pg_catalog.to_regclass({})::text", quoted_literal(&name));
        // Multiples of an hour are exact in the doubles that an interval is multiplied in.
        let instant = |unit: &str| format!("timestamptz 'epoch' + ({unit}) * interval '{hours} hours'");
        let empty = format!(
            "SELECT u.unit FROM pg_catalog.unnest($1::bigint[]) AS u (unit) WHERE NOT EXISTS \
             (SELECT FROM {name} AS t WHERE t.\"timestamp\" >= {} AND t.\"timestamp\" < {})",
            instant("u.unit"),
            instant("u.unit + 1")
        );
        let found = target.read_database(|session| {
            if session.query(&is_there, &[])?.into_iter().flatten().flatten().next().is_none() {
                return Ok(None);
            }
            session.query(&empty, &[&format!("{{{}}}", units.join(","))]).map(Some)
        })?;
        let empty = match found.flatten() {
            Some(rows) => rows.into_iter().flatten().flatten().collect(),
            None => units,
        };
        let paths = empty.iter().filter_map(|unit| paths.get(&unit.parse().ok()?));
        missing.extend(paths.map(|path| {
            let recorded = history.files.get(*path).map(|file| (file.commit, file.rows));
            Difference { path: (*path).to_owned(), differs: Differs::Missing, recorded }
        }));
    }
    Ok(missing)
}
