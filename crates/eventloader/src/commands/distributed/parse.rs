//! A split → its rows in runs in the exchange, and batches: the contenders of its rows by bucket,
//! the events that its bad lines name, where its runs are, and its counts.
//!
//! It is an ingest as any other, whose rows are all spilled.
//!
//! Invariant: a bad line, a run and a row are named in the batches of one attempt once.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use arrow::array::RecordBatch;
use event_target::Staging;
use serde::{Deserialize, Serialize};

use super::{
    attempt::Attempt,
    split::Work,
    task::Task,
    wire::{Kind, Message, TypeName, batch},
};
use crate::{
    commands::named_version::{OfType, version_of},
    error::Error,
    ingest::{Ingest, Ingested, InputCounts, SourceCounts},
    input::Window,
    latest::{RANGES, SpilledContender, SpilledContenders},
    quarantine::Quarantine,
    rows::{BlockLines, Location, RowStore, SpillPlace, StoredFile},
    runtime::{Controls, Stage, Stages},
};

/// The ranges of ids whose contenders are read at once.
const RANGES_AT_ONCE: usize = 16;

/// What became of a split's lines.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SplitCounts {
    pub(super) split: usize,
    pub(super) counts: InputCounts,
    pub(super) newlines: u64,
    pub(super) blocks: Vec<BlockLines>,
    /// Rows by event type and partition's unit of time.
    pub(super) partitions: Vec<(TypeName, i64, u64)>,
    /// How many rows and later candidates are to be resolved.
    pub(super) contenders: u64,
    /// How many bad lines name an event.
    pub(super) named: u64,
    /// The file of its bad lines, in the exchange.
    pub(super) bad_lines: Option<String>,
}

/// A split's rows of a partition.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunOfSplit {
    pub(super) split: usize,
    /// How many blocks the split has.
    pub(super) blocks: usize,
    /// How many rows there are, in all runs.
    pub(super) rows: u64,
    pub(super) file: StoredFile,
    /// The chunks of each run.
    pub(super) runs: Vec<Vec<Location>>,
}

/// A bad line that names an event: its timestamp, the bits of its place, the event's id.
pub(super) type NamedLine = (i64, u64, Box<str>);

/// The batches of a split, one after the other.
#[derive(Debug)]
pub struct SplitBatches(Batches);

#[derive(Debug)]
enum Batches {
    /// Of lines that were read.
    OfRows(Box<RowBatches>),
    /// The only ones.
    Ready(Vec<RecordBatch>),
}

#[derive(Debug)]
struct RowBatches {
    task: Arc<Task>,
    rows: RowStore,
    /// Where they are.
    file: StoredFile,
    /// Of which type and ranges the contenders come next.
    next: (usize, usize),
    contenders: u64,
    named: BTreeMap<TypeName, Vec<NamedLine>>,
    /// About the split's partitions.
    partitions: Vec<Message>,
    /// What comes last, without the number of contenders.
    counts: Option<SplitCounts>,
    stages: Stages,
}

impl Task {
    /// Does the part of a job with this number: reads a split or, in a merge, searches files of the target.
    ///
    /// # Errors
    /// It can't be read, or its rows can't be stored.
    pub fn parse(self: &Arc<Self>, number: usize) -> Result<SplitBatches, Error> {
        let stages = Stages::default();
        let mut clock = stages.clock();
        if let Some(task) = number.checked_sub(self.job.splits.len()) {
            let mut messages = self.ids_held(task)?;
            clock.lap(Stage::Search);
            messages.push(Message::times(0, &stages)?);
            return Ok(SplitBatches(Batches::Ready(vec![batch(&messages)?])));
        }
        let split = self.split(number)?;
        if split.work == Work::Hash {
            let window = Window::of(self.settings.memory_bytes);
            let content = split.fingerprint(&|address: &str| self.open_store(address), window)?;
            let source = SourceCounts { fingerprint: Some(content), ..SourceCounts::default() };
            let counts = InputCounts { sources: vec![source], ..InputCounts::default() };
            let counts = SplitCounts { split: number, counts, ..SplitCounts::default() };
            let message = Message::json(Kind::Counts, 0, &counts)?;
            clock.lap(Stage::Read);
            let messages = [message, Message::times(0, &stages)?];
            return Ok(SplitBatches(Batches::Ready(vec![batch(&messages)?])));
        }
        Ok(SplitBatches(Batches::OfRows(Box::new(self.read(number)?))))
    }

