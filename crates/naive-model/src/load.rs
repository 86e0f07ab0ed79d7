//! Sources and flags → what the target and the report must hold, if the target was empty before.
//!
//! Invariant: each line or element is counted once, as blank, filtered, bad, superseded or written.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use events_core::envelope::RecordsPath;
use serde_json::{Value, json};

use crate::{
    columns::EventType,
    event_types::built_in,
    framing::{self, Piece},
    judge::{Event, Verdict, Wanted, judge},
    records::records,
    value_text::{instant, json_string},
    versions::{self, Fate},
};

/// The flags that change what a load comes to.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--date`, `--since`, `--until`, `--domain`, `--event-type`.
    pub wanted: Wanted,
    /// "Latest" is decided within each day.
    pub by_day: bool,
    /// Directories are named as hive names them, and their names are no columns.
    pub hive: bool,
    /// The target is a database; not with `hive` or `tables`.
    pub database: bool,
    /// Each event type is a table, whose directories are a day, and an hour in it. Not with `hive`.
    pub tables: bool,
    /// Partitions are of an hour.
    pub hourly: bool,
    /// The payload is one struct column.
    pub nested: bool,
    /// By domain: the fields of the payload that decide which version is the latest, before the timestamp.
    pub versions: BTreeMap<String, Vec<String>>,
}

/// A file, or standard input: its name in the quarantine and its text.
pub type Source = (String, Vec<u8>);

/// The values of a row's columns, in their order.
pub type Row = Vec<String>;

/// Partition → its rows, in the order in which they stand.
pub type Rows = BTreeMap<String, Vec<Row>>;

/// A line of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadLine {
    /// The name of its source.
    pub source: String,
    /// The number of its line in the source, from 1.
    pub line: u64,
    /// Bytes of the source's text in front of it.
    pub offset: u64,
    /// Why it is bad.
    pub reason: String,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// What a load must come to: the counts have the names that the report gives them.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the report documents what its counts mean")]
pub struct Expected {
    pub lines: u64,
    pub blank: u64,
    pub filtered: u64,
    pub superseded: u64,
    pub redelivered: u64,
    pub corrected: u64,
    /// Each superseded row as the report names it, in input order.
    pub superseded_rows: Vec<Value>,
    pub written: u64,
    /// In the order of sources and lines.
    pub bad_lines: Vec<BadLine>,
    pub unknown_fields: BTreeMap<String, u64>,
    pub coerced: BTreeMap<String, u64>,
    pub rounded: BTreeMap<String, u64>,
    pub rows: Rows,
    pub sources: Vec<OfSource>,
    /// By partition: rows that fell into it and are superseded.
    pub superseded_in: BTreeMap<String, u64>,
    /// Days asked for that have no rows; known if both ends of the range are.
    pub days_without_events: Option<Vec<String>>,
}

/// What became of the lines of one source.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the report documents what its counts mean")]
pub struct OfSource {
    pub lines: u64,
    pub blank: u64,
    pub quarantined: u64,
    pub filtered: u64,
    pub superseded: u64,
    pub written: u64,
}

/// Loads `sources`, in the order in which they are read, as the built-in catalog says.
#[must_use]
pub fn load(sources: &[Source], flags: &Flags) -> Expected {
    let mut types = built_in();
    for (domain, _, fields) in &mut types {
        let names = flags.versions.get(domain).map_or(&[][..], Vec::as_slice);
        fields.iter_mut().filter(|field| names.contains(&field.name)).for_each(|field| field.required = true);
    }
    load_as(sources, flags, &types)
}

