//! The events of a chunk → its lines in the order of arrival: the hosts of faults with what the faults make
//! of them, and late lines among the events that follow their hosts.
//!
//! A line arrives at most [`LATENESS_EVENTS_MAX`] events after its host, which is less than a chunk. So a
//! chunk's lines are made from its own events and those at the end of the previous chunk, and any thread can
//! make any chunk.
//!
//! Invariant: no clean line is changed except those that the log calls altered, and the log has their clean
//! lines. Each line that is added or moved is in the log. Without them, the clean stream is left. The truth
//! of a host is counted in its own chunk; its late lines are counted where they arrive.

use std::{collections::BTreeMap, ops::Range};

use super::{
    altered::{offset_in, unknown_field_in},
    clean_line::CleanLine,
    log::{Action, LoggedFault},
    malformed::{malformed_from, unknown_event_from, write_too_long_from},
    selection::Selection,
};
use crate::{
    config::fault_list::{Fault, FaultCounts},
    dress::LineWriter,
    lines::{buffer::LineBuffer, clock::CALENDAR_END, pieces::Split},
    stream::{
        CHUNK_EVENTS,
        random::{Engine, Stream, StreamKey},
    },
    truth::Truth,
    worlds::{Chunk, Event, Job, World},
};

/// The maximum number of events between a host and a late line.
pub(crate) const LATENESS_EVENTS_MAX: u64 = 1_000;
const _: () = assert!(LATENESS_EVENTS_MAX < CHUNK_EVENTS as u64);

/// Half of the late lines are no later than this.
const SLIGHTLY_LATE_EVENTS_MAX: u64 = 20;

/// Lines that faults add have the ids of events from here on; no stream is that long.
const ADDED_IDS_START: u64 = 1 << 60;

const HOUR_SECONDS: u32 = 3_600;
const DAY_SECONDS: u32 = 86_400;

/// The faults of a run.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    events: Range<u64>,
    selection: Selection,
    details: StreamKey,
}

/// A host: its event, its fault, and its ordinal among the hosts of that fault.
#[derive(Debug, Clone, Copy)]
struct Host<E> {
    event: E,
    fault: Fault,
    ordinal: u64,
}

/// A line that arrives late.
#[derive(Debug, Clone, Copy)]
enum LateLine<E> {
    /// The host's line itself, for the first time.
    Moved,
    /// Another copy of the host's line.
    Copy,
    /// Another version of the host.
    Version(E),
    /// A line that is not an event.
    Other,
}

/// Late lines by (the event after which they arrive, host, part): lines that arrive together are in the order
/// of their hosts.
type Waiting<E> = BTreeMap<(u64, u64, u8), (Host<E>, LateLine<E>)>;

/// Where the lines of a chunk, their truth and their log go.
#[derive(Debug)]
pub(crate) struct ChunkOutput<'w> {
    pub(crate) lines: &'w mut LineBuffer,
    pub(crate) truth: &'w mut Truth,
    pub(crate) log: &'w mut Vec<LoggedFault>,
}

impl Faults {
    pub(crate) fn new(seed: u64, events: Range<u64>, counts: &FaultCounts) -> Self {
        // Nothing can arrive after the last event.
        let hosts = (events.end - events.start).saturating_sub(1);
        let selection = Selection::new(seed, hosts, counts);
        Self { events, selection, details: StreamKey::new(seed, Stream::FaultDetails) }
    }

    fn host<E: Event>(&self, event: E) -> Option<Host<E>> {
        let index = event.index().checked_sub(self.events.start)?;
        if event.index() + 1 >= self.events.end {
            return None;
        }
        self.selection.fault_of(index).map(|(fault, ordinal)| Host { event, fault, ordinal })
    }

