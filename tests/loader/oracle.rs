//! What a load must come to: the contract, told again by a naive model that shares no code with the loader.
//!
//! Sources in, what the target and the report must hold out. Their text is cut into lines or elements (`framing`), which
//! are much the same from there on. A line becomes a tree of JSON values that keeps what the
//! contract speaks of (`json`), is judged step by step, and the latest version of each event is found with a map.
//! Values are read from text in `values`. Slow, short, and to be read next to CONTRACT.md sections 5 to 7.

mod framing;
mod json;
mod values;
mod versions;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::readback::{BadLine, Row, Rows, instant, json_string};
use framing::Piece;
use json::Json;
use values::Kind;
use versions::Fate;

/// The longest line, in bytes, without its newline.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The flags that change what a load comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    pub(crate) domains: Vec<String>,
    pub(crate) event_types: Vec<String>,
    /// First and last day asked for, where there is one.
    pub(crate) since: Option<NaiveDate>,
    pub(crate) until: Option<NaiveDate>,
    /// "Latest" is decided within each day.
    pub(crate) by_day: bool,
    pub(crate) hive: bool,
    pub(crate) hourly: bool,
    /// The payload is one struct column.
    pub(crate) nested: bool,
}

impl Flags {
    fn asks_for_type(&self, domain: &str, event_type: &str) -> bool {
        let among = |names: &[String], name| names.is_empty() || names.iter().any(|known| known == name);
        among(&self.domains, domain) && among(&self.event_types, event_type)
    }

    fn asks_for_day(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day <= until)
    }
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

/// A good event.
#[expect(clippy::struct_field_names, reason = "the names that the contract gives them")]
struct Event {
    /// Index of its source.
    source: usize,
    event_id: String,
    timestamp: DateTime<Utc>,
    domain: String,
    event_type: String,
    payload: Vec<String>,
    has_data: bool,
    unknown_fields: Vec<String>,
    coerced: Vec<String>,
    rounded: Vec<String>,
    asked_for: bool,
}

