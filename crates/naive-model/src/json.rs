//! The text of a line → a tree of JSON values that keeps what the contract asks for: numbers as written, and
//! keys in their order, also those that occur twice.
//!
//! `serde_json` checks the grammar and gives each value as its raw text; 128 levels are one too many.

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::value_text::json_string;

/// A JSON value.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they are named as JSON names them")]
pub enum Json {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// The deepest nesting of arrays and objects.
const LEVELS_MAX: usize = 127;

/// Reads one value that is all of `text`; `None` if `text` is not strictly that.
#[must_use]
pub fn read(text: &str) -> Option<Json> {
    value(serde_json::from_str(text).ok()?, 0)
}

fn value(raw: &RawValue, levels: usize) -> Option<Json> {
    let text = raw.get();
    let nested = text.starts_with(['{', '[']);
    if nested && levels == LEVELS_MAX {
        return None;
    }
    Some(match text.as_bytes()[0] {
        b'n' => Json::Null,
        b't' => Json::Bool(true),
        b'f' => Json::Bool(false),
        b'"' => Json::String(serde_json::from_str(text).ok()?),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Json::Array(items.into_iter().map(|item| value(item, levels + 1)).collect::<Option<_>>()?)
        }
        b'{' => {
            let fields = serde_json::Deserializer::from_str(text).deserialize_map(Fields).ok()?;
            let field = |(key, raw)| Some((key, value(raw, levels + 1)?));
            Json::Object(fields.into_iter().map(field).collect::<Option<_>>()?)
        }
        _ => Json::Number(text.to_owned()),
    })
}

/// All fields of an object, in their order.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

impl Json {
    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Its JSON text without white space, strings in their shortest form.
    #[must_use]
    pub fn compact(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(token) => token.clone(),
            Self::String(text) => json_string(text),
            Self::Array(items) => format!("[{}]", join(items.iter().map(Self::compact))),
            Self::Object(fields) => {
                let field =
                    |(key, value): &(String, Self)| format!("{}:{}", json_string(key), value.compact());
                format!("{{{}}}", join(fields.iter().map(field)))
            }
        }
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// The value of a key.
#[must_use]
pub fn get<'a>(fields: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The keys that are not in `names`.
pub fn others<'a>(fields: &'a [(String, Json)], names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    fields.iter().map(|(key, _)| key.as_str()).filter(|key| !names.contains(key))
}

/// Checks that none of `names` occurs twice.
///
/// # Errors
/// The reason why the line is bad.
pub fn refuse_twice(fields: &[(String, Json)], names: &[&str]) -> Result<(), &'static str> {
    let occurs_twice = |name: &&str| fields.iter().filter(|(key, _)| key == *name).count() > 1;
    if names.iter().any(occurs_twice) { Err("duplicate_key") } else { Ok(()) }
}
