//! The truth about generated events: what a load of them must come to. `datagen --manifest` writes it, `eventloader verify
//! --against` holds a target against it. docs/manifest.md says the same for those who compute it by other means.
//!
//! A manifest is one JSON object: what was generated (`generator`), how many events were made faulty (`faults`), what the report
//! of a load of all of it must say (`report`), the tables (`event_types`), and what is in them by day (`partitions`). docs/manifest.md
//! has one.
//!
//! A partition's `checksum` is the sum of its rows' digests ([`Checksum`], [`RowDigest`]), `sums` are the exact sums of the columns
//! that its event type names in `sums`, each with all digits of its column's scale.
//!
//! Invariant: a manifest that was read has format [`FORMAT`] and no unknown key; its partitions are in the order of day, domain and
//! event type, each once and with rows, each of an event type that it names, with as many sums as that has; its counts add up.

mod digest;
mod reader;
mod writer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    digest::{Checksum, RowDigest, decimal_text},
    reader::ManifestError,
    writer::ManifestWriter,
};
use crate::{
    catalog::{self, FieldKind, ValueType},
    partition::Day,
    schema,
};

/// The only format that there is so far.
pub const FORMAT: u32 = 1;

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// What a load must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    #[serde(deserialize_with = "reader::format")]
    pub format: u32,
    /// What was generated.
    pub generator: Generator,
    /// By the name of a fault: how many events have it.
    pub faults: Counts,
    /// What became of all lines.
    pub report: Report,
    /// The tables.
    pub event_types: Vec<EventTypeTruth>,
    /// What is in them, by day, domain and event type.
    pub partitions: Vec<PartitionTruth>,
}

/// What was generated, and by what: enough to do it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// The program's.
    pub version: String,
    /// Of the stream: while it is the same, the bytes are.
    pub stream_version: u32,
    /// `simple` or `ledger`.
    pub world: String,
    /// Of all that is random.
    pub seed: u64,
    /// The day of the first event.
    pub start_date: Day,
    /// How many events an average day has, in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_day: Option<u64>,
    /// The index of the first event that was written.
    pub first_event: u64,
    /// How many events there are, those aside that faults add.
    pub num_events: u64,
    /// As they were asked for.
    pub faults: String,
}

/// What the report of a backfill of everything must say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// All lines.
    pub lines: u64,
    /// Lines of white space.
    pub blank: u64,
    /// Bad lines.
    pub quarantined: Quarantined,
    /// Lines of other domains, types or days than those that were asked for: none in a backfill of everything.
    pub filtered: u64,
    /// Versions of events that are not the latest.
    pub superseded: u64,
    /// Those of them whose content is that of a later one.
    pub redelivered: u64,
    /// The others.
    pub corrected: u64,
    /// Rows.
    pub written: u64,
    /// By path in the event: rows that have a field that the schema doesn't know.
    pub unknown_fields: Counts,
    /// By `domain/event_type`: events that the catalog doesn't know; they are bad lines.
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

/// A table: its columns, in the order in which a row's digest takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypeTruth {
    /// The events' domain.
    pub domain: String,
    /// The events' type.
    pub event_type: String,
    /// The names of all columns, as they are flattened.
    pub columns: Vec<String>,
    /// Those of them whose sums the partitions give.
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
    /// How many there are, at least one.
    pub rows: u64,
    /// Of their contents.
    pub checksum: Checksum,
    /// Of the columns that its [`EventTypeTruth`] names, each as decimal text of its column's scale.
    pub sums: Vec<String>,
}

impl EventTypeTruth {
    /// The table of an event type of a catalog, with the sums of its decimals. `None` where it has floats or lists, which have no
    /// digest.
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
                FieldKind::Value(ValueType::Float64) | FieldKind::List(_) => return None,
                FieldKind::Value(ValueType::Decimal { .. }) => table.sums.push(column.name),
                FieldKind::Value(_) | FieldKind::Object(_) => {}
            }
        }
        Some(table)
    }
}

#[cfg(test)]
mod tests;
