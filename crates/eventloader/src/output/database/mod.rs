//! The rows of a run that are kept → the tables of a database, in the run's transaction, and the changes that
//! its commit records.
//!
//! ```text
//! partitions of one event type
//!   unchanged.rs   those that are replaced by what they have already
//!   partition.rs   what becomes of one: rows that go, rows that come
//!   table.rs       the statements: rows go, columns come, rows come, indexes
//!   copy.rs        rows on all threads → one COPY
//! ```
//!
//! One table is written after the other. A partition that is merged gets only the rows that are new, and
//! loses those that are superseded; its other rows are not touched.
//!
//! Invariant: the rows that a partition has afterwards are those that the database has deleted and counted,
//! and those that it had by the record, which is checked first.

mod copy;
mod partition;
mod pieces;
mod table;
mod unchanged;

use std::{cmp::Reverse, collections::BTreeMap};

use event_rows::PartitionKey;
use event_target::{Change, Mode};

use self::table::TableLoad;
use super::{Publication, Staged, Writing, Written};
use crate::{
    error::Error, existing::OpenDatabase, latest::SupersededCounts, rows::Partition, runtime::Stage,
};

impl Writing<'_> {
    /// Writes all partitions, table by table. Returns changes only for partitions that do change.
    pub(super) fn write_tables(
        &self,
        database: &OpenDatabase,
        encoders: usize,
    ) -> Result<(Written, Vec<Change>), Error> {
        let mut clock = self.stages.clock();
        let (mut partitions, out) = self.grouped();
        partitions.sort_by_key(|partition| (partition.type_index, Reverse(partition.rows_in_memory())));
        clock.lap_of(self.settings.threads, Stage::Group);
        self.controls.progress.begin_writing(partitions.len());
        let columns = self.columns(&partitions);
        let superseded: BTreeMap<PartitionKey, SupersededCounts> = self.superseded.by_partition().collect();
        let mut staged: Vec<Staged> = Vec::with_capacity(partitions.len());
        for of_table in partitions.chunk_by(|a, b| a.type_index == b.type_index) {
            let load = TableLoad::new(self, database, of_table, &superseded, &columns)?;
            staged.extend(load.run(encoders)?);
        }
        let (mut written, changes) = self.collect(&partitions, staged, out, &Publication::default());
        written.tables = columns.into_values().collect();
        Ok((written, changes))
    }

    /// Whether all rows of a partition are replaced.
    fn is_replaced(&self, partition: &Partition) -> bool {
        self.settings.mode == Mode::Overwrite && self.rows.ledger().rows_of(partition.key()) > 0
    }
}
