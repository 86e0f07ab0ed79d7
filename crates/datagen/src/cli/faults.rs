//! The flags for faults and for the records of a run → the list of faults, and the paths of the records.
//!
//! Invariant: a list of faults is parsed here, but counted only when the number of events is known.

use std::path::PathBuf;

use clap::Args;

use super::stream::EVENTS;
use crate::{config::fault_list::FaultList, deliver::RecordPaths};

const VERIFICATION: &str = "Verification";

/// What is wrong with the stream, and the records of it.
#[derive(Debug, Clone, Args)]
pub(super) struct FaultArgs {
    /// Faults to put into the stream: name=COUNT or name=PERCENT%, comma-separated
    ///
    /// Exactly this many events have each fault, and no event has two; a percentage is of all events of the
    /// run, and 100% is every event but the last, after which nothing can arrive. --seed and the number of
    /// events decide which events are hit; nothing in a line reveals it. Late lines arrive at most 1,000
    /// events after their position. Without the faulty lines, which --faults-log lists, the lines are those
    /// of a run without --faults.
    ///
    /// duplicates: the same line arrives again. corrections: a later version of the event arrives, with
    /// another payload; some are of another day. stale: a correction arrives, then the old line again. ties:
    /// another version with the same timestamp arrives; the last line counts. late: the line itself arrives
    /// late. offsets: the timestamp is written with an offset. unknown-fields: the event has a field that is
    /// in no schema. malformed: a bad line is added, the kinds take turns. unknown-events: an event of a type
    /// that is in no catalog is added. blank: a blank line is added. too-long: a line above 16 MiB is added.
    #[arg(long, value_name = "LIST", help_heading = EVENTS)]
    faults: Option<FaultList>,

    /// Write what a correct load of these events must leave, for `eventloader verify --against`
    ///
    /// By day and event type: the number of rows, a checksum of their contents and the sums of amounts; also
    /// the counts that the loader must report. A run that continues existing events leaves the manifests and
    /// logs of earlier runs alone: its own is then FILE with a number, as in truth-1.json. docs/manifest.md
    /// describes the format.
    #[arg(long, value_name = "FILE", help_heading = VERIFICATION)]
    manifest: Option<PathBuf>,

    /// Write which line has which fault, one JSON object for each; named as a manifest is
    #[arg(long, value_name = "FILE", help_heading = VERIFICATION)]
    faults_log: Option<PathBuf>,

    /// Write what changes at which event, one JSON object for each change; named as a manifest is
    #[arg(long, value_name = "FILE", help_heading = VERIFICATION)]
    changes_log: Option<PathBuf>,
}

impl FaultArgs {
    pub(super) fn list(&self) -> Option<FaultList> {
        self.faults.clone()
    }

    pub(super) fn records(&self) -> RecordPaths {
        RecordPaths {
            manifest: self.manifest.clone(),
            faults_log: self.faults_log.clone(),
            changes_log: self.changes_log.clone(),
        }
    }
}