    /// Reads a split.
    fn read(self: &Arc<Self>, number: usize) -> Result<RowBatches, Error> {
        let Self { settings, plan, exchange, shares, .. } = &**self;
        let split = self.split(number)?;
        let source = split.source(&|address: &str| self.open_store(address))?;
        let attempt = Attempt::begin(exchange)?;
        let rows_path = attempt.directory.join("rows");
        let place = SpillPlace::Named(rows_path.clone());
        let rows = RowStore::new(
            plan.event_type_count(),
            settings.partition_unit,
            *shares,
            Arc::clone(&self.deduper),
            place,
        );
        let staging = Staging::Directory(attempt.directory.clone());
        let quarantine = Quarantine::new(staging, settings.catalog.envelope());
        let (controls, stages) = (Controls::hidden(), Stages::default());
        let ingest = Ingest {
            settings,
            plan,
            shares: *shares,
            controls: &controls,
            stages: &stages,
            first_block: split.first_block,
        };
        let Ingested { rows, mut quarantine, counts, newlines } = ingest.run(&[source], rows, quarantine)?;
        let mut clock = stages.clock();
        let blocks = rows.ledger().blocks();
        split.check_blocks(blocks.len())?;
        let named = self.named_by(&mut quarantine)?;
        let keys = rows.ledger().partition_keys();
        let told =
            self.tell_partitions((number, &attempt), keys.map(|key| (self.type_name(key.0), key.1)))?;
        let partitions = rows
            .ledger()
            .partition_keys()
            .map(|key| (self.type_name(key.0), key.1, rows.ledger().rows_of(key)));
        let bad_lines = quarantine.into_file()?.map(|file| attempt.hand_over(exchange, &file));
        let counts = SplitCounts {
            split: number,
            counts,
            newlines,
            blocks,
            partitions: partitions.collect(),
            contenders: 0,
            named: named.values().map(|lines| lines.len() as u64).sum(),
            bad_lines: bad_lines.transpose()?,
        };
        let mut file = StoredFile { name: String::new(), bytes: rows.stored().1 };
        if file.bytes > 0 {
            file.name = attempt.hand_over(exchange, &rows_path)?;
        }
        clock.lap(Stage::Collect);
        let (task, partitions) = (Arc::clone(self), told);
        let (next, contenders, counts) = ((0, 0), 0, Some(counts));
        Ok(RowBatches { task, rows, file, next, contenders, named, partitions, counts, stages })
    }

    fn type_name(&self, type_index: usize) -> TypeName {
        let event_type = self.plan.event_type(type_index);
        (event_type.domain.clone(), event_type.name.clone())
    }

    /// The events that the bad lines name.
    fn named_by(&self, quarantine: &mut Quarantine) -> Result<BTreeMap<TypeName, Vec<NamedLine>>, Error> {
        let mut named = BTreeMap::<_, Vec<_>>::new();
        quarantine.each_new(|position, line| {
            if let Some((of_type, micros, id)) = version_of(&self.settings, &self.plan, line) {
                let name = match of_type {
                    OfType::Known(type_index) => self.type_name(type_index),
                    OfType::WithoutRows(event_type) => (event_type.domain, event_type.name),
                };
                named.entry(name).or_default().push((micros, position.to_bits(), id));
            }
            Ok(())
        })?;
        Ok(named)
    }
}

