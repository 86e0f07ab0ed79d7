//! Payloads that are a column of JSON text, of a type that the catalog names by now → the columns that it
//! gives them.
//!
//! They are read as a load would read them from a line.
//!
//! Invariant: nothing of a payload is lost. A row that does not fit, has a key that the catalog does not
//! have, or would lose digits, is refused, by its event.

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Schema},
};
use event_parser::{Block, Buffer, Content, Parsed, Parser, ParserOptions, Plan, Selection};
use events_core::{catalog::EventType, event, schema::TableForm};

use super::columns::ExistingColumns;

static ALL: Selection =
    Selection { domains: Vec::new(), event_types: Vec::new(), days: None, left_out: Vec::new() };

/// How the payloads of an event type are read.
#[derive(Debug)]
pub(crate) struct Promotion<'p> {
    parser: Parser<'p>,
    /// The columns that stay: those of the envelope.
    kept: ExistingColumns<'p>,
    /// A line up to its payload.
    frame: Vec<u8>,
}

impl<'p> Promotion<'p> {
    /// `plan` is that of payloads alone ([`events_core::catalog::Catalog::of_payloads`]), `kept` the type
    /// without its payload.
    pub(crate) fn new(plan: &'p Plan, kept: &'p EventType, form: TableForm) -> Self {
        let options = ParserOptions { selection: &ALL, flatten: form.flatten, wants_later_candidates: false };
        let text = |name: &str| serde_json::Value::from(name).to_string();
        let frame = format!(
            r#"{{"event_id":"1","timestamp":"1970-01-01T00:00:00Z","domain":{},"event_type":{},"data":"#,
            text(&kept.domain),
            text(&kept.name)
        );
        Self {
            parser: Parser::new(plan, options),
            kept: ExistingColumns::new(kept, form),
            frame: frame.into_bytes(),
        }
    }

    /// Refuses columns that would be lost.
    pub(super) fn check(&self, found: &Schema) -> Result<(), String> {
        let others = found.fields().iter().filter(|field| field.name() != event::DATA);
        self.kept.check(&Schema::new(others.cloned().collect::<Vec<_>>()))
    }

    /// The columns behind the base ones, as a load has them.
    pub(super) fn payload(
        &mut self,
        batch: &RecordBatch,
        ids: &StringArray,
    ) -> Result<Vec<ArrayRef>, String> {
        let texts = batch.column_by_name(event::DATA).and_then(|texts| texts.as_string_opt::<i32>());
        let texts = texts.ok_or("its column data is not the text of payloads")?;
        let mut columns = self.kept.payload(batch)?;
        let parsed = self.parse(texts.iter());
        if problem_of(&parsed).is_some() {
            return Err(self.first_problem(texts, ids));
        }
        match parsed.batches.into_iter().next() {
            Some((_, read)) if read.rows() == texts.len() => {
                columns.extend(read.columns);
                Ok(columns)
            }
            _ => Err("some of its payloads are no payloads".to_owned()),
        }
    }

    fn parse<'t>(&mut self, texts: impl Iterator<Item = Option<&'t str>>) -> Parsed {
        let (mut lines, mut bytes) = (Vec::new(), Buffer::default());
        for text in texts {
            lines.extend_from_slice(&self.frame);
            lines.extend_from_slice(text.unwrap_or("{}").as_bytes());
            lines.extend_from_slice(b"}\n");
        }
        bytes.append(&mut lines);
        // A byte order mark counts at the start of a text alone.
        self.parser.parse(&Block { bytes, number: 0, offset: 1, content: Content::Lines })
    }

    /// The first row that is refused.
    fn first_problem(&mut self, texts: &StringArray, ids: &StringArray) -> String {
        for (text, id) in texts.iter().zip(ids) {
            let parsed = self.parse([text].into_iter());
            if let Some(problem) = problem_of(&parsed) {
                return format!("event {:?} {problem}", id.unwrap_or_default());
            }
        }
        "some of its payloads do not fit the catalog".to_owned()
    }
}

/// Why rows can't have the columns of the catalog.
fn problem_of(parsed: &Parsed) -> Option<String> {
    if let Some(bad) = parsed.bad.first() {
        return Some(format!("does not fit the catalog: {}", bad.fault.detail));
    }
    let first = |counts: &event_parser::Counts| counts.keys().min().cloned();
    if let Some(key) = first(&parsed.unknown_fields) {
        return Some(format!("has {key}, for which the catalog has no field: it would be lost"));
    }
    first(&parsed.rounded).map(|path| format!("has a value at {path} that would lose digits in its column"))
}

/// Whether columns of a file are those of payloads as JSON text, where the catalog gives them others.
pub(super) fn is_json(found: &Schema, wanted: &Schema) -> bool {
    let is_text = |schema: &Schema| {
        schema.field_with_name(event::DATA).is_ok_and(|field| *field.data_type() == DataType::Utf8)
    };
    is_text(found) && !is_text(wanted)
}
