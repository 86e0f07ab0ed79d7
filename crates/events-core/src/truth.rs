//! The truth about generated events: the required result of loading them. `datagen --manifest` writes it,
//! `eventloader verify --against` compares a target with it. docs/manifest.md describes it for other
//! programs.
//!
//! A manifest is one JSON object: what was generated (`generator`), how many events have faults (`faults`),
//! the required report of a load of everything (`report`), the tables (`event_types`), and their contents by
//! day (`partitions`). docs/manifest.md has an example.
//!
//! A partition's `checksum` is the sum of its rows' digests ([`Checksum`], [`RowDigest`]). Its `sums` are the
//! exact sums of the columns that its event type names in `sums`, each with all digits of its column's scale.
//!
//! Invariant: a manifest that was read has format [`FORMAT`] and no unknown key. Its partitions are in the
//! order of day, domain and event type, each once and with rows, each with an event type that it names and
//! with as many sums as that has. Its counts add up.

mod digest;
mod joined;
mod reader;
mod writer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    digest::{Checksum, RowDigest, decimal_text},
    joined::JoinError,
    reader::ManifestError,
    writer::ManifestWriter,
};
use crate::{
    catalog::{self, FieldKind, ValueType},
    partition::Day,
    schema,
};

/// The only format so far.
pub const FORMAT: u32 = 1;

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// The required result of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    #[serde(deserialize_with = "reader::format")]
    pub format: u32,
    /// What was generated.
    pub generator: Generator,
    /// The number of events with each fault, by its name.
    pub faults: Counts,
    /// What became of all lines.
    pub report: Report,
    /// The tables.
    pub event_types: Vec<EventTypeTruth>,
    /// Their contents, by day, domain and event type.
    pub partitions: Vec<PartitionTruth>,
}

/// What was generated, and by which version: enough to generate it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// The version of the program.
    pub version: String,
    /// The version of the stream: while it is the same, the bytes are.
    pub stream_version: u32,
    /// `simple` or `ledger`.
    pub world: String,
    /// The envelope of the events, by its name, if it is not their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// The day of the first event.
    pub start_date: Day,
    /// The number of events on an average day of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_day: Option<u64>,
    /// The index of the first event that was written.
    pub first_event: u64,
    /// The number of events, without those that faults add.
    pub num_events: u64,
    /// As given on the command line.
    pub faults: String,
    /// What changes in the course of the events, as given on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<String>,
}

/// The required report of a backfill of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// All lines.
    pub lines: u64,
    /// Lines of white space.
    pub blank: u64,
    /// Bad lines.
    pub quarantined: Quarantined,
    /// Lines that are not selected: none in a backfill of everything.
    pub filtered: u64,
    /// Versions of events that are not the latest.
    pub superseded: u64,
    /// Those of them with the content of a later one.
    pub redelivered: u64,
    /// The others.
    pub corrected: u64,
    /// Rows.
    pub written: u64,
    /// By path in the event: rows with a field that is not in the schema.
    pub unknown_fields: Counts,
    /// By `domain/event_type`: events that are not in the catalog; they are bad lines.
    pub unknown_events: Counts,
}

/// Bad lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// All of them.
    pub total: u64,
    /// By the code of the reason.
    pub by_reason: Counts,
}

/// A table: its columns, in the order of a row's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypeTruth {
    /// The events' domain.
    pub domain: String,
    /// The events' type.
    pub event_type: String,
    /// The names of all columns, flattened.
    pub columns: Vec<String>,
    /// The columns whose sums the partitions have.
    pub sums: Vec<String>,
}

/// All rows of an event type and day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionTruth {
    /// In UTC.
    pub day: Day,
    /// The events' domain.
    pub domain: String,
    /// The events' type.
    pub event_type: String,
    /// The number of rows, at least one.
    pub rows: u64,
    /// The checksum of their contents.
    pub checksum: Checksum,
    /// The sums of the columns that its [`EventTypeTruth`] names, each as decimal text with its column's
    /// scale.
    pub sums: Vec<String>,
}

impl EventTypeTruth {
    /// The table of an event type of a catalog, with the sums of its decimals. `None` if it has floats, maps,
    /// or lists of anything but texts, which have no digest.
    #[must_use]
    pub fn of(event_type: &catalog::EventType) -> Option<Self> {
        let mut table = Self {
            domain: event_type.domain.clone(),
            event_type: event_type.name.clone(),
            columns: schema::flat_schema(event_type)
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect(),
            sums: Vec::new(),
        };
        for column in schema::columns(event_type) {
            match column.kind {
                FieldKind::List(element) if *element == FieldKind::Value(ValueType::String) => {}
                FieldKind::Value(ValueType::Float64) | FieldKind::List(_) | FieldKind::Map(_) => return None,
                FieldKind::Value(ValueType::Decimal { .. }) => table.sums.push(column.name),
                FieldKind::Value(_) | FieldKind::Object(_) => {}
            }
        }
        Some(table)
    }
}

#[cfg(test)]
mod tests;
