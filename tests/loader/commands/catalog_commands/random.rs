//! Random events of random shapes: keys that are hard to name and values that are hard to type, but good
//! lines.

use crate::support::events::Die;

/// Keys as they stand in JSON; some are equal but escaped in another way, or differ only in case.
const KEYS: [&str; 26] = [
    "id",
    "Id",
    "ID",
    "amount",
    "a_b",
    "a",
    "b",
    "b_c",
    "a.b",
    "a b",
    "",
    "東京",
    "tab\\t",
    "q\\\"uote",
    "back\\\\",
    "back\\\\\\\":b",
    "\\u0041",
    "1",
    "2024-01-01",
    "list",
    "fields",
    "type",
    "column",
    "#",
    "é'x",
    "data_id",
];

const DOMAINS: [&str; 4] = ["card", "shop floor", "a\\\"b", ""];
const TYPES: [&str; 8] = ["sale", "Sale", "a/b", "_x", "", "..", "東京", "sale-2"];

const VALUES: [&[&str]; 16] = [
    &["1", "-7", "12.0", "0"],
    &["2147483647", "2147483648", "1e2"],
    &["9223372036854775807", "9223372036854775808", "-1"],
    &["818.32", "5.1", "12345678.25", "100"],
    &["24.519456", "-0.442", "1e-7", "0.30000000000000004"],
    &["0.1000000000000000055", "1", "12345678901234567890123.5"],
    &["1e400", "1", "1e-400"],
    &["true", "false"],
    &["\"1283.94\"", "\"0.10\"", "\"99999999999.99\""],
    &["\"2024-02-29\"", "\"0001-01-01\""],
    &["\"2024-02-29T10:00:00+0900\"", "\"2024-02-29\"", "\"9999-12-31t23:59:59.9999999Z\""],
    &["\"2024-02-30\"", "\"0000-12-31T23:59:59-00:01\""],
    &["\"\"", "\"007\"", "\"true\"", "\"12\"", "\"1e2\""],
    &["\"東京\"", "\"a\\nb\\u0000\"", "\"\\ud83d\\ude00\"", "\"# \\\"x\\\"\""],
    &["{}", "[]"],
    &["null"],
];

/// Keys of objects that are in several places.
const FIELDS: [&str; 16] = [
    "login", "node", "url", "kind", "score", "since", "owner", "tags", "state", "title", "count", "html_url",
    "site", "a_b", "parent", "+1",
];

/// What a place of a payload holds.
#[derive(Debug, Clone)]
enum Place {
    /// One of these, or of other kinds.
    Values(Vec<usize>),
    Object(Vec<(&'static str, Place)>),
    List(Box<Place>),
    /// An object whose keys are data.
    Map(Box<Place>),
}

/// An event type.
#[derive(Debug)]
pub(super) struct Shape {
    domain: &'static str,
    event_type: &'static str,
    data: Place,
}

impl Shape {
    /// Event types; some objects are in several of them, as they are or nearly so.
    pub(super) fn some(die: &mut Die) -> Vec<Self> {
        let mut alike = Vec::new();
        for _ in 0..die.roll(3) {
            let mut keys = FIELDS;
            die.shuffle(&mut keys);
            let keys = keys[..6 + die.index(FIELDS.len() - 6)].iter();
            let object = keys.map(|key| (*key, Place::random(die, 2, &alike))).collect();
            alike.push(Place::Object(object));
        }
        (0..=die.roll(4)).map(|_| Self::random(die, &alike)).collect()
    }

    fn random(die: &mut Die, alike: &[Place]) -> Self {
        Self {
            domain: DOMAINS[die.index(DOMAINS.len())],
            event_type: TYPES[die.index(TYPES.len())],
            data: Place::object(die, 0, alike),
        }
    }

    /// The same type as a later release sends it: some fields are gone, new, or hold something else.
    pub(super) fn later(&self, die: &mut Die) -> Self {
        let Self { domain, event_type, mut data } = Self { data: self.data.clone(), ..*self };
        if let Place::Object(members) = &mut data {
            members.retain(|_| !die.one_in(6));
            for (_, place) in members.iter_mut() {
                if die.one_in(4) {
                    *place = Place::random(die, 2, &[]);
                }
            }
            let Place::Object(more) = Place::object(die, 2, &[]) else { unreachable!() };
            for (key, place) in more {
                if die.one_in(3) && members.iter().all(|(known, _)| *known != key) {
                    members.push((key, place));
                }
            }
        }
        Self { domain, event_type, data }
    }

    pub(super) fn event(&self, die: &mut Die, index: u64) -> String {
        let data = match die.roll(12) {
            0 => "null".to_owned(),
            1 => "{}".to_owned(),
            _ => self.data.value(die),
        };
        format!(
            r#"{{"event_id": "e{index}", "timestamp": "2024-10-10T00:00:07", "domain": "{}", "event_type": "{}", "data": {data}}}"#,
            self.domain, self.event_type
        )
    }
}

impl Place {
    fn random(die: &mut Die, depth: u32, alike: &[Self]) -> Self {
        if !alike.is_empty() && die.one_in(4) {
            return die.pick(alike).clone().changed(die);
        }
        match die.roll(if depth > 3 { 6 } else { 10 }) {
            0 => Self::Values((0..2).map(|_| die.index(VALUES.len())).collect()),
            1..=5 => Self::Values(vec![die.index(VALUES.len())]),
            6 | 7 => Self::object(die, depth + 1, alike),
            8 => Self::List(Box::new(Self::random(die, depth + 1, alike))),
            _ => Self::Map(Box::new(Self::random(die, depth + 1, alike))),
        }
    }

    fn object(die: &mut Die, depth: u32, alike: &[Self]) -> Self {
        let mut keys = KEYS;
        die.shuffle(&mut keys);
        let count = die.index(8);
        // "\\u0041" and "A" would be one key; there is no "A".
        Self::Object(keys[..count].iter().map(|key| (*key, Self::random(die, depth, alike))).collect())
    }

    /// The same, or with one member less, or another one in its place.
    fn changed(mut self, die: &mut Die) -> Self {
        if let Self::Object(members) = &mut self
            && !die.one_in(2)
        {
            let at = die.index(members.len());
            match die.roll(2) {
                0 => drop(members.remove(at)),
                _ => members[at].1 = Self::random(die, 3, &[]),
            }
        }
        self
    }

    fn value(&self, die: &mut Die) -> String {
        match self {
            _ if die.one_in(15) && !matches!(self, Self::Object(_)) => "null".to_owned(),
            Self::Values(kinds) => {
                let kind = *die.pick(kinds);
                (*die.pick(VALUES[kind])).to_owned()
            }
            Self::Object(members) => {
                let mut present: Vec<String> = Vec::new();
                for (key, place) in members {
                    if !die.one_in(6) {
                        present.push(format!("\"{key}\": {}", place.value(die)));
                    }
                }
                format!("{{{}}}", present.join(", "))
            }
            Self::List(element) => {
                let elements: Vec<_> = (0..die.roll(4)).map(|_| element.value(die)).collect();
                format!("[{}]", elements.join(", "))
            }
            Self::Map(value) => {
                let members: Vec<_> = (0..die.roll(3))
                    .map(|at| format!("\"{}{at}\": {}", die.roll(1_000), value.value(die)))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }
}
