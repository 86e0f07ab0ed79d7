//! A run's report → whether its counts prove that no line was lost and no row came from nowhere.
//!
//! `lines = blank + quarantined + filtered + superseded + written` must hold for the run and for each source, and what fell
//! into a partition, or was there before a merge, must be in its files or superseded.
//!
//! Invariant: the sides of each equation are counted in different places. Lines and what they are: by those who read them.
//! Rows of a source and of a partition: from the batches that come in. Superseded rows: by "latest", from the bits of its
//! set block by block, and where partitions leave them out. Written rows: where they go out to the encoders, and in the
//! footers of the files.

use super::{PartitionReport, Report, SupersededPartition};
use crate::{error::Error, fates::Fates};

impl Report {
    /// Refuses counts that don't add up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let checks = [Self::check_run, Self::check_sources, Self::check_partitions];
        checks.iter().try_for_each(|check| check(self)).map_err(Error::Unbalanced)
    }

    fn check_run(&self) -> Result<(), String> {
        self.fates().balance()?;
        let by_reason = self.quarantined.by_reason.values().sum();
        agree("quarantined", self.quarantined.total, by_reason, "by reason")?;
        agree("superseded", self.superseded, self.redelivered + self.corrected, "redelivered and corrected")
    }

    fn check_sources(&self) -> Result<(), String> {
        let mut sum = Fates::default();
        for source in &self.sources {
            let fates = &source.fates;
            fates.balance().map_err(|problem| format!("{}: {problem}", source.path))?;
            let rows = format!("{}: rows superseded and written", source.path);
            agree(&rows, fates.superseded + fates.written, source.rows, "read")?;
            sum.add(fates);
        }
        let run = self.fates();
        for ((what, of_run), (_, of_sources)) in run.named().into_iter().zip(sum.named()) {
            agree(what, of_run, of_sources, "by source")?;
        }
        Ok(())
    }

    fn check_partitions(&self) -> Result<(), String> {
        let (mut written, mut superseded, mut held_superseded) = (0, 0, 0);
        for partition in &self.partitions {
            let PartitionReport {
                path, rows, superseded: left_out, read, held, held_superseded: lost, ..
            } = partition;
            let (out, in_all) = (left_out + lost + rows, read + held);
            agree(&format!("{path}: rows superseded and written"), out, in_all, "read")?;
            written += rows;
            superseded += left_out;
            held_superseded += lost;
        }
        for SupersededPartition { path, superseded: left_out, read } in &self.superseded_partitions {
            agree(&format!("{path}: rows superseded, none written"), *left_out, *read, "read")?;
            superseded += left_out;
        }
        agree("written, and held before", self.written + self.held_kept, written, "by partition")?;
        agree("held before and superseded", self.held_superseded, held_superseded, "by partition")?;
        agree("superseded", self.superseded, superseded, "by partition")
    }
}

