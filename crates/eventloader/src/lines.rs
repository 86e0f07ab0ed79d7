//! A block → its lines, each judged: rows as batches per event type, bad lines with their faults, counts of the rest.
//!
//! The elements of an array are lines like others, but that none is blank and that newlines may stand in them: their line
//! number is that of the file's line where they begin.
//!
//! Invariant: every line of the block is in exactly one of: blank, bad, filtered, rows.

mod state;

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use self::state::BlockState;
use crate::{
    accounts::PartitionKey,
    arrays::Element,
    batch::{Batch, BatchBuilder, Position},
    blocks::{Block, Content, LINE_BYTES_MAX, newlines_in},
    columns::ExpectedRows,
    events::{Event, EventReader, Judged},
    fault::Fault,
    plan::Plan,
};

/// What a block held.
#[derive(Debug, Default)]
pub(crate) struct BlockOutcome {
    pub(crate) number: u32,
    pub(crate) source: usize,
    /// Its lines are elements of an array.
    pub(crate) of_array: bool,
    /// Those that begin in the block.
    pub(crate) lines: u32,
    /// By how much the file's line number is higher behind the block.
    pub(crate) newlines: u32,
    pub(crate) blank: u32,
    pub(crate) filtered: u32,
    /// In the order of their lines.
    pub(crate) bad: Vec<BadLine>,
    /// By event type.
    pub(crate) batches: Vec<(usize, Batch)>,
    /// Events of later days that compete with rows: batches without columns.
    pub(crate) rivals: Vec<(usize, Batch)>,
    /// How many rows fall into each partition.
    pub(crate) rows: HashMap<PartitionKey, u64, FixedState>,
    /// By path: in how many rows a key occurred that no schema knows.
    pub(crate) unknown_fields: HashMap<String, u64, FixedState>,
    /// By path: in how many rows a value was coerced, or rounded.
    pub(crate) coerced: HashMap<String, u64, FixedState>,
    pub(crate) rounded: HashMap<String, u64, FixedState>,
}

/// A line for the quarantine, or a fragment of one.
#[derive(Debug)]
pub(crate) struct BadLine {
    /// The file's line where it begins, counted from the one where the block begins: that of a fragment may be before.
    pub(crate) line_index: i64,
    /// Of the line's first byte in its source.
    pub(crate) offset: u64,
    /// Counted in an over-long line, from 0; no other line has fragments.
    pub(crate) fragment: Option<u64>,
    pub(crate) fault: Fault,
    pub(crate) raw: Vec<u8>,
}

/// Under what names are counted that are not told apart.
pub(crate) const OTHER_NAMES: &str = "(others)";

/// Longest name out of the data that the report has, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A name as the report has it.
pub(crate) fn cut_name(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// Counts under a name or, if there are too many, under the one for all others.
pub(crate) fn count_name(counts: &mut BTreeMap<String, u64>, mut name: String, names_max: usize, count: u64) {
    if counts.len() >= names_max && !counts.contains_key(&name) {
        OTHER_NAMES.clone_into(&mut name);
    }
    *counts.entry(name).or_default() += count;
}

/// Reads blocks; one per worker.
#[derive(Debug)]
pub(crate) struct LineReader<'a> {
    events: EventReader<'a>,
    plan: &'a Plan,
    flatten: bool,
    /// By event type: what the block before had, so that columns need not grow.
    expected: Vec<ExpectedRows>,
    /// Where the payloads of rivals are converted, to see whether they are good; always left empty.
    rival_payloads: Vec<Option<BatchBuilder>>,
}

impl<'a> LineReader<'a> {
    pub(crate) fn new(events: EventReader<'a>, plan: &'a Plan, flatten: bool) -> Self {
        Self {
            events,
            plan,
            flatten,
            expected: vec![ExpectedRows::default(); plan.event_types.len()],
            rival_payloads: none_of(plan),
        }
    }

    pub(crate) fn read(&mut self, block: &Block) -> BlockOutcome {
        let mut state = BlockState::new(block, self.plan);
        match &block.content {
            Content::Lines => self.read_lines(&mut state),
            Content::Elements(elements) => self.read_elements(&mut state, elements),
            Content::Fragment(fragment) => state.fragment(fragment),
        }
        let outcome = state.finish(self.plan);
        for (type_index, batch) in &outcome.batches {
            self.expected[*type_index] = ExpectedRows::like(batch.rows(), &batch.columns);
        }
        outcome
    }

    fn read_lines(&mut self, state: &mut BlockState<'_>) {
        self.events.expect(false);
        let block = state.block;
        // Checked once for all lines; line by line only where the block is not clean.
        let all_utf8 = is_utf8(&block.bytes);
        let mut start = 0;
        while start < block.bytes.len() {
            let (rest, offset) = (&block.bytes[start..], block.offset + start as u64);
            let length = self.read_framed(state, rest, None, offset, all_utf8).unwrap_or_else(|| {
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                self.read_line(state, rest, length, offset, all_utf8);
                length
            });
            state.outcome.lines += 1;
            state.line_index += 1;
            start += length + 1;
        }
        state.outcome.newlines = state.outcome.lines;
    }

