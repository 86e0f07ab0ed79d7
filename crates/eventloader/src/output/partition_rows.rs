//! The rows of a partition, from memory, from sorted runs, or from the files of the target → chunks in
//! (timestamp, event id) order.
//!
//! Invariant: a chunk ends at a number of rows that depends on the table alone, or at [`CHUNK_TEXT_BYTES`],
//! wherever the rows come from. So the output depends neither on the available memory, nor on how often the
//! partition was merged. Superseded rows are left out.

use std::mem;

use event_rows::{Batch, CHUNK_TEXT_BYTES, PartitionKey, Position, RowRef, Rows, chunk_rows, gather};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    error::Error,
    existing::{Existing, ExistingRows},
    latest::Superseded,
    rows::{ExistingCounts, Partition, RowLedger, RowStore, RowsOut, SortedRun},
};

/// The rows of a partition, some at a time.
pub(crate) trait Chunks {
    /// The next rows, at most `rows_max`; `None` after the last.
    fn next_chunk(&mut self, rows_max: usize) -> Result<Option<Rows<'_>>, Error>;
}

/// The rows of one partition, in order.
#[derive(Debug)]
pub(super) enum PartitionRows<'a> {
    /// All rows are in memory.
    InMemory(InMemory<'a>),
    /// Runs are merged, each of them sorted.
    Merged(Box<RunMerge<'a>>),
}

/// Sorted references to rows in memory.
#[derive(Debug)]
pub(super) struct InMemory<'a> {
    batches: &'a [Batch],
    refs: Vec<RowRef>,
    done: usize,
}

impl<'a> InMemory<'a> {
    pub(super) fn new(batches: &'a [Batch], refs: Vec<RowRef>) -> Self {
        Self { batches, refs, done: 0 }
    }

    fn next_chunk(&mut self, rows_max: usize) -> Option<Rows<'_>> {
        let rest = &self.refs[self.done..];
        let refs = &rest[..chunk_rows(self.batches, rest, rows_max)];
        self.done += refs.len();
        (!refs.is_empty()).then_some(Rows { batches: self.batches, refs })
    }
}

impl<'a> PartitionRows<'a> {
    /// The rows of a partition and, in a merge, those that the target already has in it.
    pub(super) fn new(
        rows: &'a RowStore,
        partition: &Partition,
        superseded: &'a Superseded,
        existing: Option<&'a Existing<'_>>,
    ) -> Self {
        let in_memory = || InMemory::new(rows.batches(partition.type_index), rows.sorted_refs(partition));
        let existing = existing.and_then(|existing| existing.rows_of(partition.key())).map(RunRows::Existing);
        let mut runs: Vec<_> = existing.into_iter().collect();
        let spilled = rows.spilled_runs(partition.key());
        let is_spilled = spilled.is_some();
        match spilled {
            Some(spilled) => runs.extend(spilled.into_iter().map(RunRows::Spilled)),
            None if runs.is_empty() => return Self::InMemory(in_memory()),
            None => runs.push(RunRows::InMemory(in_memory())),
        }
        // Rows in memory were counted when they were grouped.
        let written = is_spilled.then(HashMap::default);
        let tally = Tally { written, ..Tally::new(rows.ledger(), partition.key()) };
        Self::Merged(Box::new(RunMerge::new(LeftOut::Superseded(superseded), runs, tally)))
    }

    /// The rows that the target has in a partition, without those whose events move to another one.
    pub(super) fn that_stay(
        rows: &'a RowStore,
        partition: &Partition,
        superseded: &'a Superseded,
        existing: Option<&'a Existing<'_>>,
    ) -> Self {
        let existing = existing.and_then(|existing| existing.rows_of(partition.key())).map(RunRows::Existing);
        let tally = Tally::new(rows.ledger(), partition.key());
        Self::Merged(Box::new(RunMerge::new(
            LeftOut::Leaving(superseded),
            existing.into_iter().collect(),
            tally,
        )))
    }

    /// What became of the rows, after the last chunk; rows in memory are counted by their grouping.
    pub(super) fn into_rows_out(self) -> RowsOut {
        match self {
            Self::InMemory(_) => RowsOut::default(),
            Self::Merged(merge) => merge.tally.into_rows_out(),
        }
    }
}

impl Chunks for PartitionRows<'_> {
    fn next_chunk(&mut self, rows_max: usize) -> Result<Option<Rows<'_>>, Error> {
        match self {
            Self::InMemory(rows) => Ok(rows.next_chunk(rows_max)),
            Self::Merged(merge) => merge.next_chunk(rows_max),
        }
    }
}

/// Sorted rows of a partition.
#[derive(Debug)]
struct Run<'a> {
    rows: RunRows<'a>,
    /// The next row, as a reference into the chunks of the merge.
    at: Option<RowRef>,
}

