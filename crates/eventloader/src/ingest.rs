//! Sources → all good rows, the bad lines and the counts, in one pass on all threads.
//!
//! Every worker takes the next block from the shared reader, reads its lines, and hands in what it held. Outcomes are taken
//! in the order of their blocks, so line numbers, the quarantine and all counts are those of the input's order. Who is
//! too far ahead of the others waits, so that no more outcomes wait for their turn than there are workers.
//!
//! Invariant: memory does not depend on how many lines are read, but for the rows that are kept.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{
    blocks::{BlockReader, Buffer},
    error::Error,
    events::EventReader,
    fault::Reason,
    lines::{self, BlockOutcome, LineReader},
    memory::MemoryShares,
    partitions,
    plan::Plan,
    quarantine::Quarantine,
    report::{Report, SourceReport},
    rows::{RowStore, SpillJob},
    settings::{DedupeScope, Mode, Settings},
    sources::Source,
    stages::{Clock, Stage, Stages},
    workers,
};

/// Names of fields and of unknown events that are told apart; a hostile file could have one per line.
const NAMES_MAX: usize = 1_000;

/// All that was read.
#[derive(Debug)]
pub(crate) struct Ingested {
    pub(crate) rows: RowStore,
    pub(crate) quarantine: Quarantine,
    pub(crate) report: Report,
    /// The first bad line, for messages.
    pub(crate) first_bad: Option<String>,
}

/// Takes outcomes in the order of their blocks.
struct Collector<'a> {
    sources: &'a [Source],
    ingested: Ingested,
    /// Outcomes that came before their turn.
    waiting: BTreeMap<u32, BlockOutcome>,
    /// How many blocks an outcome may be ahead of its turn.
    ahead_max: u32,
    next_block: u32,
    /// The source of the last block, and how many of its lines are behind.
    source: usize,
    lines_behind: u64,
    failed: bool,
}

/// Reads all sources.
pub(crate) fn ingest(
    settings: &Settings,
    plan: &Plan,
    sources: &[Source],
    shares: MemoryShares,
    rows: RowStore,
    quarantine: Quarantine,
    stages: &Stages,
) -> Result<Ingested, Error> {
    let reader = BlockReader::new(sources.to_vec(), shares.block_bytes, settings.progress.clone());
    let reader = Mutex::new(if settings.mode == Mode::Merge { reader.summed() } else { reader });
    let source_reports =
        sources.iter().map(|source| SourceReport { path: source.name.clone(), ..SourceReport::default() });
    let report = Report { sources: source_reports.collect(), ..Report::default() };
    let collector = Mutex::new(Collector {
        sources,
        ingested: Ingested { rows, quarantine, report, first_bad: None },
        waiting: BTreeMap::new(),
        ahead_max: u32::try_from(settings.threads).unwrap_or(u32::MAX),
        next_block: 0,
        source: 0,
        lines_behind: 0,
        failed: false,
    });
    let turns = Turns { collector, moved: Condvar::new() };
    let wants_rivals =
        settings.selection.days.is_some() && settings.dedupe_scope == DedupeScope::Input;
    workers::each(settings.threads, |_| {
        let events = EventReader::new(plan, &settings.selection, wants_rivals);
        let mut lines = LineReader::new(events, plan, settings.flatten);
        let mut recycled = Buffer::default();
        let mut clock = stages.clock();
        let _ends_turns = EndsTurnsOnPanic(&turns);
        loop {
            settings.interruption.check()?;
            let next = {
                let mut reader = locked(&reader);
                clock.lap(Stage::Wait);
                reader.next_block(recycled)?
            };
            clock.lap(Stage::Read);
            let Some(block) = next else { return Ok(()) };
            stages.add_bytes(Stage::Read, block.bytes.len() as u64);
            let mut outcome = lines.read(&block);
            outcome.rows = partitions::count(&outcome.batches, settings.partition_unit);
            clock.lap(Stage::Parse);
            if !turns.take(outcome, &mut clock)? {
                return Ok(());
            }
            recycled = block.bytes;
        }
    })?;
    let reader = into_inner(reader);
    let mut ingested = into_inner(turns.collector).ingested;
    for (source, content) in ingested.report.sources.iter_mut().zip(reader.contents()) {
        source.content = *content;
    }
    for (source, bytes) in ingested.report.sources.iter_mut().zip(reader.into_bytes_read()) {
        source.bytes = bytes;
    }
    let mut clock = stages.clock();
    ingested.rows.seal()?;
    clock.lap(Stage::Collect);
    Ok(ingested)
}

