//! Objects → whether their keys are data rather than names of fields, and the type of the map that they are.
//!
//! | keys | values |
//! |---|---|
//! | too many to be told apart; or all, or half of at least 8, are ids or dates | of any type: else `json` |
//! | at least 32, each in one of 10 objects on average | of any type: else `json` |
//! | at least 8, each in one of 5 objects on average | of one type |
//! | at least 3, each in half of the objects on average, in a field called after maps (`metadata`) | texts |
//!
//! Names of fields recur: an object with optional fields has most of them most of the time, and fields of
//! different types.
//!
//! Invariant: the type takes every value that was seen.

use events_core::catalog::ValueType;

use super::{super::words::words, DecidedKind, Decision, decide};
use crate::{
    commands::catalog::{
        evidence::{Evidence, Objects},
        texts::shown,
        toml_text::quoted,
    },
    runtime::grouped,
};

/// What fields with keys of their users' own are called.
const MAPS: [&str; 16] = [
    "annotations",
    "attributes",
    "attrs",
    "custom",
    "dimensions",
    "env",
    "environment",
    "extra",
    "headers",
    "labels",
    "metadata",
    "params",
    "parameters",
    "properties",
    "tags",
    "traits",
];

/// Why keys could be data.
enum Keys {
    /// They are, by themselves.
    Data(&'static str),
    /// They are, if the values have one type.
    Rare,
    /// They are, if the values are texts.
    Varying,
}

/// The map that objects are; `None` if their keys are names.
pub(super) fn decide_map(name: &[u8], objects: &Objects) -> Option<Decision> {
    let keys = keys(name, objects)?;
    let values = objects.values();
    let are_texts = values.texts.as_ref().is_some_and(|texts| texts.count == values.values());
    let why = match keys {
        Keys::Data(why) => why,
        Keys::Rare if has_one_type(&values) => "most of them are rare",
        Keys::Varying if are_texts => "they vary, as its name says",
        Keys::Rare | Keys::Varying => return None,
    };
    if !has_one_type(&values) {
        let because = "its keys are data, and its values have different types";
        return Some(Decision::value(ValueType::Json).because(because));
    }
    let value = decide(name, &values);
    let because = value.because.map_or_else(String::new, |because| format!("; values: {because}"));
    let kind = DecidedKind::Map(Box::new(value.kind));
    Some(Decision::of(kind).because(format!("a map: {} ({why}){because}", described(objects))))
}

/// The number of different keys, and one of them.
fn described(objects: &Objects) -> String {
    let Some(example) = objects.members.iter().map(|member| &member.name).min() else {
        return "more keys than can be told apart".to_owned();
    };
    let keys = objects.members.len() as u64;
    let like = if keys == 1 { "key" } else { "keys like" };
    format!("{} {like} {}", grouped(keys), quoted(&shown(example)))
}

/// What the keys are, if they could be data.
fn keys(name: &[u8], objects: &Objects) -> Option<Keys> {
    let keys = objects.members.len() as u64;
    let ids = objects.members.iter().filter(|member| is_id(&member.name)).count() as u64;
    let filled: u64 = objects.members.iter().map(|member| member.count).sum();
    // On average, a key is in at most one of so many objects.
    let one_in = |many: u64| filled.saturating_mul(many) <= objects.count.saturating_mul(keys);
    let is_called_so =
        || words(&String::from_utf8_lossy(name)).last().is_some_and(|last| MAPS.contains(&last.as_str()));
    if objects.has_too_many_keys() {
        Some(Keys::Data("different ones again and again"))
    } else if keys > 0 && ids == keys || keys >= 8 && 2 * ids >= keys {
        Some(Keys::Data("ids, dates or the like"))
    } else if keys >= 32 && one_in(10) {
        Some(Keys::Data("most of them are rare"))
    } else if keys >= 8 && one_in(5) {
        Some(Keys::Rare)
    } else if keys >= 3 && one_in(2) && is_called_so() {
        Some(Keys::Varying)
    } else {
        None
    }
}

/// Whether a key is a number, a date, a UUID, an address, or another id: long, of hexadecimal digits, at
/// least one of them decimal.
fn is_id(name: &[u8]) -> bool {
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    let separators = name.iter().filter(|byte| matches!(byte, b'-' | b':' | b'.' | b'_')).count();
    let hexadecimal = name.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    let is_address = name.iter().any(|byte| matches!(byte, b'/' | b'@'));
    let is_number = digits > 0 && digits + separators == name.len();
    is_address || is_number || digits > 0 && name.len() >= 8 && hexadecimal + separators == name.len()
}

/// Whether all values are booleans, numbers, texts, objects or lists.
fn has_one_type(values: &Evidence) -> bool {
    let all = values.values();
    let counts = [
        values.booleans(),
        values.numbers.as_ref().map_or(0, |numbers| numbers.count),
        values.texts.as_ref().map_or(0, |texts| texts.count),
        values.objects.as_ref().map_or(0, |objects| objects.count),
        values.lists.as_ref().map_or(0, |lists| lists.count),
    ];
    all > 0 && counts.contains(&all)
}
