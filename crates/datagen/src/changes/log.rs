//! Changes → the lines of the changes log: what changed, where, and at which event.
//!
//! ```json
//! {"event": 1730, "timestamp": "2024-10-11T04:49:20.113007Z", "change": "widen", "domain": "account",
//!  "event_type": "status-change", "field": "field_2", "from": "int32", "to": "int64"}
//! ```
//!
//! Invariant: one object for each change, in the order of their events.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::{
    Changes,
    plan::{Planned, What},
    schema::field_name,
};

/// A line of the log.
#[derive(Serialize)]
struct Entry<'l> {
    event: u64,
    timestamp: String,
    change: &'static str,
    domain: &'l str,
    event_type: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<[&'l str; 2]>,
}

impl Changes {
    /// Writes the log.
    pub(crate) fn write_log(&self, out: &mut impl Write) -> io::Result<()> {
        for planned in &self.planned {
            serde_json::to_writer(&mut *out, &self.entry(planned))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn entry(&self, planned: &Planned) -> Entry<'_> {
        let table = &self.nodes[planned.node].table;
        let time = DateTime::from_timestamp_micros(planned.micros).unwrap_or_default();
        let mut entry = Entry {
            event: planned.event,
            timestamp: time.to_rfc3339_opts(SecondsFormat::Micros, true),
            change: planned.change.name(),
            domain: &table.domain,
            event_type: &table.event_type,
            field: None,
            from: None,
            to: None,
            into: None,
        };
        match planned.what {
            What::Added(field, shape) => {
                (entry.field, entry.to) = (Some(field_name(field)), Some(shape.name()));
            }
            What::Dropped(field) => entry.field = Some(field_name(field)),
            What::Turned(field, from, to) => {
                entry.field = Some(field_name(field));
                (entry.from, entry.to) = (Some(from.name()), Some(to.name()));
            }
            What::Split(into) => {
                entry.into = Some(into.map(|node| self.nodes[node].table.event_type.as_str()));
            }
        }
        entry
    }
}
