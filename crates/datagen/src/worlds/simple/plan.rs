//! The end of a run → chunks of consecutive events, each with the time of its first event.
//!
//! Timestamps are a running sum, which would force the events into one thread. Instead, the gaps have a
//! stream of their own: the plan sums up the gaps alone, at about a nanosecond per event, and any thread can
//! render any chunk.
//!
//! Invariant: a chunk depends on the seed, the start date and its own index. The number of threads changes
//! nothing, and the end of the run only decides where the last chunk ends. A run that ends at a time is
//! planned as it goes: nothing is counted before its first chunk.

use chrono::NaiveDate;

use crate::{
    error::Error,
    lines::clock::{CALENDAR_END, midnight},
    stream::{
        CHUNK_EVENTS,
        random::{Engine, Stream, StreamKey},
    },
    worlds::{Chunk, End},
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
    /// The time of the next event, in seconds since 1970.
    time: i64,
    /// If given, the run ends before this time.
    until: Option<i64>,
}

impl Plan {
    /// Plans a run. Fails if it is cheap to tell that the run would leave the calendar.
    pub(crate) fn new(seed: u64, start_date: NaiveDate, end: End) -> Result<Self, Error> {
        let plan = Self {
            start_date,
            events: end.event,
            gaps: StreamKey::new(seed, Stream::Gap),
            chunk_index: 0,
            events_left: end.event,
            time: midnight(start_date),
            // Events are at whole seconds.
            until: end.micros.map(|micros| {
                micros.div_euclid(MICROS_PER_SECOND) + i64::from(micros % MICROS_PER_SECOND != 0)
            }),
        };
        if plan.until.is_none() {
            plan.check_calendar()?;
        }
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

    /// How many of the next `events` are before `until`.
    fn count_until(&self, until: i64, events: u32) -> u32 {
        let (mut gaps, mut time, mut count) = (Gaps::new(self.gaps, self.chunk_index), self.time, 0);
        while count < events && time < until {
            time += gaps.draw();
            count += 1;
        }
        count
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
        if let Some(until) = self.until.filter(|until| last_event >= *until) {
            self.events_left = 0;
            let events = self.count_until(until, events);
            return (events > 0).then_some(Ok(SimpleChunk { events, ..chunk }));
        }
        if last_event >= CALENDAR_END {
            return Some(Err(self.calendar_ends()));
        }
        self.time = last_event + gaps.draw();
        self.chunk_index += 1;
        self.events_left -= u64::from(events);
        Some(Ok(chunk))
    }
}

/// About how many events there are in so many microseconds.
pub(super) fn events_within(micros: u64) -> u64 {
    // Gaps are between 1 and the maximum.
    2 * (micros / MICROS_PER_SECOND.unsigned_abs()) / u64::from(1 + GAP_SECONDS_MAX)
}

/// The time of an event, in microseconds since 1970; `None` if the calendar ends before it.
pub(super) fn time_of(seed: u64, start_date: NaiveDate, index: u64) -> Option<i64> {
    let plan = Plan::new(seed, start_date, End::before_time(CALENDAR_END * MICROS_PER_SECOND)).ok()?;
    let is_in = |chunk: &SimpleChunk| index - chunk.first_event() < u64::from(chunk.events);
    let chunk = plan.map_while(Result::ok).find(is_in)?;
    let mut gaps = Gaps::new(StreamKey::new(seed, Stream::Gap), chunk.index);
    let seconds = (chunk.first_event()..index).fold(chunk.start, |time, _| time + gaps.draw());
    Some(seconds * MICROS_PER_SECOND)
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
