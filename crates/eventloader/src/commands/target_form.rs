//! The layout and the unit of time that are asked for → those of a load into the target.
//!
//! A target of tables or in a database goes on as it is where nothing else is asked for.
//!
//! Files of the layout hive once had a column `event_type`. A target keeps that form, because engines read no
//! files with the column beside files without it. Its record says which form it has; if it has lost its
//! record, as a copy of its partitions has, its first file does.
//!
//! Invariant: what was asked for is never changed, but for the form of the layout hive.

use event_target::Location;
use events_core::{
    event,
    partition::{Layout, PartitionUnit},
};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    errors::Result,
};

use crate::existing::ParquetFile;

/// The layout and the unit of time of a load into the target. If the target can't be read, they are as asked
/// for: the load itself says what is wrong.
#[must_use]
pub fn of_target(
    target: &Location,
    (layout, unit): (Option<Layout>, Option<PartitionUnit>),
) -> (Layout, PartitionUnit) {
    let remembered = target.layout().map(|found| found.and_then(|layout| layout.parts()));
    if target.is_of_tables() && layout.is_none_or(|layout| layout == Layout::Delta) {
        let remembered = remembered.ok().flatten().map(|(_, unit)| unit);
        return (Layout::Delta, unit.or(remembered).unwrap_or(PartitionUnit::Day));
    }
    if target.database_of().is_some() {
        let remembered = remembered.ok().flatten().map(|(_, unit)| unit);
        return (Layout::Database, unit.or(remembered).unwrap_or(PartitionUnit::Day));
    }
    let (layout, unit) = (layout.unwrap_or(Layout::Plain), unit.unwrap_or(PartitionUnit::Day));
    let has_column = || match remembered {
        Ok(Some((layout, _))) => layout == Layout::HiveWithEventType,
        Ok(None) => target
            .file_below(layout.columns(PartitionUnit::Hour))
            .is_some_and(|path| has_event_type(target, &path).unwrap_or(false)),
        Err(_) => false,
    };
    if layout == Layout::Hive && has_column() { (Layout::HiveWithEventType, unit) } else { (layout, unit) }
}

fn has_event_type(target: &Location, path: &str) -> Result<bool> {
    let file = ParquetFile::from(target.open(path, None)?);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options)?;
    Ok(metadata.schema().index_of(event::EVENT_TYPE).is_ok())
}
