//! The results of a run → the report, as JSON; `report/summary.rs` makes a short text of it.
//!
//! Invariant: `report/proof.rs` has compared the counts with each other before anything was committed.

mod days;
mod proof;
mod samples;
mod summary;

use std::{borrow::Cow, collections::BTreeMap};

use event_parser::Plan;
use event_target::{Action, LineCounts, SupersededKinds};
use serde::Serialize;

use self::days::DaysWithoutRows;
pub use self::summary::Summary;
pub(crate) use self::{proof::Balance, samples::SupersededSample};
use crate::{
    ingest::{InputCounts, RunCounts},
    input::SkippedSource,
    latest::SupersededTotals,
    output::{Written, WrittenPartition},
    rows::RowLedger,
    runtime::StageReport,
    settings::Settings,
};

/// What a load has found and written, before its commit.
#[derive(Clone, Copy)]
pub(crate) struct LoadOutcome<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) plan: &'a Plan,
    pub(crate) input: &'a InputCounts,
    pub(crate) ledger: &'a RowLedger,
    pub(crate) superseded: &'a SupersededTotals,
    pub(crate) written: &'a Written,
}

/// The report of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: Quarantined,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    /// Superseded rows with the content of a version that is kept or was itself corrected.
    pub(crate) redelivered: u64,
    /// Superseded rows with their own content.
    pub(crate) corrected: u64,
    /// The first superseded rows in input order, as many as requested.
    pub(crate) superseded_samples: Vec<SupersededSample>,
    pub(crate) written: u64,
    /// In a merge: existing rows that stay, in the partitions that were rewritten.
    #[serde(rename = "held_kept")]
    pub(crate) existing_kept: u64,
    /// In a merge: existing rows that a later version superseded.
    #[serde(rename = "held_superseded")]
    pub(crate) existing_superseded: u64,
    /// By path.
    pub(crate) partitions: Vec<PartitionReport>,
    /// Partitions all of whose rows are superseded, by path; nothing was written for them.
    pub(crate) superseded_partitions: Vec<SupersededPartitionReport>,
    /// Days of a closed range for which no row was written, up to a number; the summary says why.
    pub(crate) days_without_events: Vec<String>,
    /// How many there are, listed or not.
    pub(crate) days_without_events_total: u64,
    #[serde(skip)]
    days_without_rows: DaysWithoutRows,
    /// Rows with a field that is not in the catalog, by its path in the event.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// Rows with a value of another type that was converted, by its path in the event.
    pub(crate) coerced: BTreeMap<String, u64>,
    /// Rows with a number or timestamp that lost digits other than zero, by its path in the event.
    pub(crate) rounded: BTreeMap<String, u64>,
    /// Events that the catalog does not know, by `domain/event_type`.
    pub(crate) unknown_events: BTreeMap<String, u64>,
    /// Bad lines that have several values; they are among the quarantined.
    #[serde(skip)]
    pub(crate) several_values: u64,
    pub(crate) sources: Vec<SourceReport>,
    /// Sources that were not loaded, with the reason.
    #[serde(rename = "passed_over")]
    pub(crate) skipped: Vec<SkippedSource>,
    /// In a replay: event types whose lines stay as they are, because they don't fit what the target has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left_out: Vec<LeftOutType>,
    pub(crate) committed: bool,
    pub(crate) dry_run: bool,
    pub(crate) duration_ms: u64,
    /// In the order in which data passes through them.
    pub(crate) stages: Vec<StageReport>,
}

/// The bad lines of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Quarantined {
    pub(crate) total: u64,
    pub(crate) by_reason: BTreeMap<Cow<'static, str>, u64>,
}

/// An event type that a replay left out.
#[derive(Debug, Serialize)]
pub(crate) struct LeftOutType {
    /// `domain/type`
    event_type: String,
    problem: String,
}

/// A partition that was written.
#[derive(Debug, Serialize)]
pub(crate) struct PartitionReport {
    pub(crate) path: String,
    /// As counted in the footers of its files.
    pub(crate) rows: u64,
    /// Superseded rows of the input that fell into it.
    pub(crate) superseded: u64,
    /// Rows that it had before a merge.
    #[serde(rename = "held")]
    pub(crate) existing: u64,
    /// Those of them that are superseded.
    #[serde(rename = "held_superseded")]
    pub(crate) existing_superseded: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) action: Action,
}

/// A partition for which nothing was written.
#[derive(Debug, Serialize)]
pub(crate) struct SupersededPartitionReport {
    pub(crate) path: String,
    pub(crate) superseded: u64,
}

/// What became of the lines of a source.
#[derive(Debug, Serialize)]
pub(crate) struct SourceReport {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    #[serde(flatten)]
    pub(crate) counts: LineCounts,
}

