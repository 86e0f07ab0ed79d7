//! The times of events, one after the other → those that do not follow from the others.
//!
//! Which of two times is wrong only the next one tells, so a time that does not fit waits for it.
//!
//! Invariant: one time that is changed is one finding, at its own line, unless two lines may as well have been changed.

use super::finding::{Findings, Place, Wrong};
use crate::Error;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Longest step of the simple world.
const STEP_MAX: i64 = 120 * SECOND;

/// Which times follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steps {
    /// One to 120 whole seconds.
    Simple,
    /// Any, but none backwards.
    Ascending,
}

#[derive(Debug)]
pub(super) struct Times {
    steps: Steps,
    begins_at_midnight: bool,
    /// The last that fitted, and the one before it.
    last: Option<(i64, Place)>,
    before: Option<i64>,
    /// One that did not.
    suspect: Option<(i64, Place)>,
    /// How many events since the last have no time that could be read.
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

    fn wrong(&self) -> Wrong {
        let expected = match self.steps {
            Steps::Simple => "1 to 120 seconds after the event before",
            Steps::Ascending => {
                "a time later than that of the event before, and earlier than that of the next"
            }
        };
        Wrong::new("timestamp", expected, "another")
    }

    pub(super) fn take(
        &mut self,
        micros: i64,
        place: &Place,
        findings: &mut Findings<'_>,
    ) -> Result<(), Error> {
        let Some((last, last_place)) = self.last.clone() else {
            if std::mem::take(&mut self.begins_at_midnight) && micros % DAY != 0 {
                let wrong = Wrong::new("timestamp", "midnight in the first event", "another time");
                return findings.add(place, wrong);
            }
            self.accept(micros, place);
            return Ok(());
        };
        match self.suspect.take() {
            None if self.fits(last, micros, 1 + self.lost) => {}
            None => {
                self.suspect = Some((micros, place.clone()));
                return Ok(());
            }
            Some((suspect, suspect_place)) => {
                let goes_on =
                    self.fits(suspect, micros, 1 + self.lost) && !self.fits(last, micros, 2 + self.lost);
                let fits_before = self.before.is_some_and(|before| self.fits(before, suspect, 2));
                // All that follows is earlier than the last one: so that one was wrong.
                let is_last = self.steps == Steps::Ascending && goes_on && fits_before;
                findings.add(if is_last { &last_place } else { &suspect_place }, self.wrong())?;
            }
        }
        self.accept(micros, place);
        Ok(())
    }

    /// There is an event whose time is not known.
    pub(super) fn lose_one(&mut self) {
        self.begins_at_midnight = false;
        self.lost += 1;
    }

    fn accept(&mut self, micros: i64, place: &Place) {
        self.lost = 0;
        self.before = self.last.take().map(|(last, _)| last);
        self.last = Some((micros, place.clone()));
    }

    pub(super) fn finish(self, findings: &mut Findings<'_>) -> Result<(), Error> {
        match &self.suspect {
            Some((_, place)) => findings.add(place, self.wrong()),
            None => Ok(()),
        }
    }
}
