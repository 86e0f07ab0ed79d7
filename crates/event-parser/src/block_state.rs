//! The lines of one block, as they are read → the result of parsing the block.
//!
//! Invariant: a line counts once as bad, and once for each unknown key.

use event_rows::Position;
use events_core::{event, schema};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    batch::BatchBuilder,
    columns::{ExpectedRows, ValueChange},
    fault::{Fault, Reason},
    framing::{Block, FRAGMENT_BYTES, Fragment, LINE_BYTES_MAX, Unit},
    json,
    parser::{BadLine, OTHER_NAMES, Parsed},
    payload::{KeyOwner, UnknownKey},
    plan::Plan,
};

/// The most unknown keys of a block that are counted by name: one line can have millions, each many times
/// larger in memory.
const UNKNOWN_KEYS_MAX: usize = 10_000;

/// The results of one block so far.
pub(crate) struct BlockState<'b> {
    pub(crate) block: &'b Block,
    /// The line that is being read: see [`BadLine`].
    pub(crate) line_index: i64,
    /// What the line is.
    pub(crate) unit: Unit,
    pub(crate) parsed: Parsed,
    /// Whether the lines of what is not selected are noted.
    notes_filtered: bool,
    pub(crate) batches: BatchBuilders,
    pub(crate) later_candidates: BatchBuilders,
    /// Rows whose timestamp loses digits.
    pub(crate) times_cut: u64,
    /// The unknown keys, and their places in it.
    unknown: Vec<UnknownCount>,
    by_key: HashMap<(KeyOwner, Vec<u8>), usize, FixedState>,
    /// The ones that were counted lately, at indices computed from their names: faster than the map.
    lately: [Option<usize>; LATELY],
    /// The occurrences of other keys, once there are too many.
    other_unknown: u64,
}

/// By event type, from its first row on. Types that are found have places behind the others.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilders(Vec<Option<Box<BatchBuilder>>>);

impl BatchBuilders {
    #[inline]
    pub(crate) fn get(
        &mut self,
        type_index: usize,
        make: impl FnOnce() -> BatchBuilder,
    ) -> &mut BatchBuilder {
        if type_index >= self.0.len() {
            self.0.resize_with(type_index + 1, || None);
        }
        self.0[type_index].get_or_insert_with(|| Box::new(make()))
    }

    /// Those with rows.
    fn into_iter(self) -> impl Iterator<Item = (usize, BatchBuilder)> {
        let with_rows = |(type_index, builder): (usize, Option<Box<BatchBuilder>>)| {
            builder.filter(|builder| builder.rows() > 0).map(|builder| (type_index, *builder))
        };
        self.0.into_iter().enumerate().filter_map(with_rows)
    }
}

/// The places for keys that were counted lately.
const LATELY: usize = 64;

/// The number of lines with a key; a line counts once.
struct UnknownCount {
    owner: KeyOwner,
    name: Vec<u8>,
    lines: u64,
    last_line: Option<u32>,
}

impl<'b> BlockState<'b> {
    pub(crate) fn new(block: &'b Block, notes_filtered: bool) -> Self {
        Self {
            block,
            line_index: 0,
            unit: Unit::default(),
            parsed: Parsed::default(),
            notes_filtered,
            batches: BatchBuilders::default(),
            later_candidates: BatchBuilders::default(),
            times_cut: 0,
            unknown: Vec::new(),
            by_key: HashMap::default(),
            lately: [None; LATELY],
            other_unknown: 0,
        }
    }

    /// Counts a line that is not selected.
    pub(crate) fn filtered(&mut self) {
        self.parsed.filtered += 1;
        if self.notes_filtered {
            self.parsed.filtered_lines.push(self.line_index);
        }
    }

    pub(crate) fn bad(&mut self, raw: &[u8], offset: u64, fragment: Option<u64>, fault: Fault) {
        let position = Position::new(self.block.number, self.parsed.lines);
        let (line_index, unit, raw) = (self.line_index, self.unit.clone(), raw.to_vec());
        let bad = BadLine { line_index, position, offset, fragment, unit, is_misplaced: false, fault, raw };
        self.parsed.bad.push(bad);
    }

    /// The same for a text where no line may be, whatever it says.
    pub(crate) fn misplaced(&mut self, raw: &[u8], offset: u64, fault: Fault) {
        self.bad(raw, offset, None, fault);
        self.parsed.bad.last_mut().into_iter().for_each(|bad| bad.is_misplaced = true);
    }

