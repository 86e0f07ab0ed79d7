//! One line → what it is, told step by step: the first step that applies decides.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    columns::{self, Changed, EventType},
    framing::Piece,
    json::{self, Json},
    values,
};

/// The longest line, in bytes, without its newline.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Which events are asked for, and how their payloads are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) domains: Vec<String>,
    pub(crate) event_types: Vec<String>,
    /// First and last day asked for, where there is one.
    pub(crate) since: Option<NaiveDate>,
    pub(crate) until: Option<NaiveDate>,
    /// The payload is one value.
    pub(crate) nested: bool,
}

impl Wanted {
    fn asks_for_type(&self, domain: &str, event_type: &str) -> bool {
        let among = |names: &[String], name| names.is_empty() || names.iter().any(|known| known == name);
        among(&self.domains, domain) && among(&self.event_types, event_type)
    }

    fn asks_for_day(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// A good event.
#[expect(clippy::struct_field_names, reason = "the names that the contract gives them")]
#[allow(dead_code, reason = "who judges lines alone asks for no source")]
pub(crate) struct Event {
    /// Index of its source, where there are several.
    pub(crate) source: usize,
    /// Which of its source's lines or elements it is, from 1.
    pub(crate) number: u64,
    pub(crate) is_element: bool,
    pub(crate) event_id: String,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) domain: String,
    pub(crate) event_type: String,
    pub(crate) payload: Vec<String>,
    pub(crate) has_data: bool,
    /// By path, each once: columns that hold another kind of value than was given, or less of its digits.
    pub(crate) changed: Changed,
    /// Each once in an object, or in all objects of a list.
    pub(crate) unknown_fields: Vec<String>,
    pub(crate) asked_for: bool,
}

/// What a line is.
pub(crate) enum Verdict {
    Blank,
    Filtered,
    Bad(&'static str),
    Good(Event),
}

/// Judges a line, or an element.
pub(crate) fn judge(piece: &Piece<'_>, wanted: &Wanted, types: &[EventType]) -> Verdict {
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
    judge_event(fields, wanted, types).unwrap_or_else(Verdict::Bad)
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
    // A line of another day is filtered, whatever else is wrong with it; a good one can still be the latest version.
    let known = types.iter().find(|(of, name, _)| of == domain && name == event_type);
    match known.ok_or("unknown_event").and_then(|known| read_event(fields, timestamp, known, wanted)) {
        Ok(event) => Ok(Verdict::Good(Event { asked_for, ..event })),
        Err(_) if !asked_for => Ok(Verdict::Filtered),
        Err(reason) => Err(reason),
    }
}

fn read_event(
    fields: &[(String, Json)],
    timestamp: Option<DateTime<Utc>>,
    (domain, event_type, columns): &EventType,
    wanted: &Wanted,
) -> Result<Event, &'static str> {
    json::refuse_twice(fields, &["event_id", "data"])?;
    let event_id = match json::get(fields, "event_id") {
        None | Some(Json::Null) => return Err("missing_event_id"),
        Some(Json::String(event_id)) if event_id.is_empty() => return Err("missing_event_id"),
        Some(Json::String(event_id)) => event_id.clone(),
        Some(_) => return Err("not_an_event"),
    };
    let timestamp = timestamp.ok_or("bad_timestamp")?;
    let data = json::get(fields, "data");
    let payload: &[_] = match data {
        None | Some(Json::Null) => &[],
        Some(Json::Object(payload)) => payload,
        Some(_) => return Err("not_an_event"),
    };
    let base = ["event_id", "timestamp", "domain", "event_type", "data"];
    let mut unknown: Vec<_> = json::others(fields, &base).map(|key| (String::new(), key)).collect();
    columns::unknown_keys(columns, payload, "data", &mut unknown);
    unknown.sort();
    unknown.dedup();
    let mut changed = columns::changed(columns, payload);
    let time = json::get(fields, "timestamp").and_then(Json::text).unwrap_or_default();
    changed.rounded.extend(values::is_cut(time).then(|| "timestamp".to_owned()));
    let name =
        |(path, key): (String, &str)| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    Ok(Event {
        source: 0,
        number: 0,
        is_element: false,
        event_id,
        timestamp,
        domain: domain.clone(),
        event_type: event_type.clone(),
        payload: columns::payload(columns, data, wanted.nested)?,
        has_data: matches!(data, Some(Json::Object(_))),
        changed,
        unknown_fields: unknown.into_iter().map(name).collect(),
        asked_for: true,
    })
}
