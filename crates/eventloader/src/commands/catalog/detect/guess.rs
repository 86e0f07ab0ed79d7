//! Records in no known envelope → what their values suggest, as comments in an envelope to fill in.
//!
//! Of 13 kinds of records, names and values alone were right about two. So nothing here is ever applied: a
//! candidate is named with what was seen of it, and a person decides.
//!
//! Invariant: the skeleton is TOML whose templates are empty: no load accepts it before it is filled in.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
};

use event_parser::json::Scanner;
use events_core::{
    number,
    timestamp::{self, EpochUnit},
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    super::{epochs, toml_text::quoted, words::words},
    places::{DOCUMENT, Records, add_values, for_each_record},
    sample::Sample,
};
use crate::runtime::{escape_for_terminal, grouped, plural};

/// The most records that are looked at.
const RECORDS_MAX: u64 = 2_000;
/// The most paths that are followed.
const PATHS_MAX: usize = 500;
/// Longer texts are no ids.
const ID_BYTES_MAX: usize = 200;
/// A type has at most so many names.
const TYPES_MAX: u64 = 200;
/// The most candidates that are named for a part of the envelope.
const NAMED_MAX: usize = 3;

/// Words that an id, a time, a type or a payload is called by.
const ID_WORDS: [&str; 7] = ["id", "uuid", "guid", "uid", "key", "hash", "reference"];
const TIME_WORDS: [&str; 8] = ["time", "timestamp", "ts", "at", "date", "created", "occurred", "published"];
const TYPE_WORDS: [&str; 7] = ["event", "type", "action", "kind", "name", "op", "code"];
const DATA_WORDS: [&str; 9] =
    ["data", "payload", "properties", "detail", "body", "attributes", "value", "object", "params"];

/// What the values at some paths of records suggest.
#[derive(Debug)]
pub(super) struct Guess<'a> {
    /// Where the records are.
    place: &'a str,
    records: u64,
    paths: BTreeMap<String, Seen>,
}

/// What was seen at one path.
#[derive(Debug, Default)]
struct Seen {
    /// The number of the path in the order in which the paths were first seen.
    order: usize,
    count: u64,
    objects: u64,
    texts: u64,
    integers: u64,
    times: u64,
    /// The least and the greatest integer, also of those that are texts.
    range: Option<(f64, f64)>,
    /// Hashes of the values.
    distinct: HashSet<u64>,
    longest: usize,
}

impl Records for Guess<'_> {
    fn record(&mut self, path: &str, text: &[u8]) {
        if path != self.place || self.records == RECORDS_MAX {
            return;
        }
        self.records += 1;
        let mut values = Vec::new();
        // It was scanned to its end before.
        let _ = add_values(&mut values, &mut Scanner::new(text), text, "");
        for (path, value) in values {
            let order = self.paths.len();
            if order < PATHS_MAX || self.paths.contains_key(&path) {
                self.paths.entry(path).or_insert_with(|| Seen { order, ..Seen::default() }).add(&value);
            }
        }
    }
}

impl Seen {
    fn add(&mut self, value: &[u8]) {
        self.count += 1;
        self.longest = self.longest.max(value.len());
        self.distinct.insert(xxh3_64(value));
        if matches!(value.first(), Some(b'{' | b'[')) {
            self.objects += 1;
        } else if number::is_number(value) {
            let Ok(integer) = number::parse_integer(value) else { return };
            self.integers += 1;
            #[expect(clippy::cast_precision_loss, reason = "only its size counts")]
            let size = integer as f64;
            let (least, greatest) = self.range.unwrap_or((size, size));
            self.range = Some((least.min(size), greatest.max(size)));
        } else {
            self.texts += 1;
            self.times += u64::from(timestamp::parse_timestamp(value).is_some());
        }
    }

    fn unit(&self) -> Option<&'static str> {
        let (least, greatest) = self.range.filter(|_| self.integers == self.count)?;
        epochs::unit_of(least, greatest).map(EpochUnit::name)
    }

    fn is_time(&self) -> bool {
        self.times == self.count || self.unit().is_some()
    }
}

impl<'a> Guess<'a> {
    /// What the records of a sample at this place suggest.
    pub(super) fn of(sample: &Sample, path: &'a str) -> Self {
        let mut guess = Self { place: path, records: 0, paths: BTreeMap::new() };
        sample.texts().for_each(|text| for_each_record(text, &mut guess));
        guess
    }

    /// An envelope to fill in, with candidates.
    pub(super) fn skeleton(&self) -> String {
        let mut text = String::from("[envelope]\n");
        if self.place != DOCUMENT {
            let records = plural(self.records, "object");
            let _ = writeln!(text, "records    = {}  # {records} there", quoted(self.place));
        }
        let parts = [
            ("event_id", "a text, a list of them, or \"{@hash}\" if there is none", self.ids()),
            ("timestamp", "a text, or { from = \"{…}\", unit = \"s\" }", self.times()),
            ("domain", "a name of yours", Vec::new()),
            ("event_type", "a text", self.types()),
            ("data", "an object, or \".\" for all that is left of the record", self.payloads()),
        ];
        for (name, what, candidates) in parts {
            let candidates = candidates.join(", ");
            let seems = if candidates.is_empty() { String::new() } else { format!("; perhaps {candidates}") };
            let _ = writeln!(text, "{name:10} = \"\"  # {what}{seems}");
        }
        text
    }

    fn ids(&self) -> Vec<String> {
        self.named(&ID_WORDS, |seen, is_called_so| {
            let is_id = seen.count == self.records
                && seen.distinct.len() as u64 == seen.count
                && seen.objects == 0
                && (is_called_so || seen.texts == seen.count)
                && !seen.is_time()
                && seen.longest <= ID_BYTES_MAX;
            is_id.then(|| format!("different in each of {}", grouped(seen.count)))
        })
    }

    fn times(&self) -> Vec<String> {
        self.named(&TIME_WORDS, |seen, _| {
            let is_time = seen.count == self.records && seen.is_time();
            is_time.then(|| seen.unit().map_or("a time".to_owned(), |unit| format!("unit {unit}")))
        })
    }

    fn types(&self) -> Vec<String> {
        self.named(&TYPE_WORDS, |seen, is_called_so| {
            let kinds = seen.distinct.len() as u64;
            let is_type = seen.count == self.records
                && seen.texts == seen.count
                && seen.times == 0
                && kinds <= TYPES_MAX
                && (kinds > 1 && kinds * 2 <= self.records || is_called_so && kinds < self.records.max(2));
            is_type.then(|| plural(kinds, "name"))
        })
    }

    fn payloads(&self) -> Vec<String> {
        self.named(&DATA_WORDS, |seen, is_called_so| {
            (is_called_so && seen.objects == seen.count).then(|| plural(seen.count, "object"))
        })
    }

    /// The first paths with a meaning: those that are called like it, then outer ones, then as they came.
    fn named(&self, by: &[&str], meaning: impl Fn(&Seen, bool) -> Option<String>) -> Vec<String> {
        let found = self.paths.iter().filter_map(|(path, seen)| {
            let is_called_so = words(path).last().is_some_and(|word| by.contains(&word.as_str()));
            Some((
                Reverse(is_called_so),
                path.matches('.').count(),
                seen.order,
                path,
                meaning(seen, is_called_so)?,
            ))
        });
        let mut found: Vec<_> = found.collect();
        found.sort();
        let named = found.into_iter().take(NAMED_MAX);
        named.map(|(.., path, meaning)| format!("{{{}}} ({meaning})", escape_for_terminal(path))).collect()
    }
}
