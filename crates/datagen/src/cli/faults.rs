//! The flags that name faults and the records of a run → the list of faults, and where the records go.

use std::path::PathBuf;

use clap::Args;

use super::stream::EVENTS;
use crate::faults::FaultList;
use crate::records::RecordPaths;

const TRUTH: &str = "Truth";

/// What is wrong with the stream, and what is written down about it.
#[derive(Clone, Debug, Args)]
pub(super) struct FaultArgs {
    /// Faults to put into the stream: name=COUNT or name=PERCENT%, comma-separated
    ///
    /// Each event has at most one of them, and exactly so many events have each; a percent is of all events of the run. Which, is
    /// decided by --seed and the number of events; nothing in a line tells. What arrives late does so at most 1,000 events behind its
    /// place. Without the faults, the lines are those of a run without --faults; --faults-log says which they are.
    ///
    /// duplicates: the same line arrives once more. corrections: a later version of the event, with another payload; some are of
    /// another day. stale: a correction, and then the old line once more. ties: another version with the same timestamp; the last
    /// line counts. late: the line itself arrives late. offsets: the timestamp is written with an offset. unknown-fields: the
    /// event has a field that no schema knows. malformed: a bad line is put in, of each kind in turn. unknown-events: an event of a
    /// type that no catalog knows is put in. blank: a blank line is put in. too-long: a line above 16 MiB is put in.
    #[arg(long, value_name = "LIST", help_heading = EVENTS)]
    faults: Option<FaultList>,

    /// Write what a right load of these events must leave, for `eventloader verify --against`
    ///
    /// By day and event type: the number of rows, a checksum of their contents and the sums of amounts; and what the loader's report
    /// must say. docs/manifest.md describes the format.
    #[arg(long, value_name = "FILE", help_heading = TRUTH)]
    manifest: Option<PathBuf>,

    /// Write which line is which fault, one JSON object for each
    #[arg(long, value_name = "FILE", help_heading = TRUTH)]
    faults_log: Option<PathBuf>,
}

impl FaultArgs {
    /// What is asked for.
    pub(super) fn list(&self) -> Option<FaultList> {
        self.faults.clone()
    }

    /// What to write beside the stream.
    pub(super) fn records(&self) -> RecordPaths {
        RecordPaths { manifest: self.manifest.clone(), faults_log: self.faults_log.clone() }
    }
}
