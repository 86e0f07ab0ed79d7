//! The runs of partitions, and which of their rows are superseded → staged files.
//!
//! Partitions are written one after the other, each merged from its runs, so memory grows neither with their
//! number nor with their size. They are synced together: a sync of many files takes hardly longer than one.
//!
//! Invariant: a file that is named in an answer is on the disk, whole, and nobody else writes to it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::RecordBatch;
use event_rows::Position;
use event_target::{Action, Change, History, Mode, Staging};
use serde::{Deserialize, Serialize};

use super::{
    attempt::Attempt,
    parse::RunOfSplit,
    resolve::positions,
    task::{Task, type_index},
    wire::{Kind, Message, TypeName, all_messages, batch, broken},
};
use crate::{
    error::Error,
    existing::Existing,
    latest::Superseded,
    output::{Piece, Writing, Written},
    rows::{RowStore, StoredRun},
    runtime::{Controls, Stage, Stages},
};

/// What became of the rows of a partition.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WrittenFacts {
    /// Rows that were written, by source.
    pub(super) by_source: Vec<(usize, u64)>,
    /// Rows that are superseded.
    pub(super) left_out: u64,
    /// Whether it was to be written again whatever its rows are.
    pub(super) is_converted: bool,
    /// In a merge: rows that the partition had, and those of them that it leaves out.
    pub(super) existing: (u64, u64),
    /// `None` if all of its rows are superseded, and the target has none either.
    pub(super) files: Option<FileFacts>,
    /// `None` if nothing changes. In a target of tables, the driver finds that out.
    pub(super) change: Option<Change>,
}

/// The files of a partition.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FileFacts {
    pub(super) path: String,
    pub(super) files: usize,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) action: Action,
}

/// The messages about a partition.
#[derive(Debug, Default)]
struct OfPartition {
    runs: Vec<RunOfSplit>,
    superseded: Vec<Position>,
    leaving: Vec<Position>,
    is_converted: bool,
}

impl Task {
    /// Writes all partitions whose messages are in these batches; hands on the others. Of a partition, all
    /// messages must be there.
    ///
    /// # Errors
    /// The batches are not those of tasks, or a partition can't be written.
    pub fn write(&self, batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
        let mut handed_on = Vec::new();
        let mut partitions = BTreeMap::<(TypeName, i64), OfPartition>::new();
        for message in all_messages(batches)? {
            let is_of_partition =
                matches!(message.kind, Kind::Run | Kind::Superseded | Kind::Leaving | Kind::Converted);
            match (&message.event_type, message.unit) {
                (Some(event_type), Some(unit)) if is_of_partition => {
                    let partition = partitions.entry((event_type.clone(), unit)).or_default();
                    match message.kind {
                        Kind::Run => partition.runs.push(message.read()?),
                        Kind::Converted => partition.is_converted = true,
                        Kind::Leaving => partition.leaving.extend(positions(&message.body)?),
                        _ => partition.superseded.extend(positions(&message.body)?),
                    }
                }
                _ => handed_on.push(message),
            }
        }
        if partitions.is_empty() {
            return batch(&handed_on);
        }
        let staging = self.settings.target.staging_for(&self.exchange);
        match self.write_partitions(partitions, &staging) {
            Ok(written) => handed_on.extend(written),
            Err(error) => {
                staging.give_up();
                return Err(error);
            }
        }
        batch(&handed_on)
    }

    fn write_partitions(
        &self,
        partitions: BTreeMap<(TypeName, i64), OfPartition>,
        staging: &Staging,
    ) -> Result<Vec<Message>, Error> {
        let stages = Stages::default();
        let (mut written, mut directories) = (Vec::new(), Vec::new());
        for ((event_type, unit), partition) in partitions {
            let staged_in = Attempt::new_name();
            let facts =
                self.write_partition((&event_type, unit), partition, (staging, &staged_in, &stages))?;
            directories.extend(self.exchange.directory().map(|shared| shared.join(staged_in)));
            let message = Message::json(Kind::Written, 0, &facts)?;
            written.push(Message { event_type: Some(event_type), unit: Some(unit), ..message });
        }
        let mut clock = stages.clock();
        // On whichever machine this is.
        staging.hand_over(&self.exchange, &directories).map_err(Error::io("staging partitions"))?;
        clock.lap(Stage::Commit);
        written.push(Message::times(0, &stages)?);
        self.check_that_job_is_on()?;
        Ok(written)
    }

    fn write_partition(
        &self,
        (event_type, unit): (&TypeName, i64),
        partition: OfPartition,
        (staging, staged_in, stages): (&Staging, &str, &Stages),
    ) -> Result<WrittenFacts, Error> {
        let Self { settings, plan, exchange, shares, .. } = self;
        let key = (type_index(plan, event_type)?, unit);
        let OfPartition { mut runs, superseded, leaving, is_converted } = partition;
        runs.sort_by_key(|run| run.split);
        let has_runs = !runs.is_empty();
        let splits: Vec<_> = runs.iter().map(|run| (run.split, run.blocks)).collect();
        let mut ledger = self.ledger(&splits)?;
        ledger.add_read(key, runs.iter().map(|run| run.rows).sum());
        let stored = runs.into_iter().flat_map(|RunOfSplit { file, runs, .. }| {
            runs.into_iter().map(move |chunks| (key, StoredRun { file: file.clone(), chunks }))
        });
        let (unit_of_time, deduper) = (settings.partition_unit, Arc::clone(&self.deduper));
        let stored = (exchange, stored.collect());
        let rows = RowStore::of_stored(stored, ledger, unit_of_time, *shares, deduper)?;
        let takes_part = settings.mode == Mode::Merge || self.job.overwrites_merged;
        let superseded = if takes_part {
            Superseded::listed_in_merge(settings.partition_unit, key, superseded, leaving)
        } else {
            Superseded::listed(superseded.into_iter())
        };
        // What is overwritten does not take part.
        let is_overwritten = settings.mode != Mode::Merge && has_runs;
        let held = if is_overwritten { Vec::new() } else { self.files_of(event_type, unit) };
        let existing = takes_part.then(|| Existing::of_partition(settings, plan, key, held));
        let (controls, history) = (Controls::hidden(), History::default());
        let writing = Writing {
            settings,
            plan,
            rows: &rows,
            superseded: &superseded,
            // A target of partitions tells by its files what a change does.
            history: &history,
            existing: existing.as_ref(),
            database: None,
            staging,
            piece: Some(Piece { staged_in, is_converted }),
            controls: &controls,
            stages,
        };
        let (written, changes) = writing.write_partitions(1)?;
        facts_of(key, is_converted, (&written, changes))
    }
}

fn facts_of(
    key: (usize, i64),
    is_converted: bool,
    (written, changes): (&Written, Vec<Change>),
) -> Result<WrittenFacts, Error> {
    let (by_source, left_out, existing) = written.out.of_partition(key);
    let existing = (existing.read, existing.left_out);
    let files = match written.partitions.as_slice() {
        [] => None,
        [one] if one.key == key => Some(FileFacts {
            path: one.path.clone(),
            files: one.files,
            rows: one.rows,
            bytes: one.bytes,
            action: one.action,
        }),
        _ => return Err(broken("a partition has become several")),
    };
    let change = changes.into_iter().next();
    Ok(WrittenFacts { by_source, left_out, is_converted, existing, files, change })
}
