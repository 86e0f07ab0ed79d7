//! What becomes of lines, counted: of a run, of one of its sources, of the load that a commit is of.
//!
//! Invariant (CONTRACT.md section 7): `lines = blank + quarantined + filtered + superseded + written`; [`Fates::balance`] says whether.

use serde::{Deserialize, Serialize};

/// The two sides of the equation.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fates {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: u64,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    pub(crate) written: u64,
}

impl Fates {
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.quarantined += other.quarantined;
        self.filtered += other.filtered;
        self.superseded += other.superseded;
        self.written += other.written;
    }

    pub(crate) fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("lines", self.lines),
            ("blank", self.blank),
            ("quarantined", self.quarantined),
            ("filtered", self.filtered),
            ("superseded", self.superseded),
            ("written", self.written),
        ]
    }

    /// Every line has one fate; if not, says both sides.
    pub(crate) fn balance(&self) -> Result<(), String> {
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
