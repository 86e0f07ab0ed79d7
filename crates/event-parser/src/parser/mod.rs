//! A block → its lines, each judged: rows as one batch per event type, bad lines with their faults, counts of
//! the rest.
//!
//! Elements of an array are lines like others, except that none is blank and that they may contain newlines.
//! The line number of an element is that of the line of the text where it begins. So are documents, and the
//! records of a document.
//!
//! Invariant: each line of a block is exactly one of blank, bad, filtered, or a row.

mod documents;

use std::ops::Range;

use event_rows::{Batch, Position};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::{
    batch::BatchBuilder,
    block_state::{BatchBuilders, BlockState},
    columns::ExpectedRows,
    events::{Event, EventReader, Judged},
    fault::Fault,
    framing::{Block, Content, Element, LINE_BYTES_MAX, RecordCutter, Unit, newlines_in},
    plan::{PayloadPlan, Plan},
    selection::Selection,
};

/// Counts by name: of fields by their path in the event, or of event types.
pub type Counts = HashMap<String, u64, FixedState>;

/// The options of a parser.
#[derive(Debug, Clone, Copy)]
pub struct ParserOptions<'a> {
    /// Which events become rows. All others are filtered.
    pub selection: &'a Selection,
    /// One column per value of the payload. Otherwise the payload is one struct column, `data`.
    pub flatten: bool,
    /// Whether events of other days than the selected ones that may be later versions are returned as
    /// [`Parsed::later_candidates`]: those of days after them, and all of types with a version. They count as
    /// filtered all the same.
    pub wants_later_candidates: bool,
}

/// The result of parsing one block.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Lines that begin in the block.
    pub lines: u32,
    /// The newlines in the block: the line number of the text is higher by this after the block.
    pub newlines: u32,
    /// Lines of nothing but white space.
    pub blank: u32,
    /// Good lines that are not selected.
    pub filtered: u32,
    /// If event types are left out: the lines of these, counted as those of bad lines are.
    pub filtered_lines: Vec<i64>,
    /// The bad lines, in the order of the text.
    pub bad: Vec<BadLine>,
    /// The rows, by the index of their event type in the plan.
    pub batches: Vec<(usize, Batch)>,
    /// Events of other days, which may supersede rows: batches without columns.
    pub later_candidates: Vec<(usize, Batch)>,
    /// Rows with a key that is not in the catalog, by the path of the key.
    pub unknown_fields: Counts,
    /// Rows in which a value of another type was converted, by its path.
    pub coerced: Counts,
    /// Rows in which a value lost digits, by its path.
    pub rounded: Counts,
}

/// A bad line, or a fragment of one that is too long.
#[derive(Debug)]
pub struct BadLine {
    /// The line of the text where it begins, counted from the line where the block begins. That of a fragment
    /// may be before the block.
    pub line_index: i64,
    /// Where it is among the rows of the input. Fragments have no place of their own.
    pub position: Position,
    /// The offset of the line's first byte in the text.
    pub offset: u64,
    /// The number of the fragment, from 0. Only over-long lines have fragments.
    pub fragment: Option<u64>,
    /// What it is: [`Unit::Element`] also for lines and documents, which may have records.
    pub unit: Unit,
    /// Whether it is bad because it stands where no line may be: behind the end of an array, for example.
    pub is_misplaced: bool,
    /// Why it is bad.
    pub fault: Fault,
    /// The bytes of the line, without its newline.
    pub raw: Vec<u8>,
}

/// The name under which names beyond the limit are counted.
pub const OTHER_NAMES: &str = "(others)";

/// Reads the blocks of a text; each thread has its own.
#[derive(Debug)]
pub struct Parser<'a> {
    events: EventReader<'a>,
    plan: &'a Plan,
    documents: RecordCutter,
    flatten: bool,
    notes_filtered: bool,
    /// By event type: an estimate from the block before, so that columns need not grow.
    expected: Vec<ExpectedRows>,
    /// By shape: where the payloads of later candidates are converted, to see whether they are good; always
    /// left empty.
    candidate_payloads: BatchBuilders,
}

