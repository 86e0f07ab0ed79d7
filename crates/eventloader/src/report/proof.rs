//! The counts of a load → a proof that no line was lost and no row came from nowhere, or an error.
//!
//! `lines = blank + quarantined + filtered + superseded + written` must be true for the run and for each
//! source. Every row that was read for a partition, or was in it before a merge, must be in its files or
//! superseded.
//!
//! Invariant: the sides of each equation are counted in different places. Lines, and what they are: where
//! they are read. Rows of a source and of a partition: in the batches that arrive. Superseded rows: by
//! "latest", from the bits of its set, block by block, and where partitions leave them out. Written rows:
//! where they go to the encoders, and in the footers of the files.

use event_target::LineCounts;

use super::LoadOutcome;
use crate::{error::Error, rows::PartitionCounts};

/// The counts of a load, by where they were made.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    run: LineCounts,
    /// Bad lines, added up over the reasons.
    by_reason: u64,
    redelivered: u64,
    corrected: u64,
    existing_kept: u64,
    existing_superseded: u64,
    sources: Vec<SourceBalance>,
    partitions: Vec<PartitionBalance>,
    /// Partitions for which nothing was written.
    superseded_partitions: Vec<PartitionBalance>,
}

#[derive(Debug, Default)]
struct SourceBalance {
    name: String,
    counts: LineCounts,
    /// Good lines, as they were read.
    rows: u64,
}

#[derive(Debug, Default)]
struct PartitionBalance {
    path: String,
    /// As counted in the footers of the files.
    rows: u64,
    counts: PartitionCounts,
}

impl Balance {
    pub(crate) fn of(outcome: LoadOutcome<'_>) -> Self {
        let LoadOutcome { input, superseded, written, .. } = outcome;
        let sources = input
            .sources
            .iter()
            .zip(outcome.source_counts())
            .map(|(source, counts)| SourceBalance { name: source.name.clone(), counts, rows: source.rows });
        let partitions = written.partitions.iter().map(|partition| PartitionBalance {
            path: partition.path.clone(),
            rows: partition.rows,
            counts: partition.counts,
        });
        let superseded_partitions = written.superseded.iter().map(|partition| PartitionBalance {
            path: partition.path.clone(),
            rows: 0,
            counts: partition.counts,
        });
        Self {
            run: outcome.run_counts(),
            by_reason: input.by_reason.values().sum(),
            redelivered: superseded.redelivered,
            corrected: superseded.corrected,
            existing_kept: outcome.existing_kept(),
            existing_superseded: superseded.existing_rows,
            sources: sources.collect(),
            partitions: partitions.collect(),
            superseded_partitions: superseded_partitions.collect(),
        }
    }

    /// Refuses counts that don't add up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let checks = [Self::check_run, Self::check_sources, Self::check_partitions];
        checks.iter().try_for_each(|check| check(self)).map_err(Error::Unbalanced)
    }

    fn check_run(&self) -> Result<(), String> {
        self.run.balance()?;
        agree("quarantined", self.run.quarantined, self.by_reason, "by reason")?;
        let by_kind = self.redelivered + self.corrected;
        agree("superseded", self.run.superseded, by_kind, "redelivered and corrected")
    }

    fn check_sources(&self) -> Result<(), String> {
        let mut sum = LineCounts::default();
        for SourceBalance { name, counts, rows } in &self.sources {
            counts.balance().map_err(|problem| format!("{name}: {problem}"))?;
            let out = counts.superseded + counts.written;
            agree(&format!("{name}: rows superseded and written"), out, *rows, "read")?;
            sum.add(counts);
        }
        for ((what, of_run), (_, of_sources)) in self.run.named().into_iter().zip(sum.named()) {
            agree(what, of_run, of_sources, "by source")?;
        }
        Ok(())
    }

    fn check_partitions(&self) -> Result<(), String> {
        let (mut written, mut superseded, mut existing_superseded) = (0, 0, 0);
        for PartitionBalance { path, rows, counts } in &self.partitions {
            let PartitionCounts { read, left_out, existing } = counts;
            let (out, in_all) = (left_out + existing.left_out + rows, read + existing.read);
            agree(&format!("{path}: rows superseded and written"), out, in_all, "read")?;
            written += rows;
            superseded += left_out;
            existing_superseded += existing.left_out;
        }
        for PartitionBalance { path, counts: PartitionCounts { read, left_out, .. }, .. } in
            &self.superseded_partitions
        {
            agree(&format!("{path}: rows superseded, none written"), *left_out, *read, "read")?;
            superseded += left_out;
        }
        let in_run = self.run.written + self.existing_kept;
        agree("written, and there before", in_run, written, "by partition")?;
        agree("there before and superseded", self.existing_superseded, existing_superseded, "by partition")?;
        agree("superseded", self.run.superseded, superseded, "by partition")
    }
}

