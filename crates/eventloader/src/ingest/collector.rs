//! Parsed blocks, as workers hand them in → rows, bad lines and counts, in the order of the blocks.
//!
//! Invariant: a block is added only after all blocks before it.

use std::{collections::BTreeMap, mem};

use event_parser::Parsed;
use event_rows::{PartitionKey, Place};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{Ingested, InputCounts};
use crate::{
    error::Error,
    input::{Origin, Records, Source},
    quarantine::Quarantine,
    rows::{BlockRows, RowStore, SpillJob},
};

/// The lines of one block of the input.
#[derive(Debug)]
pub(super) struct ParsedBlock {
    /// Counts all blocks of the run.
    pub(super) number: u32,
    /// The index of its source.
    pub(super) source: usize,
    /// Whether its lines are lines of the text, and not elements, documents or records.
    pub(super) are_lines: bool,
    pub(super) parsed: Parsed,
    /// The number of its rows in each partition.
    pub(super) by_partition: HashMap<PartitionKey, u64, FixedState>,
    /// The memory that event types take that were found while lines were read.
    pub(super) types_bytes: usize,
}

/// Collects blocks in their order.
pub(super) struct Collector<'a> {
    sources: &'a [Source],
    ingested: Ingested,
    /// Blocks that arrived too early.
    waiting: BTreeMap<u32, ParsedBlock>,
    /// How far ahead of its turn a block may be.
    ahead_max: u32,
    next_block: u32,
    /// The source of the last block, and the number of its lines so far.
    source: usize,
    lines_behind: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(sources: &'a [Source], rows: RowStore, quarantine: Quarantine, threads: usize) -> Self {
        Self {
            sources,
            ingested: Ingested { rows, quarantine, counts: InputCounts::of(sources), newlines: 0 },
            waiting: BTreeMap::new(),
            ahead_max: u32::try_from(threads).unwrap_or(u32::MAX),
            next_block: 0,
            source: 0,
            lines_behind: 0,
        }
    }

    /// The first block has this number.
    pub(super) fn numbered_from(mut self, first_block: u32) -> Self {
        self.next_block = first_block;
        self.ingested.rows.number_from(first_block);
        self
    }

    pub(super) fn into_ingested(self) -> Ingested {
        Ingested { newlines: self.lines_behind, ..self.ingested }
    }

    /// Whether a block is not too far ahead of its turn.
    pub(super) fn may_take(&self, number: u32) -> bool {
        number - self.next_block <= self.ahead_max
    }

    /// Accepts a block, and adds all blocks whose turn has come; returns the rows to spill now.
    pub(super) fn take(&mut self, block: ParsedBlock) -> Result<Vec<SpillJob>, Error> {
        self.waiting.insert(block.number, block);
        let mut jobs = Vec::new();
        while let Some(block) = self.waiting.remove(&self.next_block) {
            self.next_block += 1;
            jobs.extend(self.enter(block)?);
        }
        Ok(jobs)
    }

    fn enter(&mut self, block: ParsedBlock) -> Result<Option<SpillJob>, Error> {
        let ParsedBlock { source, are_lines, mut parsed, by_partition, types_bytes, .. } = block;
        let Ingested { rows, quarantine, counts, .. } = &mut self.ingested;
        if mem::replace(&mut self.source, source) != source {
            self.lines_behind = 0;
        }
        let number = |line_index| (self.lines_behind + 1).saturating_add_signed(line_index);
        let mut left = mem::take(&mut parsed.filtered_lines).into_iter().peekable();
        for bad in &parsed.bad {
            while let Some(line_index) = left.next_if(|line_index| *line_index <= bad.line_index) {
                quarantine.leave(source, number(line_index))?;
            }
            let line = number(bad.line_index);
            quarantine.add(source, &self.sources[source], line, bad)?;
            counts.add_bad(source, line, bad);
        }
        for line_index in left {
            quarantine.leave(source, number(line_index))?;
        }
        let is_replay = matches!(self.sources[source].origin, Origin::Records(_));
        if let Origin::Records(records) = &self.sources[source].origin {
            put_in_order(records.as_ref(), self.lines_behind, &mut parsed);
        }
        self.lines_behind += u64::from(parsed.newlines);
        counts.add_block(source, &mut parsed);
        let Parsed { lines, batches, later_candidates, .. } = parsed;
        rows.leave_room(types_bytes);
        rows.add(BlockRows {
            source,
            lines,
            of_array: !are_lines && !is_replay,
            by_partition,
            batches,
            later_candidates,
        })
    }
}

/// Puts rows of lines that are no source of their own before or behind the rows of the target.
fn put_in_order(records: &dyn Records, lines_behind: u64, parsed: &mut Parsed) {
    // If documents have several records, each is alone in its block.
    let last = u64::from(parsed.newlines.saturating_sub(1));
    for position in parsed.batches.iter_mut().flat_map(|(_, batch)| &mut batch.positions) {
        let Place::Input { line, .. } = position.place() else { continue };
        let line = u64::from(line).min(last);
        if !records.is_behind_existing(lines_behind + line + 1) {
            *position = position.before_existing();
        }
    }
}

impl AsMut<RowStore> for Collector<'_> {
    fn as_mut(&mut self) -> &mut RowStore {
        &mut self.ingested.rows
    }
}
