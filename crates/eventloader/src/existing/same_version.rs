//! Ids and timestamps, and a partition of the target → which of them the partition has.
//!
//! Rows are in the order of time, so only row groups around these timestamps are read, and of these the two
//! columns.
//!
//! Invariant: a partition that is missing or can't be read has none; a run that has to read it fails
//! elsewhere.

use std::collections::{BTreeMap, HashSet};

use arrow::{
    array::{Array, AsArray},
    datatypes::TimestampMicrosecondType,
};
use event_target::{History, Location};
use events_core::event;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::{metadata::RowGroupMetaData, statistics::Statistics},
};

use super::ParquetFile;

/// Ids by timestamp.
pub(crate) type Versions<'v> = BTreeMap<i64, Vec<&'v str>>;

/// Those of `wanted` that are in a partition's directory.
pub(crate) fn versions_in<'v>(
    (target, history): (&Location, &History),
    directory: &str,
    wanted: &Versions<'v>,
) -> HashSet<(i64, &'v str)> {
    let files = target.parquet_files(history, directory).unwrap_or_default().into_iter();
    let opened = files.filter_map(|(path, bytes)| target.open(&path, bytes).ok());
    opened.filter_map(|file| versions_of(file.into(), wanted)).flatten().collect()
}

fn versions_of<'v>(file: ParquetFile, wanted: &Versions<'v>) -> Option<HashSet<(i64, &'v str)>> {
    let (first, last) = (*wanted.first_key_value()?.0, *wanted.last_key_value()?.0);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).ok()?;
    let schema = builder.parquet_schema();
    let leaf = |name| (0..schema.num_columns()).find(|leaf| schema.column(*leaf).path().string() == name);
    let (ids, time) = (leaf(event::EVENT_ID)?, leaf(event::TIMESTAMP)?);
    let mask = ProjectionMask::leaves(schema, [ids, time]);
    let row_groups = builder.metadata().row_groups().iter().enumerate();
    let near = row_groups.filter(|(_, row_group)| may_have(row_group, time, first, last));
    let near: Vec<_> = near.map(|(number, _)| number).collect();
    let mut found = HashSet::new();
    for batch in builder.with_projection(mask).with_row_groups(near).build().ok()? {
        let batch = batch.ok()?;
        let ids = batch.column_by_name(event::EVENT_ID)?.as_string_opt::<i32>()?;
        let times = batch.column_by_name(event::TIMESTAMP)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        for (row, &micros) in times.values().iter().enumerate() {
            let same_time = wanted.get(&micros).into_iter().flatten();
            let same = same_time.filter(|id| ids.is_valid(row) && **id == ids.value(row));
            found.extend(same.map(|id| (micros, *id)));
        }
    }
    Some(found)
}

/// Whether a row group may have a timestamp of a range, according to its statistics.
fn may_have(row_group: &RowGroupMetaData, time: usize, first: i64, last: i64) -> bool {
    match row_group.column(time).statistics() {
        Some(Statistics::Int64(times)) => {
            let (lowest, highest) = (times.min_opt(), times.max_opt());
            lowest.is_none_or(|lowest| *lowest <= last) && highest.is_none_or(|highest| *highest >= first)
        }
        _ => true,
    }
}
