//! A text → the result of the loader's stages up to columns, and that of the model: line by line, as values
//! that can be compared.
//!
//! Invariant: both results depend only on the text and the options.

use std::{collections::BTreeMap, sync::LazyLock};

use event_parser::{
    BadLine, Block, Buffer, Content, CutError, Cutter, DayRange, Detail, Element, Parsed, Parser,
    ParserOptions, Plan, Selection, Unit,
};
use event_rows::{Batch, Place, Position};
use events_core::{
    catalog::{BUILT_IN, Catalog},
    envelope::Envelope,
    partition::{Day, Layout},
};
use naive_model::{
    columns::EventType,
    event_types,
    framing::{self, Piece},
    judge::{Verdict, Wanted, judge},
    value_text,
};

/// The built-in catalog, and one with all types of values.
pub(super) static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| BUILT_IN.extended(&[("catalog.toml", include_str!("catalog.toml"))]).unwrap());
static PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::new(&CATALOG));
static PLAN_OF_DATABASE: LazyLock<Plan> = LazyLock::new(|| Plan::for_layout(&CATALOG, Layout::Database));
static TYPES: LazyLock<Vec<EventType>> = LazyLock::new(|| event_types::declared_in(&CATALOG));

/// The only day that some cases select.
const DAY: &str = "2024-10-10";

/// How lines are read.
#[derive(Debug)]
pub(super) struct Case<'c> {
    plan: &'c Plan,
    types: &'c [EventType],
    pub(super) block_bytes: usize,
    wanted: Wanted,
    selection: Selection,
}

fn add(counts: &mut BTreeMap<String, u64>, more: impl IntoIterator<Item = (String, u64)>) {
    for (name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}

/// The result of reading the lines of a text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) lines: usize,
    pub(super) blank: usize,
    /// Including later candidates.
    pub(super) filtered: usize,
    /// By the line's number in the text, from 0; blank and filtered lines have none.
    pub(super) outcomes: BTreeMap<usize, Outcome>,
    pub(super) unknown_fields: BTreeMap<String, u64>,
    pub(super) coerced: BTreeMap<String, u64>,
    pub(super) rounded: BTreeMap<String, u64>,
}

/// What a line became.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The model has no details.
    Bad {
        line: u64,
        offset: u64,
        reason: &'static str,
        raw: Vec<u8>,
        detail: Option<Detail>,
    },
    Row {
        event_type: String,
        event_id: String,
        micros: i64,
        payload: Vec<String>,
    },
    /// A good event of a later day.
    LaterCandidate {
        event_type: String,
        event_id: String,
        micros: i64,
    },
}

impl Case<'static> {
    /// One of 16 for the catalog, by the low bits, so that digits and `:` to `?` choose different ones; `@`
    /// to `O` the same for a database.
    pub(super) fn of(options: u8) -> Self {
        let is_set = |bit: u8| options >> bit & 1 == 1;
        let (by_day, by_type, nested, small_blocks) = (is_set(0), is_set(1), is_set(2), is_set(3));
        let database = is_set(6);
        let day = Day::parse(DAY).filter(|_| by_day);
        let selection = Selection {
            domains: if by_type { vec!["d".to_owned()] } else { Vec::new() },
            event_types: if by_type && by_day { vec!["values".to_owned()] } else { Vec::new() },
            days: by_day.then_some(DayRange { first: day, last: day }),
            ..Selection::default()
        };
        let wanted = Wanted {
            domains: selection.domains.clone(),
            event_types: selection.event_types.clone(),
            since: by_day.then(|| DAY.parse().unwrap()),
            until: by_day.then(|| DAY.parse().unwrap()),
            nested,
            database,
            ..Wanted::default()
        };
        let block_bytes = if small_blocks { 300 } else { 1 << 20 };
        let plan = if database { &PLAN_OF_DATABASE } else { &PLAN };
        Self { plan, types: &TYPES, block_bytes, wanted, selection }
    }
}

impl<'c> Case<'c> {
    /// The same for the records of an envelope; their payloads are flattened, and the target is no database.
    pub(super) fn of_envelope(
        options: u8,
        plan: &'c Plan,
        types: &'c [EventType],
        envelope: &Envelope,
    ) -> Self {
        let Case { block_bytes, wanted, selection, .. } = Case::of(options & !0x44);
        let wanted = Wanted { envelope: Some(envelope.clone()), ..wanted };
        Self { plan, types, block_bytes, wanted, selection }
    }

