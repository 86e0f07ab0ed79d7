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

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::readback::{BadLine, Row, Rows, instant, json_string};
use columns::{EventType, Field, Kind};
pub(crate) use judge::Wanted;
use judge::{Event, Verdict, judge};

/// The flags that change what a load comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) wanted: Wanted,
    /// "Latest" is decided within each day.
    pub(crate) by_day: bool,
    pub(crate) hive: bool,
    pub(crate) hourly: bool,
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
    pub(crate) written: u64,
    pub(crate) bad_lines: Vec<BadLine>,
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    pub(crate) rows: Rows,
    pub(crate) lines_of_sources: Vec<u64>,
    /// Days asked for that have no rows; known where both ends of the range are.
    pub(crate) days_without_events: Option<Vec<String>>,
}

/// Loads `sources`, in the order in which they are read.
pub(crate) fn load(sources: &[Source], flags: &Flags) -> Expected {
    let types = built_in();
    let mut expected = Expected::default();
    let mut events = Vec::new();
    for (source, bytes) in sources {
        let pieces = framing::pieces(bytes).expect("the model knows no load that fails");
        expected.lines += pieces.len() as u64;
        expected.lines_of_sources.push(pieces.len() as u64);
        for piece in pieces {
            match judge(&piece, &flags.wanted, &types) {
                Verdict::Blank => expected.blank += 1,
                Verdict::Filtered => expected.filtered += 1,
                Verdict::Good(event) => events.push(event),
                Verdict::Bad(reason) => expected.bad_lines.push(BadLine {
                    source: source.clone(),
                    line: piece.line,
                    offset: piece.offset as u64,
                    reason: reason.to_owned(),
                    raw: piece.raw.to_vec(),
                }),
            }
        }
    }
    expected.bad_lines.sort();
    let latest = latest_of(&events, flags);
    let mut rows = BTreeMap::new();
    for (position, event) in events.iter().enumerate() {
        if !event.asked_for {
            expected.filtered += 1;
            continue;
        }
        for name in &event.unknown_fields {
            *expected.unknown_fields.entry(name.clone()).or_default() += 1;
        }
        if latest[&version_key(event, flags)].1 == position {
            expected.written += 1;
            rows.insert((partition_of(event, flags), event.timestamp, &event.event_id), row_of(event));
        } else {
            expected.superseded += 1;
        }
    }
    expected.days_without_events =
        days_without_events(flags, rows.keys().map(|(_, timestamp, _)| timestamp.date_naive()));
    for ((partition, ..), row) in rows {
        expected.rows.entry(partition).or_default().push(row);
    }
    expected
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

/// What versions of one event have in common: event type, id, and the day where "latest" is a matter of each day.
type VersionKey<'a> = (&'a str, &'a str, Option<NaiveDate>);

fn version_key<'a>(event: &'a Event, flags: &Flags) -> VersionKey<'a> {
    (&event.event_type, &event.event_id, flags.by_day.then(|| event.timestamp.date_naive()))
}

/// The latest version of each event: its timestamp and position in the input; of equal timestamps, the later in the input.
fn latest_of<'a>(events: &'a [Event], flags: &Flags) -> BTreeMap<VersionKey<'a>, (DateTime<Utc>, usize)> {
    let mut latest = BTreeMap::new();
    for (position, event) in events.iter().enumerate() {
        let version = (event.timestamp, position);
        let best = latest.entry(version_key(event, flags)).or_insert(version);
        *best = version.max(*best);
    }
    latest
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
