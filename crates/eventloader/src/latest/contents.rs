//! Rows of many batches whose contents are needed → their hashes, to be looked up.
//!
//! Rows are marked first, in any order. Then they are hashed, batch by batch and in their order in memory.
//!
//! Invariant: a row that was not marked costs one bit, and nothing in a batch without marks.

use event_rows::{Batch, RowRef, hash_rows};
use foldhash::quality::SeedableRandomState;

/// By batch: the marked rows.
#[derive(Debug)]
pub(super) struct Marks {
    batches: Vec<Vec<u64>>,
}

/// By batch: the hashes of the marked rows.
#[derive(Debug)]
pub(super) struct Contents {
    batches: Vec<OfBatch>,
}

#[derive(Debug)]
struct OfBatch {
    marks: Vec<u64>,
    /// By word of the marks: the number of marks before it.
    before: Vec<u32>,
    /// Of the marked rows, in their order.
    hashes: Vec<u64>,
}

impl Marks {
    pub(super) fn new(batches: usize) -> Self {
        Self { batches: vec![Vec::new(); batches] }
    }

    pub(super) fn add(&mut self, row: RowRef, batches: &[&Batch]) {
        let marks = &mut self.batches[row.batch()];
        if marks.is_empty() {
            marks.resize(batches[row.batch()].rows().div_ceil(64), 0);
        }
        marks[row.row() / 64] |= 1 << (row.row() % 64);
    }

    /// Hashes the marked rows.
    pub(super) fn hash(
        mut self,
        state: &SeedableRandomState,
        batches: &[&Batch],
        threads: usize,
    ) -> Contents {
        let hashes = workers::compute(threads, batches.len(), |index| {
            let rows: Vec<_> = rows_of(&self.batches[index]).collect();
            if rows.is_empty() { Vec::new() } else { hash_rows(state, batches[index], &rows) }
        });
        let of_batch = |(marks, hashes): (Vec<u64>, _)| {
            let mut count = 0;
            let count_before = |word: &u64| {
                count += word.count_ones();
                count - word.count_ones()
            };
            OfBatch { before: marks.iter().map(count_before).collect(), marks, hashes }
        };
        Contents { batches: self.batches.drain(..).zip(hashes).map(of_batch).collect() }
    }
}

/// The rows that are marked, ascending.
fn rows_of(marks: &[u64]) -> impl Iterator<Item = u32> {
    marks.iter().zip((0..).step_by(64)).flat_map(|(&word, first)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(first + bit)
        })
    })
}

impl Contents {
    /// The hash of a row, if it was marked.
    pub(super) fn get(&self, row: RowRef) -> Option<u64> {
        let OfBatch { marks, before, hashes } = &self.batches[row.batch()];
        let (word, bit) = (row.row() / 64, row.row() % 64);
        let marked = *marks.get(word)?;
        let rank = before[word] + (marked & ((1 << bit) - 1)).count_ones();
        (marked >> bit & 1 == 1).then(|| hashes[rank as usize])
    }
}
