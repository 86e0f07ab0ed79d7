//! A rate of events per second → the moment at which each batch may be written.
//!
//! Invariant: the clock decides when lines are written, never which.

use std::{
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use crate::stream::CHUNK_EVENTS;

/// Batches per second, if there are enough events: often enough to look steady.
const BATCHES_PER_SECOND: u64 = 50;

/// The pace of a live feed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Live {
    started: Instant,
    events_per_second: NonZero<u64>,
    events: u64,
}

impl Live {
    /// Begins now, with a run of this many events.
    pub(crate) fn begin(events_per_second: NonZero<u64>, events: u64) -> Self {
        Self { started: Instant::now(), events_per_second, events }
    }

    /// How many events are written together: at most a chunk, since no more are ready at a time.
    pub(crate) fn batch_events(events_per_second: NonZero<u64>) -> NonZero<u64> {
        let events = (events_per_second.get() / BATCHES_PER_SECOND).min(u64::from(CHUNK_EVENTS));
        NonZero::new(events).unwrap_or(NonZero::<u64>::MIN)
    }

    /// Waits until the last event of a batch may be written.
    pub(crate) fn wait_for(&self, batch: u64) {
        thread::sleep(self.due(batch).saturating_sub(self.started.elapsed()));
    }

    /// Event number k, from 0, may be written k / rate seconds after the start.
    fn due(&self, batch: u64) -> Duration {
        let last =
            (batch + 1).saturating_mul(Self::batch_events(self.events_per_second).get()).min(self.events);
        let (last, rate) = (last.saturating_sub(1), self.events_per_second.get());
        let rest_nanos = (last % rate) * 1_000_000_000 / rate;
        Duration::from_secs(last / rate) + Duration::from_nanos(rest_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_millis(events_per_second: u64, events: u64, batches: [u64; 4]) -> [u128; 4] {
        let live = Live::begin(NonZero::new(events_per_second).unwrap(), events);
        batches.map(|batch| live.due(batch).as_millis())
    }

    #[test]
    fn few_events_go_out_one_by_one() {
        assert_eq!(due_millis(1, u64::MAX, [0, 1, 2, 3_600]), [0, 1_000, 2_000, 3_600_000]);
        assert_eq!(due_millis(49, u64::MAX, [0, 1, 49, 98]), [0, 20, 1_000, 2_000]);
    }

    #[test]
    fn many_events_go_out_together_with_the_last_of_them() {
        assert_eq!(due_millis(1_000, u64::MAX, [0, 1, 49, 50]), [19, 39, 999, 1_019]);
        assert_eq!(due_millis(10_000_000, u64::MAX, [0, 4, 4_881, 48_828]), [0, 1, 999, 10_000]);
    }

    #[test]
    fn a_last_batch_that_is_not_full_does_not_wait_for_more() {
        assert_eq!(due_millis(1_000, 45, [0, 1, 2, 3]), [19, 39, 44, 44]);
    }
}
