//! Everything that a load needs to know, resolved and checked; nothing here means "default".

use std::path::PathBuf;

use events_core::{
    catalog::Catalog,
    partition::{Layout, PartitionUnit},
};
use serde::{Deserialize, Serialize};

pub use crate::{
    interruption::Interruption,
    latest::DedupeScope,
    parquet::Codec,
    progress::Progress,
    quarantine::ReplaySelection,
    selection::{DayRange, Selection},
};

/// What to load, where to, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files, directories, globs, or `-`.
    pub sources: Vec<String>,
    /// Instead of them, bad lines of the target's quarantine.
    pub replay: Option<ReplaySelection>,
    /// Directory of the partitions.
    pub target: PathBuf,
    /// Which events there are.
    pub catalog: Catalog,
    /// Which of them to load.
    pub selection: Selection,
    /// One column per value of the payload; else one struct column.
    pub flatten: bool,
    /// How directories are named.
    pub layout: Layout,
    /// How much time a partition spans.
    pub partition_unit: PartitionUnit,
    /// What becomes of what the target holds.
    pub mode: Mode,
    /// Whether sources are passed over that the target holds already, or that are still being written.
    pub skip_loaded: bool,
    /// Where "latest" is decided.
    pub dedupe_scope: DedupeScope,
    /// Codec of the Parquet pages.
    pub codec: Codec,
    /// What the process may hold, in bytes.
    pub memory_bytes: usize,
    /// Threads that work.
    pub threads: usize,
    /// How many bad lines are too many.
    pub bad_lines_max: Option<BadLinesMax>,
    /// How many superseded rows the report names.
    pub superseded_samples_max: usize,
    /// Everything but the commit.
    pub dry_run: bool,
    /// Where it is shown how far the load has come.
    pub progress: Progress,
    /// Whether the load is to end before its time.
    pub interruption: Interruption,
}

/// What becomes of what a target holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The partitions that the load has rows for are replaced.
    #[default]
    Overwrite,
    /// The rows that the target holds take part: a partition is written again where its rows change.
    Merge,
}

/// How many bad lines a load may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BadLinesMax {
    /// So many.
    Count(u64),
    /// So many of a hundred lines.
    Percent(f64),
}

impl BadLinesMax {
    /// Parses `1000` or `0.5%`.
    ///
    /// # Errors
    /// A message that says what is expected.
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
