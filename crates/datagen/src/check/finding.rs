//! What is wrong, and where, in words.
//!
//! Invariant: a finding is one line: `FILE:LINE: rule: expected …, found …`; rules have names that stay.

use std::fmt;
use std::sync::Arc;

use crate::Error;

/// Where a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As it was given.
    pub(super) file: Arc<str>,
    /// From 1.
    pub(super) line: u64,
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) rule: &'static str,
    pub(super) text: String,
}

/// A rule that is broken there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    place: Place,
    wrong: Wrong,
}

impl Wrong {
    pub(super) fn new(rule: &'static str, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self { rule, text: format!("expected {expected}, found {found}") }
    }

    pub(super) fn no_newline() -> Self {
        Self::new("form", "a newline at the end of the line", "the end of the file")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.escape_debug(), self.line)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.wrong.rule, self.wrong.text)
    }
}

/// Tells findings, up to a number of them.
pub(super) struct Findings<'t> {
    tell: &'t mut dyn FnMut(&Finding) -> Result<(), Error>,
    told_max: Option<u64>,
    all: u64,
    told: u64,
}

impl<'t> Findings<'t> {
    pub(super) fn new(tell: &'t mut dyn FnMut(&Finding) -> Result<(), Error>, told_max: Option<u64>) -> Self {
        Self { tell, told_max, all: 0, told: 0 }
    }

    pub(super) fn add(&mut self, place: &Place, wrong: Wrong) -> Result<(), Error> {
        self.all += 1;
        if self.told_max.is_some_and(|max| self.told >= max) {
            return Ok(());
        }
        self.told += 1;
        (self.tell)(&Finding { place: place.clone(), wrong })
    }

    /// How many there are, and how many were told.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.all, self.told)
    }
}
