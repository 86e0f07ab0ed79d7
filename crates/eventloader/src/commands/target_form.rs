//! A layout that is asked for → the same in the form that the target has it.
//!
//! Files of the layout hive once had a column `event_type`. A target keeps that form, because engines read no
//! files with the column beside files without it. Its record says which form it has; if it has lost its
//! record, as a copy of its partitions has, its first file does.
//!
//! Invariant: only the form may be another than that of the layout, never the names of the directories.

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

/// The layout in the form of the target. If the target can't be read, it is as asked for: the load itself
/// says what is wrong.
#[must_use]
pub fn in_form_of_target(target: &Path, asked: Layout) -> Layout {
    if asked != Layout::Hive {
        return asked;
    }
    let remembered = TargetLayout::remembered(target).map(|found| found.and_then(|layout| layout.parts()));
    let has_column = match remembered {
        Ok(Some((layout, _))) => layout == Layout::HiveWithEventType,
        Ok(None) => first_file(target, asked.columns(PartitionUnit::Hour))
            .is_some_and(|file| has_event_type(&file).unwrap_or(false)),
        Err(_) => false,
    };
    if has_column { Layout::HiveWithEventType } else { asked }
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
