//! What a rewrite did → a message.
//!
//! Invariant: rows, files and bytes are those of the partitions that were written again; others are counted
//! as left alone.

use std::fmt;

use super::piece::Done;
use crate::runtime::{StageReport, bytes_text, duration_text, grouped, plural};

/// What a rewrite did.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The rows of the partitions that were written again.
    pub rows: u64,
    /// How many partitions these were.
    pub partitions: usize,
    /// How many were as they should be.
    pub left_alone: usize,
    /// Files and their bytes before.
    before: (u64, u64),
    /// The same afterwards.
    after: (u64, u64),
    pub(super) stages: Vec<StageReport>,
    pub(super) duration_ms: u64,
}

impl Rewritten {
    pub(super) fn add(&mut self, done: &Done) {
        let Done { rows, partitions, before, after, .. } = *done;
        self.rows += rows;
        self.partitions += partitions;
        for (sum, of_piece) in [(&mut self.before, before), (&mut self.after, after)] {
            sum.0 += of_piece.0;
            sum.1 += of_piece.1;
        }
    }

    /// The time that each stage took, over all threads: order is reading, compare is reading back.
    #[must_use]
    pub fn stages(&self) -> String {
        let shown = self.stages.iter().filter(|stage| stage.thread_ms > 0);
        let text = |of: &StageReport| {
            let name = format!("{:?}", of.stage).to_lowercase();
            let threads = of
                .threads
                .map_or_else(String::new, |threads| format!(" on {}", plural(threads as u64, "thread")));
            format!("{name} {}{threads}", duration_text(of.thread_ms))
        };
        format!("time of all threads: {}", shown.map(text).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Rewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_alone = plural(self.left_alone as u64, "partition");
        if self.partitions == 0 {
            let are = if self.left_alone == 1 { "is as it" } else { "are as they" };
            return write!(f, "nothing to rewrite: {left_alone} {are} should be");
        }
        let files = |(files, bytes): (u64, u64)| format!("{}, {}", plural(files, "file"), bytes_text(bytes));
        write!(
            f,
            "{:>14} {} of {} written again in {}: {} before, {} now; {left_alone} left alone",
            grouped(self.rows),
            if self.rows == 1 { "row" } else { "rows" },
            plural(self.partitions as u64, "partition"),
            duration_text(self.duration_ms),
            files(self.before),
            files(self.after),
        )
    }
}
