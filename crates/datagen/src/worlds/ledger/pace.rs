//! A time → the time until the next event; days and hours differ, as in real life.
//!
//! Invariant: only integers, so every machine computes the same; a step is at least a microsecond.

use chrono::NaiveDate;

use crate::{
    lines::clock::midnight,
    stream::{
        CHUNK_EVENTS,
        random::{Engine, Stream, StreamKey},
    },
};

/// Microseconds per day.
pub(super) const DAY_MICROS: i64 = 86_400_000_000;
const HOUR_MICROS: i64 = DAY_MICROS / 24;

/// Activity by hour of the day; 100 on average.
const HOURS: [u64; 24] = [
    22, 14, 10, 8, 10, 22, 48, 86, 118, 142, 152, 158, 166, 150, 144, 146, 152, 164, 176, 172, 144, 100, 62,
    34,
];

/// Activity by day of the week, Monday first; 100 on average.
const WEEKDAYS: [u64; 7] = [98, 100, 102, 106, 122, 104, 68];

/// How fast events come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The mean step in an average hour.
    step_micros: u64,
}

impl Pace {
    /// This many events on an average day, at least one.
    pub(super) fn new(events_per_day: u64) -> Self {
        Self { step_micros: (DAY_MICROS.unsigned_abs() / events_per_day.max(1)).max(1) }
    }

    /// The time from an event at `micros` to the next.
    #[inline]
    pub(super) fn draw_step(self, micros: i64, engine: &mut Engine) -> i64 {
        let (day, of_day) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
        // 1970 began on a Thursday.
        let weekday = (day + 3).rem_euclid(7);
        let index = |number: i64| usize::try_from(number).unwrap_or_default();
        let weight = HOURS[index(of_day / HOUR_MICROS)] * WEEKDAYS[index(weekday)];
        let steps = 2 * self.step_micros * 100 * 100 / weight;
        1 + engine.below_u64(steps).cast_signed()
    }
}

/// The times of all events, endlessly: they do not depend on any decision.
pub(super) fn times(seed: u64, start_date: NaiveDate, events_per_day: u64) -> impl Iterator<Item = i64> {
    let (pace, steps) = (Pace::new(events_per_day), StreamKey::new(seed, Stream::Pace));
    let mut engine = steps.engine(0);
    let mut next = midnight(start_date) * 1_000_000;
    (0_u64..).map(move |index| {
        if index.is_multiple_of(u64::from(CHUNK_EVENTS)) {
            engine = steps.engine(index / u64::from(CHUNK_EVENTS));
        }
        let time = next;
        next += pace.draw_step(time, &mut engine);
        time
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_100_on_average() {
        assert_eq!(HOURS.iter().sum::<u64>(), 2_400);
        assert_eq!(WEEKDAYS.iter().sum::<u64>(), 700);
    }

    #[test]
    fn a_week_has_seven_days_worth_of_events_more_at_noon_than_at_night() {
        let pace = Pace::new(10_000);
        let mut engine = StreamKey::new(3, Stream::Pace).engine(0);
        let (mut micros, mut events, mut by_hour) = (0, 0_u32, [0_u32; 24]);
        while micros < 7 * DAY_MICROS {
            by_hour[usize::try_from(micros % DAY_MICROS / HOUR_MICROS).unwrap()] += 1;
            events += 1;
            micros += pace.draw_step(micros, &mut engine);
        }
        assert!((68_000..72_000).contains(&events), "{events}");
        assert!(by_hour[12] > 12 * by_hour[3], "{by_hour:?}");
    }
}