/// Loads `sources` as a catalog says that has these event types: the built-in ones, then what stands for all
/// other domains, then those of a user. Fields of a version are required.
#[must_use]
pub fn load_as(sources: &[Source], flags: &Flags, types: &[EventType]) -> Expected {
    let wanted = Wanted { hive: flags.hive, database: flags.database, ..flags.wanted.clone() };
    let mut expected = Expected::default();
    let mut events = Vec::new();
    for (index, (source, bytes)) in sources.iter().enumerate() {
        let pieces = framing::pieces(bytes).expect("the model knows no load that fails");
        let paths = wanted.envelope.as_ref().map_or(&[][..], |envelope| &envelope.records);
        let pieces: Vec<_> = pieces.into_iter().flat_map(|piece| records_of(bytes, piece, paths)).collect();
        let mut of_source = OfSource { lines: pieces.len() as u64, ..OfSource::default() };
        for (number, piece) in (1..).zip(pieces) {
            match judge(&piece, &wanted, types) {
                Verdict::Blank => of_source.blank += 1,
                Verdict::Filtered => of_source.filtered += 1,
                Verdict::Good(event) => {
                    events.push(Event { source: index, number, is_element: piece.is_element, ..*event });
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

/// The records of a line, element or document.
fn records_of<'t>(text: &'t [u8], piece: Piece<'t>, paths: &[RecordsPath]) -> Vec<Piece<'t>> {
    let is_blank = !piece.is_element && piece.raw.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    if is_blank || piece.out_of_place || paths.is_empty() {
        return vec![piece];
    }
    match records(text, &piece, paths) {
        Some(records) => records,
        // What may have several records is no line of the text, even if it is one itself.
        None => vec![Piece { is_element: true, ..piece }],
    }
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
                    rows.insert(key, row_of(event, flags));
                }
                Fate::Redelivered { by } | Fate::Corrected { by } => {
                    let is_redelivered = matches!(fate, Fate::Redelivered { .. });
                    self.redelivered += u64::from(is_redelivered);
                    self.corrected += u64::from(!is_redelivered);
                    of_source.superseded += 1;
                    self.superseded_rows.push(superseded_row(
                        event,
                        &events[by],
                        is_redelivered,
                        sources,
                        flags,
                    ));
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

fn partition_of(event: &Event, flags: &Flags) -> String {
    let Event { timestamp: at, directory, .. } = event;
    if flags.tables {
        let hour = if flags.hourly { format!("/hour={}", at.hour()) } else { String::new() };
        return format!("{directory}/day={}{hour}", at.format("%Y-%m-%d"));
    }
    if flags.database {
        let hour = if flags.hourly { format!("T{:02}", at.hour()) } else { String::new() };
        return format!("{directory}/{}{hour}", at.format("%Y-%m-%d"));
    }
    let mut parts = vec![
        ("year", format!("{:04}", at.year())),
        ("month", format!("{:02}", at.month())),
        ("day", format!("{:02}", at.day())),
    ];
    if flags.hourly {
        parts.push(("hour", format!("{:02}", at.hour())));
    }
    // Numbers in hive's own way: without leading zeros.
    let name = |(key, value): (&str, String)| match value.parse::<u32>() {
        Ok(number) if flags.hive => format!("{key}={number}"),
        _ => value,
    };
    let of_time = parts.into_iter().map(name);
    of_time.chain([directory.clone()]).collect::<Vec<_>>().join("/")
}

fn row_of(event: &Event, flags: &Flags) -> Row {
    let Event { event_id, timestamp, domain, event_type, payload, .. } = event;
    let timestamp = instant(timestamp.timestamp_micros());
    let mut row = vec![json_string(event_id), timestamp, json_string(domain)];
    // Readers of hive directories have it from there.
    row.extend((!flags.hive).then(|| json_string(event_type)));
    row.extend(payload.iter().cloned());
    row
}

/// A superseded row, and the latest version of its event.
fn superseded_row(
    event: &Event,
    by: &Event,
    is_redelivered: bool,
    sources: &[Source],
    flags: &Flags,
) -> Value {
    let place = |event: &Event| {
        let number = if event.is_element { "element" } else { "line" };
        let timestamp = instant(event.timestamp.timestamp_micros());
        let mut place =
            json!({"timestamp": timestamp, "source": sources[event.source].0, number: event.number});
        let version = versions::version(event, flags);
        if !version.is_empty() {
            let text = |text: String| text.chars().take(200).collect::<String>();
            let values: BTreeMap<_, _> =
                version.into_iter().map(|(name, value)| (name, text(value.text))).collect();
            place["version"] = json!(values);
        }
        place
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