    fn parser(&self) -> Parser<'_> {
        let options = ParserOptions {
            selection: &self.selection,
            flatten: !self.wanted.nested,
            wants_later_candidates: self.selection.days.is_some(),
        };
        Parser::new(self.plan, options)
    }

    /// Reads blocks as a load does, with what was learned from earlier ones.
    pub(super) fn read(&self, blocks: &[Block]) -> Vec<Parsed> {
        let mut parser = self.parser();
        blocks.iter().map(|block| parser.parse(block)).collect()
    }

    /// The result of the lines or elements of a text.
    pub(super) fn lines(&self, parsed: Vec<Parsed>, pieces: &[Piece<'_>]) -> Lines {
        let (mut lines, mut newlines) = (Lines::default(), 0);
        for parsed in parsed {
            newlines += self.add(&mut lines, parsed, newlines, pieces);
        }
        lines
    }

    /// Reads each line with a reader of its own.
    pub(super) fn read_each_alone(&self, blocks: &[Block], pieces: &[Piece<'_>]) -> Lines {
        let mut due = blocks.iter().flat_map(|block| match &block.content {
            Content::Elements(elements) => elements.as_slice(),
            _ => &[],
        });
        let mut lines = Lines::default();
        for piece in pieces {
            let content = if piece.is_element {
                let due = due.next().unwrap().due;
                Content::Elements(vec![Element { range: 0..piece.raw.len(), due, unit: Unit::Element }])
            } else {
                Content::Lines
            };
            let mut bytes = Buffer::default();
            bytes.append(&mut piece.raw.to_vec());
            // A block is never empty: an empty line is its newline.
            if bytes.is_empty() {
                bytes.append(&mut b"\n".to_vec());
            }
            let block = Block { bytes, offset: piece.offset as u64, content, ..Block::default() };
            let parsed = self.parser().parse(&block);
            self.add(&mut lines, parsed, piece.line - 1, pieces);
        }
        lines
    }

    /// Adds the result of a block, and returns its newlines.
    fn add(&self, lines: &mut Lines, parsed: Parsed, newlines: u64, pieces: &[Piece<'_>]) -> u64 {
        let first = lines.lines;
        lines.lines += parsed.lines as usize;
        lines.blank += parsed.blank as usize;
        lines.filtered += parsed.filtered as usize;
        for bad in parsed.bad {
            let line = line_of(&bad, newlines);
            let index = pieces.binary_search_by_key(&bad.offset, |piece| piece.offset as u64).unwrap();
            let reason = bad.fault.reason.code();
            assert!(bad.fragment.is_none() && (first..lines.lines).contains(&index), "{bad:?}");
            let detail = Some(bad.fault.detail);
            lines.insert(index, Outcome::Bad { line, offset: bad.offset, reason, raw: bad.raw, detail });
        }
        for (type_index, batch) in parsed.batches {
            self.add_rows(lines, first, type_index, &batch);
        }
        for (type_index, batch) in parsed.later_candidates {
            for row in 0..batch.rows() {
                assert!(batch.positions[row].is_later_candidate());
                let (event_type, event_id, micros) = self.event(type_index, &batch, row);
                let line = line_in_block(batch.positions[row]);
                lines.insert(first + line as usize, Outcome::LaterCandidate { event_type, event_id, micros });
            }
        }
        add(&mut lines.unknown_fields, parsed.unknown_fields);
        add(&mut lines.coerced, parsed.coerced);
        add(&mut lines.rounded, parsed.rounded);
        parsed.newlines.into()
    }

    fn add_rows(&self, lines: &mut Lines, first: usize, type_index: usize, batch: &Batch) {
        for row in 0..batch.rows() {
            let (event_type, event_id, micros) = self.event(type_index, batch, row);
            let payload = if self.wanted.nested {
                batch.columns.iter().map(|data| value_text::element(data, row)).collect()
            } else {
                batch.columns.iter().flat_map(|column| value_text::values(column, row)).collect()
            };
            let line = line_in_block(batch.positions[row]);
            lines.insert(first + line as usize, Outcome::Row { event_type, event_id, micros, payload });
        }
    }

    fn event(&self, type_index: usize, batch: &Batch, row: usize) -> (String, String, i64) {
        let mut id = Vec::new();
        batch.ids.get(row).write_to(&mut id);
        let event_type = self.plan.event_type(type_index).to_string();
        (event_type, String::from_utf8(id).unwrap(), batch.micros[row])
    }

    /// The result of the model.
    pub(super) fn expected(&self, pieces: &[Piece<'_>]) -> Lines {
        let mut lines = Lines { lines: pieces.len(), ..Lines::default() };
        for (index, piece) in pieces.iter().enumerate() {
            let event = match judge(piece, &self.wanted, self.types) {
                Verdict::Blank => {
                    lines.blank += 1;
                    continue;
                }
                Verdict::Filtered => {
                    lines.filtered += 1;
                    continue;
                }
                Verdict::Bad(reason) => {
                    let (offset, raw) = (piece.offset as u64, piece.raw.to_vec());
                    lines.insert(index, Outcome::Bad { line: piece.line, offset, reason, raw, detail: None });
                    continue;
                }
                Verdict::Good(event) => *event,
            };
            let (event_id, micros) = (event.event_id, event.timestamp.timestamp_micros());
            let event_type = format!("{}/{}", event.domain, event.event_type);
            if event.asked_for {
                // A nested payload without fields has no column.
                let has_fields = |(domain, name, fields): &EventType| {
                    format!("{domain}/{name}") == event_type && !fields.is_empty()
                };
                let has_column = !self.wanted.nested || self.types.iter().any(has_fields);
                let payload = if has_column { event.payload } else { Vec::new() };
                lines.insert(index, Outcome::Row { event_type, event_id, micros, payload });
                add(&mut lines.unknown_fields, event.unknown_fields.into_iter().map(|name| (name, 1)));
                add(&mut lines.coerced, event.changed.coerced.into_iter().map(|path| (path, 1)));
                add(&mut lines.rounded, event.changed.rounded.into_iter().map(|path| (path, 1)));
            } else {
                lines.filtered += 1;
                // An event before the selected days can't be the latest.
                if event.timestamp.date_naive() > self.wanted.until.unwrap() {
                    lines.insert(index, Outcome::LaterCandidate { event_type, event_id, micros });
                }
            }
        }
        lines
    }
}

impl Lines {
    fn insert(&mut self, index: usize, outcome: Outcome) {
        let before = self.outcomes.insert(index, outcome);
        assert!(
            before.is_none(),
            "line {index} of the text has two outcomes: {before:?}, {:?}",
            self.outcomes[&index]
        );
    }

    /// They are among the filtered lines.
    pub(super) fn later_candidates(&self) -> usize {
        self.outcomes.values().filter(|outcome| matches!(outcome, Outcome::LaterCandidate { .. })).count()
    }

    /// Without the details, which the model does not have.
    pub(super) fn without_details(mut self) -> Self {
        for outcome in self.outcomes.values_mut() {
            if let Outcome::Bad { detail, .. } = outcome {
                *detail = None;
            }
        }
        self
    }
}

/// The line of the file where a bad line begins; `newlines` are before its block.
pub(super) fn line_of(bad: &BadLine, newlines: u64) -> u64 {
    (newlines + 1).checked_add_signed(bad.line_index).unwrap()
}

fn line_in_block(position: Position) -> u32 {
    match position.place() {
        Place::Input { line, .. } | Place::LaterCandidate { line, .. } => line,
        place @ Place::Existing { .. } => panic!("{place:?}"),
    }
}

/// The blocks of a text, or the error if it is cut off. There are never more of them than bytes.
pub(super) fn blocks_of(text: &[u8], block_bytes: usize) -> Result<Vec<Block>, String> {
    all_blocks(Cutter::new(text, block_bytes))
}

/// The blocks that a cutter has, or its error.
pub(super) fn all_blocks(mut cutter: Cutter<&[u8]>) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    while let Some(block) =
        cutter.next_block(Buffer::default()).map_err(|error: CutError| error.to_string())?
    {
        assert!(!block.bytes.is_empty(), "a block of nothing");
        blocks.push(block);
    }
    Ok(blocks)
}

/// The lines or elements of a text as the model sees them; `None` where it is cut off.
pub(super) fn pieces_of(text: &[u8]) -> Option<Vec<Piece<'_>>> {
    framing::pieces(text)
}
