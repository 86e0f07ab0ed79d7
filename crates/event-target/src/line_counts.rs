//! What became of lines, as counts: of a run, of one of its sources, or of the load of a commit.
//!
//! Invariant: `lines = blank + quarantined + filtered + superseded + written`; [`LineCounts::balance`] checks
//! it.

use serde::{Deserialize, Serialize};

/// The two sides of the equation of a load.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCounts {
    /// All lines.
    pub lines: u64,
    /// Lines of nothing but white space.
    pub blank: u64,
    /// Bad lines.
    pub quarantined: u64,
    /// Good lines that were not selected.
    pub filtered: u64,
    /// Good lines with a later version that is kept.
    pub superseded: u64,
    /// Rows in files.
    pub written: u64,
}

/// What a load superseded, by kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededKinds {
    /// Lines with the content of a version that is kept or was itself corrected.
    pub redelivered: u64,
    /// Lines with their own content.
    pub corrected: u64,
    /// In a merge: rows of the target, which are no lines of the load.
    #[serde(rename = "held_superseded")]
    pub existing: u64,
}

impl LineCounts {
    /// Adds the counts of other lines.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.quarantined += other.quarantined;
        self.filtered += other.filtered;
        self.superseded += other.superseded;
        self.written += other.written;
    }

    /// Each count with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("lines", self.lines),
            ("blank", self.blank),
            ("quarantined", self.quarantined),
            ("filtered", self.filtered),
            ("superseded", self.superseded),
            ("written", self.written),
        ]
    }

    /// Checks that each line became exactly one thing.
    ///
    /// # Errors
    /// Both sides of the equation.
    pub fn balance(&self) -> Result<(), String> {
        let Self { lines, blank, quarantined, filtered, superseded, written } = self;
        let accounted = blank + quarantined + filtered + superseded + written;
        if *lines == accounted {
            return Ok(());
        }
        Err(format!(
            "{lines} lines, but {blank} blank + {quarantined} quarantined + {filtered} filtered + {superseded} superseded + \
             {written} written = {accounted}"
        ))
    }
}
