//! All settings of a load, resolved and checked. Nothing here means "default".
//!
//! Invariant: a setting here has the same meaning whichever command made it.

use std::path::PathBuf;

use event_parquet::Format;
use event_parser::{Framing, Selection};
use event_target::{DedupeScope, Location, Mode};
use events_core::{
    catalog::{Catalog, EventType},
    partition::{Layout, PartitionUnit},
    schema::TableForm,
};
use serde::{Deserialize, Serialize};

/// The settings of a load.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The input.
    pub input: Input,
    /// How the sources are divided.
    pub framing: Framing,
    /// How the stores of addresses are reached.
    pub stores: StoreOptions,
    /// The target.
    pub target: Location,
    /// The known events.
    pub catalog: Catalog,
    /// The events to load.
    pub selection: Selection,
    /// One column per value of the payload; otherwise one struct column.
    pub flatten: bool,
    /// The names of the directories.
    pub layout: Layout,
    /// The time span of a partition.
    pub partition_unit: PartitionUnit,
    /// What happens to the rows that the target already has.
    pub mode: Mode,
    /// Where "latest" is decided.
    pub dedupe_scope: DedupeScope,
    /// How values become bytes in the Parquet files.
    pub format: Format,
    /// The most memory that the process may take, in bytes.
    pub memory_bytes: usize,
    /// The number of threads.
    pub threads: usize,
    /// The limit of bad lines; without one, a load fails only if all of its lines are bad.
    pub bad_lines_max: Option<BadLinesMax>,
    /// The most superseded rows that the report lists.
    pub superseded_samples_max: usize,
    /// Does everything but the commit.
    pub dry_run: bool,
    /// The file that the report will be written to, if it is one; it must be none that the load needs.
    pub report: Option<PathBuf>,
}

/// How stores are reached: what the command line says beside their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOptions {
    /// The URL of the service, if it is not the cloud's own.
    pub endpoint: Option<String>,
    /// The region of the bucket (S3).
    pub region: Option<String>,
    /// Requests are not signed.
    pub anonymous: bool,
    /// The most bytes of what is on its way to a target, and of what is kept of files that are read, each; as
    /// many as usual where `None`.
    pub buffer_bytes_max: Option<usize>,
}

impl Settings {
    /// The columns of the tables.
    pub(crate) fn table_form(&self) -> TableForm {
        TableForm { flatten: self.flatten, has_event_type: self.layout.has_event_type_column() }
    }

    /// The path of a partition in the target.
    pub(crate) fn partition_path(&self, event_type: &EventType, unit_index: i64) -> String {
        self.layout.path(self.partition_unit, unit_index, &self.layout.directory(event_type))
    }
}

/// The input of a load.
#[derive(Debug, Clone)]
pub enum Input {
    /// Files, directories, globs, or `-` for standard input.
    Sources {
        /// As given.
        paths: Vec<PathBuf>,
        /// Skip sources that the target has already, and those that are still being written.
        skip_loaded: bool,
    },
    /// Bad lines of the target's quarantine.
    Replay(BadLineSelection),
}

/// Which bad lines of a quarantine a command is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLineSelection {
    /// Only those with these reasons; all where empty.
    pub reasons: Vec<String>,
    /// Only those of these sources, by their names in the quarantine or the ends of their paths; all where
    /// empty.
    pub sources: Vec<String>,
    /// Only those that were read with this envelope, by its name in the quarantine; with any where `None`.
    pub envelope: Option<ReadWith>,
}

/// The name of the envelope that a bad line was read with; `None` for the base contract.
pub type ReadWith = Option<String>;

impl BadLineSelection {
    /// Whether it is about all bad lines.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.reasons.is_empty() && self.sources.is_empty()
    }
}

/// The limit of bad lines in a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BadLinesMax {
    /// A number of lines.
    Count(u64),
    /// A percentage of lines.
    Percent(f64),
}

impl BadLinesMax {
    /// Parses `1000` or `0.5%`.
    ///
    /// # Errors
    /// A message with the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected =
            || format!("expected a number of lines like 1000, or a share of them like 0.5%, found {text:?}");
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| expected())?;
            return if (0.0..=100.0).contains(&percent) {
                Ok(Self::Percent(percent))
            } else {
                Err(expected())
            };
        }
        text.parse().map(Self::Count).map_err(|_| expected())
    }

    /// Whether `bad` of `lines` lines are more than allowed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 lines are not read")]
    pub fn is_exceeded(self, bad: u64, lines: u64) -> bool {
        match self {
            Self::Count(max) => bad > max,
            Self::Percent(max) => bad as f64 * 100.0 > max * lines as f64,
        }
    }
}

impl std::fmt::Display for BadLinesMax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(max) => write!(f, "{max}"),
            Self::Percent(max) => write!(f, "{max}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        assert_eq!(BadLinesMax::parse("0"), Ok(BadLinesMax::Count(0)));
        assert_eq!(BadLinesMax::parse("0.5%"), Ok(BadLinesMax::Percent(0.5)));
        for text in ["", "%", "-1", "101%", "NaN%", "1.5", "x"] {
            assert!(BadLinesMax::parse(text).is_err(), "{text}");
        }
        assert!(!BadLinesMax::Count(3).is_exceeded(3, 10) && BadLinesMax::Count(3).is_exceeded(4, 10));
        assert!(
            !BadLinesMax::Percent(10.0).is_exceeded(1, 10) && BadLinesMax::Percent(10.0).is_exceeded(2, 10)
        );
    }
}
