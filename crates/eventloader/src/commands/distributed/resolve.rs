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
    task::Task,
    wire::{Kind, Message, all_messages, batch, broken},
};
use crate::{
    error::Error,
    latest::{Resolved, Sample, Samples, SpilledContenders, SupersededKind, SupersededRow},
    rows::DatedLines,
};

/// What was found out about the rows of some buckets.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ResolvedBuckets {
    pub(super) buckets: BTreeSet<u32>,
    /// How many rows and later candidates there were.
    pub(super) contenders: u64,
    pub(super) redelivered: u64,
    pub(super) corrected: u64,
    /// Superseded rows by source.
    pub(super) by_source: BTreeMap<usize, u64>,
    /// The first of them, with their event types.
    pub(super) samples: Vec<((String, String), Sample)>,
    /// The place of a bad line, and of the last row of the same event and time.
    pub(super) last_rows: Vec<(u64, u64)>,
}

/// What competes in some buckets, of one event type.
#[derive(Debug, Default)]
struct OfType {
    contenders: SpilledContenders,
    lines: Vec<NamedLine>,
}

impl Task {
    /// Resolves all buckets whose messages are in these batches; hands on the others. Of a bucket, all
    /// messages must be there.
    ///
    /// # Errors
    /// The batches are not those of tasks.
    pub fn resolve(&self, batches: &[RecordBatch]) -> Result<RecordBatch, Error> {
        let mut handed_on = Vec::new();
        let mut found = ResolvedBuckets::default();
        let mut by_type = BTreeMap::<(String, String), OfType>::new();
        for message in all_messages(batches)? {
            if !matches!(message.kind, Kind::Contenders | Kind::BadLines) {
                handed_on.push(message);
                continue;
            }
            found.buckets.insert(message.bucket);
            let event_type = message.event_type.clone();
            let event_type = event_type.ok_or_else(|| broken("rows to be resolved have no event type"))?;
            let of_type = by_type.entry(event_type).or_default();
            if message.kind == Kind::Contenders {
                let contenders = SpilledContenders::of_bytes(&message.body);
                of_type.contenders.append(contenders.ok_or_else(|| broken("rows to be resolved are cut"))?);
            } else {
                of_type.lines.append(&mut message.read()?);
            }
        }
        if found.buckets.is_empty() {
            return batch(&handed_on);
        }
        let deduper = self.deduper();
        let samples = Samples::new(self.settings.superseded_samples_max);
        let names: Vec<_> = by_type.keys().cloned().collect();
        for (index, (event_type, of_type)) in by_type.into_iter().enumerate() {
            let OfType { contenders, lines } = of_type;
            found.contenders += contenders.len() as u64;
            let Resolved { rows, .. } = deduper.superseded_of_range(&contenders, samples.of_type(index));
            handed_on.extend(self.superseded(&event_type, &rows, &mut found)?);
            found.add_last_rows(&contenders, lines);
        }
        let of_type = |sample: Sample| (names[sample.type_index].clone(), sample);
        found.samples = samples.into_list().into_iter().map(of_type).collect();
        let first = found.buckets.first().copied().unwrap_or_default();
        handed_on.push(Message::json(Kind::Resolved, first, &found)?);
        batch(&handed_on)
    }

    /// The messages about superseded rows, by partition.
    fn superseded(
        &self,
        event_type: &(String, String),
        rows: &[SupersededRow],
        found: &mut ResolvedBuckets,
    ) -> Result<Vec<Message>, Error> {
        let mut by_unit = BTreeMap::<i64, Vec<u8>>::new();
        for SupersededRow { position, micros, kind } in rows {
            *match kind {
                SupersededKind::Redelivered => &mut found.redelivered,
                SupersededKind::Corrected => &mut found.corrected,
            } += 1;
            let Place::Input { block, .. } = position.place() else { continue };
            let split = self.split_of_block(block);
            let source = split.ok_or_else(|| broken("a row is of no split"))?.source;
            *found.by_source.entry(source).or_default() += 1;
            let unit = self.settings.partition_unit.index_of(*micros);
            by_unit.entry(unit).or_default().extend_from_slice(&position.to_bits().to_le_bytes());
        }
        let message = |(unit, body)| Message {
            kind: Kind::Superseded,
            bucket: 0,
            event_type: Some(event_type.clone()),
            unit: Some(unit),
            body,
        };
        Ok(by_unit.into_iter().map(message).collect())
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
