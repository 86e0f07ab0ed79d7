//! What a load must come to: the contract, told again by a naive model that shares no code with the loader.
//!
//! Sources in, what the target and the report must hold out. Their text is cut into lines or elements (`framing`), which
//! are much the same from there on. A line becomes a tree of JSON values that keeps what the
//! contract speaks of (`json`), is judged step by step (`judge`), and the latest version of each event is found with a map.
//! Values are read from text in `columns` and `values`. Slow, short, and to be read next to CONTRACT.md sections 5 to 7.
//! The fuzz targets (`crates/eventloader/src/fuzzing`) judge lines by the same files.

mod columns;
mod framing;
mod json;
mod judge;
mod values;
mod versions;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde_json::{Value, json};

use crate::readback::{BadLine, Row, Rows, instant, json_string};
use columns::{EventType, Field, Kind};
pub(crate) use judge::Wanted;
use judge::{Event, Verdict, judge};
use versions::Fate;

/// The flags that change what a load comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) wanted: Wanted,
    /// "Latest" is decided within each day.
    pub(crate) by_day: bool,
    pub(crate) hive: bool,
    pub(crate) hourly: bool,
    /// The payload is one struct column.
    pub(crate) nested: bool,
}

/// A file, or standard input: its name in the quarantine and its text.
pub(crate) type Source = (String, Vec<u8>);

/// What a load must come to.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    pub(crate) redelivered: u64,
    pub(crate) corrected: u64,
    /// Each superseded row as the report names it, in input order.
    pub(crate) superseded_rows: Vec<Value>,
    pub(crate) written: u64,
    pub(crate) bad_lines: Vec<BadLine>,
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    pub(crate) coerced: BTreeMap<String, u64>,
    pub(crate) rounded: BTreeMap<String, u64>,
    pub(crate) rows: Rows,
    pub(crate) sources: Vec<OfSource>,
    /// By partition: rows that fell into it and lost.
    pub(crate) superseded_in: BTreeMap<String, u64>,
    /// Days asked for that have no rows; known where both ends of the range are.
    pub(crate) days_without_events: Option<Vec<String>>,
}

/// What became of the lines of one source.
#[derive(Debug, Default)]
pub(crate) struct OfSource {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: u64,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    pub(crate) written: u64,
}

/// Loads `sources`, in the order in which they are read.
pub(crate) fn load(sources: &[Source], flags: &Flags) -> Expected {
    let types = built_in();
    let mut expected = Expected::default();
    let mut events = Vec::new();
    for (index, (source, bytes)) in sources.iter().enumerate() {
        let pieces = framing::pieces(bytes).expect("the model knows no load that fails");
        let mut of_source = OfSource { lines: pieces.len() as u64, ..OfSource::default() };
        for (number, piece) in (1..).zip(pieces) {
            match judge(&piece, &flags.wanted, &types) {
                Verdict::Blank => of_source.blank += 1,
                Verdict::Filtered => of_source.filtered += 1,
                Verdict::Good(event) => {
                    events.push(Event { source: index, number, is_element: piece.is_element, ..event });
                }
                Verdict::Bad(reason) => {
                    of_source.quarantined += 1;
                    expected.bad_lines.push(BadLine {
                        source: source.clone(),
                        line: piece.line,
                        offset: piece.offset as u64,
                        reason: reason.to_owned(),
                        raw: piece.raw.to_vec(),
                    });
                }
            }
        }
        expected.sources.push(of_source);
    }
    expected.bad_lines.sort();
    let rows = expected.count_events(&events, sources, flags);
    expected.days_without_events =
        days_without_events(flags, rows.keys().map(|(_, timestamp, _)| timestamp.date_naive()));
    for ((partition, ..), row) in rows {
        expected.rows.entry(partition).or_default().push(row);
    }
    expected.add_up();
    expected
}

/// What orders rows: partition, timestamp, id.
type RowKey<'e> = (String, DateTime<Utc>, &'e str);

