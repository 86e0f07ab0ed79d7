//! The events of a chunk in; its lines as they arrive out: hosts of faults with what the faults make of them, and lines that
//! arrive late among the events behind their hosts.
//!
//! A line arrives at most [`LATENESS_EVENTS_MAX`] events behind its host, which is less than a chunk: so a chunk is made of its own
//! events and those at the end of the chunk before, and of nothing else. Any thread can make any chunk.
//!
//! Invariant: no clean line is changed but those that the log calls altered, and they with their clean line beside them; each
//! line that is added is in the log, and so is each that is moved. What is left without them is the clean stream. The truth of a host
//! is told in its own chunk, what its lines count as where they arrive.

use std::collections::BTreeMap;
use std::ops::Range;

use super::altered::{with_offset, with_unknown_field};
use super::list::{Fault, FaultCounts};
use super::log::{Action, Logged};
use super::malformed::{ID_BYTES, malformed_line, unknown_event_line, write_too_long_line};
use super::selection::Selection;
use crate::clock::{CALENDAR_END, Clock};
use crate::line::{LINE_BYTES_MAX, Line};
use crate::lines::Lines;
use crate::ordered::Job;
use crate::pieces::Cut;
use crate::streams::{Engine, Stream, StreamKey};
use crate::truth::Truth;
use crate::world::{CHUNK_EVENTS, Chunk, Event, World};

/// How many events may pass before a line arrives.
pub(crate) const LATENESS_EVENTS_MAX: u64 = 1_000;
const _: () = assert!(LATENESS_EVENTS_MAX < CHUNK_EVENTS as u64);

/// Half of the lines that are late are not later than this.
const A_LITTLE_LATE_EVENTS: u64 = 20;

/// Ids of lines that faults add are those of events from here on; no stream gets so far.
const ADDED_IDS_FROM: u64 = 1 << 60;

const HOUR_SECONDS: u32 = 3_600;
const DAY_SECONDS: u32 = 86_400;

/// The faults of a run.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    events: Range<u64>,
    selection: Selection,
    details: StreamKey,
}

/// A host: its event, its fault, and which one among the hosts of the fault it is.
#[derive(Clone, Copy, Debug)]
struct Host<E> {
    event: E,
    fault: Fault,
    ordinal: u64,
}

/// What arrives later.
#[derive(Clone, Copy, Debug)]
enum Late<E> {
    /// The host's line itself, for the first time.
    Moved,
    /// The host's line once more.
    Copy,
    /// Another version of the host.
    Version(E),
    /// A line that is no event.
    Other,
}

/// What is to arrive, by where: behind the event at this place; of several lines, in the order of their hosts.
type Waiting<E> = BTreeMap<(u64, u64, u8), (Host<E>, Late<E>)>;

/// What is written of a chunk.
#[derive(Debug)]
pub(crate) struct Written<'w> {
    pub(crate) lines: &'w mut Lines,
    pub(crate) truth: &'w mut Truth,
    pub(crate) log: &'w mut Vec<Logged>,
}

impl Faults {
    pub(crate) fn new(seed: u64, events: Range<u64>, counts: &FaultCounts) -> Self {
        // Behind the last event nothing can arrive.
        let hosts = (events.end - events.start).saturating_sub(1);
        let selection = Selection::new(seed, hosts, counts);
        Self { events, selection, details: StreamKey::new(seed, Stream::FaultDetails) }
    }

    fn host<E: Event>(&self, event: E) -> Option<Host<E>> {
        let place = event.index().checked_sub(self.events.start)?;
        if event.index() + 1 >= self.events.end {
            return None;
        }
        self.selection.of(place).map(|(fault, ordinal)| Host { event, fault, ordinal })
    }

