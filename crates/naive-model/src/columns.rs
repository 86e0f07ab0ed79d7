//! A payload → the values of its columns as text, or the reason why its line is bad; and the keys without a
//! column.

use std::collections::BTreeSet;

use crate::{
    json::{self, Json},
    value_text::{instant, json_string},
    values::{
        decimal, epoch, integer, is_cut, is_cut_as_epoch, is_rounded, is_rounded_as_float, number_token,
        timestamp,
    },
};

/// An event type: its domain, its name, the fields of its payload. The name `*` stands for all others of the
/// domain, and the domain `*` for all others.
pub type EventType = (String, String, Vec<Field>);

/// A field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// What it is called in its object's column.
    pub member: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "docs/catalog.md explains the types")]
pub enum Kind {
    String,
    Int32,
    Int64,
    Float64,
    Boolean,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    Timestamp,
    /// A number since 1970, of a unit with so many digits behind the point of a second.
    Epoch {
        digits: usize,
    },
    Json,
    List(Box<Kind>),
    Map(Box<Kind>),
    Object(Vec<Field>),
    /// Not a field but the payload, as JSON text; it is the only one.
    Payload,
}

/// Whether the payload is one column, its text.
#[must_use]
pub fn is_one_text(fields: &[Field]) -> bool {
    matches!(fields, [Field { kind: Kind::Payload, .. }])
}

/// What stands where an object should.
#[derive(Clone, Copy)]
enum Given<'j> {
    Object(&'j [(String, Json)]),
    Nothing,
    Other,
}

impl<'j> Given<'j> {
    fn of(value: Option<&'j Json>) -> Self {
        match value {
            Some(Json::Object(fields)) => Self::Object(fields),
            None | Some(Json::Null) => Self::Nothing,
            Some(_) => Self::Other,
        }
    }

    fn get(self, name: &str) -> Option<&'j Json> {
        if let Self::Object(fields) = self { json::get(fields, name) } else { None }
    }

    /// The object with this name in it; in what is no object there is none either.
    fn object(self, name: &str) -> Self {
        if let Self::Other = self { Self::Other } else { Self::of(self.get(name)) }
    }
}

/// The values of a payload's columns: one for each value or, if `nested`, one for all.
///
/// # Errors
/// The reason why the line is bad.
pub fn payload(fields: &[Field], data: Option<&Json>, nested: bool) -> Result<Vec<String>, &'static str> {
    if is_one_text(fields) {
        let text = match data {
            None | Some(Json::Null) => "{}".to_owned(),
            Some(data) => data.compact(),
        };
        return Ok(vec![json_string(&text)]);
    }
    if occurs_twice(fields, Given::of(data)) {
        return Err("duplicate_key");
    }
    let values = object(fields, Given::of(data))?;
    if !nested {
        return Ok(values);
    }
    Ok(vec![object_text(fields, Given::of(data), &mut values.into_iter())])
}

/// Whether a text that becomes a column, or is in one, has a U+0000: no text of a database can have it.
pub fn has_nul(fields: &[Field], data: Option<&Json>) -> bool {
    if is_one_text(fields) {
        return data.is_some_and(has_nul_anywhere);
    }
    let given = Given::of(data);
    fields.iter().any(|field| given.get(&field.name).is_some_and(|value| has_nul_in(&field.kind, value)))
}

fn has_nul_in(kind: &Kind, value: &Json) -> bool {
    match (kind, value) {
        // In the JSON text of what is no text it is an escape; only a column of JSON is read as JSON again.
        (Kind::String, Json::String(text)) => text.contains('\0'),
        (Kind::Json | Kind::Payload, value) => has_nul_anywhere(value),
        (Kind::List(element), Json::Array(items)) => items.iter().any(|item| has_nul_in(element, item)),
        (Kind::Map(inner), Json::Object(entries)) => {
            entries.iter().any(|(key, value)| key.contains('\0') || has_nul_in(inner, value))
        }
        (Kind::Object(fields), object) => has_nul(fields, Some(object)),
        _ => false,
    }
}

fn has_nul_anywhere(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul_anywhere),
        Json::Object(members) => {
            members.iter().any(|(key, value)| key.contains('\0') || has_nul_anywhere(value))
        }
        _ => false,
    }
}

/// What is left of an object's fields in a database, which keeps lists of lists, maps and objects, and the
/// payload itself if it is one value, as `jsonb`: there maps are ordered by the length of their keys, then by
/// their bytes, and −0.0 is 0.
#[must_use]
pub fn as_jsonb(fields: &[Field], data: &Json, nested: bool) -> Json {
    let Json::Object(members) = data else { return data.clone() };
    let member = |(key, value): &(String, Json)| {
        let field = fields.iter().find(|field| field.name == *key);
        let value = field.map_or_else(|| value.clone(), |field| value_as_jsonb(&field.kind, value, nested));
        (key.clone(), value)
    };
    Json::Object(members.iter().map(member).collect())
}

