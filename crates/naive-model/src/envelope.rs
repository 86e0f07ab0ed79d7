//! A record of an envelope → an event, in the steps of the contract.
//!
//! The payload and the envelope's fields are judged as one object: the fields first, then the payload under a
//! name that no key has.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Utc};
use events_core::{
    envelope::{Data, Envelope, EventId, Path, Piece, Template, Time},
    timestamp::EpochUnit,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    columns::{self, EventType, Field, Kind},
    event_types,
    json::{self, Json},
    judge::{Event, KnownType, Verdict, Wanted, check_id, known_type},
    value_text::json_string,
    values,
};

/// The keys of an object, with their values.
type Members = [(String, Json)];
/// The path of the payload, and the payload.
type Payload = (String, Option<Json>);

/// Where the payload is among the fields.
const PAYLOAD: &str = "\0payload";

/// Why a template has no text.
enum NoText {
    Missing,
    Other,
}

/// Judges a record whose text is `line`.
///
/// # Errors
/// The reason why it is bad.
pub(crate) fn judge_record(
    line: &str,
    record: &Members,
    wanted: &Wanted,
    envelope: &Envelope,
    types: &[EventType],
) -> Result<Verdict, &'static str> {
    refuse_twice(record, &[&envelope.domain, &envelope.event_type])?;
    let domain = text(record, &envelope.domain).map_err(|_| "not_an_event")?;
    let event_type = text(record, &envelope.event_type).map_err(|_| "not_an_event")?;
    if !wanted.asks_for_type(&domain, &event_type) {
        return Ok(Verdict::Filtered);
    }
    refuse_twice(record, &[&envelope.timestamp.from])?;
    let (timestamp, is_cut) = time(record, &envelope.timestamp)?;
    let asked_for = timestamp.is_none_or(|timestamp| wanted.asks_for_day(timestamp.date_naive()));
    let known = known_type(&domain, &event_type, types, wanted);
    let reader = Reader { line, record, envelope, wanted };
    match known.and_then(|known| reader.event(timestamp, is_cut, &known)) {
        Ok(event) => Ok(Verdict::Good(Box::new(Event { asked_for, ..event }))),
        Err(_) if !asked_for => Ok(Verdict::Filtered),
        Err(reason) => Err(reason),
    }
}

struct Reader<'r> {
    line: &'r str,
    record: &'r Members,
    envelope: &'r Envelope,
    wanted: &'r Wanted,
}

