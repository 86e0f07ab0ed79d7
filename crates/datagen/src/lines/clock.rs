//! Seconds since 1970 → the text of a timestamp: `2024-10-10T00:00:07`.
//!
//! Events come in the order of time, about 1,400 a day, so the date is written once a day and the time of day
//! from a table.
//!
//! Invariant: every second of the years 1 to 9999 is exactly [`TIMESTAMP_BYTES`] long and has one form.

use chrono::{Datelike, NaiveDate};

use super::digits::TWO_DIGITS;

/// The length of a timestamp.
pub(crate) const TIMESTAMP_BYTES: usize = 19;

const SECONDS_PER_DAY: i64 = 86_400;

/// The first second that a timestamp of four-digit years cannot show: 10000-01-01T00:00:00.
pub(crate) const CALENDAR_END: i64 = 253_402_300_800;

/// The midnight at the beginning of a day, in seconds since 1970.
pub(crate) fn midnight(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days()) * SECONDS_PER_DAY
}

/// The text of a time that moves on.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    text: [u8; TIMESTAMP_BYTES],
    /// The midnight of the date in `text`.
    midnight: i64,
}

impl Clock {
    /// A clock that shows no date yet.
    pub(crate) fn new() -> Self {
        Self { text: *b"0000-00-00T00:00:00", midnight: i64::MIN }
    }

    /// The text for `seconds`, which is before [`CALENDAR_END`].
    #[inline]
    pub(crate) fn text(&mut self, seconds: i64) -> &[u8; TIMESTAMP_BYTES] {
        if !(0..SECONDS_PER_DAY).contains(&seconds.wrapping_sub(self.midnight)) {
            self.set_day_of(seconds);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in 0..86_400, see above"
        )]
        let second_of_day = (seconds - self.midnight) as u32;
        self.put_two_digits(11, second_of_day / 3600);
        self.put_two_digits(14, second_of_day / 60 % 60);
        self.put_two_digits(17, second_of_day % 60);
        &self.text
    }

    #[cold]
    fn set_day_of(&mut self, seconds: i64) {
        let day = seconds.div_euclid(SECONDS_PER_DAY);
        self.midnight = day * SECONDS_PER_DAY;
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
        let date = date.expect("a time before CALENDAR_END has a date");
        let year = date.year().unsigned_abs();
        self.put_two_digits(0, year / 100);
        self.put_two_digits(2, year % 100);
        self.put_two_digits(5, date.month());
        self.put_two_digits(8, date.day());
    }

    #[inline]
    fn put_two_digits(&mut self, at: usize, number: u32) {
        self.text[at..at + 2].copy_from_slice(&TWO_DIGITS[number as usize]);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn text_is_what_chrono_writes() {
        let mut clock = Clock::new();
        // A prime step, so that hours, minutes, seconds and dates all change; includes leap years and both
        // ends.
        let times = (midnight(NaiveDate::MIN.with_year(1).unwrap())..CALENDAR_END).step_by(7_368_787);
        for seconds in times.chain([0, -1, 951_782_399, 951_782_400, CALENDAR_END - 1]) {
            let expected =
                DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string();
            assert_eq!(std::str::from_utf8(clock.text(seconds)).unwrap(), expected);
        }
    }
}
