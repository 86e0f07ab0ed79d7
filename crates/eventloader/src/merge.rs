//! A partition's rows, in memory or as spilled runs → chunks in (timestamp, event id) order.
//!
//! Invariant: chunks end at [`CHUNK_ROWS`] rows or [`CHUNK_TEXT_BYTES`], whether rows were spilled or not: what is written
//! does not depend on the memory that there was. Superseded rows are left out.

use std::collections::VecDeque;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    accounts::{Accounts, PartitionKey},
    batch::Batch,
    error::Error,
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
    Spilled(RunMerge<'a>),
}

impl<'a> OrderedRows<'a> {
    pub(crate) fn spilled(
        spill: &'a Spill,
        partition: PartitionKey,
        superseded: &'a Superseded,
        accounts: &'a Accounts,
    ) -> Self {
        let runs = spill
            .runs(partition)
            .iter()
            .map(|chunks| Run { chunks: chunks.iter().copied().collect(), at: None });
        Self::Spilled(RunMerge {
            spill,
            superseded,
            runs: runs.collect(),
            held: Vec::new(),
            refs: Vec::new(),
            counts: GoneCounts { accounts, partition, written: HashMap::default(), left_out: 0 },
        })
    }

    /// The next rows; `None` where all were handed out.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Rows<'_>>, Error> {
        match self {
            Self::InMemory { batches, refs, done } => {
                let rest = &refs[*done..];
                let refs = &rest[..partitions::chunk_len(batches, rest, CHUNK_ROWS)];
                *done += refs.len();
                Ok((!refs.is_empty()).then_some(Rows { batches, refs }))
            }
            Self::Spilled(merge) => merge.next_chunk(),
        }
    }
}

/// Merges runs; holds one chunk of each.
#[derive(Debug)]
pub(crate) struct RunMerge<'a> {
    spill: &'a Spill,
    superseded: &'a Superseded,
    runs: Vec<Run>,
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
    /// By source.
    written: HashMap<usize, u64, FixedState>,
    left_out: u64,
}

impl GoneCounts<'_> {
    fn enter(&mut self) {
        for (source, rows) in self.written.drain() {
            self.accounts.add_written(source, rows);
        }
        self.accounts.add_left_out(self.partition, std::mem::take(&mut self.left_out));
    }
}

#[derive(Debug)]
struct Run {
    chunks: VecDeque<Place>,
    /// The next row, in a held chunk.
    at: Option<RowRef>,
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
            let source = self.counts.accounts.source_of(self.held[row.batch()].positions[row.row()]);
            *self.counts.written.entry(source).or_default() += 1;
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
            let Some(place) = self.runs[run].chunks.pop_front() else { return Ok(()) };
            self.held.push(self.spill.chunk(place)?);
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
            self.counts.left_out += 1;
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
