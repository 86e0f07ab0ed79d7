//! How much of a stream is asked for (events, days, a duration, bytes) → how many events that is.
//!
//! Times are counted by the steps of the stream alone; nothing is decided or rendered. That takes one
//! nanosecond per event in the simple world and 14 in the ledger. How many events fit into a number of bytes
//! is known only when they are written; the writer stops there.
//!
//! Invariant: the number is exact, except for bytes, where it is an upper bound.

use std::time::Duration;

use chrono::NaiveDate;

use crate::{
    config::{Config, WorldName},
    error::Error,
    lines::{
        clock::{CALENDAR_END, midnight},
        line::LINE_BYTES_MIN,
    },
    worlds::{World, ledger::LedgerWorld, simple::SimpleWorld},
};

const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROS: i64 = 1_000_000;

/// How much of a stream a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// This many events.
    Events(u64),
    /// All events up to the end of this day.
    Until(NaiveDate),
    /// The first event, and all others that are less than this much later.
    Lasting(Duration),
    /// As many events as fit into this many bytes, uncompressed.
    Bytes(u64),
}

impl Amount {
    /// The number of events, counted from the first event of `config`.
    pub(super) fn events(self, config: &Config) -> Result<u64, Error> {
        let &Config { seed, start_date, events_per_day, .. } = config;
        match self {
            Self::Events(events) => return Ok(events),
            Self::Bytes(bytes) => return Ok(bytes / LINE_BYTES_MIN),
            Self::Until(end_date) if end_date < start_date => {
                return Err(Error::EndsBeforeStart { start_date, end_date });
            }
            Self::Until(_) | Self::Lasting(_) => {}
        }
        Ok(match config.world {
            WorldName::Simple => self.count(&SimpleWorld::new(seed, start_date), config.first_event),
            WorldName::Ledger => {
                self.count(&LedgerWorld::new(seed, start_date, events_per_day), config.first_event)
            }
        })
    }

    /// The maximum total size of the lines.
    pub(super) fn bytes_max(self) -> Option<u64> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    fn count(self, world: &impl World, first_event: u64) -> u64 {
        let skipped = usize::try_from(first_event).unwrap_or(usize::MAX);
        let mut times = world.times().skip(skipped).peekable();
        let end = match (self, times.peek()) {
            (Self::Until(end_date), _) => (midnight(end_date) + DAY_SECONDS) * SECOND_MICROS,
            (Self::Lasting(time), Some(first)) => {
                first.saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
            }
            _ => i64::MIN,
        };
        let end = end.min(CALENDAR_END * SECOND_MICROS);
        times.take_while(|time| *time < end).map(|_| 1).sum()
    }
}