impl SplitBatches {
    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// The stored rows can't be read.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        match &mut self.0 {
            Batches::OfRows(batches) => batches.next_batch(),
            Batches::Ready(batches) => Ok(batches.pop()),
        }
    }
}

impl RowBatches {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        while self.next.0 < self.task.plan.event_type_count() {
            let (type_index, range) = self.next;
            let ranges = range..range + RANGES_AT_ONCE;
            self.next = if ranges.end < RANGES { (type_index, ranges.end) } else { (type_index + 1, 0) };
            let messages = self.contenders(type_index, ranges)?;
            if !messages.is_empty() {
                return batch(&messages).map(Some);
            }
        }
        let Some(counts) = self.counts.take() else { return Ok(None) };
        batch(&self.last_messages(counts)?).map(Some)
    }

    fn contenders(&mut self, type_index: usize, ranges: Range<usize>) -> Result<Vec<Message>, Error> {
        let buckets = self.task.job.buckets;
        // The time between two batches is the engine's.
        let mut clock = self.stages.clock();
        let mut by_bucket = BTreeMap::<u32, SpilledContenders>::new();
        for contenders in self.rows.contenders(type_index, &ranges)? {
            self.contenders += contenders.len() as u64;
            let bucket = |contender: &dyn SpilledContender| self.task.deduper.bucket_of(contender, buckets);
            for uuid in contenders.uuids {
                by_bucket.entry(bucket(&uuid)).or_default().uuids.push(uuid);
            }
            for text in contenders.texts {
                by_bucket.entry(bucket(&text)).or_default().texts.push(text);
            }
            for versioned in contenders.versioned {
                by_bucket.entry(bucket(&versioned)).or_default().versioned.push(versioned);
            }
        }
        let message = |(bucket, contenders): (u32, SpilledContenders)| Message {
            kind: Kind::Contenders,
            bucket,
            event_type: Some(self.task.type_name(type_index)),
            unit: None,
            body: contenders.to_bytes(),
        };
        let messages = by_bucket.into_iter().map(message).collect();
        clock.lap(Stage::Latest);
        Ok(messages)
    }

    fn last_messages(&mut self, counts: SplitCounts) -> Result<Vec<Message>, Error> {
        let (buckets, split) = (self.task.job.buckets, counts.split);
        // Anywhere, but not all in one place.
        let bucket = u32::try_from(split).unwrap_or_default() % buckets.max(1);
        let mut messages = std::mem::take(&mut self.partitions);
        for (event_type, lines) in std::mem::take(&mut self.named) {
            let mut by_bucket = BTreeMap::<u32, Vec<NamedLine>>::new();
            for (micros, position, id) in lines {
                let bucket = self.task.deduper.bucket_of_event(&id, micros, buckets);
                by_bucket.entry(bucket).or_default().push((micros, position, id));
            }
            for (bucket, lines) in by_bucket {
                let message = Message::json(Kind::BadLines, bucket, &lines)?;
                messages.push(Message { event_type: Some(event_type.clone()), ..message });
            }
        }
        let blocks = counts.blocks.len();
        let mut runs = BTreeMap::<_, Vec<_>>::new();
        for (partition, run) in self.rows.stored().0 {
            runs.entry(partition).or_default().push(run);
        }
        for (partition, runs) in runs {
            let (rows, file) = (self.rows.ledger().rows_of(partition), self.file.clone());
            let message = Message::json(Kind::Run, bucket, &RunOfSplit { split, blocks, rows, file, runs })?;
            let event_type = Some(self.task.type_name(partition.0));
            messages.push(Message { event_type, unit: Some(partition.1), ..message });
        }
        let counts = SplitCounts { contenders: self.contenders, ..counts };
        messages.push(Message::json(Kind::Counts, bucket, &counts)?);
        messages.push(Message::times(bucket, &self.stages)?);
        Ok(messages)
    }
}
