//! Records and a catalog with an envelope → the rows that they come to, read with `serde_json` and without
//! any thought of speed.
//!
//! Invariant: nothing of `datagen` or of the loader is used, but the model of a catalog.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use events_core::{
    catalog::{Catalog, EventType, FieldKind, ValueType},
    envelope::{Data, Envelope, EventId, Path, Piece, RecordsPath, RecordsStep, Template},
    number,
    partition::Day,
    schema::{self, Column},
    timestamp::{DAY_MICROS, EpochUnit, parse_timestamp},
    truth::RowDigest,
};
use serde_json::Value;

/// What is left of all records.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// By type and id.
    pub(super) rows: BTreeMap<(String, String, String), Row>,
    pub(super) lines: u64,
    pub(super) bad: u64,
    pub(super) superseded: u64,
}

/// The latest version of an event.
#[derive(Debug)]
pub(super) struct Row {
    micros: i64,
    pub(super) day: String,
    pub(super) domain: String,
    pub(super) event_type: String,
    pub(super) digest: u128,
}

/// Loads records, but those that the log of faults calls bad.
pub(super) fn load(text: &[u8], log: &str, catalog: &Catalog) -> Loaded {
    let bad = bad_lines(log);
    let mut loaded = Loaded::default();
    for (number, record) in (1..).zip(records(text)) {
        loaded.lines += 1;
        if bad.contains(&number) {
            loaded.bad += 1;
        } else if !record.trim_ascii().is_empty() {
            loaded.take(record, catalog);
        }
    }
    loaded
}

fn bad_lines(log: &str) -> BTreeSet<u64> {
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let bad = entries.filter(|entry| entry.get("reason").is_some());
    bad.map(|entry| entry["line"].as_u64().unwrap()).collect()
}

/// The text of each line or, in a document on one line, of each record.
fn records(text: &[u8]) -> Vec<&[u8]> {
    let text = text.strip_suffix(b"\n").unwrap();
    let Some(mut rest) = text.strip_prefix(br#"{"Records":["#).and_then(|rest| rest.strip_suffix(b"]}"))
    else {
        return text.split(|byte| *byte == b'\n').collect();
    };
    let mut records = Vec::new();
    let (mut depth, mut is_text, mut at) = (0, false, 0);
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 1,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth -= 1,
            b',' if !is_text && depth == 0 => {
                records.push(&rest[..at]);
                (rest, at) = (&rest[at + 1..], 0);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    records.push(rest);
    records
}

impl Loaded {
    fn take(&mut self, text: &[u8], catalog: &Catalog) {
        let document: Value = serde_json::from_slice(text).unwrap();
        let envelope = catalog.envelope();
        let paths = envelope.records.iter().map(RecordsPath::steps);
        let there = paths.map(|steps| record_at(&document, steps)).find_map(|record| record);
        let record = there.unwrap_or(&document);
        let text_of = |template| text_of(template, record);
        let id = match &envelope.event_id {
            EventId::Text(template) => text_of(template),
            EventId::Key(parts) => Value::from(parts.iter().map(text_of).collect::<Vec<_>>()).to_string(),
            EventId::Hash => hash_of(text),
        };
        let time = text_of(&envelope.timestamp.from);
        let micros = match envelope.timestamp.unit {
            None => parse_timestamp(time.as_bytes()).unwrap(),
            Some(unit) => micros_of(&time, unit),
        };
        let (domain, event_type) = (text_of(&envelope.domain), text_of(&envelope.event_type));
        let known = catalog.event_types().iter();
        let mut known = known.filter(|known| (&known.domain, &known.name) == (&domain, &event_type));
        let known = known.next().unwrap_or_else(|| panic!("{domain}/{event_type} is not in the catalog"));
        let mut row = RowDigest::default();
        row.text(id.as_bytes());
        row.timestamp(micros);
        row.text(domain.as_bytes());
        row.text(event_type.as_bytes());
        let data = match &envelope.data {
            Data::At(paths) => paths.iter().find_map(|path| value_at(record, path)).unwrap().clone(),
            Data::Rest => rest_of(record, envelope),
        };
        write_columns(known, record, &data, &mut row);
        let day = Day::from_epoch_days(micros.div_euclid(DAY_MICROS)).to_string();
        let key = (domain.clone(), event_type.clone(), id);
        let row = Row { micros, day, domain, event_type, digest: row.finish() };
        // Among equal times, the later line counts.
        match self.rows.get(&key) {
            Some(kept) if kept.micros > row.micros => self.superseded += 1,
            kept => {
                self.superseded += u64::from(kept.is_some());
                self.rows.insert(key, row);
            }
        }
    }
}

fn record_at<'v>(document: &'v Value, steps: &[RecordsStep]) -> Option<&'v Value> {
    steps.iter().try_fold(document, |value, step| {
        let value = value.get(&step.key)?;
        if step.is_list { value.as_array()?.first() } else { Some(value) }
    })
}

