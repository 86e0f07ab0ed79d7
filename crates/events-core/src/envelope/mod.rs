//! Which parts of a record are the base fields of an event.
//!
//! ```toml
//! [envelope]
//! preset     = "stripe"                                # optional; the keys below override its keys
//! records    = ["data[]", "."]                         # where the records are in a document
//! event_id   = ["{source}", "{id}"]                    # a template, or a list: a composite key
//! timestamp  = { from = "{created}", unit = "s" }      # a template; with a unit, an epoch
//! domain     = "stripe"
//! event_type = "{event|type}"
//! data       = "{data.object}"                         # one path; "." is the record less what was taken
//! fields     = { livemode = "boolean" }                # parts of the record that become columns
//! version    = ["source.lsn"]                          # names of fields that decide "latest"
//! ```
//!
//! The base contract is an envelope, too: a strict one, whose ids and times are texts.
//!
//! Invariant: an envelope that was read has an id, a time, a domain, an event type and a payload.

mod hash;
mod presets;
mod records;
mod template;
#[cfg(test)]
mod tests;

use std::{fmt::Write, sync::LazyLock};

pub use self::{
    hash::hash_id,
    presets::{PRESETS, preset, preset_text},
    records::{RecordsPath, RecordsPathError, RecordsStep},
    template::{KEYS_MAX, Path, Piece, Template, paths_text},
};
use crate::{
    catalog::{Field, write_fields},
    event,
    timestamp::EpochUnit,
};

/// Which parts of a record are the base fields of an event.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Where the records are in a document: the first of these that is there; empty: the document itself.
    pub records: Vec<RecordsPath>,
    /// The event's id.
    pub event_id: EventId,
    /// Its time.
    pub timestamp: Time,
    /// Its domain.
    pub domain: Template,
    /// Its type.
    pub event_type: Template,
    /// Its payload.
    pub data: Data,
    /// Parts of the record that become columns behind the base ones; names and paths begin at the record.
    pub fields: Vec<Field>,
    /// Fields that decide "latest" before the timestamp, in this order, as they are given.
    pub version: Vec<String>,
    /// Whether ids and times must be texts: only in the base contract.
    pub is_strict: bool,
    /// A catalog file that says the same and nothing else but types with names; empty for the base contract.
    pub toml: String,
}

/// Two that read the same of every record are one, however they are written down.
impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        self.meaning() == other.meaning()
    }
}

impl Eq for Envelope {}

/// What an event's id is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventId {
    /// A text.
    Text(Template),
    /// A JSON array of these texts.
    Key(Vec<Template>),
    /// A UUID of version 8, of the XXH3-128 of the record's text: `{@hash}`.
    Hash,
}

/// What an event's time is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// Its text or, with a unit, its number.
    pub from: Template,
    /// The unit of a number of them since 1970-01-01T00:00:00Z.
    pub unit: Option<EpochUnit>,
}

/// What an event's payload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The record without the keys that the envelope takes whole.
    Rest,
    /// The value at the first of these paths that is there and not null.
    At(Vec<Path>),
}

/// The text of the id that is a hash.
pub const HASH: &str = "{@hash}";

/// The base contract.
pub static BASE: LazyLock<Envelope> = LazyLock::new(|| {
    let path = |name: &str| Path { is_enclosing: false, keys: vec![name.to_owned()] };
    let template = |name: &str| Template { pieces: vec![Piece::Paths(vec![path(name)])] };
    Envelope {
        records: Vec::new(),
        event_id: EventId::Text(template(event::EVENT_ID)),
        timestamp: Time { from: template(event::TIMESTAMP), unit: None },
        domain: template(event::DOMAIN),
        event_type: template(event::EVENT_TYPE),
        data: Data::At(vec![path(event::DATA)]),
        fields: Vec::new(),
        version: Vec::new(),
        is_strict: true,
        toml: String::new(),
    }
});

impl Envelope {
    /// Whether it is the base contract.
    #[must_use]
    pub fn is_base(&self) -> bool {
        self.is_strict
    }

    /// The preset that means the same, if there is one.
    #[must_use]
    pub fn preset_name(&self) -> Option<&'static str> {
        let is_same =
            |name: &&str| matches!(preset(name), Ok(Some(preset)) if preset.meaning() == self.meaning());
        PRESETS.iter().map(|(name, _)| *name).find(is_same)
    }

    /// The keys of the objects around the records that it reads (`{^key}`), each once.
    #[must_use]
    pub fn enclosing_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for path in self.paths().into_iter().filter(|path| path.is_enclosing) {
            if let Some(key) = path.keys.first()
                && !keys.contains(&key.as_str())
            {
                keys.push(key);
            }
        }
        keys
    }

    /// All paths that it reads, but those of `fields`.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let ids = match &self.event_id {
            EventId::Text(template) => std::slice::from_ref(template),
            EventId::Key(parts) => parts,
            EventId::Hash => &[],
        };
        let templates = ids.iter().chain([&self.timestamp.from, &self.domain, &self.event_type]);
        let mut paths: Vec<_> = templates.flat_map(Template::paths).collect();
        if let Data::At(alternatives) = &self.data {
            paths.extend(alternatives);
        }
        paths
    }

    /// The canonical form of its meaning: equal for two envelopes that read the same of every record.
    #[must_use]
    pub fn meaning(&self) -> String {
        let Self {
            records,
            event_id,
            timestamp,
            domain,
            event_type,
            data,
            fields,
            version,
            is_strict,
            toml: _,
        } = self;
        let mut text = String::new();
        let _ = write!(
            text,
            "{records:?} {event_id:?} {timestamp:?} {domain:?} {event_type:?} {data:?} {version:?} {is_strict} "
        );
        write_fields(&mut text, fields);
        text
    }
}
