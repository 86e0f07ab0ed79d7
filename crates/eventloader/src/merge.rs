//! A partition's rows, in memory, as spilled runs, or in the files that the target holds → chunks in (timestamp, event id) order.
//!
//! Invariant: chunks end at [`CHUNK_ROWS`] rows or [`CHUNK_TEXT_BYTES`], wherever rows come from: what is written does not
//! depend on the memory that there was, nor on how often the partition was merged. Superseded rows are left out.

use std::collections::VecDeque;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    accounts::{Accounts, HeldRowsCount, PartitionKey},
    batch::{Batch, Position},
    error::Error,
    held::HeldRows,
    latest::Superseded,
    partitions::{self, CHUNK_ROWS, CHUNK_TEXT_BYTES, RowRef, Rows},
    spill::{Place, Spill},
};

/// Hands out one partition in order.
#[derive(Debug)]
pub(crate) enum OrderedRows<'a> {
    /// All rows are in memory: sorted references, and how many of them were handed out.
    InMemory { batches: &'a [Batch], refs: Vec<RowRef>, done: usize },
    /// Runs that are sorted each.
    Merged(RunMerge<'a>),
}

impl OrderedRows<'_> {
    /// The next rows; `None` where all were handed out.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Rows<'_>>, Error> {
        match self {
            Self::InMemory { batches, refs, done } => {
                let rest = &refs[*done..];
                let refs = &rest[..partitions::chunk_len(batches, rest, CHUNK_ROWS)];
                *done += refs.len();
                Ok((!refs.is_empty()).then_some(Rows { batches, refs }))
            }
            Self::Merged(merge) => merge.next_chunk(),
        }
    }
}

/// Rows of a partition that are sorted, chunk by chunk.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    chunks: Chunks<'a>,
    /// The next row, in a held chunk.
    at: Option<RowRef>,
}

#[derive(Debug)]
enum Chunks<'a> {
    InMemory { batches: &'a [Batch], refs: Vec<RowRef>, done: usize },
    Spilled { spill: &'a Spill, places: VecDeque<Place> },
    Held(HeldRows<'a>),
}

impl Chunks<'_> {
    fn next(&mut self) -> Result<Option<Batch>, Error> {
        match self {
            Self::InMemory { batches, refs, done } => {
                let rest = &refs[*done..];
                let refs = &rest[..partitions::chunk_len(batches, rest, CHUNK_ROWS)];
                *done += refs.len();
                (!refs.is_empty()).then(|| partitions::gather(batches, refs)).transpose()
            }
            Self::Spilled { spill, places } => places.pop_front().map(|place| spill.chunk(place)).transpose(),
            Self::Held(rows) => rows.next_batch(),
        }
    }
}

impl<'a> Run<'a> {
    fn new(chunks: Chunks<'a>) -> Self {
        Self { chunks, at: None }
    }

    /// Rows in memory, sorted.
    pub(crate) fn in_memory(batches: &'a [Batch], refs: Vec<RowRef>) -> Self {
        Self::new(Chunks::InMemory { batches, refs, done: 0 })
    }

    /// The spilled rows of a partition.
    pub(crate) fn of_spilled(spill: &'a Spill, partition: PartitionKey) -> impl Iterator<Item = Self> {
        let run =
            move |places: &Vec<Place>| Chunks::Spilled { spill, places: places.iter().copied().collect() };
        spill.runs(partition).iter().map(run).map(Self::new)
    }

    /// Rows that the target holds.
    pub(crate) fn of_held(rows: HeldRows<'a>) -> Self {
        Self::new(Chunks::Held(rows))
    }
}

/// Merges runs; holds one chunk of each.
#[derive(Debug)]
pub(crate) struct RunMerge<'a> {
    superseded: &'a Superseded,
    runs: Vec<Run<'a>>,
    /// The chunks that runs stand in, and those whose rows wait to be handed out.
    held: Vec<Batch>,
    /// Those that were handed out last.
    refs: Vec<RowRef>,
    counts: GoneCounts<'a>,
}

/// Counts the rows of a partition, until it is done.
#[derive(Debug)]
struct GoneCounts<'a> {
    accounts: &'a Accounts,
    partition: PartitionKey,
    /// By source; none where rows of the input were counted before.
    written: Option<HashMap<usize, u64, FixedState>>,
    left_out: u64,
    held: HeldRowsCount,
}