    /// Writes all lines that arrive among the events of a chunk.
    pub(crate) fn write<W: World>(
        &self,
        writer: LineWriter<'_, W>,
        split: &Split,
        job: &Job<W::Chunk>,
        events: &Range<u64>,
        output: ChunkOutput<'_>,
    ) {
        let world = writer.world();
        let mut arriving = Arriving { faults: self, world, writer, waiting: BTreeMap::new(), output };
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
            arriving.output.lines.begin_event(split.key_of(event.index(), event.micros()));
            match self.host(event) {
                None => {
                    arriving.push(&event);
                    arriving.keep(&event);
                }
                Some(host) => {
                    arriving.write_host(&host);
                    let stays = arriving.schedule(&host);
                    arriving.keep(&stays);
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
    writer: LineWriter<'a, W>,
    waiting: Waiting<W::Event>,
    output: ChunkOutput<'a>,
}

impl<W: World> Arriving<'_, W> {
    fn push(&mut self, event: &W::Event) {
        self.writer.push(event, self.output.lines);
    }

    /// Counts the row of an event that stays.
    fn keep(&mut self, event: &W::Event) {
        let table = self.writer.table_of(event);
        let writer = &mut self.writer;
        self.output.truth.keep(self.world, event, table, |row| writer.write_row(event, row));
    }

    /// Writes the line at the host's own position, if it has one there.
    fn write_host(&mut self, host: &Host<W::Event>) {
        match host.fault {
            Fault::Late => {}
            Fault::Offsets => {
                let clean = self.writer.clean(&host.event, None);
                let altered = offset_in(&CleanLine::of(&clean), host.ordinal);
                self.write_altered(host, &altered);
            }
            Fault::UnknownFields => {
                let clean = self.writer.clean(&host.event, None);
                let (altered, path) = unknown_field_in(&CleanLine::of(&clean), host.ordinal);
                *self.output.truth.report.unknown_fields.entry(path).or_default() += 1;
                self.write_altered(host, &altered);
            }
            _ => self.push(&host.event),
        }
    }

    fn write_altered(&mut self, host: &Host<W::Event>, altered: &[u8]) {
        self.writer.push_record(altered, self.output.lines);
        let clean = self.writer.line(&host.event);
        self.log(host, Action::Altered { clean });
    }

    /// Decides which lines of a host arrive late, and when; returns the version of it that a load keeps.
    fn schedule(&mut self, host: &Host<W::Event>) -> W::Event {
        let mut engine = self.faults.details.engine(host.event.index());
        let first = self.draw_arrival(host, &mut engine);
        let number = u64::from_le_bytes(engine.bytes());
        let version = |seconds| self.world.corrected(&host.event, number, seconds);
        let (stays, late) = match host.fault {
            Fault::Offsets | Fault::UnknownFields => return host.event,
            Fault::Duplicates => (host.event, LateLine::Copy),
            Fault::Late => (host.event, LateLine::Moved),
            Fault::Malformed | Fault::UnknownEvents | Fault::Blank | Fault::TooLong => {
                (host.event, LateLine::Other)
            }
            Fault::Ties => (version(0), LateLine::Version(version(0))),
            Fault::Corrections | Fault::Stale => {
                let seconds = draw_seconds_later(host.event.micros(), &mut engine);
                (version(seconds), LateLine::Version(version(seconds)))
            }
        };
        self.add_late_line(host, first, 0, late);
        if host.fault == Fault::Stale {
            let second = self.draw_arrival(host, &mut engine).max(first);
            self.add_late_line(host, second, 1, LateLine::Copy);
        }
        stays
    }

    fn add_late_line(&mut self, host: &Host<W::Event>, slot: u64, part: u8, late: LateLine<W::Event>) {
        self.waiting.insert((slot, host.event.index(), part), (*host, late));
    }

    /// Draws the event after which a line arrives: one after the host, and in half of the cases one close to
    /// it.
    fn draw_arrival(&self, host: &Host<W::Event>, engine: &mut Engine) -> u64 {
        let index = host.event.index();
        let room = LATENESS_EVENTS_MAX.min(self.faults.events.end - 1 - index);
        let near = engine.below(2) == 0;
        index + 1 + engine.below_u64(if near { room.min(SLIGHTLY_LATE_EVENTS_MAX) } else { room })
    }

    /// Writes the lines that arrive after the event at this position.
    fn write_late(&mut self, slot: u64) {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= slot
        {
            let (host, late) = entry.remove();
            match late {
                LateLine::Moved => {
                    self.push(&host.event);
                    self.log(&host, Action::Moved);
                }
                LateLine::Copy => {
                    self.push(&host.event);
                    self.output.truth.report.superseded += 1;
                    self.output.truth.report.redelivered += 1;
                    self.log(&host, Action::Inserted { reason: None });
                }
                LateLine::Version(version) => {
                    self.push(&version);
                    self.output.truth.report.superseded += 1;
                    self.output.truth.report.corrected += 1;
                    self.log(&host, Action::Inserted { reason: None });
                }
                LateLine::Other => self.write_other(&host),
            }
        }
    }

    /// Writes a line that is not an event.
    fn write_other(&mut self, host: &Host<W::Event>) {
        let index = ADDED_IDS_START + host.event.index();
        let clean = self.writer.clean(&host.event, Some((index, self.world.ids().id(index))));
        let ChunkOutput { lines, truth, .. } = &mut self.output;
        let line = CleanLine::of(&clean);
        let report = &mut truth.report;
        let reason = match host.fault {
            Fault::Malformed => {
                let bad = malformed_from(&line, host.ordinal);
                self.writer.push_record(&bad.bytes, lines);
                Some(bad.reason)
            }
            Fault::UnknownEvents => {
                let unknown = unknown_event_from(&line, host.ordinal);
                self.writer.push_record(&unknown.bytes, lines);
                *report.unknown_events.entry(unknown.name).or_default() += 1;
                Some("unknown_event")
            }
            Fault::TooLong => {
                self.writer.push_record_from(lines, |bytes| write_too_long_from(&line, bytes));
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

    /// Logs what was done with the line that was written last.
    fn log(&mut self, host: &Host<W::Event>, action: Action) {
        let line = self.output.lines.count();
        self.output.log.push(LoggedFault { line, fault: host.fault, event: host.event.index(), action });
    }
}

/// Draws how much later a correction happened: a half within the hour, a quarter on the next day, a quarter
/// within three days; never after the end of the calendar.
fn draw_seconds_later(micros: i64, engine: &mut Engine) -> i64 {
    let seconds = match engine.below(4) {
        0 | 1 => engine.between(1, HOUR_SECONDS),
        2 => engine.between(DAY_SECONDS - HOUR_SECONDS, DAY_SECONDS + HOUR_SECONDS),
        _ => engine.between(HOUR_SECONDS, 3 * DAY_SECONDS),
    };
    i64::from(seconds).min(CALENDAR_END - 1 - micros.div_euclid(1_000_000))
}
