//! The runs of a combination → whether they prove that the load is right.
//!
//! Invariant: the output contains the command lines that reproduce the runs in an empty directory.

use std::{fmt, path::PathBuf};

use serde_json::Value;

use crate::support::workdir::{Outcome, Workdir};

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

    /// Whether the last run succeeded.
    pub(super) fn is_loaded(&self) -> bool {
        self.runs.last().is_some_and(|run| run.status.success())
    }

    pub(super) fn is_proved(&self) -> bool {
        let verified = self.verified.as_ref().is_some_and(|verified| verified.status.success());
        verified && self.differences.is_empty()
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