fn value_as_jsonb(kind: &Kind, value: &Json, within: bool) -> Json {
    let is_zero = |value: &Json| number_token(value).is_ok_and(|token| token.parse() == Ok(0.0));
    match (kind, value) {
        (Kind::Float64, value) if within && is_zero(value) => Json::Number("0".to_owned()),
        (Kind::List(element), Json::Array(items)) => {
            let within = within || matches!(**element, Kind::List(_) | Kind::Map(_) | Kind::Object(_));
            Json::Array(items.iter().map(|item| value_as_jsonb(element, item, within)).collect())
        }
        (Kind::Map(inner), Json::Object(entries)) => {
            let entry = |(key, value): &(String, Json)| (key.clone(), value_as_jsonb(inner, value, true));
            let mut entries: Vec<_> = entries.iter().map(entry).collect();
            entries.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
            Json::Object(entries)
        }
        // Members of an object of the flat payload are columns of their own.
        (Kind::Object(fields), object) => as_jsonb(fields, object, within),
        _ => value.clone(),
    }
}

/// Whether a field's key occurs twice, in the payload or in an object of it.
fn occurs_twice(fields: &[Field], given: Given<'_>) -> bool {
    let Given::Object(members) = given else { return false };
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    json::refuse_twice(members, &names).is_err()
        || fields.iter().any(|field| {
            json::get(members, &field.name).is_some_and(|value| occurs_twice_in(&field.kind, value))
        })
}

fn occurs_twice_in(kind: &Kind, value: &Json) -> bool {
    match (kind, value) {
        (Kind::Object(fields), _) => occurs_twice(fields, Given::of(Some(value))),
        (Kind::List(element), Json::Array(items)) => items.iter().any(|item| occurs_twice_in(element, item)),
        (Kind::Map(inner), Json::Object(entries)) => {
            let keys: BTreeSet<_> = entries.iter().map(|(key, _)| key).collect();
            keys.len() < entries.len() || entries.iter().any(|(_, value)| occurs_twice_in(inner, value))
        }
        _ => false,
    }
}

/// The values of an object's columns, in their order; or the reason of the first that is bad, missing objects
/// before others.
fn object(fields: &[Field], given: Given<'_>) -> Result<Vec<String>, &'static str> {
    if misses_object(fields, given) {
        return Err("type_mismatch");
    }
    let mut values = Vec::new();
    add_values(fields, given, &mut values)?;
    Ok(values)
}

/// Whether a required object is missing.
fn misses_object(fields: &[Field], given: Given<'_>) -> bool {
    fields.iter().any(|field| {
        let Kind::Object(inner) = &field.kind else { return false };
        let object = given.object(&field.name);
        let is_missing = field.required && matches!(object, Given::Nothing);
        is_missing || misses_object(inner, object)
    })
}

fn add_values(fields: &[Field], given: Given<'_>, values: &mut Vec<String>) -> Result<(), &'static str> {
    for field in fields {
        if let Kind::Object(inner) = &field.kind {
            add_values(inner, given.object(&field.name), values)?;
            continue;
        }
        values.push(match (given, given.get(&field.name)) {
            (Given::Other, _) => return Err("type_mismatch"),
            (_, None | Some(Json::Null)) if field.required => return Err("type_mismatch"),
            (_, value) => value_of(value, &field.kind)?,
        });
    }
    Ok(())
}

/// A value, an element of a list or a value of a map.
fn value_of(value: Option<&Json>, kind: &Kind) -> Result<String, &'static str> {
    let value = match value {
        None | Some(Json::Null) => return Ok("null".to_owned()),
        Some(value) => value,
    };
    let text = || value.text().ok_or("type_mismatch");
    let instant_of = |text| timestamp(text).ok_or("type_mismatch");
    match kind {
        // Numbers and booleans as their own text, objects and arrays as their JSON text.
        Kind::String => Ok(value.text().map_or_else(|| json_string(&value.compact()), json_string)),
        Kind::Json | Kind::Payload => Ok(json_string(&value.compact())),
        Kind::Int32 => integer(number_token(value)?, i32::MIN.into(), i32::MAX.into()),
        Kind::Int64 => integer(number_token(value)?, i64::MIN, i64::MAX),
        Kind::Float64 => match number_token(value)?.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(float.to_string()),
            _ => Err("out_of_range"),
        },
        Kind::Boolean => match value {
            Json::Bool(value) => Ok(value.to_string()),
            Json::String(text) if text == "true" || text == "false" => Ok(text.clone()),
            _ => Err("type_mismatch"),
        },
        Kind::Decimal { precision, scale } => {
            decimal(number_token(value)?, (*precision).into(), (*scale).into())
        }
        Kind::Date if text()?.len() == "2024-10-10".len() => {
            Ok(instant_of(text()?)?.date_naive().to_string())
        }
        Kind::Date => Err("type_mismatch"),
        Kind::Timestamp => Ok(instant(instant_of(text()?)?.timestamp_micros())),
        Kind::Epoch { digits } => Ok(instant(epoch(number_token(value)?, *digits)?)),
        Kind::List(element) => {
            let Json::Array(items) = value else { return Err("type_mismatch") };
            let texts: Vec<_> =
                items.iter().map(|item| value_of(Some(item), element)).collect::<Result<_, _>>()?;
            Ok(format!("[{}]", texts.join(", ")))
        }
        Kind::Map(inner) => {
            let Json::Object(entries) = value else { return Err("type_mismatch") };
            let text = |(key, value): &(String, Json)| {
                value_of(Some(value), inner).map(|value| format!("{} = {value}", json_string(key)))
            };
            let texts: Vec<_> = entries.iter().map(text).collect::<Result<_, _>>()?;
            Ok(format!("map({})", texts.join(", ")))
        }
        Kind::Object(fields) => {
            let Json::Object(_) = value else { return Err("type_mismatch") };
            let given = Given::of(Some(value));
            Ok(object_text(fields, given, &mut object(fields, given)?.into_iter()))
        }
    }
}