impl Reader<'_> {
    fn event(
        &self,
        timestamp: Option<DateTime<Utc>>,
        is_cut: bool,
        KnownType { domain, event_type, directory, fields: payload_fields }: &KnownType<'_>,
    ) -> Result<Event, &'static str> {
        let Self { record, envelope, .. } = *self;
        self.refuse_repeated()?;
        let event_id = self.id()?;
        check_id(&event_id, self.wanted)?;
        let timestamp = timestamp.ok_or("bad_timestamp")?;
        let is_text = columns::is_one_text(payload_fields);
        let (root, data) = self.payload(is_text)?;
        let data = if is_text { Some(data.unwrap_or(Json::Object(Vec::new()))) } else { data };
        let payload_fields = if is_text { &[][..] } else { payload_fields };
        let own = event_types::fields(&envelope.fields);
        let mut members: Vec<_> =
            record.iter().filter(|(key, _)| own.iter().any(|field| field.name == *key)).cloned().collect();
        members.extend(data.clone().map(|data| (PAYLOAD.to_owned(), data)));
        let all = Json::Object(members);
        let of_payload = Field {
            name: PAYLOAD.to_owned(),
            member: PAYLOAD.to_owned(),
            required: false,
            kind: if is_text { Kind::Json } else { Kind::Object(payload_fields.to_vec()) },
        };
        let fields: Vec<_> = own.clone().into_iter().chain([of_payload]).collect();
        let held = if self.wanted.database { columns::as_jsonb(&fields, &all, false) } else { all.clone() };
        columns::payload(&fields, Some(&all), false)?;
        let values = columns::payload(&fields, Some(&held), false)?;
        let as_one = columns::payload(&fields, Some(&held), true)?;
        if self.wanted.database && columns::has_nul(&fields, Some(&all)) {
            return Err("out_of_range");
        }
        let payload = if let Some(Json::Object(payload)) = data { payload } else { Vec::new() };
        let mut changed = columns::changed_below(&own, record, "");
        let below = columns::changed_below(payload_fields, &payload, &root);
        changed.coerced.extend(below.coerced);
        changed.rounded.extend(below.rounded);
        changed.rounded.extend(is_cut.then(|| "timestamp".to_owned()));
        let mut unknown = Vec::new();
        for (key, value) in record {
            if let Some(field) = own.iter().find(|field| field.name == *key) {
                columns::unknown_keys_in(&field.kind, value, key, &mut unknown);
            }
        }
        if !is_text {
            columns::unknown_keys(payload_fields, &payload, &root, &mut unknown);
        }
        let mut names: BTreeSet<_> = unknown.iter().map(|(path, key)| joined(path, key)).collect();
        if let Data::At(_) = envelope.data {
            self.add_unread(record, &[], &mut names);
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
            payload: values.clone(),
            values,
            as_one,
            changed,
            unknown_fields: names.into_iter().collect(),
            asked_for: true,
        })
    }

    /// Keys that make the id, the payload or a column must not occur twice.
    fn refuse_repeated(&self) -> Result<(), &'static str> {
        let Self { record, envelope, .. } = *self;
        match &envelope.event_id {
            EventId::Text(template) => refuse_twice(record, &[template])?,
            EventId::Key(parts) => refuse_twice(record, &parts.iter().collect::<Vec<_>>())?,
            EventId::Hash => {}
        }
        if let Data::At(paths) = &envelope.data {
            paths.iter().try_for_each(|path| refuse_path_twice(record, &path.keys))?;
        }
        let names: Vec<_> = envelope.fields.iter().map(|field| field.name.as_str()).collect();
        json::refuse_twice(record, &names)
    }

    fn id(&self) -> Result<String, &'static str> {
        let reason = |why: NoText| match why {
            NoText::Missing => "missing_event_id",
            NoText::Other => "not_an_event",
        };
        match &self.envelope.event_id {
            EventId::Text(template) => match text(self.record, template).map_err(reason)? {
                id if id.is_empty() => Err("missing_event_id"),
                id => Ok(id),
            },
            EventId::Key(parts) => {
                let part = |part| text(self.record, part).map(|part| json_string(&part)).map_err(reason);
                let parts: Vec<_> = parts.iter().map(part).collect::<Result<_, _>>()?;
                Ok(format!("[{}]", parts.join(",")))
            }
            EventId::Hash => Ok(hash_id(self.line)),
        }
    }

    /// The payload, and the path that its paths begin with.
    fn payload(&self, may_be_any: bool) -> Result<Payload, &'static str> {
        let Self { record, envelope, .. } = *self;
        let Data::At(paths) = &envelope.data else {
            let taken = self.taken();
            let rest = record.iter().filter(|(key, _)| !taken.contains(&key.as_str())).cloned().collect();
            return Ok((String::new(), Some(Json::Object(rest))));
        };
        let root = paths.iter().map(Path::to_string).collect::<Vec<_>>().join("|");
        match paths.iter().find_map(|path| value_at(record, &path.keys)) {
            None => Ok((root, None)),
            Some(data) if may_be_any || matches!(data, Json::Object(_)) => Ok((root, Some(data.clone()))),
            Some(_) => Err("not_an_event"),
        }
    }

    /// The keys of the record that are taken whole: those of columns, and those that a template is made of.
    fn taken(&self) -> Vec<&str> {
        let Self { record, envelope, .. } = *self;
        let mut taken: Vec<_> = envelope.fields.iter().map(|field| field.name.as_str()).collect();
        let of_id = match &envelope.event_id {
            EventId::Text(template) => std::slice::from_ref(template),
            EventId::Key(parts) => parts,
            EventId::Hash => &[],
        };
        let templates = [&envelope.domain, &envelope.event_type, &envelope.timestamp.from];
        for piece in templates.into_iter().chain(of_id).flat_map(|template| &template.pieces) {
            let Piece::Paths(paths) = piece else { continue };
            let used = paths.iter().find(|path| value_at(record, &path.keys).is_some());
            taken.extend(
                used.and_then(|path| path.keys.first().filter(|_| path.keys.len() == 1)).map(String::as_str),
            );
        }
        taken
    }

    /// Adds the keys that nothing reads, of the record and of the objects on the way to what is read.
    fn add_unread(&self, object: &Members, way: &[String], names: &mut BTreeSet<String>) {
        let own: Vec<_> = self.envelope.fields.iter().map(|field| vec![field.name.clone()]).collect();
        let read: Vec<_> =
            self.envelope.paths().into_iter().map(|path| path.keys.clone()).chain(own.clone()).collect();
        let Data::At(data) = &self.envelope.data else { return };
        let is_covered =
            |path: &Vec<String>| own.contains(path) || data.iter().any(|data| data.keys == *path);
        let mut seen = BTreeSet::new();
        for (key, value) in object {
            let path: Vec<_> = way.iter().chain([key]).cloned().collect();
            if !read.iter().any(|read| read.starts_with(&path)) {
                names.insert(path.join("."));
            } else if let Json::Object(inner) = value
                && seen.insert(key)
                && !is_covered(&path)
                && read.iter().any(|read| read.starts_with(&path) && read.len() > path.len())
            {
                self.add_unread(inner, &path, names);
            }
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Refuses keys on the way to what the templates are made of, if they occur twice.
fn refuse_twice(record: &Members, templates: &[&Template]) -> Result<(), &'static str> {
    let mut paths = templates.iter().flat_map(|template| template.paths());
    paths.try_for_each(|path| refuse_path_twice(record, &path.keys))
}

fn refuse_path_twice(object: &Members, keys: &[String]) -> Result<(), &'static str> {
    let Some((key, rest)) = keys.split_first() else { return Ok(()) };
    json::refuse_twice(object, &[key])?;
    match json::get(object, key) {
        Some(Json::Object(inner)) => refuse_path_twice(inner, rest),
        _ => Ok(()),
    }
}

