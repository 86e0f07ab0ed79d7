//! The times of events, one after the other → those that do not fit the others.
//!
//! Only the next time shows which of two times is wrong, so a time that does not fit is kept until then.
//!
//! Invariant: one changed time is one finding, at its own line, unless either of two lines may have been
//! changed.

use super::finding::{Findings, Location, Violation};
use crate::error::Error;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The longest step of the simple world.
const STEP_MAX: i64 = 120 * SECOND;

/// The times that may follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    /// 1 to 120 whole seconds later.
    Simple,
    /// Any later time.
    Ascending,
}

#[derive(Debug)]
pub(super) struct Times {
    steps: Steps,
    begins_at_midnight: bool,
    /// The last time that fits, and the one before it.
    last: Option<(i64, Location)>,
    before: Option<i64>,
    /// A time that does not fit.
    suspect: Option<(i64, Location)>,
    /// How many events since `last` have no readable time.
    lost: i64,
}

impl Times {
    pub(super) fn simple(begins_at_midnight: bool) -> Self {
        Self { steps: Steps::Simple, begins_at_midnight, last: None, before: None, suspect: None, lost: 0 }
    }

    pub(super) fn ledger() -> Self {
        Self {
            steps: Steps::Ascending,
            begins_at_midnight: false,
            last: None,
            before: None,
            suspect: None,
            lost: 0,
        }
    }

    fn fits(&self, from: i64, to: i64, steps: i64) -> bool {
        let gap = to.saturating_sub(from);
        match self.steps {
            Steps::Simple => (steps * SECOND..=steps * STEP_MAX).contains(&gap),
            Steps::Ascending => gap > 0,
        }
    }

    fn violation(&self) -> Violation {
        let expected = match self.steps {
            Steps::Simple => "1 to 120 seconds after the event before",
            Steps::Ascending => {
                "a time later than that of the event before, and earlier than that of the next"
            }
        };
        Violation::new("timestamp", expected, "another")
    }

    pub(super) fn take(
        &mut self,
        micros: i64,
        location: &Location,
        findings: &mut Findings<'_>,
    ) -> Result<(), Error> {
        let Some((last, last_place)) = self.last.clone() else {
            if std::mem::take(&mut self.begins_at_midnight) && micros % DAY != 0 {
                let violation = Violation::new("timestamp", "midnight in the first event", "another time");
                return findings.add(location, violation);
            }
            self.accept(micros, location);
            return Ok(());
        };
        match self.suspect.take() {
            None if self.fits(last, micros, 1 + self.lost) => {}
            None => {
                self.suspect = Some((micros, location.clone()));
                return Ok(());
            }
            Some((suspect, suspect_place)) => {
                let goes_on =
                    self.fits(suspect, micros, 1 + self.lost) && !self.fits(last, micros, 2 + self.lost);
                let fits_before = self.before.is_some_and(|before| self.fits(before, suspect, 2));
                // Everything that follows is earlier than the last time, so that one was wrong.
                let is_last = self.steps == Steps::Ascending && goes_on && fits_before;
                findings.add(if is_last { &last_place } else { &suspect_place }, self.violation())?;
            }
        }
        self.accept(micros, location);
        Ok(())
    }

    /// Takes note of an event whose time is unknown.
    pub(super) fn lose_one(&mut self) {
        self.begins_at_midnight = false;
        self.lost += 1;
    }

    fn accept(&mut self, micros: i64, location: &Location) {
        self.lost = 0;
        self.before = self.last.take().map(|(last, _)| last);
        self.last = Some((micros, location.clone()));
    }

    pub(super) fn finish(self, findings: &mut Findings<'_>) -> Result<(), Error> {
        match &self.suspect {
            Some((_, location)) => findings.add(location, self.violation()),
            None => Ok(()),
        }
    }
}
