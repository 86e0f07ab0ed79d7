//! Files of a target, for processes that search some of them → the ids of their rows, and rows that were
//! found.
//!
//! Invariant: rows are positioned by the numbers of their files, which all processes of a job have from one
//! list.

use event_parser::Plan;
use event_rows::{Batch, Position};
use event_target::PartitionFile;

use super::{columns::ExistingColumns, reader::ExistingFile};
use crate::{error::Error, settings::Settings};

/// Calls `take` with the id and the position of each row of a file.
pub(crate) fn each_id(
    settings: &Settings,
    file: &PartitionFile,
    take: impl FnMut(&str, Position),
) -> Result<(), Error> {
    ExistingFile::merged(&settings.target, file).each_id(take)
}

/// Calls `take` with the given rows of a file, which ascend, in the columns of their event type.
pub(crate) fn rows_at(
    (settings, plan): (&Settings, &Plan),
    (type_index, file): (usize, &PartitionFile),
    rows: &[u32],
    take: impl FnMut(Batch) -> Result<(), Error>,
) -> Result<(), Error> {
    let columns = ExistingColumns::new(plan.event_type(type_index), settings.table_form());
    ExistingFile::merged(&settings.target, file).rows_at(rows, &columns, take)
}