    pub(crate) fn fragment(&mut self, fragment: &Fragment) {
        let block = self.block;
        self.parsed.lines = u32::from(fragment.bytes_before == 0);
        self.parsed.newlines = fragment.newlines;
        self.line_index = -fragment.newlines_before.cast_signed();
        let line_offset = block.offset - fragment.bytes_before;
        self.too_long(&block.bytes, line_offset, fragment.bytes_before / FRAGMENT_BYTES as u64);
    }

    pub(crate) fn too_long(&mut self, raw: &[u8], offset: u64, first_fragment: u64) {
        let expected = format!("a line of at most {LINE_BYTES_MAX} bytes");
        for (piece, fragment) in raw.chunks(FRAGMENT_BYTES).zip(first_fragment..) {
            let fault = Fault::new(Reason::LineTooLong, None, &expected, "a longer one, kept in fragments");
            self.bad(piece, offset, Some(fragment), fault);
        }
    }

    pub(crate) fn count_unknown(&mut self, &(owner, key): &UnknownKey, line: &[u8]) {
        let name = key.string(line).unwrap_or_default();
        let place = place_of(owner, &name);
        let is_known = |&index: &usize| {
            let known = &self.unknown[index];
            known.owner == owner && json::same(&known.name, &name)
        };
        let index = match self.lately[place].filter(is_known) {
            Some(index) => index,
            None => match self.index_of(owner, name.into_owned()) {
                Some(index) => *self.lately[place].insert(index),
                None => return,
            },
        };
        let count = &mut self.unknown[index];
        let line_index = Some(self.parsed.lines);
        if count.last_line != line_index {
            (count.lines, count.last_line) = (count.lines + 1, line_index);
        }
    }

    /// The place of an unknown key; one that is too many is only counted.
    fn index_of(&mut self, owner: KeyOwner, name: Vec<u8>) -> Option<usize> {
        let key = (owner, name);
        if let Some(&index) = self.by_key.get(&key) {
            return Some(index);
        }
        if self.unknown.len() >= UNKNOWN_KEYS_MAX {
            self.other_unknown += 1;
            return None;
        }
        let index = self.unknown.len();
        self.unknown.push(UnknownCount { owner, name: key.1.clone(), lines: 0, last_line: None });
        self.by_key.insert(key, index);
        Some(index)
    }

    fn count_changes(&mut self, plan: &Plan) {
        let Parsed { coerced, rounded, .. } = &mut self.parsed;
        for (type_index, batch) in self.batches.0.iter_mut().enumerate() {
            let Some(batch) = batch else { continue };
            for (path, change, rows) in batch.take_changes(&plan.payload(type_index).shape) {
                let counts = match change {
                    ValueChange::Coerced => &mut *coerced,
                    ValueChange::Rounded => &mut *rounded,
                };
                *counts.entry(path).or_default() += rows as u64;
            }
        }
        if self.times_cut > 0 {
            rounded.insert(event::TIMESTAMP.to_owned(), self.times_cut);
        }
    }

    pub(crate) fn finish(mut self, plan: &Plan, expected: &mut [ExpectedRows]) -> Parsed {
        self.count_changes(plan);
        let mut parsed = self.parsed;
        for UnknownCount { owner, name, lines, .. } in self.unknown {
            let name = String::from_utf8_lossy(&name);
            let path = match owner {
                Some(object) => schema::member_path(&plan.object_paths[object], &name),
                None => name.into_owned(),
            };
            *parsed.unknown_fields.entry(path).or_default() += lines;
        }
        if self.other_unknown > 0 {
            *parsed.unknown_fields.entry(OTHER_NAMES.to_owned()).or_default() += self.other_unknown;
        }
        for (type_index, builder) in self.batches.into_iter() {
            let batch = builder.finish(plan.payload(type_index), &mut expected[type_index]);
            parsed.batches.push((type_index, batch));
        }
        for (type_index, builder) in self.later_candidates.into_iter() {
            let batch = builder.finish_candidates(plan.payload(type_index));
            parsed.later_candidates.push((type_index, batch));
        }
        parsed
    }
}

/// A place for a key, rarely the same for the keys of one line.
fn place_of(owner: KeyOwner, name: &[u8]) -> usize {
    let end = match name.last_chunk::<4>() {
        Some(&bytes) => u32::from_le_bytes(bytes) as usize,
        None => name.last().map_or(0, |&byte| byte.into()),
    };
    let mixed = end ^ name.len() << 5 ^ owner.unwrap_or(0) << 10;
    (mixed.wrapping_mul(0x9E37_79B9) >> 20) % LATELY
}
