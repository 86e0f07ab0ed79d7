//! How much is asked for (events, days, a time, bytes) → how many events that is.
//!
//! Times are counted by the steps of the stream alone, nothing is decided or rendered: a nanosecond for each event of the simple
//! world, 14 of them in the ledger. How many events there are in so many bytes is not known before they are written; the writer
//! stops there.
//!
//! Invariant: the number is exact, but for bytes: there it is one that suffices.

use std::time::Duration;

use chrono::NaiveDate;

use crate::clock::{CALENDAR_END, midnight};
use crate::ledger::LedgerWorld;
use crate::line::LINE_BYTES_MIN;
use crate::simple::SimpleWorld;
use crate::world::World;
use crate::{Config, Error, WorldName};

const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROS: i64 = 1_000_000;

/// How much of a stream a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many events.
    Events(u64),
    /// All events up to the end of this day.
    Until(NaiveDate),
    /// The first event, and all others that come less than so much later.
    Lasting(Duration),
    /// As many events as so many bytes have room for, uncompressed.
    Bytes(u64),
}

impl Amount {
    /// How many events that is from the first event of `config` on.
    pub(crate) fn events(self, config: &Config) -> Result<u64, Error> {
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

    /// How many bytes the lines may have together.
    pub(crate) fn bytes_max(self) -> Option<u64> {
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
