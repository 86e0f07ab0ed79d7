//! The time that each stage took, over all threads → the profile of a run: in the report, and with `-v` in
//! the summary.
//!
//! A worker reads the clock when it goes from one stage to the next, a few times for each block and each
//! partition: too seldom to cost anything. Waiting for another worker is a stage of its own.
//!
//! Invariant: a stage's figures only grow; nothing in the output depends on them.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

use serde::{Deserialize, Serialize};

/// Where time is spent, in the order of the data flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Waiting for the reader, or for the turn to hand in.
    Wait,
    /// Sources into blocks, decompressed. Bytes of text.
    Read,
    /// Lines into columns.
    Parse,
    /// Results of blocks into counts, quarantine and rows; spilling if memory is short.
    Collect,
    /// Searching the target for the events of a merge: all threads.
    Search,
    /// Finding superseded rows: all threads.
    Latest,
    /// Rows by partition: all threads, a type each.
    Group,
    /// Rows of a partition into order, or merged from the spill file.
    Order,
    /// Columns into compressed pages of staged files. Bytes of files.
    Encode,
    /// Comparing staged files with existing ones.
    Compare,
    /// Sending rows to a database, and waiting for what it does with them. Bytes of COPY. Other targets have
    /// no such stage.
    Copy,
    /// Making everything durable and visible: all threads, or waiting for the disk.
    Commit,
}

const STAGES: [Stage; 12] = [
    Stage::Wait,
    Stage::Read,
    Stage::Parse,
    Stage::Collect,
    Stage::Search,
    Stage::Latest,
    Stage::Group,
    Stage::Order,
    Stage::Encode,
    Stage::Compare,
    Stage::Copy,
    Stage::Commit,
];

/// Collects from all threads.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    nanos: [AtomicU64; STAGES.len()],
    bytes: [AtomicU64; STAGES.len()],
    /// The number of threads, where memory has no room for more; 0 elsewhere.
    threads: [AtomicUsize; STAGES.len()],
}

/// The figures of another process: of each stage its nanoseconds and its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StageTimes(Vec<(Stage, u64, u64)>);

/// One worker's clock.
#[derive(Debug)]
pub(crate) struct Clock<'a> {
    stages: &'a Stages,
    since: Instant,
}

/// The figures of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StageReport {
    pub(crate) stage: Stage,
    /// Added up over the threads.
    pub(crate) thread_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    /// The number of threads, if memory has no room for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threads: Option<usize>,
}

impl Stages {
    pub(crate) fn clock(&self) -> Clock<'_> {
        Clock { stages: self, since: Instant::now() }
    }

    pub(crate) fn add_bytes(&self, stage: Stage, bytes: u64) {
        self.bytes[stage as usize].fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that memory has no room for more threads in this stage.
    pub(crate) fn limit(&self, stage: Stage, threads: usize) {
        self.threads[stage as usize].store(threads, Ordering::Relaxed);
    }

    /// What was collected so far, for [`Self::add`] in another process.
    pub(crate) fn times(&self) -> StageTimes {
        let figure = |of: &[AtomicU64], stage: Stage| of[stage as usize].load(Ordering::Relaxed);
        let of_stage = |stage| (stage, figure(&self.nanos, stage), figure(&self.bytes, stage));
        let is_used = |(_, nanos, bytes): &(Stage, u64, u64)| nanos + bytes > 0;
        StageTimes(STAGES.into_iter().map(of_stage).filter(is_used).collect())
    }

    pub(crate) fn add(&self, times: &StageTimes) {
        for &(stage, nanos, bytes) in &times.0 {
            self.nanos[stage as usize].fetch_add(nanos, Ordering::Relaxed);
            self.add_bytes(stage, bytes);
        }
    }

    pub(crate) fn report(&self) -> Vec<StageReport> {
        let of_stage = |stage: Stage| {
            let nanos = self.nanos[stage as usize].load(Ordering::Relaxed);
            let bytes = self.bytes[stage as usize].load(Ordering::Relaxed);
            let threads = self.threads[stage as usize].load(Ordering::Relaxed);
            StageReport {
                stage,
                thread_ms: nanos / 1_000_000,
                bytes: (bytes > 0).then_some(bytes),
                threads: (threads > 0).then_some(threads),
            }
        };
        let is_there = |of: &StageReport| of.stage != Stage::Copy || of.thread_ms > 0 || of.bytes.is_some();
        STAGES.into_iter().map(of_stage).filter(is_there).collect()
    }
}

impl Clock<'_> {
    /// Counts all time since the last lap for this stage.
    pub(crate) fn lap(&mut self, stage: Stage) {
        self.lap_of(1, stage);
    }

    /// Counts all time since the last lap for this stage, for each of `threads` threads that were busy with
    /// it.
    pub(crate) fn lap_of(&mut self, threads: usize, stage: Stage) {
        let now = Instant::now();
        let nanos = (now - self.since).as_nanos() * threads as u128;
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.stages.nanos[stage as usize].fetch_add(nanos, Ordering::Relaxed);
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_reported_in_their_order_and_add_up() {
        assert!(STAGES.iter().enumerate().all(|(index, stage)| *stage as usize == index));
        let stages = Stages::default();
        let mut clock = stages.clock();
        std::thread::sleep(std::time::Duration::from_millis(5));
        clock.lap(Stage::Parse);
        clock.lap(Stage::Read);
        stages.add_bytes(Stage::Read, 7);
        stages.limit(Stage::Parse, 3);
        let report = stages.report();
        let of_files: Vec<_> = STAGES.into_iter().filter(|stage| *stage != Stage::Copy).collect();
        assert_eq!(report.iter().map(|of| of.stage).collect::<Vec<_>>(), of_files);
        assert!(report[Stage::Parse as usize].thread_ms >= 5);
        assert_eq!(report[Stage::Read as usize].bytes, Some(7));
        assert_eq!([Stage::Read, Stage::Parse].map(|stage| report[stage as usize].threads), [None, Some(3)]);
        assert!(report[Stage::Read as usize].thread_ms < 5);
    }
}