/// An object as one value; `values` are those of its columns.
fn object_text(fields: &[Field], given: Given<'_>, values: &mut dyn Iterator<Item = String>) -> String {
    let mut members = Vec::new();
    for field in fields {
        let value = match &field.kind {
            Kind::Object(inner) => object_text(inner, given.object(&field.name), values),
            _ => values.next().expect("a value for each column"),
        };
        members.push(format!("{}: {value}", field.member));
    }
    if let Given::Object(_) = given { format!("{{{}}}", members.join(", ")) } else { "null".to_owned() }
}

/// By path: what was changed to become a column's value.
#[derive(Debug, Default)]
pub struct Changed {
    /// Values of another JSON type than the column's.
    pub coerced: BTreeSet<String>,
    /// Values with more digits than the column keeps, or with others.
    pub rounded: BTreeSet<String>,
}

/// What was changed of a payload whose values all fit.
#[must_use]
pub fn changed(fields: &[Field], payload: &[(String, Json)]) -> Changed {
    changed_below(fields, payload, "data")
}

/// What was changed of an object at this path.
#[must_use]
pub fn changed_below(fields: &[Field], object: &[(String, Json)], path: &str) -> Changed {
    let mut changed = Changed::default();
    add_changed(fields, object, path, &mut changed);
    changed
}

fn add_changed(fields: &[Field], object: &[(String, Json)], path: &str, changed: &mut Changed) {
    for field in fields {
        if let Some(value) = json::get(object, &field.name) {
            add_changed_in(&field.kind, value, &below(path, &field.name), changed);
        }
    }
}

fn add_changed_in(kind: &Kind, value: &Json, path: &str, changed: &mut Changed) {
    let is_number = matches!(value, Json::Number(_));
    let (is_coerced, is_rounded) = match (kind, value) {
        (_, Json::Null) => return,
        (Kind::Object(fields), Json::Object(object)) => return add_changed(fields, object, path, changed),
        (Kind::List(element), Json::Array(items)) => {
            return items.iter().for_each(|item| add_changed_in(element, item, path, changed));
        }
        (Kind::Map(inner), Json::Object(entries)) => {
            return entries.iter().for_each(|(_, value)| add_changed_in(inner, value, path, changed));
        }
        (Kind::String, _) => (!matches!(value, Json::String(_)), false),
        (Kind::Int32 | Kind::Int64, _) => (!is_number, false),
        (Kind::Float64, _) => (!is_number, is_rounded_as_float(value)),
        (Kind::Boolean, _) => (!matches!(value, Json::Bool(_)), false),
        (Kind::Decimal { scale, .. }, _) => (!is_number, is_rounded(value, (*scale).into())),
        (Kind::Timestamp, _) => (false, value.text().is_some_and(is_cut)),
        (Kind::Epoch { digits }, _) => (!is_number, is_cut_as_epoch(value, *digits)),
        (Kind::Date | Kind::Json | Kind::List(_) | Kind::Map(_) | Kind::Object(_) | Kind::Payload, _) => {
            (false, false)
        }
    };
    changed.coerced.extend(is_coerced.then(|| path.to_owned()));
    changed.rounded.extend(is_rounded.then(|| path.to_owned()));
}

/// Adds the keys that are no field's, each with the path of its object.
pub fn unknown_keys<'j>(
    fields: &[Field],
    object: &'j [(String, Json)],
    path: &str,
    keys: &mut Vec<(String, &'j str)>,
) {
    for (key, value) in object {
        match fields.iter().find(|field| field.name == *key) {
            None => keys.push((path.to_owned(), key)),
            Some(field) => unknown_keys_in(&field.kind, value, &below(path, key), keys),
        }
    }
}

/// The path of a member.
fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The same for a value of this kind.
pub fn unknown_keys_in<'j>(kind: &Kind, value: &'j Json, path: &str, keys: &mut Vec<(String, &'j str)>) {
    match (kind, value) {
        (Kind::Object(fields), Json::Object(object)) => unknown_keys(fields, object, path, keys),
        (Kind::List(element), Json::Array(items)) => {
            for item in items {
                unknown_keys_in(element, item, path, keys);
            }
        }
        (Kind::Map(inner), Json::Object(entries)) => {
            for (_, value) in entries {
                unknown_keys_in(inner, value, path, keys);
            }
        }
        _ => {}
    }
}