    fn read_elements(&mut self, state: &mut BlockState<'_>, elements: &[Element]) {
        self.events.expect(true);
        state.outcome.of_array = true;
        let block = state.block;
        let all_utf8 = is_utf8(&block.bytes);
        let mut counted = 0;
        for Element { range, due } in elements {
            state.line_index += i64::from(newlines_in(&block.bytes[counted..range.start]));
            counted = range.start;
            let (text, offset) = (&block.bytes[range.start..], block.offset + range.start as u64);
            match due {
                Some(due) if range.len() <= LINE_BYTES_MAX => {
                    let raw = &text[..range.len()];
                    state.bad(raw, offset, None, Fault::out_of_place(raw, due));
                }
                _ => {
                    let length = Some(range.len());
                    if self.read_framed(state, text, length, offset, all_utf8).is_none() {
                        self.read_line(state, text, range.len(), offset, all_utf8);
                    }
                }
            }
            state.outcome.lines += 1;
        }
        state.outcome.newlines = newlines_in(&block.bytes);
    }

    /// Reads the line that `text` begins with, if its frame is known: its length. See [`EventReader::read_framed`].
    #[inline]
    fn read_framed(
        &mut self,
        state: &mut BlockState<'_>,
        text: &[u8],
        length: Option<usize>,
        offset: u64,
        is_utf8: bool,
    ) -> Option<usize> {
        if !is_utf8 {
            return None;
        }
        let (judged, length) = self.events.read_framed(text, length)?;
        if length > LINE_BYTES_MAX {
            return None;
        }
        let kept = self.keep(state, text, judged);
        kept.unwrap_or_else(|fault| state.bad(&text[..length], offset, None, fault));
        Some(length)
    }

    /// Reads the line of `length` bytes that `text` begins with.
    fn read_line(
        &mut self,
        state: &mut BlockState<'_>,
        text: &[u8],
        length: usize,
        offset: u64,
        is_utf8: bool,
    ) {
        let raw = &text[..length];
        if length > LINE_BYTES_MAX {
            return state.too_long(raw, offset, 0);
        }
        let mark = b"\xEF\xBB\xBF";
        let skipped = if offset == 0 && raw.starts_with(mark) { mark.len() } else { 0 };
        let (line, text) = (&raw[skipped..], &text[skipped..]);
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            state.outcome.blank += 1;
            return;
        }
        if !is_utf8 && std::str::from_utf8(line).is_err() {
            return state.bad(raw, offset, None, Fault::invalid_utf8(line));
        }
        let kept = self.events.read(line, text).and_then(|judged| self.keep(state, text, judged));
        kept.unwrap_or_else(|fault| state.bad(raw, offset, None, fault));
    }

    /// Keeps what is to be kept of the line that `text` begins with.
    #[inline]
    fn keep(&mut self, state: &mut BlockState<'_>, text: &[u8], judged: Judged<'_>) -> Result<(), Fault> {
        match judged {
            Judged::Filtered => state.outcome.filtered += 1,
            Judged::Event(event) if event.is_rival => self.keep_rival(state, text, &event),
            Judged::Event(event) => self.keep_row(state, text, &event)?,
        }
        Ok(())
    }

    fn keep_row(&mut self, state: &mut BlockState<'_>, text: &[u8], event: &Event<'_>) -> Result<(), Fault> {
        let plan = &self.plan.event_types[event.type_index];
        let (flatten, expected) = (self.flatten, &self.expected[event.type_index]);
        let batch =
            state.batches[event.type_index].get_or_insert_with(|| BatchBuilder::new(plan, flatten, expected));
        let payload = self.events.payload();
        batch.push_payload(&plan.payload, payload, text).map_err(|(column, fault)| {
            Fault::column(&plan.payload, column, fault, &payload.slots(&plan.payload), text)
        })?;
        let position = Position::new(state.block.number, state.outcome.lines);
        batch.push_row(position, event.micros, &event.id, Some(payload));
        state.times_cut += u64::from(event.is_time_cut);
        for key in self.events.unknown() {
            state.count_unknown(key, text);
        }
        Ok(())
    }

    /// A later day's event competes if it is good; whether it is, is not reported: its day was not asked for.
    fn keep_rival(&mut self, state: &mut BlockState<'_>, text: &[u8], event: &Event<'_>) {
        state.outcome.filtered += 1;
        let plan = &self.plan.event_types[event.type_index];
        let payloads = self.rival_payloads[event.type_index]
            .get_or_insert_with(|| BatchBuilder::new(plan, true, &ExpectedRows::default()));
        if payloads.push_payload(&plan.payload, self.events.payload(), text).is_err() {
            return;
        }
        payloads.forget_payload();
        let rivals = state.rivals[event.type_index].get_or_insert_default();
        let position = Position::new(state.block.number, state.outcome.lines).of_rival();
        rivals.push_row(position, event.micros, &event.id, None);
    }
}

/// Whether a block is UTF-8. Most are ASCII alone, and that is known several times faster.
fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

fn none_of<T>(plan: &Plan) -> Vec<Option<T>> {
    plan.event_types.iter().map(|_| None).collect()
}
