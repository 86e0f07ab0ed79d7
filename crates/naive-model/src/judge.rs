//! One line → what it is, in steps: the first step that applies decides.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use events_core::envelope::Envelope;

use crate::{
    columns::{self, Changed, EventType, Field},
    envelope::judge_record,
    framing::Piece,
    json::{self, Json},
    values,
};

/// The longest line, in bytes, without its newline.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Which events are asked for, and how their payloads are kept.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// All if there are none.
    pub domains: Vec<String>,
    /// All if there are none.
    pub event_types: Vec<String>,
    /// The first day asked for, if there is one.
    pub since: Option<NaiveDate>,
    /// The last day asked for, if there is one.
    pub until: Option<NaiveDate>,
    /// The payload is one value.
    pub nested: bool,
    /// The envelope of the records, if it is not the base contract.
    pub envelope: Option<Envelope>,
    /// Directories are named as hive names them.
    pub hive: bool,
    /// The target is a database: its texts have no U+0000, its names at most 63 bytes, its ids 2,692.
    pub database: bool,
}

impl Wanted {
    pub(crate) fn asks_for_type(&self, domain: &str, event_type: &str) -> bool {
        let among = |names: &[String], name| names.is_empty() || names.iter().any(|known| known == name);
        among(&self.domains, domain) && among(&self.event_types, event_type)
    }

    pub(crate) fn asks_for_day(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// A good event.
#[derive(Debug)]
#[expect(missing_docs, reason = "most are what the contract calls them")]
pub struct Event {
    /// Index of its source; 0 for a line that is judged by itself.
    pub source: usize,
    /// Which of its source's lines or elements it is, from 1; 0 for a line that is judged by itself.
    pub number: u64,
    pub is_element: bool,
    pub event_id: String,
    pub timestamp: DateTime<Utc>,
    pub domain: String,
    pub event_type: String,
    /// The last part of its partition.
    pub directory: String,
    pub payload: Vec<String>,
    /// The payload as one value, in which an object without values is not null.
    pub as_one: Vec<String>,
    /// The values of the payload's columns, also where the payload is one column.
    pub values: Vec<String>,
    /// By path, each once: columns whose value was given as another type, or with more digits.
    pub changed: Changed,
    /// Each once in an object, or in all objects of a list.
    pub unknown_fields: Vec<String>,
    pub asked_for: bool,
}

/// What a line is.
#[derive(Debug)]
#[expect(missing_docs, reason = "the contract's own names; a bad line has its reason")]
pub enum Verdict {
    Blank,
    Filtered,
    Bad(&'static str),
    Good(Box<Event>),
}

/// Judges a line, or an element.
#[must_use]
pub fn judge(piece: &Piece<'_>, wanted: &Wanted, types: &[EventType]) -> Verdict {
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
    if let (Some(_), Json::Null) = (&wanted.envelope, &json) {
        return Verdict::Blank;
    }
    let Json::Object(fields) = &json else { return Verdict::Bad("not_an_event") };
    if piece.no_records {
        return Verdict::Bad("not_an_event");
    }
    let judged = match &wanted.envelope {
        Some(envelope) => judge_record(line, fields, wanted, envelope, types),
        None => judge_event(fields, wanted, types),
    };
    judged.unwrap_or_else(Verdict::Bad)
}

fn judge_event(
    fields: &[(String, Json)],
    wanted: &Wanted,
    types: &[EventType],
) -> Result<Verdict, &'static str> {
    json::refuse_twice(fields, &["domain", "event_type"])?;
    let domain = json::get(fields, "domain").and_then(Json::text).ok_or("not_an_event")?;
    let event_type = json::get(fields, "event_type").and_then(Json::text).ok_or("not_an_event")?;
    if !wanted.asks_for_type(domain, event_type) {
        return Ok(Verdict::Filtered);
    }
    json::refuse_twice(fields, &["timestamp"])?;
    let timestamp = json::get(fields, "timestamp").and_then(Json::text).ok_or("not_an_event")?;
    let timestamp = values::timestamp(timestamp);
    let asked_for = timestamp.is_none_or(|timestamp| wanted.asks_for_day(timestamp.date_naive()));
    // A line of another day is filtered, whatever else is wrong with it; a good one can still be the latest
    // version.
    let known = known_type(domain, event_type, types, wanted);
    let event = known.and_then(|known| read_event(fields, timestamp, &known, wanted));
    match event {
        Ok(event) => Ok(Verdict::Good(Box::new(Event { asked_for, ..event }))),
        Err(_) if !asked_for => Ok(Verdict::Filtered),
        Err(reason) => Err(reason),
    }
}

/// An event type that has a table.
pub(crate) struct KnownType<'t> {
    pub(crate) domain: String,
    pub(crate) event_type: String,
    /// The last part of its partitions.
    pub(crate) directory: String,
    pub(crate) fields: &'t [Field],
}

/// The event type of a line.
pub(crate) fn known_type<'t>(
    domain: &str,
    event_type: &str,
    types: &'t [EventType],
    wanted: &Wanted,
) -> Result<KnownType<'t>, &'static str> {
    let (fields, is_named) = type_of(domain, event_type, types).ok_or("unknown_event")?;
    let text = if is_named { event_type.to_owned() } else { format!("{domain}.{event_type}") };
    let directory = directory(&text, wanted.hive);
    let (domain, event_type) = (domain.to_owned(), event_type.to_owned());
    let known = KnownType { domain, event_type, directory, fields };
    if wanted.database && !is_named && text.contains('\0') {
        return Err("out_of_range");
    }
    let most = if wanted.database { 63 } else { 255 };
    if known.directory.len() <= most { Ok(known) } else { Err("unknown_event") }
}