fn agree(what: &str, count: u64, other: u64, counted: &str) -> Result<(), String> {
    if count == other { Ok(()) } else { Err(format!("{what}: {count}, but {other} {counted}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::ExistingCounts;

    /// Of two sources, with two partitions, one of them superseded as a whole.
    fn balanced() -> Balance {
        let source = |name: &str, superseded, written| SourceBalance {
            name: name.to_owned(),
            counts: LineCounts {
                lines: 3 + superseded + written,
                blank: 1,
                quarantined: 1,
                filtered: 1,
                superseded,
                written,
            },
            rows: superseded + written,
        };
        let existing = ExistingCounts { read: 3, left_out: 1 };
        Balance {
            run: LineCounts { lines: 16, blank: 2, quarantined: 2, filtered: 2, superseded: 4, written: 6 },
            by_reason: 2,
            redelivered: 3,
            corrected: 1,
            existing_kept: 2,
            existing_superseded: 1,
            sources: vec![source("a", 3, 2), source("b", 1, 4)],
            partitions: vec![PartitionBalance {
                path: "2024/10/10/x".to_owned(),
                rows: 8,
                counts: PartitionCounts { read: 9, left_out: 3, existing },
            }],
            superseded_partitions: vec![PartitionBalance {
                path: "2024/10/11/x".to_owned(),
                rows: 0,
                counts: PartitionCounts { read: 1, left_out: 1, ..PartitionCounts::default() },
            }],
        }
    }

    #[test]
    fn counts_that_agree_are_accepted() {
        balanced().check().unwrap();
        Balance::default().check().unwrap();
    }

    #[test]
    fn each_count_that_is_off_by_one_is_refused() {
        type Change = fn(&mut Balance);
        let cases: [(Change, &str); 26] = [
            (
                |r| r.run.lines += 1,
                "17 lines, but 2 blank + 2 quarantined + 2 filtered + 4 superseded + 6 written = 16",
            ),
            (|r| r.run.written -= 1, "written = 15"),
            // A line that is counted as another kind still balances, but is found by its source.
            (|r| (r.run.blank, r.run.filtered) = (1, 3), "blank: 1, but 2 by source"),
            (|r| (r.run.blank, r.run.filtered) = (3, 1), "blank: 3, but 2 by source"),
            (
                |r| (r.run.superseded, r.run.written, r.corrected) = (5, 5, 2),
                "superseded: 5, but 4 by source",
            ),
            (|r| r.corrected += 1, "superseded: 4, but 5 redelivered and corrected"),
            (|r| r.redelivered -= 1, "superseded: 4, but 3 redelivered and corrected"),
            (|r| r.by_reason = 1, "quarantined: 2, but 1 by reason"),
            (|r| r.sources[0].counts.lines += 1, "a: 9 lines, but"),
            (|r| r.sources[0].counts.blank -= 1, "a: 8 lines, but 0 blank"),
            (|r| r.sources[0].counts.quarantined += 1, "a: 8 lines, but"),
            (|r| r.sources[1].counts.filtered += 1, "b: 8 lines, but"),
            (|r| r.sources[1].counts.superseded -= 1, "b: 8 lines, but"),
            (|r| r.sources[1].counts.written += 1, "b: 8 lines, but"),
            (|r| r.sources[1].rows += 1, "b: rows superseded and written: 5, but 6 read"),
            (
                |r| (r.sources[0].counts.filtered, r.sources[0].counts.superseded) = (2, 2),
                "a: rows superseded and written: 4, but 5 read",
            ),
            (|r| drop(r.sources.pop()), "lines: 16, but 8 by source"),
            (|r| r.partitions[0].rows -= 1, "2024/10/10/x: rows superseded and written: 11, but 12 read"),
            (
                |r| (r.partitions[0].rows, r.partitions[0].counts.left_out) = (7, 4),
                "written, and there before: 8, but 7 by partition",
            ),
            (
                |r| (r.partitions[0].counts.left_out, r.partitions[0].counts.read) = (2, 8),
                "superseded: 4, but 3 by partition",
            ),
            (|r| r.existing_kept += 1, "written, and there before: 9, but 8 by partition"),
            (|r| r.existing_superseded += 1, "there before and superseded: 2, but 1 by partition"),
            (
                |r| r.partitions[0].counts.existing.read -= 1,
                "2024/10/10/x: rows superseded and written: 12, but 11 read",
            ),
            (
                |r| (r.partitions[0].counts.existing.read, r.partitions[0].counts.existing.left_out) = (4, 2),
                "there before and superseded: 1, but 2 by partition",
            ),
            (
                |r| r.superseded_partitions[0].counts.read += 1,
                "2024/10/11/x: rows superseded, none written: 1, but 2 read",
            ),
            (|r| drop(r.superseded_partitions.pop()), "superseded: 4, but 3 by partition"),
        ];
        for (change, expected) in cases {
            let mut balance = balanced();
            change(&mut balance);
            let message = balance.check().unwrap_err().to_string();
            assert!(message.contains(expected), "expected {expected:?}, found {message:?}");
            assert!(message.contains("nothing was changed"), "{message}");
        }
    }

    /// The mistakes that, according to docs/manifest.md, a load finds itself: with the counts of such a
    /// loader.
    #[test]
    fn a_wrong_loader_does_not_balance() {
        type Change = fn(&mut Balance);
        let cases: [(&str, Change, &str); 3] = [
            (
                "bad-lines-dropped",
                |r| {
                    (r.run.quarantined, r.by_reason) = (0, 0);
                    r.sources.iter_mut().for_each(|source| source.counts.quarantined = 0);
                },
                "16 lines, but 2 blank + 0 quarantined + 2 filtered + 4 superseded + 6 written = 14",
            ),
            (
                "row-twice",
                |r| {
                    r.run.written += 1;
                    r.sources[1].counts.written += 1;
                    r.partitions[0].rows += 1;
                },
                "16 lines, but 2 blank + 2 quarantined + 2 filtered + 4 superseded + 7 written = 17",
            ),
            (
                "row-twice, which only the footer of its file counts",
                |r| r.partitions[0].rows += 1,
                "2024/10/10/x: rows superseded and written: 13, but 12 read",
            ),
        ];
        for (mistake, change, expected) in cases {
            let mut balance = balanced();
            change(&mut balance);
            let message = balance.check().unwrap_err().to_string();
            let expected = format!("the accounting does not balance: {expected}");
            assert!(message.starts_with(&expected), "{mistake}: expected {expected:?}, found {message:?}");
        }
    }
}
