//! A superseded row and the one that is kept → an entry of the report, and a line of the summary.
//!
//! Invariant: both say where each of the two rows is: its source, and its line or array element; or that it
//! is in the target.

use std::fmt;

use event_rows::version_texts;
use events_core::{catalog::EventType, timestamp::timestamp_text};
use serde::{Serialize, Serializer};

use super::SourceReport;
use crate::{
    latest::{Sample, SampledRow, SupersededKind},
    rows::{LineNumber, Origin, RowLedger},
    runtime::{escape_for_terminal, names},
};

/// A superseded row.
#[derive(Debug, Serialize)]
pub(crate) struct SupersededSample {
    domain: String,
    event_type: String,
    event_id: String,
    kind: SupersededKind,
    #[serde(flatten)]
    row: RowPlace,
    /// The row that is kept; with a range of days it may be an event of a later day, which is not loaded.
    by: RowPlace,
}

/// Timestamp and origin of a row.
#[derive(Debug, Serialize)]
struct RowPlace {
    timestamp: String,
    /// The fields of its version, in their order; left out if its type has none.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_object")]
    version: Vec<(String, Option<String>)>,
    /// As in `sources`; `None` for a row that the target had before.
    source: Option<String>,
    #[serde(flatten)]
    number: Option<LineNumber>,
}

impl SupersededSample {
    pub(crate) fn new(
        sample: &Sample,
        event_type: &EventType,
        ledger: &RowLedger,
        sources: &[SourceReport],
    ) -> Self {
        let place = |row: &SampledRow| {
            let timestamp = timestamp_text(row.micros);
            let values = row.version.iter().flat_map(|key| version_texts(event_type, key));
            let values =
                values.map(|(name, text)| (name.to_owned(), text.map(|text| names::cut_name(&text))));
            let origin = ledger.origin_of(row.position);
            let source = origin.map(|Origin { source, .. }| sources[source].path.clone());
            RowPlace {
                timestamp,
                version: values.collect(),
                source,
                number: origin.map(|origin| origin.number),
            }
        };
        Self {
            domain: event_type.domain.clone(),
            event_type: event_type.name.clone(),
            event_id: sample.event_id.clone(),
            kind: sample.kind,
            row: place(&sample.row),
            by: place(&sample.by),
        }
    }
}

impl fmt::Display for SupersededSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_type, event_id, kind, row, by, .. } = self;
        let kind = format!("{kind:?}").to_lowercase();
        write!(
            f,
            "{row}: {} {} {kind}; kept: {by}",
            escape_for_terminal(event_type),
            escape_for_terminal(event_id)
        )
    }
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((source, number)) = self.source.as_deref().zip(self.number) else {
            write!(f, "the target's row of {}", self.timestamp)?;
            let text = |(name, text): &(String, Option<String>)| {
                format!(
                    ", {} {}",
                    escape_for_terminal(name),
                    escape_for_terminal(text.as_deref().unwrap_or("null"))
                )
            };
            return f.write_str(&self.version.iter().map(text).collect::<String>());
        };
        let source = escape_for_terminal(source);
        match number {
            LineNumber::Line(number) => write!(f, "{source}:{number}"),
            LineNumber::Element(number) => write!(f, "{source}, element {number}"),
        }
    }
}

/// Values by the names of their fields, in the order of the version.
fn as_object<S: Serializer>(values: &[(String, Option<String>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, text)| (name, text)))
}
