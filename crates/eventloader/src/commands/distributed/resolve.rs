//! The contenders of some buckets → the rows of each partition that are not the latest, and what was found
//! out about all of them.
//!
//! All rows of an event are in one bucket. So buckets are resolved apart from each other, by the code that
//! resolves spilled rows on one machine.
//!
//! Invariant: each row of a bucket is looked at once. How many there were is reported, and the driver
//! compares it with how many were read.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use event_rows::{Place, Position};
use serde::{Deserialize, Serialize};

use super::{
    parse::NamedLine,
    partitions_read::PartitionsOfSplit,
    task::Task,
    wire::{Kind, Message, TypeName, all_messages, batch, broken},
};
use crate::{
    error::Error,
    latest::{Move, Resolved, Sample, Samples, SpilledContenders, SupersededKind, SupersededRow},
    rows::DatedLines,
    runtime::{Stage, Stages},
};

/// What was found out about the rows of some buckets.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ResolvedBuckets {
    pub(super) buckets: BTreeSet<u32>,
    /// How many rows and later candidates there were.
    pub(super) contenders: u64,
    pub(super) redelivered: u64,
    pub(super) corrected: u64,
    /// How many bad lines named an event.
    pub(super) named: u64,
    /// How many ids the target has.
    pub(super) held: u64,
    /// Superseded rows of the target.
    pub(super) existing_rows: u64,
    /// From which partition to which other one of their type events move.
    pub(super) moves: BTreeSet<(TypeName, i64, i64)>,
    /// Superseded rows by source.
    pub(super) by_source: BTreeMap<usize, u64>,
    /// The first of them, with their event types.
    pub(super) samples: Vec<(TypeName, Sample)>,
    /// The place of a bad line, and of the last row of the same event and time.
    pub(super) last_rows: Vec<(u64, u64)>,
}

/// The messages of some buckets.
#[derive(Debug, Default)]
struct ToResolve {
    buckets: BTreeSet<u32>,
    by_type: BTreeMap<TypeName, OfType>,
    /// By bucket: which partitions each split has.
    partitions: BTreeMap<u32, Vec<PartitionsOfSplit>>,
    /// About partitions that may have to be written again.
    converted: Vec<Message>,
    /// What is not for this stage.
    others: Vec<Message>,
}

/// What competes in some buckets, of one event type.
#[derive(Debug, Default)]
struct OfType {
    contenders: SpilledContenders,
    held: SpilledContenders,
    lines: Vec<NamedLine>,
}

impl Task {
    /// Resolves all buckets whose messages are in these batches; hands on the others. Of a bucket, all
    /// messages must be there. What comes out about a partition has the number of its group as its bucket.
    ///
    /// # Errors
    /// The batches are not those of tasks.
    pub fn resolve(&self, batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
        let stages = Stages::default();
        let mut clock = stages.clock();
        let ToResolve { buckets, by_type, partitions, converted, others } = ToResolve::of(batches)?;
        let mut handed_on = others;
        if buckets.is_empty() {
            return batch(&self.in_groups(handed_on));
        }
        let partitions = self.partitions_read(&partitions, &buckets)?;
        let mut found = ResolvedBuckets { buckets, ..ResolvedBuckets::default() };
        let samples = Samples::new(self.settings.superseded_samples_max);
        let names: Vec<_> = by_type.keys().cloned().collect();
        for (index, (event_type, of_type)) in by_type.into_iter().enumerate() {
            let OfType { mut contenders, held, lines } = of_type;
            found.contenders += contenders.len() as u64;
            found.held += held.len() as u64;
            found.named += lines.len() as u64;
            clock.lap(Stage::Latest);
            let overwritten = partitions.as_deref().filter(|_| self.job.overwrites_merged);
            let held_rows = self.rows_held(&event_type, (&contenders, &held), overwritten);
            contenders.append(held_rows.map_err(|error| self.why_not_read(&event_type, error))?);
            clock.lap(Stage::Search);
            let Resolved { rows, moves } =
                self.deduper.superseded_of_range(&contenders, samples.of_type(index));
            handed_on.extend(self.superseded(&event_type, &rows, &mut found)?);
            handed_on.extend(self.leaving(&event_type, &moves, &mut found));
            found.add_last_rows(&contenders, lines);
        }
        let types: BTreeSet<_> =
            partitions.iter().flat_map(|read| read.iter()).map(|(event_type, _)| event_type).collect();
        let has_rows =
            |message: &Message| message.event_type.as_ref().is_some_and(|name| types.contains(name));
        handed_on.extend(converted.into_iter().filter(has_rows));
        let of_type = |sample: Sample| (names[sample.type_index].clone(), sample);
        found.samples = samples.into_list().into_iter().map(of_type).collect();
        let first = found.buckets.first().copied().unwrap_or_default();
        handed_on.push(Message::json(Kind::Resolved, first, &found)?);
        clock.lap(Stage::Latest);
        handed_on.push(Message::times(first, &stages)?);
        batch(&self.in_groups(handed_on))
    }

