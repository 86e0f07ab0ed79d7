//! The runs of a combination → whether they prove that the load is right, or what told that it is wrong.
//!
//! Invariant: what is shown of it are the command lines that do it again, in an empty directory.

use std::{fmt, path::PathBuf};

use serde_json::Value;

use crate::support::{Outcome, Workdir};

/// What came of a combination.
pub(super) struct Proof {
    root: PathBuf,
    /// The command lines before the first run.
    prepared: Vec<String>,
    pub(super) runs: Vec<Outcome>,
    pub(super) verified: Option<Outcome>,
    /// Where the report of a backfill differs from the manifest's.
    pub(super) differences: Vec<String>,
}

/// Who told that a load is wrong, and what it said.
#[derive(Debug)]
pub(super) enum FoundOut {
    /// The load itself, which changed nothing.
    Load(String),
    /// `verify`, which needs no manifest for it: the first that it said.
    Verify(String),
    /// `verify`, for it has a manifest: the first that it said.
    Manifest(String),
}

impl Proof {
    pub(super) fn new(dir: &Workdir, prepared: Vec<String>) -> Self {
        Self { root: dir.path(""), prepared, runs: Vec::new(), verified: None, differences: Vec::new() }
    }

    /// Where the report of a backfill is not what a manifest says.
    pub(super) fn differences(expected: &Value, found: &Value) -> Vec<String> {
        let expected = expected.as_object().unwrap();
        let differing = expected.iter().filter(|(name, value)| found[name.as_str()] != **value);
        differing
            .map(|(name, value)| format!("{name}: expected {value}, found {}", found[name.as_str()]))
            .collect()
    }

    pub(super) fn is_proved(&self) -> bool {
        let verified = self.verified.as_ref().is_some_and(|verified| verified.status.success());
        verified && self.differences.is_empty()
    }

    /// Who told that the load is wrong. Another report is not enough: nobody compares it but this test.
    pub(super) fn found_out(&self) -> Option<FoundOut> {
        if let Some(failed) = self.runs.last().filter(|run| !run.status.success()) {
            return Some(FoundOut::Load(failed.stderr.trim_end().to_owned()));
        }
        let told = self.verified.as_ref().filter(|verified| verified.status.code() == Some(1))?;
        let first = told.stdout.lines().next()?.to_owned();
        // Without a manifest it tells of files, with it of partitions.
        let is_of_file = told.stdout.lines().any(|line| line.contains(".parquet: "));
        Some(if is_of_file { FoundOut::Verify(first) } else { FoundOut::Manifest(first) })
    }

    /// How many runs were killed.
    pub(super) fn kills(&self) -> usize {
        self.runs.iter().filter(|run| run.status.code().is_none()).count()
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.display().to_string();
        let outcomes = || self.runs.iter().chain(&self.verified);
        writeln!(f, "in an empty directory, with debug builds in the PATH:")?;
        for line in self.prepared.iter().chain(outcomes().map(|outcome| &outcome.command_line)) {
            writeln!(f, "  {}", line.replace(&root, ""))?;
        }
        for outcome in outcomes() {
            writeln!(f, "{outcome}")?;
        }
        writeln!(f, "the report beside the manifest: {:?}", self.differences)
    }
}
