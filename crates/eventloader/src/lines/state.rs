//! What the lines of one block come to, as they are read → its outcome.
//!
//! Invariant: a line that is bad, or has keys that no schema knows, counts once in each.

use events_core::event;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{BadLine, BlockOutcome, OTHER_NAMES, none_of};
use crate::{
    batch::{Batch, BatchBuilder},
    blocks::{Block, FRAGMENT_BYTES, Fragment, LINE_BYTES_MAX},
    columns::Change,
    fault::{Fault, Reason},
    payload::{KeyOwner, UnknownKey},
    plan::Plan,
};

/// Unknown keys of a block that are told apart: one line can have millions of them, each many times larger in memory.
const UNKNOWN_KEYS_MAX: usize = 10_000;

/// What is collected of one block.
pub(super) struct BlockState<'b> {
    pub(super) block: &'b Block,
    /// Of the line that is being read: see [`BadLine`].
    pub(super) line_index: i64,
    pub(super) outcome: BlockOutcome,
    pub(super) batches: Vec<Option<BatchBuilder>>,
    pub(super) rivals: Vec<Option<BatchBuilder>>,
    /// Rows whose timestamp has digits that are cut.
    pub(super) times_cut: u64,
    /// By whose key it is and its name.
    unknown: HashMap<(KeyOwner, Vec<u8>), UnknownCount, FixedState>,
    /// How often others occurred, once there are too many of them.
    other_unknown: u64,
}

/// In how many lines a key occurred; a line counts once.
#[derive(Default)]
struct UnknownCount {
    lines: u64,
    last_line: Option<u32>,
}

impl<'b> BlockState<'b> {
    pub(super) fn new(block: &'b Block, plan: &Plan) -> Self {
        Self {
            block,
            line_index: 0,
            outcome: BlockOutcome { number: block.number, source: block.source, ..BlockOutcome::default() },
            batches: none_of(plan),
            rivals: none_of(plan),
            times_cut: 0,
            unknown: HashMap::default(),
            other_unknown: 0,
        }
    }

    pub(super) fn bad(&mut self, raw: &[u8], offset: u64, fragment: Option<u64>, fault: Fault) {
        let line_index = self.line_index;
        self.outcome.bad.push(BadLine { line_index, offset, fragment, fault, raw: raw.to_vec() });
    }

    pub(super) fn fragment(&mut self, fragment: &Fragment) {
        let block = self.block;
        self.outcome.lines = u32::from(fragment.bytes_before == 0);
        self.outcome.newlines = fragment.newlines;
        self.line_index = -fragment.newlines_before.cast_signed();
        let line_offset = block.offset - fragment.bytes_before;
        self.too_long(&block.bytes, line_offset, fragment.bytes_before / FRAGMENT_BYTES as u64);
    }

    pub(super) fn too_long(&mut self, raw: &[u8], offset: u64, first_fragment: u64) {
        let expected = format!("a line of at most {LINE_BYTES_MAX} bytes");
        for (piece, fragment) in raw.chunks(FRAGMENT_BYTES).zip(first_fragment..) {
            let fault = Fault::new(Reason::LineTooLong, None, &expected, "a longer one, kept in fragments");
            self.bad(piece, offset, Some(fragment), fault);
        }
    }

    pub(super) fn count_unknown(&mut self, &(owner, key): &UnknownKey, line: &[u8]) {
        let key = (owner, key.string(line).unwrap_or_default().into_owned());
        if self.unknown.len() >= UNKNOWN_KEYS_MAX && !self.unknown.contains_key(&key) {
            self.other_unknown += 1;
            return;
        }
        let count = self.unknown.entry(key).or_default();
        let line_index = Some(self.outcome.lines);
        if count.last_line != line_index {
            *count = UnknownCount { lines: count.lines + 1, last_line: line_index };
        }
    }

    fn count_changes(&mut self, plan: &Plan) {
        let BlockOutcome { coerced, rounded, .. } = &mut self.outcome;
        for (plan, batch) in plan.event_types.iter().zip(&mut self.batches) {
            for (path, change, rows) in batch.iter_mut().flat_map(|batch| batch.take_changes(&plan.payload)) {
                let counts = match change {
                    Change::Coerced => &mut *coerced,
                    Change::Rounded => &mut *rounded,
                };
                *counts.entry(path).or_default() += rows as u64;
            }
        }
        if self.times_cut > 0 {
            rounded.insert(event::TIMESTAMP.to_owned(), self.times_cut);
        }
    }

    pub(super) fn finish(mut self, plan: &Plan) -> BlockOutcome {
        self.count_changes(plan);
        let mut outcome = self.outcome;
        for ((owner, name), count) in self.unknown {
            let name = String::from_utf8_lossy(&name);
            let path = match owner {
                Some(object) => format!("{}.{name}", plan.object_paths[object]),
                None => name.into_owned(),
            };
            *outcome.unknown_fields.entry(path).or_default() += count.lines;
        }
        if self.other_unknown > 0 {
            *outcome.unknown_fields.entry(OTHER_NAMES.to_owned()).or_default() += self.other_unknown;
        }
        outcome.batches = finish_batches(self.batches);
        outcome.rivals = finish_batches(self.rivals);
        outcome
    }
}

fn finish_batches(builders: Vec<Option<BatchBuilder>>) -> Vec<(usize, Batch)> {
    let built =
        builders.into_iter().enumerate().filter_map(|(index, builder)| Some((index, builder?.finish())));
    built.filter(|(_, batch)| batch.rows() > 0).collect()
}