impl<'a> Parser<'a> {
    /// A parser of the event types of a plan.
    #[must_use]
    pub fn new(plan: &'a Plan, options: ParserOptions<'a>) -> Self {
        let ParserOptions { selection, flatten, wants_later_candidates } = options;
        Self {
            events: EventReader::new(plan, selection, wants_later_candidates),
            plan,
            documents: RecordCutter::default(),
            flatten,
            notes_filtered: !selection.left_out.is_empty(),
            expected: Vec::new(),
            candidate_payloads: BatchBuilders::default(),
        }
    }

    /// Judges the lines of a block, and converts the good ones to columns.
    pub fn parse(&mut self, block: &Block) -> Parsed {
        let mut state = BlockState::new(block, self.notes_filtered);
        match &block.content {
            Content::Lines if self.plan.records().are_documents() => self.read_lines(&mut state),
            Content::Lines => self.read_lines_with_records(&mut state),
            Content::Elements(elements) => self.read_elements(&mut state, elements),
            Content::Fragment(fragment) => state.fragment(fragment),
        }
        state.finish(self.plan, &mut self.expected)
    }

    fn read_lines(&mut self, state: &mut BlockState<'_>) {
        self.events.set_framing(false);
        let block = state.block;
        // Checked once for all lines; line by line only if the block is not valid as a whole.
        let all_utf8 = is_utf8(&block.bytes);
        let mut start = 0;
        while start < block.bytes.len() {
            let (rest, offset) = (&block.bytes[start..], block.offset + start as u64);
            let length = self.read_framed(state, rest, None, offset, all_utf8).unwrap_or_else(|| {
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                self.read_line(state, rest, length, offset, all_utf8);
                length
            });
            state.parsed.lines += 1;
            state.line_index += 1;
            start += length + 1;
        }
        state.parsed.newlines = state.parsed.lines;
    }

    fn read_elements(&mut self, state: &mut BlockState<'_>, elements: &[Element]) {
        self.events.set_framing(true);
        let block = state.block;
        let all_utf8 = is_utf8(&block.bytes);
        let are_documents = self.plan.records().are_documents();
        let mut newlines = Newlines::default();
        for Element { range, due, unit } in elements {
            let is_record = matches!(unit, Unit::Record(_));
            if is_record || are_documents || due.is_some() {
                state.unit = if is_record { unit.clone() } else { Unit::Element };
                self.events.set_document(false);
                self.read_element(state, range.clone(), *due, all_utf8, &mut newlines);
            } else {
                let may_be_long = *unit == Unit::Document;
                self.read_document(state, range.clone(), may_be_long, all_utf8, &mut newlines);
            }
        }
        state.parsed.newlines = newlines_in(&block.bytes);
    }

    fn read_element(
        &mut self,
        state: &mut BlockState<'_>,
        range: Range<usize>,
        due: Option<&'static str>,
        all_utf8: bool,
        newlines: &mut Newlines,
    ) {
        let block = state.block;
        newlines.count(state, range.start);
        let (text, offset) = (&block.bytes[range.start..], block.offset + range.start as u64);
        match due {
            Some(due) if range.len() <= LINE_BYTES_MAX => {
                let raw = &text[..range.len()];
                state.misplaced(raw, offset, Fault::out_of_place(raw, due));
            }
            // A document that broke off behind its last record, in a replay.
            None if range.is_empty() => {
                state.bad(b"", offset, None, Fault::around_records(b"", 0, "the end of its document"));
            }
            _ => {
                let length = Some(range.len());
                if self.read_framed(state, text, length, offset, all_utf8).is_none() {
                    self.read_line(state, text, range.len(), offset, all_utf8);
                }
            }
        }
        state.parsed.lines += 1;
    }

    /// Reads the line at the start of `text`, if its frame is known, and returns its length. See
    /// [`EventReader::read_framed`].
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

