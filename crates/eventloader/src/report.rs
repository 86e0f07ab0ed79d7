//! What a run did, as counts → JSON for machines; `report/summary.rs` makes a short table for people of it.
//!
//! Invariant: what is named here is what `report/proof.rs` holds against each other before anything is committed.

mod proof;
mod samples;
mod summary;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::summary::Summary;
pub(crate) use self::{
    samples::SupersededSample,
    summary::{grouped, plural},
};
use crate::{commit::Action, fates::Fates, raw_content::RawContent, stages::StageReport, survey::PassedOver};

/// The run report of CONTRACT.md section 7.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: Quarantined,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    /// Those that another version of the same content stands for.
    pub(crate) redelivered: u64,
    /// Those whose content is none of the later versions'.
    pub(crate) corrected: u64,
    /// The first superseded rows in input order, as many as were asked for.
    pub(crate) superseded_samples: Vec<SupersededSample>,
    pub(crate) written: u64,
    /// Of a merge: rows that partitions held before and hold still, of those that were written again.
    pub(crate) held_kept: u64,
    /// Of a merge: rows that the target held and that a later version superseded.
    pub(crate) held_superseded: u64,
    /// By path.
    pub(crate) partitions: Vec<PartitionReport>,
    /// Those all of whose rows are superseded, by path; nothing was written for them.
    pub(crate) superseded_partitions: Vec<SupersededPartition>,
    /// Days that were asked for by name and have no rows.
    pub(crate) days_without_events: Vec<String>,
    /// By path in the event: rows that have a field that the schema doesn't know.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// By path in the event: rows that have another kind of JSON value there than its column's type is.
    pub(crate) coerced: BTreeMap<String, u64>,
    /// By path in the event: rows of whose number or timestamp digits were rounded off or cut that are not all zero.
    pub(crate) rounded: BTreeMap<String, u64>,
    /// By `domain/event_type`: events that the catalog doesn't know.
    pub(crate) unknown_events: BTreeMap<String, u64>,
    pub(crate) sources: Vec<SourceReport>,
    /// With `--skip-loaded`: sources that were not loaded, with the reason.
    pub(crate) passed_over: Vec<PassedOver>,
    pub(crate) committed: bool,
    pub(crate) dry_run: bool,
    pub(crate) duration_ms: u64,
    /// In the order of the data's way.
    pub(crate) stages: Vec<StageReport>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Quarantined {
    pub(crate) total: u64,
    pub(crate) by_reason: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PartitionReport {
    pub(crate) path: String,
    /// As the footers of its files say.
    pub(crate) rows: u64,
    /// Rows that fell into it and are superseded.
    pub(crate) superseded: u64,
    /// Rows that it held before a merge.
    pub(crate) held: u64,
    /// Those of them that are superseded.
    pub(crate) held_superseded: u64,
    /// All that fell into it, as they were read.
    #[serde(skip)]
    pub(crate) read: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) action: Action,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct SupersededPartition {
    pub(crate) path: String,
    pub(crate) superseded: u64,
    /// All that fell into it, as they were read.
    #[serde(skip)]
    pub(crate) read: u64,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct SourceReport {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    #[serde(flatten)]
    pub(crate) fates: Fates,
    /// What it holds as it is stored; of merges alone.
    #[serde(skip)]
    pub(crate) content: Option<RawContent>,
    /// Good lines of it, as they were read.
    #[serde(skip)]
    pub(crate) rows: u64,
}

impl Report {
    /// The report as JSON, with a newline.
    ///
    /// # Errors
    /// None that can happen: all keys are strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// What became of all lines.
    pub(crate) fn fates(&self) -> Fates {
        let Self { lines, blank, filtered, superseded, written, .. } = *self;
        Fates { lines, blank, quarantined: self.quarantined.total, filtered, superseded, written }
    }

    fn count(&self, action: Action) -> usize {
        self.partitions.iter().filter(|partition| partition.action == action).count()
    }
}
