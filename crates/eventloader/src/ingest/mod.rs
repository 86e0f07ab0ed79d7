//! Sources → all good rows, the bad lines and the counts, in one pass on all threads.
//!
//! Each worker takes the next block from the shared reader, parses it, and hands in the result. Results are
//! collected in the order of the blocks, so line numbers, the quarantine and all counts follow the input. A
//! worker that is too far ahead of the others waits, so at most as many parsed blocks wait for their turn as
//! there are workers.
//!
//! Invariant: except for the rows that are kept, memory does not depend on the number of lines.

mod block_size;
mod collector;
mod counts;
mod keys_seen;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_parser::{Buffer, Content, Parser, ParserOptions, Plan};
use event_rows::{Batch, count_by_partition};
use event_target::{DedupeScope, Mode};
use events_core::catalog::OPEN_TYPES_MAX;

use self::{
    block_size::BlockSize,
    collector::{Collector, ParsedBlock},
};
pub(crate) use self::{
    counts::{InputCounts, RunCounts, SourceCounts},
    keys_seen::{KeysSeen, lacking},
};
use crate::{
    error::Error,
    input::{BlockReader, Framed, Source, Window},
    quarantine::Quarantine,
    rows::{RowStore, Turnstile},
    runtime::{Controls, MemoryShares, Stage, Stages},
    settings::Settings,
};

/// What an event type with few rows takes when these are grouped and written.
const WRITTEN_TYPE_BYTES: usize = 2 << 10;

/// The result of reading everything.
#[derive(Debug)]
pub(crate) struct Ingested {
    pub(crate) rows: RowStore,
    pub(crate) quarantine: Quarantine,
    pub(crate) counts: InputCounts,
    /// The newlines of the last source.
    pub(crate) newlines: u64,
}

/// The settings of an ingest.
#[derive(Clone, Copy)]
pub(crate) struct Ingest<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a Plan,
    pub(crate) shares: MemoryShares,
    pub(crate) controls: &'a Controls,
    pub(crate) stages: &'a Stages,
    /// The number of the first block.
    pub(crate) first_block: u32,
}

impl Ingest<'_> {
    /// Reads all sources.
    pub(crate) fn run(
        self,
        sources: &[Source],
        rows: RowStore,
        quarantine: Quarantine,
    ) -> Result<Ingested, Error> {
        let Self { settings, plan, shares, controls, stages, first_block } = self;
        let window = Window::of(settings.memory_bytes);
        let framed = Framed { framing: settings.framing, records: Arc::clone(plan.records()) };
        let reader =
            BlockReader::new(sources.to_vec(), window, shares.block_bytes, framed, controls.progress.clone());
        let reader = reader.numbered_from(first_block);
        let reader = Mutex::new(if settings.mode == Mode::Merge { reader.hashing() } else { reader });
        let collector = Collector::new(sources, rows, quarantine, shares.workers).numbered_from(first_block);
        let collector = Turnstile::new(collector);
        workers::each(shares.workers, |_| self.work(&reader, &collector))?;
        let mut ingested = collector.into_inner().into_ingested();
        let facts = reader.into_inner().unwrap_or_else(PoisonError::into_inner).into_facts();
        for (source, facts) in ingested.counts.sources.iter_mut().zip(facts) {
            (source.bytes, source.fingerprint) = (facts.bytes, facts.fingerprint);
        }
        ingested.rows.add_types(plan.event_type_count());
        let mut clock = stages.clock();
        ingested.rows.seal()?;
        clock.lap(Stage::Collect);
        Ok(ingested)
    }

    /// Parses one block after the other.
    fn work(self, reader: &Mutex<BlockReader>, collector: &Turnstile<Collector<'_>>) -> Result<(), Error> {
        let Self { settings, plan, shares, controls, stages, .. } = self;
        let wants_later_candidates =
            settings.selection.days.is_some() && settings.dedupe_scope == DedupeScope::Input;
        let options = ParserOptions {
            selection: &settings.selection,
            flatten: settings.flatten,
            wants_later_candidates,
        };
        let mut parser = Parser::new(plan, options);
        let mut recycled = Buffer::default();
        let mut size = BlockSize::new(shares.worker_bytes, shares.block_bytes);
        let mut clock = stages.clock();
        let _guard = collector.guard();
        loop {
            controls.interruption.check()?;
            let next = {
                let mut reader = locked(reader);
                clock.lap(Stage::Wait);
                reader.next_block_of(size.bytes(), recycled)?
            };
            clock.lap(Stage::Read);
            let Some(next) = next else { return Ok(()) };
            stages.add_bytes(Stage::Read, next.block.bytes.len() as u64);
            let parsed = parser.parse(&next.block);
            // Of types that are found there may be as many as a block has lines.
            let bytes =
                |batch: &Batch| if plan.is_open() { batch.memory_bytes() } else { batch.value_bytes() };
            let value_bytes = parsed.batches.iter().map(|(_, batch)| bytes(batch)).sum();
            size.learn(next.block.bytes.len(), value_bytes, plan.found_bytes());
            let parsed = ParsedBlock {
                number: next.block.number,
                source: next.source,
                are_lines: matches!(next.block.content, Content::Lines) && plan.records().are_documents(),
                by_partition: count_by_partition(&parsed.batches, settings.partition_unit),
                parsed,
                types_bytes: plan.found_bytes() + plan.found_type_count() * WRITTEN_TYPE_BYTES,
            };
            clock.lap(Stage::Parse);
            let number = parsed.number;
            let go_on = collector.enter(
                |collector| collector.may_take(number),
                |collector| {
                    clock.lap(Stage::Wait);
                    if plan.has_too_many_types() {
                        return Err(Error::OpenTypes(OPEN_TYPES_MAX));
                    }
                    collector.take(parsed)
                },
            )?;
            clock.lap(Stage::Collect);
            if !go_on {
                return Ok(());
            }
            recycled = next.block.bytes;
        }
    }
}

/// If another worker panicked, the run is about to end; until then its data is still valid.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