    /// The same messages, those about a partition with the number of its group.
    fn in_groups(&self, mut messages: Vec<Message>) -> Vec<Message> {
        for Message { bucket, event_type, unit, .. } in &mut messages {
            if let (Some(event_type), Some(unit)) = (event_type, unit) {
                *bucket = self.deduper.group_of(event_type, *unit, self.job.groups);
            }
        }
        messages
    }

    /// The messages about superseded rows, by partition.
    fn superseded(
        &self,
        event_type: &TypeName,
        rows: &[SupersededRow],
        found: &mut ResolvedBuckets,
    ) -> Result<Vec<Message>, Error> {
        let mut by_unit = BTreeMap::<i64, Vec<u8>>::new();
        for SupersededRow { position, micros, kind } in rows {
            let unit = self.settings.partition_unit.index_of(*micros);
            by_unit.entry(unit).or_default().extend_from_slice(&position.to_bits().to_le_bytes());
            let Place::Input { block, .. } = position.place() else {
                found.existing_rows += 1;
                continue;
            };
            *match kind {
                SupersededKind::Redelivered => &mut found.redelivered,
                SupersededKind::Corrected => &mut found.corrected,
            } += 1;
            let split = self.split_of_block(block);
            let source = split.ok_or_else(|| broken("a row is of no split"))?.source;
            *found.by_source.entry(source).or_default() += 1;
        }
        Ok(by_unit.into_iter().map(|(unit, body)| about(Kind::Superseded, event_type, unit, body)).collect())
    }

    /// The messages about rows of the target whose events move to another partition.
    fn leaving(&self, event_type: &TypeName, moves: &[Move], found: &mut ResolvedBuckets) -> Vec<Message> {
        let unit = self.settings.partition_unit;
        let mut by_unit = BTreeMap::<i64, Vec<u8>>::new();
        for Move { position, from_micros, to_micros } in moves {
            let (from, to) = (unit.index_of(*from_micros), unit.index_of(*to_micros));
            if from != to {
                found.moves.insert((event_type.clone(), from, to));
                by_unit.entry(from).or_default().extend_from_slice(&position.to_bits().to_le_bytes());
            }
        }
        by_unit.into_iter().map(|(unit, body)| about(Kind::Leaving, event_type, unit, body)).collect()
    }
}

/// A message about rows of a partition.
fn about(kind: Kind, event_type: &TypeName, unit: i64, body: Vec<u8>) -> Message {
    Message { kind, bucket: 0, event_type: Some(event_type.clone()), unit: Some(unit), body }
}

impl ToResolve {
    fn of(batches: &[RecordBatch]) -> Result<Self, Error> {
        let mut found = Self::default();
        for message in all_messages(batches)? {
            let bucket = message.bucket;
            match message.kind {
                Kind::Contenders | Kind::BadLines | Kind::Held => {
                    let event_type = message.event_type.clone();
                    let event_type =
                        event_type.ok_or_else(|| broken("rows to be resolved have no event type"))?;
                    found.by_type.entry(event_type).or_default().add(&message)?;
                }
                Kind::Partitions => found.partitions.entry(bucket).or_default().push(message.read()?),
                Kind::Converted => found.converted.push(message),
                _ => {
                    found.others.push(message);
                    continue;
                }
            }
            found.buckets.insert(bucket);
        }
        Ok(found)
    }
}

impl OfType {
    fn add(&mut self, message: &Message) -> Result<(), Error> {
        if message.kind == Kind::BadLines {
            self.lines.append(&mut message.read()?);
            return Ok(());
        }
        let contenders = SpilledContenders::of_bytes(&message.body);
        let contenders = contenders.ok_or_else(|| broken("rows to be resolved are cut"))?;
        let of_kind = if message.kind == Kind::Held { &mut self.held } else { &mut self.contenders };
        of_kind.append(contenders);
        Ok(())
    }
}

impl ResolvedBuckets {
    fn add_last_rows(&mut self, contenders: &SpilledContenders, lines: Vec<NamedLine>) {
        let mut dated = DatedLines::default();
        for (micros, position, id) in lines {
            dated.add(0, micros, id, Position::from_bits(position));
        }
        dated.compare_with(0, contenders);
        let found = dated.iter().filter_map(|(_, _, line)| Some((line.position, line.last_row?)));
        self.last_rows.extend(found.map(|(line, row)| (line.to_bits(), row.to_bits())));
    }
}

/// The positions in a message about superseded rows.
pub(super) fn positions(body: &[u8]) -> Result<Vec<Position>, Error> {
    let (bits, []) = body.as_chunks::<8>() else { return Err(broken("superseded rows are cut")) };
    Ok(bits.iter().map(|bits| Position::from_bits(u64::from_le_bytes(*bits))).collect())
}