    /// Reads the line of `length` bytes at the start of `text`.
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
            state.parsed.blank += 1;
            return;
        }
        if !is_utf8 && std::str::from_utf8(line).is_err() {
            return state.bad(raw, offset, None, Fault::invalid_utf8(line));
        }
        let enclosing = if let Unit::Record(enclosing) = &state.unit { enclosing.clone() } else { None };
        let judged = enclosing.as_deref().and_then(|around| self.events.read_record(line, text, around));
        let judged = judged.unwrap_or_else(|| self.events.read(line, text));
        let kept = judged.and_then(|judged| self.keep(state, text, judged));
        kept.unwrap_or_else(|fault| state.bad(raw, offset, None, fault));
    }

    /// Keeps the result of the line at the start of `text`.
    #[inline]
    fn keep(&mut self, state: &mut BlockState<'_>, text: &[u8], judged: Judged<'_>) -> Result<(), Fault> {
        match judged {
            Judged::Filtered => state.filtered(),
            Judged::Blank => state.parsed.blank += 1,
            Judged::Event(event) if event.is_later_candidate => {
                self.keep_later_candidate(state, text, &event);
            }
            Judged::Event(event) => self.keep_row(state, text, &event)?,
        }
        Ok(())
    }

    fn keep_row(&mut self, state: &mut BlockState<'_>, text: &[u8], event: &Event<'_>) -> Result<(), Fault> {
        let PayloadPlan { shape, is_for_database, .. } = self.plan.payload(event.type_index);
        if self.expected.len() <= event.type_index {
            self.expected.resize_with(event.type_index + 1, ExpectedRows::default);
        }
        let (flatten, expected) = (self.flatten, &self.expected[event.type_index]);
        let batch = state.batches.get(event.type_index, || BatchBuilder::new(shape, flatten, expected));
        let payload = self.events.payload();
        batch
            .push_payload(shape, payload, text)
            .map_err(|(column, fault)| Fault::column(shape, column, fault, &payload.slots(shape), text))?;
        if *is_for_database && let Some(column) = batch.nul_in_payload() {
            batch.forget_payload();
            return Err(Fault::nul(&shape.columns[column].path));
        }
        let position = Position::new(state.block.number, state.parsed.lines);
        batch.push_row(position, event.micros, &event.id, Some(payload));
        state.times_cut += u64::from(event.is_time_cut);
        for key in self.events.unknown() {
            state.count_unknown(key, text);
        }
        Ok(())
    }

    /// Keeps an event of another day if it is good. A bad one is not reported, because its day is not
    /// selected. Of its payload, only the fields of a version are needed, once the block is read.
    fn keep_later_candidate(&mut self, state: &mut BlockState<'_>, text: &[u8], event: &Event<'_>) {
        state.parsed.filtered += 1;
        let plan = self.plan.payload(event.type_index);
        let builder = || BatchBuilder::new(&plan.shape, true, &ExpectedRows::default());
        let payloads = if plan.has_version() {
            state.later_candidates.get(event.type_index, builder)
        } else {
            self.candidate_payloads.get(plan.index, builder)
        };
        if payloads.push_payload(&plan.shape, self.events.payload(), text).is_err() {
            return;
        }
        let is_bad = plan.is_for_database && payloads.nul_in_payload().is_some();
        if is_bad || !plan.has_version() {
            payloads.forget_payload();
        }
        if is_bad {
            return;
        }
        let candidates = state.later_candidates.get(event.type_index, BatchBuilder::default);
        let position = Position::new(state.block.number, state.parsed.lines).as_later_candidate();
        candidates.push_row(position, event.micros, &event.id, None);
    }
}

/// Whether a block is UTF-8. Most blocks are ASCII alone, which is checked several times faster.
fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// How far the newlines of a block are counted, for the numbers of the lines where its elements begin.
#[derive(Debug, Default)]
struct Newlines {
    counted: usize,
}

impl Newlines {
    /// For one line, which has none.
    fn counted() -> Self {
        Self { counted: usize::MAX }
    }

    /// Counts up to `at`.
    fn count(&mut self, state: &mut BlockState<'_>, at: usize) {
        if self.counted < at {
            state.line_index += i64::from(newlines_in(&state.block.bytes[self.counted..at]));
            self.counted = at;
        }
    }
}