impl LoadOutcome<'_> {
    /// What became of the lines of each source.
    fn source_counts(self) -> Vec<LineCounts> {
        let superseded = &self.superseded.by_source;
        let sources = self.input.sources.iter().enumerate();
        let counts = sources.map(|(index, source)| LineCounts {
            lines: source.lines,
            blank: source.blank,
            quarantined: source.quarantined,
            filtered: source.filtered,
            superseded: superseded.get(&index).copied().unwrap_or_default(),
            written: self.written.out.written(index),
        });
        counts.collect()
    }

    /// Existing rows that stay in their partitions.
    fn existing_kept(self) -> u64 {
        let kept = |partition: &WrittenPartition| {
            let existing = partition.counts.existing;
            existing.read - existing.left_out
        };
        self.written.partitions.iter().map(kept).sum()
    }

    /// What became of all lines. Written rows are counted in the footers of the files.
    fn run_counts(self) -> LineCounts {
        let RunCounts { lines, blank, quarantined, filtered } = self.input.run;
        let in_files: u64 = self.written.partitions.iter().map(|partition| partition.rows).sum();
        LineCounts {
            lines,
            blank,
            quarantined,
            filtered,
            superseded: self.superseded.rows,
            written: in_files.saturating_sub(self.existing_kept()),
        }
    }
}

impl Report {
    /// The report of a load that is not committed yet.
    pub(crate) fn new(outcome: LoadOutcome<'_>, skipped: Vec<SkippedSource>) -> Self {
        let LoadOutcome { settings, plan, input, ledger, superseded, written } = outcome;
        let LineCounts {
            lines,
            blank,
            quarantined,
            filtered,
            superseded: superseded_rows,
            written: written_rows,
        } = outcome.run_counts();
        let sources = input
            .sources
            .iter()
            .zip(outcome.source_counts())
            .map(|(source, counts)| SourceReport { path: source.name.clone(), bytes: source.bytes, counts });
        let sources: Vec<_> = sources.collect();
        let days_without_rows = DaysWithoutRows::of(outcome);
        let samples = superseded.samples.iter().map(|sample| {
            SupersededSample::new(sample, plan.event_type(sample.type_index), ledger, &sources)
        });
        Self {
            lines,
            blank,
            quarantined: Quarantined { total: quarantined, by_reason: input.by_reason.clone() },
            filtered,
            superseded: superseded_rows,
            redelivered: superseded.redelivered,
            corrected: superseded.corrected,
            superseded_samples: samples.collect(),
            written: written_rows,
            existing_kept: outcome.existing_kept(),
            existing_superseded: superseded.existing_rows,
            partitions: written.partitions.iter().map(PartitionReport::new).collect(),
            superseded_partitions: written
                .superseded
                .iter()
                .map(|partition| SupersededPartitionReport {
                    path: partition.path.clone(),
                    superseded: partition.counts.left_out,
                })
                .collect(),
            days_without_events: days_without_rows.listed(),
            days_without_events_total: days_without_rows.count(),
            days_without_rows,
            unknown_fields: input.unknown_fields.clone(),
            coerced: input.coerced.clone(),
            rounded: input.rounded.clone(),
            unknown_events: input.unknown_events.clone(),
            several_values: input.several_values,
            sources,
            skipped,
            left_out: Vec::new(),
            committed: false,
            dry_run: settings.dry_run,
            duration_ms: 0,
            stages: Vec::new(),
        }
    }

    /// The report as JSON, with a newline.
    ///
    /// # Errors
    /// None in practice: all keys are strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// What became of all lines.
    pub(crate) fn counts(&self) -> LineCounts {
        let Self { lines, blank, filtered, superseded, written, .. } = *self;
        LineCounts { lines, blank, quarantined: self.quarantined.total, filtered, superseded, written }
    }

    /// What was superseded, by kind.
    pub(crate) fn superseded_kinds(&self) -> SupersededKinds {
        let Self { redelivered, corrected, existing_superseded: existing, .. } = *self;
        SupersededKinds { redelivered, corrected, existing }
    }

    /// A line for each source that was left out, although no later run will load it as it is.
    pub fn left_out(&self) -> impl Iterator<Item = String> + '_ {
        let lasting = self.skipped.iter().filter(|source| source.reason.is_lasting());
        lasting.map(|source| {
            format!("left out {}: {}", source.path, source.detail.as_deref().unwrap_or_default())
        })
    }

    /// Each event type that was left out, with the reason, as a message.
    pub fn left_out_types(&self) -> impl Iterator<Item = String> + '_ {
        self.left_out.iter().map(|LeftOutType { event_type, problem }| {
            format!("left the bad lines of {event_type} where they are: {problem}")
        })
    }

    /// Adds an event type that was left out, `domain/type`, and why.
    pub(crate) fn leave_out(&mut self, event_type: String, problem: String) {
        self.left_out.push(LeftOutType { event_type, problem });
    }

    /// Whether any line is good and selected.
    pub(crate) fn has_good_lines(&self) -> bool {
        self.written + self.superseded > 0
    }

    /// Whether the load was committed.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.committed
    }

    fn count(&self, action: Action) -> usize {
        self.partitions.iter().filter(|partition| partition.action == action).count()
    }
}

impl PartitionReport {
    fn new(partition: &WrittenPartition) -> Self {
        let WrittenPartition { path, files, rows, bytes, action, counts, .. } = partition;
        Self {
            path: path.clone(),
            rows: *rows,
            superseded: counts.left_out,
            existing: counts.existing.read,
            existing_superseded: counts.existing.left_out,
            files: *files,
            bytes: *bytes,
            action: *action,
        }
    }
}