/// The value at a path, unless it is null.
fn value_at<'j>(object: &'j Members, keys: &[String]) -> Option<&'j Json> {
    let (key, rest) = keys.split_first()?;
    match (json::get(object, key)?, rest) {
        (Json::Null, _) => None,
        (value, []) => Some(value),
        (Json::Object(inner), _) => value_at(inner, rest),
        _ => None,
    }
}

fn text(record: &Members, template: &Template) -> Result<String, NoText> {
    let mut text = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Paths(paths) => {
                let value = paths.iter().find_map(|path| value_at(record, &path.keys));
                match value.ok_or(NoText::Missing)? {
                    Json::String(characters) => text.push_str(characters),
                    Json::Number(token) if !token.contains(['.', 'e', 'E']) => text.push_str(token),
                    _ => return Err(NoText::Other),
                }
            }
        }
    }
    Ok(text)
}

/// The instant, if it is one, and whether it has more digits than microseconds.
fn time(record: &Members, time: &Time) -> Result<(Option<DateTime<Utc>>, bool), &'static str> {
    let Some(unit) = time.unit else {
        let text = text(record, &time.from).map_err(|_| "not_an_event")?;
        return Ok((values::timestamp(&text), values::is_cut(&text)));
    };
    let lone = match time.from.pieces.as_slice() {
        [Piece::Paths(paths)] => paths.iter().find_map(|path| value_at(record, &path.keys)),
        _ => None,
    };
    let value = match lone {
        Some(Json::Number(token)) => Json::Number(token.clone()),
        _ => Json::String(text(record, &time.from).map_err(|_| "not_an_event")?),
    };
    let digits = match unit {
        EpochUnit::Seconds => 0,
        EpochUnit::Milliseconds => 3,
        EpochUnit::Microseconds => 6,
        EpochUnit::Nanoseconds => 9,
    };
    let micros = values::number_token(&value).ok().and_then(|token| values::epoch(token, digits).ok());
    let instant = micros.and_then(DateTime::from_timestamp_micros);
    let instant = instant.filter(|instant| (1..=9999).contains(&instant.year()));
    Ok((instant, values::is_cut_as_epoch(&value, digits)))
}

/// The record's text without white space, hashed, in the form of a UUID.
fn hash_id(line: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    for character in line.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character == '"' {
            in_string = true;
        } else if " \t\r\n".contains(character) {
            continue;
        }
        text.push(character);
    }
    let digits = format!("{:032x}", xxh3_128(text.as_bytes()));
    let variant = u8::from_str_radix(&digits[16..17], 16).unwrap() & 3 | 8;
    let (a, b, c) = (&digits[..8], &digits[8..12], &digits[13..16]);
    format!("{a}-{b}-8{c}-{variant:x}{}-{}", &digits[17..20], &digits[20..])
}
