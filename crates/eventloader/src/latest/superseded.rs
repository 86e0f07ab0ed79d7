//! Losers → the set of superseded rows, and how many were redelivered and how many corrected.
//!
//! Invariant: a row is in the set once, whatever it was beaten by; rivals are in none, for they are no rows.

use serde::Serialize;

use super::samples::Sample;
use crate::batch::Position;

/// How a row was beaten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A row that is kept, or corrected itself, says the same.
    Redelivered,
    /// Another version says something else.
    Corrected,
}

/// A row that lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loser {
    pub(crate) position: Position,
    pub(crate) kind: Kind,
}

/// The rows that are not the latest version of their event.
#[derive(Debug, Default)]
pub(crate) struct Superseded {
    /// By block: one bit per line; empty where no row of the block is superseded.
    blocks: Vec<Vec<u64>>,
    rows: u64,
    redelivered: u64,
    corrected: u64,
    samples: Vec<Sample>,
}

impl Superseded {
    pub(crate) fn add(&mut self, losers: Vec<Loser>) {
        for Loser { position, kind } in losers {
            let (block, line) = position.block_and_line();
            let (block, word) = (block as usize, line as usize / 64);
            if self.blocks.len() <= block {
                self.blocks.resize_with(block + 1, Vec::new);
            }
            let bits = &mut self.blocks[block];
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (line % 64);
            self.rows += 1;
            *match kind {
                Kind::Redelivered => &mut self.redelivered,
                Kind::Corrected => &mut self.corrected,
            } += 1;
        }
    }

    /// Takes the samples of all losers.
    pub(crate) fn set_samples(&mut self, samples: Vec<Sample>) {
        self.samples = samples;
    }

    /// The first of them in input order, as many as were asked for.
    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// How many rows are superseded.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them a version with the same content stands for.
    pub(crate) fn redelivered(&self) -> u64 {
        self.redelivered
    }

    /// How many of them were versions of their own.
    pub(crate) fn corrected(&self) -> u64 {
        self.corrected
    }

    /// By block: how many rows are superseded.
    pub(crate) fn by_block(&self) -> impl Iterator<Item = u64> {
        self.blocks.iter().map(|bits| bits.iter().map(|word| u64::from(word.count_ones())).sum())
    }

    pub(crate) fn contains(&self, position: Position) -> bool {
        let (block, line) = position.block_and_line();
        let bits = self.blocks.get(block as usize).and_then(|bits| bits.get(line as usize / 64));
        bits.is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }
}
