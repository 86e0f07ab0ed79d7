//! The layout and the unit of time that are asked for → those of a load into the target.
//!
//! A target of tables goes on as it is where nothing else is asked for.
//!
//! Files of the layout hive once had a column `event_type`. A target keeps that form, because engines read no
//! files with the column beside files without it. Its record says which form it has; if it has lost its
//! record, as a copy of its partitions has, its first file does.
//!
//! Invariant: what was asked for is never changed, but for the form of the layout hive.

use std::path::{Path, PathBuf};

use event_target::TargetLayout;
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
    target: &Path,
    (layout, unit): (Option<Layout>, Option<PartitionUnit>),
) -> (Layout, PartitionUnit) {
    let remembered = TargetLayout::remembered(target).map(|found| found.and_then(|layout| layout.parts()));
    if let (None | Some(Layout::Delta), Ok(Some((Layout::Delta, of_tables)))) = (layout, &remembered) {
        return (Layout::Delta, unit.unwrap_or(*of_tables));
    }
    let (layout, unit) = (layout.unwrap_or(Layout::Plain), unit.unwrap_or(PartitionUnit::Day));
    let has_column = || match remembered {
        Ok(Some((layout, _))) => layout == Layout::HiveWithEventType,
        Ok(None) => first_file(target, layout.columns(PartitionUnit::Hour))
            .is_some_and(|file| has_event_type(&file).unwrap_or(false)),
        Err(_) => false,
    };
    if layout == Layout::Hive && has_column() { (Layout::HiveWithEventType, unit) } else { (layout, unit) }
}

/// A Parquet file below directories that are called like these columns, some of which may be left out.
fn first_file(directory: &Path, columns: &[&str]) -> Option<PathBuf> {
    let names = storage::names_in(directory).ok()??;
    let names: Vec<_> = names.iter().filter_map(|name| name.to_str()).collect();
    let is_file = |name: &&&str| columns.is_empty() && name.ends_with(".parquet");
    if let Some(file) = names.iter().find(is_file) {
        return Some(directory.join(file));
    }
    let mut inner = names.iter().filter_map(|name| {
        let (column, _) = name.split_once('=')?;
        let place = columns.iter().position(|known| *known == column)?;
        first_file(&directory.join(name), &columns[place + 1..])
    });
    inner.next()
}

fn has_event_type(file: &Path) -> Result<bool> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&ParquetFile::open(file)?, options)?;
    Ok(metadata.schema().index_of(event::EVENT_TYPE).is_ok())
}