impl GoneCounts<'_> {
    fn write(&mut self, position: Position) {
        if let Some(written) = self.written.as_mut().filter(|_| !position.is_held()) {
            *written.entry(self.accounts.source_of(position)).or_default() += 1;
        }
    }

    fn leave_out(&mut self, position: Position) {
        *if position.is_held() { &mut self.held.left_out } else { &mut self.left_out } += 1;
    }

    fn enter(&mut self) {
        for (source, rows) in self.written.iter_mut().flat_map(HashMap::drain) {
            self.accounts.add_written(source, rows);
        }
        self.accounts.add_left_out(self.partition, std::mem::take(&mut self.left_out));
        self.accounts.add_held(self.partition, std::mem::take(&mut self.held));
    }
}

impl<'a> RunMerge<'a> {
    pub(crate) fn new(
        runs: Vec<Run<'a>>,
        partition: PartitionKey,
        superseded: &'a Superseded,
        accounts: &'a Accounts,
    ) -> Self {
        let is_spilled = |run: &Run<'_>| matches!(run.chunks, Chunks::Spilled { .. });
        let written = runs.iter().any(is_spilled).then(HashMap::default);
        let held = HeldRowsCount::default();
        let counts = GoneCounts { accounts, partition, written, left_out: 0, held };
        Self { superseded, runs, held: Vec::new(), refs: Vec::new(), counts }
    }
}

impl RunMerge<'_> {
    fn next_chunk(&mut self) -> Result<Option<Rows<'_>>, Error> {
        self.release();
        self.refs.clear();
        let mut text_bytes = 0;
        while self.refs.len() < CHUNK_ROWS {
            let Some((run, row)) = self.first_row()? else {
                self.counts.enter();
                break;
            };
            text_bytes += row.text_bytes(&self.held);
            if text_bytes > CHUNK_TEXT_BYTES && !self.refs.is_empty() {
                break;
            }
            self.refs.push(row);
            self.counts.write(self.held[row.batch()].positions[row.row()]);
            self.runs[run].at = self.following(row);
        }
        let rows = Rows { batches: &self.held, refs: &self.refs };
        Ok((rows.len() > 0).then_some(rows))
    }

    /// The next row of all, and its run; none if all are done.
    fn first_row(&mut self) -> Result<Option<(usize, RowRef)>, Error> {
        let mut first: Option<(usize, RowRef)> = None;
        for index in 0..self.runs.len() {
            if self.runs[index].at.is_none() {
                self.load_next_chunk(index)?;
            }
            let Some(row) = self.runs[index].at else { continue };
            let key = |row: RowRef| (row.micros(&self.held), row.id(&self.held));
            if first.is_none_or(|(_, other)| key(row) < key(other)) {
                first = Some((index, row));
            }
        }
        Ok(first)
    }

    fn load_next_chunk(&mut self, run: usize) -> Result<(), Error> {
        while self.runs[run].at.is_none() {
            let Some(chunk) = self.runs[run].chunks.next()? else { return Ok(()) };
            self.counts.held.read +=
                chunk.positions.iter().filter(|position| position.is_held()).count() as u64;
            self.held.push(chunk);
            let batch = self.held.len() - 1;
            self.runs[run].at = self.first_kept(batch, 0);
        }
        Ok(())
    }

    fn following(&mut self, row: RowRef) -> Option<RowRef> {
        self.first_kept(row.batch as usize, row.row as usize + 1)
    }

    /// The first row of a held chunk, from `row` on, that is not superseded.
    fn first_kept(&mut self, batch: usize, row: usize) -> Option<RowRef> {
        let positions = &self.held[batch].positions;
        for (row, &position) in positions.iter().enumerate().skip(row) {
            if !self.superseded.contains(position) {
                return Some(RowRef::new(batch, row));
            }
            self.counts.leave_out(position);
        }
        None
    }

    /// Lets go of the chunks that no run stands in.
    fn release(&mut self) {
        let mut held = Vec::new();
        let mut chunks: Vec<_> = std::mem::take(&mut self.held).into_iter().map(Some).collect();
        for run in &mut self.runs {
            if let Some(row) = &mut run.at
                && let Some(chunk) = chunks[row.batch as usize].take()
            {
                *row = RowRef::new(held.len(), row.row as usize);
                held.push(chunk);
            }
        }
        self.held = held;
    }
}