#[derive(Debug)]
enum RunRows<'a> {
    InMemory(InMemory<'a>),
    Spilled(SortedRun<'a>),
    Existing(ExistingRows<'a>),
}

impl RunRows<'_> {
    fn next(&mut self, rows_max: usize) -> Result<Option<Batch>, Error> {
        match self {
            Self::InMemory(rows) => {
                let chunk = rows.next_chunk(rows_max).map(|rows| gather(rows.batches, rows.refs));
                chunk.transpose().map_err(Error::encode("a partition's rows"))
            }
            Self::Spilled(run) => run.next_chunk(),
            Self::Existing(rows) => rows.next_batch(),
        }
    }
}

/// The rows that are left out.
#[derive(Debug, Clone, Copy)]
enum LeftOut<'a> {
    Superseded(&'a Superseded),
    /// Only rows of the target whose events move to another partition.
    Leaving(&'a Superseded),
}

impl LeftOut<'_> {
    fn contains(self, position: Position) -> bool {
        match self {
            Self::Superseded(superseded) => superseded.contains(position),
            Self::Leaving(superseded) => superseded.is_leaving(position),
        }
    }
}

/// Merges runs; keeps one chunk of each in memory.
#[derive(Debug)]
pub(super) struct RunMerge<'a> {
    left_out: LeftOut<'a>,
    runs: Vec<Run<'a>>,
    /// The current chunks of the runs, and those whose rows wait to be returned.
    chunks: Vec<Batch>,
    /// The rows that were returned last.
    refs: Vec<RowRef>,
    tally: Tally<'a>,
}

/// What became of the rows of a partition so far.
#[derive(Debug)]
struct Tally<'a> {
    ledger: &'a RowLedger,
    partition: PartitionKey,
    /// By source; `None` if rows of the input were counted before.
    written: Option<HashMap<usize, u64, FixedState>>,
    left_out: u64,
    existing: ExistingCounts,
}

impl<'a> Tally<'a> {
    fn new(ledger: &'a RowLedger, partition: PartitionKey) -> Self {
        Self { ledger, partition, written: None, left_out: 0, existing: ExistingCounts::default() }
    }

    fn write(&mut self, position: Position) {
        if let (Some(written), Some(source)) = (&mut self.written, self.ledger.source_of(position)) {
            *written.entry(source).or_default() += 1;
        }
    }

    fn leave_out(&mut self, position: Position) {
        *if position.is_existing() { &mut self.existing.left_out } else { &mut self.left_out } += 1;
    }

    fn into_rows_out(self) -> RowsOut {
        let mut out = RowsOut::default();
        for (source, rows) in self.written.into_iter().flatten() {
            out.add_written(source, rows);
        }
        out.add_left_out(self.partition, self.left_out);
        out.add_existing(self.partition, self.existing);
        out
    }
}

impl<'a> RunMerge<'a> {
    fn new(left_out: LeftOut<'a>, runs: Vec<RunRows<'a>>, tally: Tally<'a>) -> Self {
        let runs = runs.into_iter().map(|rows| Run { rows, at: None }).collect();
        Self { left_out, runs, chunks: Vec::new(), refs: Vec::new(), tally }
    }

    fn next_chunk(&mut self, rows_max: usize) -> Result<Option<Rows<'_>>, Error> {
        self.release();
        self.refs.clear();
        let mut text_bytes = 0;
        while self.refs.len() < rows_max {
            let Some((run, row)) = self.first_row(rows_max)? else {
                break;
            };
            text_bytes += row.text_bytes(&self.chunks);
            if text_bytes > CHUNK_TEXT_BYTES && !self.refs.is_empty() {
                break;
            }
            self.refs.push(row);
            self.tally.write(self.chunks[row.batch()].positions[row.row()]);
            self.runs[run].at = self.following(row);
        }
        let rows = Rows { batches: &self.chunks, refs: &self.refs };
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// The next row of all, and its run; `None` at the end.
    fn first_row(&mut self, rows_max: usize) -> Result<Option<(usize, RowRef)>, Error> {
        let mut first: Option<(usize, RowRef)> = None;
        for index in 0..self.runs.len() {
            if self.runs[index].at.is_none() {
                self.load_next_chunk(index, rows_max)?;
            }
            let Some(row) = self.runs[index].at else { continue };
            let key = |row: RowRef| (row.micros(&self.chunks), row.id(&self.chunks));
            if first.is_none_or(|(_, other)| key(row) < key(other)) {
                first = Some((index, row));
            }
        }
        Ok(first)
    }

    fn load_next_chunk(&mut self, run: usize, rows_max: usize) -> Result<(), Error> {
        while self.runs[run].at.is_none() {
            let Some(chunk) = self.runs[run].rows.next(rows_max)? else { return Ok(()) };
            self.tally.existing.read +=
                chunk.positions.iter().filter(|position| position.is_existing()).count() as u64;
            self.chunks.push(chunk);
            let batch = self.chunks.len() - 1;
            self.runs[run].at = self.first_kept(batch, 0);
        }
        Ok(())
    }

    fn following(&mut self, row: RowRef) -> Option<RowRef> {
        self.first_kept(row.batch(), row.row() + 1)
    }

    /// The first row of a chunk, from `row` on, that is not superseded.
    fn first_kept(&mut self, batch: usize, row: usize) -> Option<RowRef> {
        let positions = &self.chunks[batch].positions;
        for (row, &position) in positions.iter().enumerate().skip(row) {
            if !self.left_out.contains(position) {
                return Some(RowRef::new(batch, row));
            }
            self.tally.leave_out(position);
        }
        None
    }

    /// Drops the chunks that no run needs any more.
    fn release(&mut self) {
        let mut kept = Vec::new();
        let mut chunks: Vec<_> = mem::take(&mut self.chunks).into_iter().map(Some).collect();
        for run in &mut self.runs {
            if let Some(row) = &mut run.at
                && let Some(chunk) = chunks[row.batch()].take()
            {
                *row = RowRef::new(kept.len(), row.row());
                kept.push(chunk);
            }
        }
        self.chunks = kept;
    }
}