enum Verdict {
    Blank,
    Filtered,
    Bad(&'static str),
    Good(Event),
}

/// Loads `sources`, in the order in which they are read.
pub(crate) fn load(sources: &[Source], flags: &Flags) -> Expected {
    let mut expected = Expected::default();
    let mut events = Vec::new();
    for (index, (source, bytes)) in sources.iter().enumerate() {
        let pieces = framing::pieces(bytes).expect("the model knows no load that fails");
        let mut of_source = OfSource { lines: pieces.len() as u64, ..OfSource::default() };
        for piece in pieces {
            match judge(&piece, flags) {
                Verdict::Blank => of_source.blank += 1,
                Verdict::Filtered => of_source.filtered += 1,
                Verdict::Good(event) => events.push(Event { source: index, ..event }),
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
    let rows = expected.count_events(&events, flags);
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
    fn count_events<'e>(&mut self, events: &'e [Event], flags: &Flags) -> BTreeMap<RowKey<'e>, Row> {
        let mut rows = BTreeMap::new();
        for (event, fate) in events.iter().zip(versions::fates(events, flags)) {
            let of_source = &mut self.sources[event.source];
            if !event.asked_for {
                of_source.filtered += 1;
                continue;
            }
            for (counts, names) in [
                (&mut self.unknown_fields, &event.unknown_fields),
                (&mut self.coerced, &event.coerced),
                (&mut self.rounded, &event.rounded),
            ] {
                for name in names {
                    *counts.entry(name.clone()).or_default() += 1;
                }
            }
            match fate {
                Fate::Latest => {
                    of_source.written += 1;
                    let key = (partition_of(event, flags), event.timestamp, event.event_id.as_str());
                    rows.insert(key, row_of(event));
                }
                Fate::Redelivered { .. } | Fate::Corrected { .. } => {
                    let is_redelivered = matches!(fate, Fate::Redelivered { .. });
                    self.redelivered += u64::from(is_redelivered);
                    self.corrected += u64::from(!is_redelivered);
                    of_source.superseded += 1;
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

/// One line → what it is; the steps in the order in which the first that applies decides.
fn judge(piece: &Piece<'_>, flags: &Flags) -> Verdict {
    let raw = piece.raw;
    let line = if piece.offset == 0 { raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw) } else { raw };
    if !piece.is_element && line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return Verdict::Blank;
    }
    if raw.len() > LINE_BYTES_MAX {
        return Verdict::Bad("line_too_long");
    }
    if piece.out_of_place {
        return Verdict::Bad("malformed_json");
    }
    let Ok(line) = std::str::from_utf8(line) else { return Verdict::Bad("invalid_utf8") };
    let Some(json) = json::read(line) else { return Verdict::Bad("malformed_json") };
    let Json::Object(fields) = &json else { return Verdict::Bad("not_an_event") };
    match judge_event(fields, flags) {
        Ok(verdict) => verdict,
        Err(reason) => Verdict::Bad(reason),
    }
}

fn judge_event(fields: &[(String, Json)], flags: &Flags) -> Result<Verdict, &'static str> {
    json::refuse_twice(fields, &["domain", "event_type"])?;
    let domain = json::get(fields, "domain").and_then(Json::text).ok_or("not_an_event")?;
    let event_type = json::get(fields, "event_type").and_then(Json::text).ok_or("not_an_event")?;
    if !flags.asks_for_type(domain, event_type) {
        return Ok(Verdict::Filtered);
    }
    json::refuse_twice(fields, &["timestamp"])?;
    let timestamp = json::get(fields, "timestamp").and_then(Json::text).ok_or("not_an_event")?;
    let timestamp = values::timestamp(timestamp);
    let asked_for = timestamp.is_none_or(|timestamp| flags.asks_for_day(timestamp.date_naive()));
    // A line of another day is filtered, whatever else is wrong with it; a good one can still be the latest version.
    match read_event(fields, timestamp, domain, event_type) {
        Ok(event) => Ok(Verdict::Good(Event { asked_for, ..event })),
        Err(_) if !asked_for => Ok(Verdict::Filtered),
        Err(reason) => Err(reason),
    }
}

fn read_event(
    fields: &[(String, Json)],
    timestamp: Option<DateTime<Utc>>,
    domain: &str,
    event_type: &str,
) -> Result<Event, &'static str> {
    let columns = columns_of(domain, event_type).ok_or("unknown_event")?;
    json::refuse_twice(fields, &["event_id", "data"])?;
    let event_id = match json::get(fields, "event_id") {
        None | Some(Json::Null) => return Err("missing_event_id"),
        Some(Json::String(event_id)) if event_id.is_empty() => return Err("missing_event_id"),
        Some(Json::String(event_id)) => event_id.clone(),
        Some(_) => return Err("not_an_event"),
    };
    let timestamp = timestamp.ok_or("bad_timestamp")?;
    let payload = match json::get(fields, "data") {
        None | Some(Json::Null) => &[],
        Some(Json::Object(payload)) => payload.as_slice(),
        Some(_) => return Err("not_an_event"),
    };
    let of_columns = |is: fn(Option<&Json>, Kind) -> bool| -> Vec<String> {
        let changed = columns.iter().filter(|(name, kind)| is(json::get(payload, name), *kind));
        changed.map(|(name, _)| format!("data.{name}")).collect()
    };
    let mut rounded = of_columns(values::is_rounded);
    let time = json::get(fields, "timestamp").and_then(Json::text).unwrap_or_default();
    rounded.extend(values::is_cut(time).then(|| "timestamp".to_owned()));
    let names = columns.map(|(name, _)| name);
    json::refuse_twice(payload, &names)?;
    let values: Result<Vec<_>, _> =
        columns.iter().map(|(name, kind)| values::column(json::get(payload, name), *kind)).collect();
    let base = ["event_id", "timestamp", "domain", "event_type", "data"];
    let mut unknown_fields: Vec<String> = json::others(fields, &base).map(str::to_owned).collect();
    unknown_fields.extend(json::others(payload, &names).map(|name| format!("data.{name}")));
    unknown_fields.sort();
    unknown_fields.dedup();
    Ok(Event {
        source: 0,
        event_id,
        timestamp,
        domain: domain.to_owned(),
        event_type: event_type.to_owned(),
        payload: values?,
        has_data: matches!(json::get(fields, "data"), Some(Json::Object(_))),
        unknown_fields,
        coerced: of_columns(values::is_coerced),
        rounded,
        asked_for: true,
    })
}

/// The built-in catalog.
fn columns_of(domain: &str, event_type: &str) -> Option<[(&'static str, Kind); 4]> {
    match (domain, event_type) {
        ("account", "account-open" | "account-close" | "status-change") => Some([
            ("id", Kind::Int32),
            ("old_status", Kind::String),
            ("new_status", Kind::String),
            ("reason", Kind::String),
        ]),
        ("transaction", "payment-to" | "payment-from") => Some([
            ("id", Kind::String),
            ("to", Kind::String),
            ("from", Kind::String),
            ("amount", Kind::Decimal10_2),
        ]),
        _ => None,
    }
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
    match (flags.since, flags.until) {
        (None, None) => Some(Vec::new()),
        (Some(since), Some(until)) => {
            let asked_for = since.iter_days().take_while(|day| *day <= until);
            Some(asked_for.filter(|day| !days.contains(day)).map(|day| day.to_string()).collect())
        }
        _ => None,
    }
}
