//! The template of a record, read as JSON → the catalog of its types, and the values of their rows.
//!
//! A value's type follows from its form: a text is a `string`, a whole number an `int64`, a list `json`. The
//! columns are in the order in which `serde_json` gives the keys, that of their names.
//!
//! Invariant: catalog and rows are made from the same value, so their columns agree.

use std::{collections::BTreeSet, fmt::Write};

use events_core::catalog::Field;
use serde_json::Value;

use super::{
    Dress,
    presets::{Domain, Preset},
    template::Template,
};
use crate::{
    config::WorldName,
    worlds::table::{Table, append_toml, toml_fields, toml_object},
};

/// The value that stands for the world's own payload.
const PAYLOAD: &str = "$data";

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Text(Template),
    /// All columns of the world's own payload.
    Payload,
}

impl Cell {
    pub(super) fn of_field(value: Option<&Value>) -> Self {
        Self::of(value.unwrap_or(&Value::Null))
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::String(text) if text == PAYLOAD => Self::Payload,
            Value::String(text) => Self::Text(Template::new(&text.replace("$quoted", "$line"))),
            // As it is written, without white space.
            other => Self::Text(Template::new(&other.to_string())),
        }
    }
}

/// The record of a template; its placeholders are texts, as `"$data"` for `$data`.
pub(super) fn record(template: &str) -> Value {
    let mut parts = template.split(": $");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        write!(text, ": \"${name}\"{rest}").expect("writing to memory cannot fail");
    }
    serde_json::from_str(&text).expect("a test reads the record of each envelope")
}

/// The domain and the type of a record.
pub(super) fn names(preset: &Preset, record: &Value, table: &Table) -> (String, String) {
    let (domain, name) = (&table.domain, &table.event_type);
    let text = |place| {
        let text = record.pointer(place).and_then(Value::as_str).unwrap_or_default();
        text.replace("$domain", domain).replace("$type", name)
    };
    let domain = match preset.domain {
        Domain::Constant(domain) => domain.to_owned(),
        Domain::At(place) => text(place),
    };
    (domain, text(preset.event_type))
}

/// The template of the id that a loader stores; `None` if it is a hash.
pub(super) fn id(preset: &Preset, record: &Value) -> Option<String> {
    let texts = preset.id.iter().map(|place| match record.pointer(place) {
        Some(Value::String(text)) => text.clone(),
        other => other.map(Value::to_string).unwrap_or_default(),
    });
    match texts.collect::<Vec<_>>().as_slice() {
        [] => None,
        [text] => Some(text.clone()),
        texts => Some(Value::from(texts).to_string()),
    }
}

/// The payload of a record.
pub(super) fn data(preset: &Preset, record: &Value) -> Value {
    let mut data = record.pointer(preset.data).cloned().unwrap_or_default();
    for place in preset.taken {
        if let Some((around, key)) = place.rsplit_once('/')
            && let Some(Value::Object(object)) = data.pointer_mut(around)
        {
            object.remove(key);
        }
    }
    data
}

/// The values of a payload's columns.
pub(super) fn cells(data: &Value) -> Vec<Cell> {
    match data {
        Value::Object(object) => object.values().flat_map(cells).collect(),
        value => vec![Cell::of(value)],
    }
}

/// The path of the world's own payload, with a dot behind each key.
pub(super) fn payload_path(data: &Value) -> Option<String> {
    match data {
        Value::String(text) if text == PAYLOAD || text.contains("$quoted") => Some(String::new()),
        Value::Object(object) => {
            object.iter().find_map(|(key, value)| payload_path(value).map(|path| format!("{key}.{path}")))
        }
        _ => None,
    }
}

/// The catalog of the records, as TOML: their envelope, and their types.
pub(super) fn catalog(dress: &Dress, world: WorldName, data: &Value, tables: &[Table]) -> String {
    let mut done = BTreeSet::new();
    let (envelope, of_world) = (dress.name().name(), world.name());
    let mut text = format!(
        "# The events of `datagen --world {of_world} --envelope {envelope}`.\n\n[envelope]\npreset = \"{envelope}\"\n"
    );
    for (table, own) in tables.iter().enumerate() {
        let names = dress.names(table);
        if done.insert(names) {
            append_toml(names, fields(data, &own.fields), &mut text);
        }
    }
    text
}

/// The fields of an object, each with its type, as TOML.
fn fields(data: &Value, own: &[Field]) -> Vec<(String, String)> {
    match data {
        Value::Object(object) => {
            object.iter().map(|(name, value)| (name.clone(), kind_of(value, own))).collect()
        }
        _ => toml_fields(own),
    }
}

fn kind_of(value: &Value, own: &[Field]) -> String {
    let name = match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "int64",
        Value::Array(_) => "json",
        Value::String(text) if text != PAYLOAD => "string",
        Value::Null => "string",
        Value::String(_) | Value::Object(_) => return toml_object(fields(value, own)),
    };
    format!("\"{name}\"")
}
