//! How much of a stream is asked for (events, days, a duration, bytes) → where the run ends.
//!
//! Days and durations end at a time. Nothing has to be counted for that: the run goes on until it gets there.
//! What needs to know the number of events beforehand (faults, equal files, the manifest) costs a pass over
//! the times: one nanosecond per event in the simple world, 14 in the ledger. How many events fit into a
//! number of bytes is known only when they are written; the writer stops there.
//!
//! Invariant: counted or not, the run has the same events.

use std::time::Duration;

use chrono::NaiveDate;

use crate::{
    config::{Config, WorldName},
    error::Error,
    lines::{
        clock::{CALENDAR_END, midnight},
        line::LINE_BYTES_MIN,
    },
    stream::EVENT_INDEX_MAX,
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
    /// Fails if there can be no such run of this stream.
    pub(super) fn check(self, config: &Config) -> Result<(), Error> {
        match self {
            Self::Until(end_date) if end_date < config.start_date => {
                Err(Error::EndsBeforeStart { start_date: config.start_date, end_date })
            }
            _ => Ok(()),
        }
    }

    /// `config`, which begins where the run does, with the number of its events.
    ///
    /// # Errors
    ///
    /// [`Error::EndsBeforeStart`] if there is no such run.
    pub fn counted(self, config: Config) -> Result<Config, Error> {
        self.check(&config)?;
        Ok(self.limit(config, true))
    }

    /// `config`, which begins where the run does, with the end of the run: as a number of events if
    /// `is_counted`.
    pub(super) fn limit(self, config: Config, is_counted: bool) -> Config {
        let Config { seed, start_date, events_per_day, .. } = config;
        match config.world {
            WorldName::Simple => self.limit_in(&SimpleWorld::new(seed, start_date), config, is_counted),
            WorldName::Ledger => {
                self.limit_in(&LedgerWorld::new(seed, start_date, events_per_day), config, is_counted)
            }
        }
    }

    fn limit_in(self, world: &impl World, config: Config, is_counted: bool) -> Config {
        let end = match self {
            Self::Events(num_events) => return Config { num_events, ..config },
            Self::Bytes(bytes) => return Config { num_events: bytes / LINE_BYTES_MIN, ..config },
            Self::Until(end_date) => (midnight(end_date) + DAY_SECONDS) * SECOND_MICROS,
            Self::Lasting(time) => {
                let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
                world.time_of(config.first_event).map_or(i64::MIN, |first| first.saturating_add(time))
            }
        };
        let end = end.min(CALENDAR_END * SECOND_MICROS);
        if is_counted {
            Config { num_events: world.count_before(end).saturating_sub(config.first_event), ..config }
        } else {
            Config { num_events: EVENT_INDEX_MAX, until_micros: Some(end), ..config }
        }
    }

    /// The maximum total size of the lines.
    pub(super) fn bytes_max(self) -> Option<u64> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// About how many events a run has that ends at a time.
pub(super) fn events_until(until_micros: i64, config: &Config) -> u64 {
    let &Config { seed, start_date, events_per_day, first_event, .. } = config;
    let time = until_micros.saturating_sub(midnight(start_date) * SECOND_MICROS);
    let time = u64::try_from(time).unwrap_or_default();
    let events = match config.world {
        WorldName::Simple => SimpleWorld::new(seed, start_date).events_within(time),
        WorldName::Ledger => LedgerWorld::new(seed, start_date, events_per_day).events_within(time),
    };
    events.saturating_sub(first_event)
}
