//! Everything that a load needs to know, resolved and checked. Nothing here means "default".

use std::path::PathBuf;

use event_parquet::Codec;
use event_parser::Selection;
use event_target::{DedupeScope, Mode};
use events_core::{
    catalog::Catalog,
    partition::{Layout, PartitionUnit},
};

/// What to load, where to, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What to read.
    pub input: Input,
    /// The directory of the partitions.
    pub target: PathBuf,
    /// Which events there are.
    pub catalog: Catalog,
    /// Which of them to load.
    pub selection: Selection,
    /// One column per value of the payload; otherwise one struct column.
    pub flatten: bool,
    /// How directories are named.
    pub layout: Layout,
    /// How much time a partition spans.
    pub partition_unit: PartitionUnit,
    /// What happens to the rows that the target already has.
    pub mode: Mode,
    /// Where "latest" is decided.
    pub dedupe_scope: DedupeScope,
    /// The codec of the Parquet pages.
    pub codec: Codec,
    /// The most memory that the process may take, in bytes.
    pub memory_bytes: usize,
    /// How many threads work.
    pub threads: usize,
    /// How many bad lines are too many.
    pub bad_lines_max: Option<BadLinesMax>,
    /// How many superseded rows the report names.
    pub superseded_samples_max: usize,
    /// Does everything but the commit.
    pub dry_run: bool,
}

/// What a load reads.
#[derive(Debug, Clone)]
pub enum Input {
    /// Files, directories, globs, or `-` for standard input.
    Sources {
        /// As they were given.
        paths: Vec<String>,
        /// Skip sources that the target has already, and those that are still being written.
        skip_loaded: bool,
    },
    /// Bad lines of the target's quarantine.
    Replay(ReplaySelection),
}

/// Which bad lines are replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplaySelection {
    /// Only those with these reasons; all where empty.
    pub reasons: Vec<String>,
    /// Only those of these sources, as the quarantine names them or by the end of their path; all where empty.
    pub sources: Vec<String>,
}

/// How many bad lines a load may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BadLinesMax {
    /// More lines than this.
    Count(u64),
    /// More lines of a hundred than this.
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