/// A panic in another worker is on its way to end the run; until then its data is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Lets workers hand in their outcomes, each when its turn is near.
struct Turns<'a> {
    collector: Mutex<Collector<'a>>,
    /// Told whenever a turn is over.
    moved: Condvar,
}

impl Turns<'_> {
    /// Takes an outcome, and does what spilling that leads to; `false` if the run has failed elsewhere and should end.
    fn take(&self, outcome: BlockOutcome, clock: &mut Clock<'_>) -> Result<bool, Error> {
        let must_wait = |collector: &mut Collector<'_>| {
            !collector.failed
                && (collector.is_too_far_ahead(outcome.number) || collector.ingested.rows.is_full())
        };
        let waited = self.moved.wait_while(locked(&self.collector), must_wait);
        let mut collector = waited.unwrap_or_else(PoisonError::into_inner);
        clock.lap(Stage::Wait);
        let taken = collector.take(outcome);
        let mut go_on = !collector.failed;
        drop(collector);
        self.moved.notify_all();
        for job in taken? {
            let run = job.write();
            let mut collector = locked(&self.collector);
            collector.failed |= run.is_err();
            go_on = !collector.failed;
            let run = run.inspect_err(|_| self.moved.notify_all())?;
            collector.ingested.rows.spilled(run);
            drop(collector);
            self.moved.notify_all();
        }
        clock.lap(Stage::Collect);
        Ok(go_on)
    }
}

/// A worker that panics never takes its turn: nobody must wait for it.
struct EndsTurnsOnPanic<'t, 'a>(&'t Turns<'a>);

impl Drop for EndsTurnsOnPanic<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            locked(&self.0.collector).failed = true;
            self.0.moved.notify_all();
        }
    }
}

impl Collector<'_> {
    fn is_too_far_ahead(&self, number: u32) -> bool {
        number - self.next_block > self.ahead_max
    }

    /// Takes an outcome; what is to be spilled now.
    fn take(&mut self, outcome: BlockOutcome) -> Result<Vec<SpillJob>, Error> {
        self.waiting.insert(outcome.number, outcome);
        let mut jobs = Vec::new();
        while let Some(outcome) = self.waiting.remove(&self.next_block) {
            self.next_block += 1;
            match self.add(outcome) {
                Ok(job) => jobs.extend(job),
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
        Ok(jobs)
    }

    fn add(&mut self, mut outcome: BlockOutcome) -> Result<Option<SpillJob>, Error> {
        let Ingested { rows, quarantine, report, first_bad } = &mut self.ingested;
        let source = &self.sources[outcome.source];
        let source_report = &mut report.sources[outcome.source];
        if std::mem::replace(&mut self.source, outcome.source) != outcome.source {
            self.lines_behind = 0;
        }
        for bad in &outcome.bad {
            let line = (self.lines_behind + 1).saturating_add_signed(bad.line_index);
            quarantine.add(outcome.source, source, line, bad)?;
            if bad.fragment.unwrap_or(0) == 0 {
                report.quarantined.total += 1;
                source_report.fates.quarantined += 1;
                *report.quarantined.by_reason.entry(bad.fault.reason.code()).or_default() += 1;
                if bad.fault.reason == Reason::UnknownEvent {
                    count_name(&mut report.unknown_events, &bad.fault.detail.found, 1);
                }
            }
            first_bad.get_or_insert_with(|| {
                let detail = &bad.fault.detail;
                let field = detail.field.as_ref().map_or(String::new(), |field| format!("{field}: "));
                let (expected, found) = (&detail.expected, &detail.found);
                format!("{}:{line}: {field}expected {expected}, found {found}", source.name)
            });
        }
        self.lines_behind += u64::from(outcome.newlines);
        source_report.fates.lines += u64::from(outcome.lines);
        source_report.fates.blank += u64::from(outcome.blank);
        source_report.fates.filtered += u64::from(outcome.filtered);
        source_report.rows += outcome.batches.iter().map(|(_, batch)| batch.rows() as u64).sum::<u64>();
        report.lines += u64::from(outcome.lines);
        report.blank += u64::from(outcome.blank);
        report.filtered += u64::from(outcome.filtered);
        for (counts, of_block) in [
            (&mut report.unknown_fields, &mut outcome.unknown_fields),
            (&mut report.coerced, &mut outcome.coerced),
            (&mut report.rounded, &mut outcome.rounded),
        ] {
            let mut named: Vec<_> = of_block.drain().collect();
            named.sort_unstable();
            for (name, count) in named {
                count_name(counts, &name, count);
            }
        }
        rows.add(&mut outcome)
    }
}

/// Counts under a name as the report has it.
fn count_name(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    lines::count_name(counts, lines::cut_name(name), NAMES_MAX, count);
}
