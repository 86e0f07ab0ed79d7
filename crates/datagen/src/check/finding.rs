//! What is wrong, and where, in words.
//!
//! Invariant: a finding is one line, `FILE:LINE: rule: expected …, found …`; the names of rules never change.

use std::{fmt, sync::Arc};

use crate::error::Error;

/// The location of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Location {
    /// The file as it was given.
    pub(super) file: Arc<str>,
    /// Counted from 1.
    pub(super) line: u64,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) rule: &'static str,
    pub(super) text: String,
}

/// A broken rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    location: Location,
    violation: Violation,
}

impl Violation {
    pub(super) fn new(rule: &'static str, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self { rule, text: format!("expected {expected}, found {found}") }
    }

    pub(super) fn no_newline() -> Self {
        Self::new("form", "a newline at the end of the line", "the end of the file")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.escape_debug(), self.line)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.location, self.violation.rule, self.violation.text)
    }
}

/// Reports findings, up to a maximum.
pub(super) struct Findings<'t> {
    report: &'t mut dyn FnMut(&Finding) -> Result<(), Error>,
    reported_max: Option<u64>,
    all: u64,
    reported: u64,
}

impl<'t> Findings<'t> {
    pub(super) fn new(
        report: &'t mut dyn FnMut(&Finding) -> Result<(), Error>,
        reported_max: Option<u64>,
    ) -> Self {
        Self { report, reported_max, all: 0, reported: 0 }
    }

    pub(super) fn add(&mut self, location: &Location, violation: Violation) -> Result<(), Error> {
        self.all += 1;
        if self.reported_max.is_some_and(|max| self.reported >= max) {
            return Ok(());
        }
        self.reported += 1;
        (self.report)(&Finding { location: location.clone(), violation })
    }

    /// How many findings there are, and how many were reported.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.all, self.reported)
    }
}
