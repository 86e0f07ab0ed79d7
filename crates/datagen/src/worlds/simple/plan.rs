//! A number of events → chunks of consecutive events, each with the time of its first event.
//!
//! Timestamps are a running sum, which would force the events into one thread. Instead, the gaps have a
//! stream of their own: the plan sums up the gaps alone, at about a nanosecond per event, and any thread can
//! render any chunk.
//!
//! Invariant: a chunk depends on the seed, the start date and its own index. The number of threads and the
//! number of events only decide where the last chunk ends.

use chrono::NaiveDate;

use crate::{
    error::Error,
    lines::clock::{CALENDAR_END, midnight},
    stream::{
        CHUNK_EVENTS,
        random::{Engine, Stream, StreamKey},
    },
    worlds::Chunk,
};

const GAP_SECONDS_MAX: u32 = 120;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Up to this many events, all gaps are summed before the first line is written, which takes about a
/// millisecond.
const EVENTS_SUMMED_AHEAD_MAX: u64 = 1 << 20;

/// A run of consecutive events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimpleChunk {
    /// The position of the chunk in the stream.
    pub(crate) index: u64,
    /// The number of events; [`CHUNK_EVENTS`] except in the last chunk.
    pub(crate) events: u32,
    /// The time of the first event, in seconds since 1970.
    pub(crate) start: i64,
}

impl Chunk for SimpleChunk {
    fn first_event(&self) -> u64 {
        self.index * u64::from(CHUNK_EVENTS)
    }

    fn events(&self) -> u32 {
        self.events
    }
}

/// The chunks of one run, in order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    start_date: NaiveDate,
    events: u64,
    gaps: StreamKey,
    chunk_index: u64,
    events_left: u64,
    /// The time of the next event.
    time: i64,
}

impl Plan {
    /// Plans a run. Fails if it is cheap to tell that the run would leave the calendar.
    pub(crate) fn new(seed: u64, start_date: NaiveDate, events: u64) -> Result<Self, Error> {
        let plan = Self {
            start_date,
            events,
            gaps: StreamKey::new(seed, Stream::Gap),
            chunk_index: 0,
            events_left: events,
            time: midnight(start_date),
        };
        plan.check_calendar()?;
        Ok(plan)
    }

    fn check_calendar(&self) -> Result<(), Error> {
        let gaps = self.events_left.saturating_sub(1);
        let seconds_left = (CALENDAR_END - 1).abs_diff(self.time);
        if gaps > seconds_left {
            return Err(self.calendar_ends());
        }
        let may_overrun = gaps > seconds_left / u64::from(GAP_SECONDS_MAX);
        if may_overrun && self.events_left <= EVENTS_SUMMED_AHEAD_MAX {
            self.clone().try_for_each(|chunk| chunk.map(drop))?;
        }
        Ok(())
    }

    fn calendar_ends(&self) -> Error {
        Error::CalendarEnds { events: self.events, start_date: self.start_date }
    }
}

impl Iterator for Plan {
    type Item = Result<SimpleChunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let events = u32::try_from(self.events_left).map_or(CHUNK_EVENTS, |left| left.min(CHUNK_EVENTS));
        if events == 0 {
            return None;
        }
        let chunk = SimpleChunk { index: self.chunk_index, events, start: self.time };
        let mut gaps = Gaps::new(self.gaps, chunk.index);
        let last_event = (1..events).fold(self.time, |time, _| time + gaps.draw());
        if last_event >= CALENDAR_END {
            return Some(Err(self.calendar_ends()));
        }
        self.time = last_event + gaps.draw();
        self.chunk_index += 1;
        self.events_left -= u64::from(events);
        Some(Ok(chunk))
    }
}

/// The times of all events, in microseconds since 1970, endlessly.
pub(super) fn times(seed: u64, start_date: NaiveDate) -> impl Iterator<Item = i64> {
    let key = StreamKey::new(seed, Stream::Gap);
    let gaps = (0..).flat_map(move |chunk| {
        let mut gaps = Gaps::new(key, chunk);
        (0..CHUNK_EVENTS).map(move |_| gaps.draw())
    });
    let mut next = midnight(start_date);
    gaps.map(move |gap| {
        let time = next;
        next += gap;
        time * MICROS_PER_SECOND
    })
}

/// The seconds from each event of a chunk to the next one.
#[derive(Debug, Clone)]
pub(crate) struct Gaps(Engine);

impl Gaps {
    pub(crate) fn new(key: StreamKey, chunk_index: u64) -> Self {
        Self(key.engine(chunk_index))
    }

    #[inline]
    pub(crate) fn draw(&mut self) -> i64 {
        i64::from(self.0.between(1, GAP_SECONDS_MAX))
    }
}