    /// Writes what arrives among the events of a chunk.
    pub(crate) fn write<W: World>(
        &self,
        world: &W,
        cut: &Cut,
        job: &Job<W::Chunk>,
        events: &Range<u64>,
        written: Written<'_>,
    ) {
        let mut arriving =
            Arriving { faults: self, world, clock: Clock::new(), waiting: BTreeMap::new(), written };
        if let Some(before) = &job.before {
            let end = before.first_event() + u64::from(before.events());
            let late_from = end.saturating_sub(LATENESS_EVENTS_MAX);
            let may_be_late = world.events(before).filter(|event| event.index() >= late_from);
            for host in may_be_late.filter_map(|event| self.host(event)) {
                arriving.schedule(&host);
            }
            arriving.waiting = arriving.waiting.split_off(&(events.start, 0, 0));
        }
        for event in world.events(&job.chunk).filter(|event| events.contains(&event.index())) {
            arriving.written.lines.turn_to_event(cut.place_of(event.index(), event.micros()));
            match self.host(event) {
                None => {
                    arriving.push(&event);
                    arriving.written.truth.keep(world, &event);
                }
                Some(host) => {
                    arriving.write_host(&host);
                    let stays = arriving.schedule(&host);
                    arriving.written.truth.keep(world, &stays);
                }
            }
            arriving.write_late(event.index());
        }
    }
}

/// The lines of a chunk, while they arrive.
struct Arriving<'a, W: World> {
    faults: &'a Faults,
    world: &'a W,
    clock: Clock,
    waiting: Waiting<W::Event>,
    written: Written<'a>,
}