impl Expected {
    /// What becomes of the good events; the rows that are written.
    fn count_events<'e>(
        &mut self,
        events: &'e [Event],
        sources: &[Source],
        flags: &Flags,
    ) -> BTreeMap<RowKey<'e>, Row> {
        let mut rows = BTreeMap::new();
        for (event, fate) in events.iter().zip(versions::fates(events, flags)) {
            let of_source = &mut self.sources[event.source];
            if !event.asked_for {
                of_source.filtered += 1;
                continue;
            }
            count(&mut self.unknown_fields, &event.unknown_fields);
            count(&mut self.coerced, &event.changed.coerced);
            count(&mut self.rounded, &event.changed.rounded);
            match fate {
                Fate::Latest => {
                    of_source.written += 1;
                    let key = (partition_of(event, flags), event.timestamp, event.event_id.as_str());
                    rows.insert(key, row_of(event));
                }
                Fate::Redelivered { by } | Fate::Corrected { by } => {
                    let is_redelivered = matches!(fate, Fate::Redelivered { .. });
                    self.redelivered += u64::from(is_redelivered);
                    self.corrected += u64::from(!is_redelivered);
                    of_source.superseded += 1;
                    self.superseded_rows.push(superseded_row(event, &events[by], is_redelivered, sources));
                    *self.superseded_in.entry(partition_of(event, flags)).or_default() += 1;
                }
            }
        }
        rows
    }

    /// What became of all lines.
    fn add_up(&mut self) {
        for of_source in &self.sources {
            self.lines += of_source.lines;
            self.blank += of_source.blank;
            self.filtered += of_source.filtered;
            self.superseded += of_source.superseded;
            self.written += of_source.written;
        }
    }
}

fn count<'n>(counts: &mut BTreeMap<String, u64>, names: impl IntoIterator<Item = &'n String>) {
    for name in names {
        *counts.entry(name.clone()).or_default() += 1;
    }
}

/// The built-in catalog.
fn built_in() -> Vec<EventType> {
    let field = |(name, kind): (&str, Kind)| {
        let (name, member) = (name.to_owned(), name.to_owned());
        Field { name, member, required: false, kind }
    };
    let account = |event_type: &str| {
        let fields = [
            ("id", Kind::Int32),
            ("old_status", Kind::String),
            ("new_status", Kind::String),
            ("reason", Kind::String),
        ];
        ("account".to_owned(), event_type.to_owned(), fields.map(field).into())
    };
    let transaction = |event_type: &str| {
        let amount = Kind::Decimal { precision: 10, scale: 2 };
        let fields = [("id", Kind::String), ("to", Kind::String), ("from", Kind::String), ("amount", amount)];
        ("transaction".to_owned(), event_type.to_owned(), fields.map(field).into())
    };
    let mut types: Vec<_> = ["account-open", "account-close", "status-change"].map(account).into();
    types.extend(["payment-to", "payment-from"].map(transaction));
    types
}

fn partition_of(event: &Event, flags: &Flags) -> String {
    let Event { timestamp: at, event_type, .. } = event;
    let mut parts = vec![
        ("year", format!("{:04}", at.year())),
        ("month", format!("{:02}", at.month())),
        ("day", format!("{:02}", at.day())),
    ];
    if flags.hourly {
        parts.push(("hour", format!("{:02}", at.hour())));
    }
    parts.push(("event_type", event_type.clone()));
    // Numbers in hive's own way: without leading zeros.
    let name = |(key, value): (&str, String)| match (flags.hive, value.parse::<u32>()) {
        (true, Ok(number)) => format!("{key}={number}"),
        (true, Err(_)) => format!("{key}={value}"),
        (false, _) => value,
    };
    parts.into_iter().map(name).collect::<Vec<_>>().join("/")
}

fn row_of(event: &Event) -> Row {
    let Event { event_id, timestamp, domain, event_type, payload, .. } = event;
    let timestamp = instant(timestamp.timestamp_micros());
    let mut row = vec![json_string(event_id), timestamp, json_string(domain), json_string(event_type)];
    row.extend(payload.iter().cloned());
    row
}

/// A superseded row, and the latest version of its event.
fn superseded_row(event: &Event, by: &Event, is_redelivered: bool, sources: &[Source]) -> Value {
    let place = |event: &Event| {
        let number = if event.is_element { "element" } else { "line" };
        let timestamp = instant(event.timestamp.timestamp_micros());
        json!({"timestamp": timestamp, "source": sources[event.source].0, number: event.number})
    };
    let mut row = place(event);
    row["domain"] = json!(event.domain);
    row["event_type"] = json!(event.event_type);
    row["event_id"] = json!(event.event_id.chars().take(200).collect::<String>());
    row["kind"] = json!(if is_redelivered { "redelivered" } else { "corrected" });
    row["by"] = place(by);
    row
}

fn days_without_events(flags: &Flags, days: impl Iterator<Item = NaiveDate>) -> Option<Vec<String>> {
    let days: Vec<_> = days.collect();
    match (flags.wanted.since, flags.wanted.until) {
        (None, None) => Some(Vec::new()),
        (Some(since), Some(until)) => {
            let asked_for = since.iter_days().take_while(|day| *day <= until);
            Some(asked_for.filter(|day| !days.contains(day)).map(|day| day.to_string()).collect())
        }
        _ => None,
    }
}