fn agree(what: &str, count: u64, other: u64, counted: &str) -> Result<(), String> {
    if count == other { Ok(()) } else { Err(format!("{what}: {count}, but {other} {counted}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commit::Action, report::SourceReport};

    /// Of two sources, with two partitions, one of them superseded as a whole.
    fn balanced() -> Report {
        let source = |path: &str, superseded, written| SourceReport {
            path: path.to_owned(),
            bytes: 0,
            content: None,
            fates: Fates {
                lines: 3 + superseded + written,
                blank: 1,
                quarantined: 1,
                filtered: 1,
                superseded,
                written,
            },
            rows: superseded + written,
        };
        let mut report = Report {
            lines: 16,
            blank: 2,
            filtered: 2,
            superseded: 4,
            redelivered: 3,
            corrected: 1,
            written: 6,
            held_kept: 2,
            held_superseded: 1,
            sources: vec![source("a", 3, 2), source("b", 1, 4)],
            partitions: vec![PartitionReport {
                path: "2024/10/10/x".to_owned(),
                rows: 8,
                superseded: 3,
                held: 3,
                held_superseded: 1,
                read: 9,
                files: 1,
                bytes: 1,
                action: Action::Created,
            }],
            superseded_partitions: vec![SupersededPartition {
                path: "2024/10/11/x".to_owned(),
                superseded: 1,
                read: 1,
            }],
            ..Report::default()
        };
        report.quarantined.total = 2;
        report.quarantined.by_reason = [("malformed_json", 2)].into();
        report
    }

    #[test]
    fn a_report_whose_counts_agree_is_accepted() {
        balanced().check().unwrap();
        Report::default().check().unwrap();
    }

    #[test]
    fn each_count_that_is_off_by_one_is_refused() {
        type Change = fn(&mut Report);
        let cases: [(Change, &str); 26] = [
            (
                |r| r.lines += 1,
                "17 lines, but 2 blank + 2 quarantined + 2 filtered + 4 superseded + 6 written = 16",
            ),
            (|r| r.written -= 1, "written = 15"),
            // A line that moved from one fate to another balances, but is told by its source.
            (|r| (r.blank, r.filtered) = (1, 3), "blank: 1, but 2 by source"),
            (|r| (r.blank, r.filtered) = (3, 1), "blank: 3, but 2 by source"),
            (|r| (r.superseded, r.written, r.corrected) = (5, 5, 2), "superseded: 5, but 4 by source"),
            (|r| r.corrected += 1, "superseded: 4, but 5 redelivered and corrected"),
            (|r| r.redelivered -= 1, "superseded: 4, but 3 redelivered and corrected"),
            (|r| r.quarantined.by_reason = [("malformed_json", 1)].into(), "quarantined: 2, but 1 by reason"),
            (|r| r.sources[0].fates.lines += 1, "a: 9 lines, but"),
            (|r| r.sources[0].fates.blank -= 1, "a: 8 lines, but 0 blank"),
            (|r| r.sources[0].fates.quarantined += 1, "a: 8 lines, but"),
            (|r| r.sources[1].fates.filtered += 1, "b: 8 lines, but"),
            (|r| r.sources[1].fates.superseded -= 1, "b: 8 lines, but"),
            (|r| r.sources[1].fates.written += 1, "b: 8 lines, but"),
            (|r| r.sources[1].rows += 1, "b: rows superseded and written: 5, but 6 read"),
            (
                |r| (r.sources[0].fates.filtered, r.sources[0].fates.superseded) = (2, 2),
                "a: rows superseded and written: 4, but 5 read",
            ),
            (|r| drop(r.sources.pop()), "lines: 16, but 8 by source"),
            (|r| r.partitions[0].rows -= 1, "2024/10/10/x: rows superseded and written: 11, but 12 read"),
            (
                |r| (r.partitions[0].rows, r.partitions[0].superseded) = (7, 4),
                "written, and held before: 8, but 7 by partition",
            ),
            (
                |r| (r.partitions[0].superseded, r.partitions[0].read) = (2, 8),
                "superseded: 4, but 3 by partition",
            ),
            (|r| r.held_kept += 1, "written, and held before: 9, but 8 by partition"),
            (|r| r.held_superseded += 1, "held before and superseded: 2, but 1 by partition"),
            (|r| r.partitions[0].held -= 1, "2024/10/10/x: rows superseded and written: 12, but 11 read"),
            (
                |r| (r.partitions[0].held, r.partitions[0].held_superseded) = (4, 2),
                "held before and superseded: 1, but 2 by partition",
            ),
            (
                |r| r.superseded_partitions[0].read += 1,
                "2024/10/11/x: rows superseded, none written: 1, but 2 read",
            ),
            (|r| drop(r.superseded_partitions.pop()), "superseded: 4, but 3 by partition"),
        ];
        for (change, expected) in cases {
            let mut report = balanced();
            change(&mut report);
            let message = report.check().unwrap_err().to_string();
            assert!(message.contains(expected), "expected {expected:?}, found {message:?}");
            assert!(message.contains("nothing was changed"), "{message}");
        }
    }

    /// The mistakes that docs/manifest.md says a load finds itself, by the counts that such a loader would have.
    #[test]
    fn a_wrong_loader_does_not_balance() {
        type Change = fn(&mut Report);
        let cases: [(&str, Change, &str); 3] = [
            (
                "bad-lines-dropped",
                |r| {
                    r.quarantined.total = 0;
                    r.quarantined.by_reason.clear();
                    r.sources.iter_mut().for_each(|source| source.fates.quarantined = 0);
                },
                "16 lines, but 2 blank + 0 quarantined + 2 filtered + 4 superseded + 6 written = 14",
            ),
            (
                "row-twice",
                |r| {
                    r.written += 1;
                    r.sources[1].fates.written += 1;
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
            let mut report = balanced();
            change(&mut report);
            let message = report.check().unwrap_err().to_string();
            let expected = format!("the accounting does not balance: {expected}");
            assert!(message.starts_with(&expected), "{mistake}: expected {expected:?}, found {message:?}");
        }
    }
}