impl<W: World> Arriving<'_, W> {
    fn push(&mut self, event: &W::Event) {
        let (world, clock) = (self.world, &mut self.clock);
        self.written.lines.push(|line| world.write_line(event, line, clock));
    }

    /// Writes the line at the host's own place, if it has one there.
    fn write_host(&mut self, host: &Host<W::Event>) {
        match host.fault {
            Fault::Late => {}
            Fault::Offsets => {
                let clean = self.clean_line(&host.event);
                let altered = with_offset(&clean, host.ordinal);
                self.write_altered(host, clean, &altered);
            }
            Fault::UnknownFields => {
                let clean = self.clean_line(&host.event);
                let (altered, path) = with_unknown_field(&clean, host.ordinal);
                *self.written.truth.report.unknown_fields.entry(path.to_owned()).or_default() += 1;
                self.write_altered(host, clean, &altered);
            }
            _ => self.push(&host.event),
        }
    }

    fn write_altered(&mut self, host: &Host<W::Event>, clean: Vec<u8>, altered: &[u8]) {
        self.written.lines.push_bytes(altered);
        self.log(host, Action::Altered { clean });
    }

    /// Decides what of a host arrives later, and when; which version of it is the one that stays.
    fn schedule(&mut self, host: &Host<W::Event>) -> W::Event {
        let mut engine = self.faults.details.engine(host.event.index());
        let first = self.draw_arrival(host, &mut engine);
        let number = u64::from_le_bytes(engine.bytes());
        let version = |seconds| self.world.corrected(&host.event, number, seconds);
        let (stays, late) = match host.fault {
            Fault::Offsets | Fault::UnknownFields => return host.event,
            Fault::Duplicates => (host.event, Late::Copy),
            Fault::Late => (host.event, Late::Moved),
            Fault::Malformed | Fault::UnknownEvents | Fault::Blank | Fault::TooLong => {
                (host.event, Late::Other)
            }
            Fault::Ties => (version(0), Late::Version(version(0))),
            Fault::Corrections | Fault::Stale => {
                let seconds = draw_seconds_later(host.event.micros(), &mut engine);
                (version(seconds), Late::Version(version(seconds)))
            }
        };
        self.expect(host, first, 0, late);
        if host.fault == Fault::Stale {
            let second = self.draw_arrival(host, &mut engine).max(first);
            self.expect(host, second, 1, Late::Copy);
        }
        stays
    }

    fn expect(&mut self, host: &Host<W::Event>, slot: u64, part: u8, late: Late<W::Event>) {
        self.waiting.insert((slot, host.event.index(), part), (*host, late));
    }

    /// Behind which event something arrives: of those behind the host, one that is near more often than not.
    fn draw_arrival(&self, host: &Host<W::Event>, engine: &mut Engine) -> u64 {
        let index = host.event.index();
        let room = LATENESS_EVENTS_MAX.min(self.faults.events.end - 1 - index);
        let near = engine.below(2) == 0;
        index + 1 + engine.below_u64(if near { room.min(A_LITTLE_LATE_EVENTS) } else { room })
    }

    /// Writes what arrives behind the event at this place.
    fn write_late(&mut self, slot: u64) {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= slot
        {
            let (host, late) = entry.remove();
            match late {
                Late::Moved => {
                    self.push(&host.event);
                    self.log(&host, Action::Moved);
                }
                Late::Copy => {
                    self.push(&host.event);
                    self.written.truth.report.superseded += 1;
                    self.written.truth.report.redelivered += 1;
                    self.log(&host, Action::Inserted { reason: None });
                }
                Late::Version(version) => {
                    self.push(&version);
                    self.written.truth.report.superseded += 1;
                    self.written.truth.report.corrected += 1;
                    self.log(&host, Action::Inserted { reason: None });
                }
                Late::Other => self.write_other(&host),
            }
        }
    }

    /// Writes a line that is no event.
    fn write_other(&mut self, host: &Host<W::Event>) {
        let clean = self.clean_line(&host.event);
        let mut id = [0; ID_BYTES];
        let added = self.world.ids().id(ADDED_IDS_FROM + host.event.index());
        added.as_hyphenated().encode_lower(&mut id);
        let Written { lines, truth, .. } = &mut self.written;
        let report = &mut truth.report;
        let reason = match host.fault {
            Fault::Malformed => {
                let bad = malformed_line(&clean, &id, host.ordinal);
                lines.push_bytes(&bad.bytes);
                Some(bad.reason)
            }
            Fault::UnknownEvents => {
                let unknown = unknown_event_line(&clean, &id, host.ordinal);
                lines.push_bytes(&unknown.bytes);
                *report.unknown_events.entry(unknown.name).or_default() += 1;
                Some("unknown_event")
            }
            Fault::TooLong => {
                lines.push_from(|bytes| write_too_long_line(&clean, &id, bytes));
                Some("line_too_long")
            }
            _ => {
                lines.push_bytes([b"".as_slice(), b" ", b"\t", b"\r"][(host.ordinal % 4) as usize]);
                report.blank += 1;
                None
            }
        };
        if let Some(reason) = reason {
            report.quarantined.total += 1;
            *report.quarantined.by_reason.entry(reason.to_owned()).or_default() += 1;
        }
        self.log(host, Action::Inserted { reason });
    }

    /// The line of an event, without its newline.
    fn clean_line(&mut self, event: &W::Event) -> Vec<u8> {
        let mut bytes = [0; LINE_BYTES_MAX];
        let mut line = Line::new(&mut bytes);
        self.world.write_line(event, &mut line, &mut self.clock);
        let length = line.length() - 1;
        bytes[..length].to_vec()
    }

    /// Takes note of what was done with the line that was written last.
    fn log(&mut self, host: &Host<W::Event>, action: Action) {
        let line = self.written.lines.count();
        self.written.log.push(Logged { line, fault: host.fault, event: host.event.index(), action });
    }
}

/// How much later a correction happened: a half within the hour, a quarter on the next day, a quarter within three days. Never
/// behind the end of the calendar.
fn draw_seconds_later(micros: i64, engine: &mut Engine) -> i64 {
    let seconds = match engine.below(4) {
        0 | 1 => engine.between(1, HOUR_SECONDS),
        2 => engine.between(DAY_SECONDS - HOUR_SECONDS, DAY_SECONDS + HOUR_SECONDS),
        _ => engine.between(HOUR_SECONDS, 3 * DAY_SECONDS),
    };
    i64::from(seconds).min(CALENDAR_END - 1 - micros.div_euclid(1_000_000))
}
