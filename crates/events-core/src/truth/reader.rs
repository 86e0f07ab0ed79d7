//! The text of a manifest → the manifest, or an error with its location.
//!
//! Invariant: a manifest that breaks the invariant of `truth.rs` is refused.

use std::{collections::HashMap, io};

use serde::{Deserialize, Deserializer, de};

use super::{EventTypeTruth, FORMAT, Manifest, PartitionTruth, Quarantined, Report};

/// A manifest that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be read to its end.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a manifest of this format.
    #[error("line {line}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// It contradicts itself.
    #[error("{place}: {message}")]
    Content {
        /// The entry.
        place: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] if it does not have [`FORMAT`], or contradicts itself.
    pub fn read(input: impl io::Read) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_reader(input).map_err(|error| {
            let line = error.line();
            if error.is_io() {
                return ManifestError::Io(error.into());
            }
            // serde_json appends the position, which is already in front.
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            ManifestError::Syntax { line, message: message.to_owned() }
        })?;
        manifest.check()?;
        manifest.report.check(&manifest.partitions)?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let mut sums = HashMap::new();
        for table in &self.event_types {
            let place = || format!("event type {}/{}", table.domain, table.event_type);
            if sums.insert((&*table.domain, &*table.event_type), table.sums.len()).is_some() {
                return Err(content(place(), "occurs twice"));
            }
            if let Some(sum) = table.sums.iter().find(|sum| !table.columns.contains(sum)) {
                return Err(content(place(), &format!("sums {sum:?}, which is not one of its columns")));
            }
        }
        let mut last = None;
        for partition in &self.partitions {
            let key = partition.key();
            let error = |message: &str| Err(content(partition.name(), message));
            match sums.get(&(key.1, key.2)) {
                None => return error("has an event type that is not in event_types"),
                Some(sums) if *sums != partition.sums.len() => {
                    return error(&format!("expected {sums} sums, as its event type names"));
                }
                Some(_) if partition.rows == 0 => {
                    return error("has no rows; partitions without rows must be left out");
                }
                Some(_) => {}
            }
            if last.is_some_and(|last| last >= key) {
                return error("is out of order by day, domain, event type");
            }
            last = Some(key);
        }
        Ok(())
    }

    /// The table of an event type.
    #[must_use]
    pub fn event_type(&self, domain: &str, event_type: &str) -> Option<&EventTypeTruth> {
        self.event_types.iter().find(|table| table.domain == domain && table.event_type == event_type)
    }
}

impl Report {
    /// Whether its counts agree with each other, and with the rows of the partitions.
    fn check(&self, partitions: &[PartitionTruth]) -> Result<(), ManifestError> {
        let Self { lines, blank, filtered, superseded, redelivered, corrected, written, .. } = *self;
        let Quarantined { total, by_reason } = &self.quarantined;
        let counted = sum([blank, *total, filtered, superseded, written]);
        let unequal = [
            ("lines", lines, "blank, quarantined, filtered, superseded and written are", counted),
            ("quarantined.total", *total, "by_reason has", sum(by_reason.values().copied())),
            ("superseded", superseded, "redelivered and corrected are", sum([redelivered, corrected])),
            (
                "written",
                written,
                "the partitions have",
                sum(partitions.iter().map(|partition| partition.rows)),
            ),
        ];
        match unequal.iter().find(|(_, one, _, other)| u128::from(*one) != *other) {
            None => Ok(()),
            Some((what, one, of, other)) => {
                Err(content("report".to_owned(), &format!("{what} is {one}, but {of} {other}")))
            }
        }
    }
}

/// A sum that can't overflow, whatever a manifest contains.
fn sum(counts: impl IntoIterator<Item = u64>) -> u128 {
    counts.into_iter().map(u128::from).sum()
}

fn content(place: String, message: &str) -> ManifestError {
    ManifestError::Content { place, message: message.to_owned() }
}

impl PartitionTruth {
    /// The order of a manifest's partitions.
    #[must_use]
    pub fn key(&self) -> (i64, &str, &str) {
        (self.day.epoch_days(), &self.domain, &self.event_type)
    }

    /// As in messages.
    #[must_use]
    pub fn name(&self) -> String {
        format!("partition {} {}/{}", self.day, self.domain, self.event_type)
    }
}

/// Accepts the only format; with another format, nothing else is checked.
pub(super) fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let format = u32::deserialize(deserializer)?;
    if format == FORMAT {
        return Ok(format);
    }
    let message =
        format!("expected a manifest of format {FORMAT}, found {format}: use the eventloader of its datagen");
    Err(de::Error::custom(message))
}