fn value_at<'v>(record: &'v Value, path: &Path) -> Option<&'v Value> {
    let value = path.keys.iter().try_fold(record, |value, key| value.get(key))?;
    (!value.is_null()).then_some(value)
}

fn text_of(template: &Template, record: &Value) -> String {
    let text_of = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Paths(paths) => match paths.iter().find_map(|path| value_at(record, path)).unwrap() {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        },
    };
    template.pieces.iter().map(text_of).collect()
}

/// The record without the keys that the envelope took whole: of alternatives, the first that is there.
fn rest_of(record: &Value, envelope: &Envelope) -> Value {
    let ids = match &envelope.event_id {
        EventId::Text(template) => slice::from_ref(template),
        EventId::Key(parts) => parts,
        EventId::Hash => &[],
    };
    let mut rest = record.clone();
    let templates = ids.iter().chain([&envelope.timestamp.from, &envelope.domain, &envelope.event_type]);
    for piece in templates.flat_map(|template| &template.pieces) {
        let Piece::Paths(paths) = piece else { continue };
        let used = paths.iter().find(|path| value_at(record, path).is_some());
        if let Some([key]) = used.map(|path| path.keys.as_slice()) {
            rest.as_object_mut().unwrap().remove(key);
        }
    }
    rest
}

fn micros_of(digits: &str, unit: EpochUnit) -> i64 {
    let number: i128 = digits.parse().unwrap();
    let micros = match unit {
        EpochUnit::Seconds => number * 1_000_000,
        EpochUnit::Milliseconds => number * 1_000,
        EpochUnit::Microseconds => number,
        EpochUnit::Nanoseconds => number.div_euclid(1_000),
    };
    i64::try_from(micros).unwrap()
}

/// The hash of the record in a line of Docker or of OpenTelemetry.
fn hash_of(line: &[u8]) -> String {
    let text = std::str::from_utf8(line).unwrap();
    let record = match text.split_once("\"logRecords\": [") {
        None => text,
        Some((_, rest)) => rest.strip_suffix("]}]}]}").unwrap(),
    };
    let (mut compact, mut is_text, mut before) = (String::new(), false, ' ');
    for letter in record.chars() {
        is_text ^= letter == '"' && before != '\\';
        if is_text || letter != ' ' {
            compact.push(letter);
        }
        before = letter;
    }
    let mut bytes = xxhash_rust::xxh3::xxh3_128(compact.as_bytes()).to_be_bytes();
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    uuid::Uuid::from_bytes(bytes).to_string()
}

fn write_columns(event_type: &EventType, record: &Value, data: &Value, row: &mut RowDigest) {
    for Column { path, kind, .. } in schema::columns(event_type) {
        let (root, path) = path.strip_prefix("data.").map_or((record, path.as_str()), |path| (data, path));
        let value = path.split('.').try_fold(root, |value, key| value.get(key)).unwrap_or(&Value::Null);
        match (kind, value) {
            (_, Value::Null) => row.null(),
            (FieldKind::Value(ValueType::Decimal { scale, .. }), number) => {
                let unscaled = number::parse_decimal(number.to_string().as_bytes(), 38, scale);
                row.decimal(unscaled.unwrap().unscaled, scale);
            }
            (FieldKind::Value(ValueType::Json), value) => row.text(value.to_string().as_bytes()),
            (_, Value::String(text)) => row.text(text.as_bytes()),
            (_, value) => row.text(value.to_string().as_bytes()),
        }
    }
}