/// The fields of an event type, and whether a catalog names it. What stands for all other domains is in front
/// of the types of the domains that are none of these; built-in ones are in front of it.
fn type_of<'t>(domain: &str, event_type: &str, types: &'t [EventType]) -> Option<(&'t [Field], bool)> {
    let find = |domain: &str, event_type: &str| {
        types
            .iter()
            .find(|(of, name, _)| of == domain && name == event_type)
            .map(|(_, _, fields)| &fields[..])
    };
    // A type that is really called `*` is one of the others.
    let named = if event_type == "*" { None } else { find(domain, event_type) };
    if let Some(fields) = named {
        return Some((fields, true));
    }
    let for_all = types.iter().position(|(of, _, _)| of == "*");
    let is_closed = for_all.is_some_and(|for_all| types[for_all..].iter().any(|(of, _, _)| of == domain));
    let others = find(domain, "*").or_else(|| if is_closed { None } else { find("*", "*") });
    others.map(|fields| (fields, false))
}

/// A name as a directory: letters, digits, `-`, `_` and `.` stay, but for the first of a plain directory.
fn directory(name: &str, hive: bool) -> String {
    let mut directory = if hive { "event_type=".to_owned() } else { String::new() };
    for (index, character) in name.chars().enumerate() {
        let is_first_of_plain = index == 0 && !hive;
        if character.is_alphanumeric() || "-_.".contains(character) && !is_first_of_plain {
            directory.push(character);
            continue;
        }
        for byte in character.to_string().bytes() {
            write!(directory, "{}{byte:02X}", if hive { '%' } else { '~' }).unwrap();
        }
    }
    directory
}

/// Refuses an id that a database can't hold.
pub(crate) fn check_id(id: &str, wanted: &Wanted) -> Result<(), &'static str> {
    if wanted.database && (id.len() > 2_692 || id.contains('\0')) { Err("out_of_range") } else { Ok(()) }
}

fn read_event(
    fields: &[(String, Json)],
    timestamp: Option<DateTime<Utc>>,
    KnownType { domain, event_type, directory, fields: columns }: &KnownType<'_>,
    wanted: &Wanted,
) -> Result<Event, &'static str> {
    json::refuse_twice(fields, &["event_id", "data"])?;
    let event_id = match json::get(fields, "event_id") {
        None | Some(Json::Null) => return Err("missing_event_id"),
        Some(Json::String(event_id)) if event_id.is_empty() => return Err("missing_event_id"),
        Some(Json::String(event_id)) => event_id.clone(),
        Some(_) => return Err("not_an_event"),
    };
    check_id(&event_id, wanted)?;
    let timestamp = timestamp.ok_or("bad_timestamp")?;
    let data = json::get(fields, "data");
    let payload: &[_] = match data {
        None | Some(Json::Null) => &[],
        Some(Json::Object(payload)) => payload,
        Some(_) if columns::is_one_text(columns) => &[],
        Some(_) => return Err("not_an_event"),
    };
    let base = ["event_id", "timestamp", "domain", "event_type", "data"];
    let mut unknown: Vec<_> = json::others(fields, &base).map(|key| (String::new(), key)).collect();
    if !columns::is_one_text(columns) {
        columns::unknown_keys(columns, payload, "data", &mut unknown);
    }
    unknown.sort();
    unknown.dedup();
    let mut changed = columns::changed(columns, payload);
    let time = json::get(fields, "timestamp").and_then(Json::text).unwrap_or_default();
    changed.rounded.extend(values::is_cut(time).then(|| "timestamp".to_owned()));
    let name =
        |(path, key): (String, &str)| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    let held = data.filter(|_| wanted.database).map(|data| columns::as_jsonb(columns, data, wanted.nested));
    let held = held.as_ref().or(data);
    columns::payload(columns, data, wanted.nested)?;
    let payload = columns::payload(columns, held, wanted.nested)?;
    if wanted.database && columns::has_nul(columns, data) {
        return Err("out_of_range");
    }
    Ok(Event {
        source: 0,
        number: 0,
        is_element: false,
        event_id,
        timestamp,
        domain: domain.clone(),
        event_type: event_type.clone(),
        directory: directory.clone(),
        payload,
        as_one: columns::payload(columns, held, true)?,
        values: columns::payload(columns, held, false)?,
        changed,
        unknown_fields: unknown.into_iter().map(name).collect(),
        asked_for: true,
    })
}
