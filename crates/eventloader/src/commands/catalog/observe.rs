//! Sources → the evidence of each event type, on all threads.
//!
//! Lines are judged as in a load, by a catalog whose `"*"` stands for all types. They have no fields, so a
//! line that is bad here is bad for any catalog.
//!
//! Invariant: memory is bounded by [`EVENT_TYPES_MAX`] and [`FIELDS_MAX`]. The result depends on the set of
//! lines, not on their order or the number of threads.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use event_parser::{
    Block, Buffer, Fault, Judgement, LINE_BYTES_MAX, Line, LineJudge, Plan, Reason, Selection, json::Scanner,
};
use events_core::{
    catalog::{Catalog, CatalogError, EventType, OPEN_TYPES_MAX, OTHERS},
    envelope::{Data, Envelope},
};

use super::{
    ReadSettings,
    beside::Beside,
    evidence::{Objects, PAYLOAD_KEYS_MAX},
    toml_text::quoted_key,
    walk::Walk,
};
use crate::{
    error::Error,
    ingest::KeysSeen,
    input::{BlockReader, Framed, Source, Window, reads_objects},
    runtime::{MEMORY_BYTES_MIN, MemoryShares, Needs},
};

/// With more event types than this, none of them is looked at.
pub(crate) const EVENT_TYPES_MAX: usize = 1_000;
/// The most fields that are observed, in all; each takes a few hundred bytes.
const FIELDS_MAX: usize = 100_000;

/// Domain and event type.
pub(crate) type TypeName = (String, String);

/// Everything that was seen.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) filtered: u64,
    /// Lines that are bad for any catalog, by reason.
    pub(crate) bad: BTreeMap<&'static str, u64>,
    /// Events whose own timestamp has digits beyond microseconds other than zero.
    pub(crate) times_cut: u64,
    pub(crate) beside: Beside,
    pub(crate) keys_of_bad: KeysSeen,
    pub(crate) event_types: BTreeMap<TypeName, Payloads>,
    /// The fields of the envelope, in all records.
    pub(crate) envelope: Objects,
    /// The events, if there are too many types to be told apart.
    pub(crate) of_any_type: Option<u64>,
}

/// The events of one type.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Payloads {
    pub(crate) events: u64,
    /// Events whose payload is no object, in an envelope that allows that.
    pub(crate) others: u64,
    pub(crate) payload: Objects,
}

/// Reads blocks; one per thread.
struct Reader<'a> {
    selection: &'a Selection,
    envelope: &'a Envelope,
    plan: Plan,
    /// Types whose names are too long for directories, so that the plan must name them.
    long: Vec<TypeName>,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    /// Whether the payload is what the envelope leaves of the record.
    is_rest: bool,
    /// Whether a payload may be no object.
    allows_others: bool,
    /// The fields of the envelope.
    envelope_fields: Vec<Vec<u8>>,
    observed: Observed,
    /// The places of the event types among the payloads, and the same by index of the plan.
    types: HashMap<TypeName, usize>,
    places: Vec<Option<usize>>,
    payloads: Vec<Payloads>,
    fields: usize,
}

/// Reads all sources, or their first `lines_max` lines.
pub(crate) fn observe(
    read: &ReadSettings,
    sources: &[Source],
    lines_max: Option<u64>,
) -> Result<Observed, Error> {
    // Whoever reads the first lines only needs not much of what is behind them.
    let window = Window::of(lines_max.map_or(read.memory_bytes, |_| MEMORY_BYTES_MIN));
    let needs = Needs { ahead_bytes: window.memory_bytes(reads_objects(sources)), ..Needs::default() };
    let block_bytes = MemoryShares::of(read.memory_bytes, read.threads, needs).block_bytes;
    let framed = Framed {
        framing: read.framing,
        records: Arc::clone(plan_of(&[], read.catalog.envelope())?.records()),
    };
    let blocks = BlockReader::new(sources.to_vec(), window, block_bytes, framed, read.progress.clone());
    let blocks = Mutex::new(blocks);
    // Only a single thread can know which lines are the first.
    let threads = if lines_max.is_some() { 1 } else { read.threads };
    let observed = workers::each(threads, |_| -> Result<_, Error> {
        let mut reader = Reader::new(&read.selection, read.catalog.envelope())?;
        let mut recycled = Buffer::default();
        while lines_max.is_none_or(|lines_max| reader.tally.observed.lines < lines_max) {
            let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).next_block(recycled)?;
            let Some(next) = next else { break };
            reader.read(&next.block, lines_max.unwrap_or(u64::MAX))?;
            if reader.plan.has_too_many_types() {
                return Err(Error::OpenTypes(OPEN_TYPES_MAX));
            }
            recycled = next.block.bytes;
        }
        Ok(reader.finish())
    })?;
    let mut all = Observed::default();
    for observed in observed {
        all.merge(observed);
    }
    Ok(all)
}

impl<'a> Reader<'a> {
    fn new(selection: &'a Selection, envelope: &'a Envelope) -> Result<Self, Error> {
        let plan = plan_of(&[], envelope)?;
        let (is_rest, allows_others) = (envelope.data == Data::Rest, !envelope.is_base());
        let envelope_fields = envelope.fields.iter().map(|field| field.name.clone().into_bytes()).collect();
        let tally = Tally { is_rest, allows_others, envelope_fields, ..Tally::default() };
        Ok(Self { selection, envelope, plan, long: Vec::new(), tally })
    }

    fn read(&mut self, block: &Block, lines_max: u64) -> Result<(), Error> {
        let is_utf8 = std::str::from_utf8(&block.bytes).is_ok();
        let records = Arc::clone(self.plan.records());
        let mut lines = block.lines(&records);
        let mut waiting = None;
        loop {
            // A judge is bound to its plan, so a type that the plan must name needs another; there are few.
            let mut judge = LineJudge::new(&self.plan, self.selection);
            let long = loop {
                if self.tally.observed.lines >= lines_max {
                    return Ok(());
                }
                let Some(line) = waiting.take().or_else(|| lines.next()) else { return Ok(()) };
                if let Some(name) = self.tally.take(&self.plan, &mut judge, line, is_utf8)? {
                    waiting = Some(line);
                    break name;
                }
            };
            if self.long.contains(&long) {
                waiting = None;
                self.tally.bad(Reason::UnknownEvent);
                continue;
            }
            self.long.push(long);
            self.plan = plan_of(&self.long, self.envelope)?;
            self.tally.places.clear();
        }
    }

    fn finish(self) -> Observed {
        let Tally { mut observed, types, mut payloads, .. } = self.tally;
        let seen = types.into_iter().map(|(name, place)| (name, std::mem::take(&mut payloads[place])));
        observed.event_types = seen.collect();
        observed
    }
}

impl Tally {
    /// Observes a line, unless the plan must name its event type: then the caller must pass it again.
    fn take(
        &mut self,
        plan: &Plan,
        judge: &mut LineJudge<'_>,
        line: Line<'_>,
        is_utf8: bool,
    ) -> Result<Option<TypeName>, Error> {
        let line = match line {
            Line::Text(line) => line,
            Line::OutOfPlace(_) => {
                self.bad(Reason::MalformedJson);
                return Ok(None);
            }
            Line::TooLong => {
                self.bad(Reason::LineTooLong);
                return Ok(None);
            }
            Line::Continued => return Ok(None),
        };
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            self.observed.lines += 1;
            self.observed.blank += 1;
        } else if line.len() > LINE_BYTES_MAX {
            self.bad(Reason::LineTooLong);
        } else if !is_utf8 && std::str::from_utf8(line).is_err() {
            self.bad(Reason::InvalidUtf8);
        } else {
            match judge.judge(line) {
                Ok(Judgement::Blank) => {
                    self.observed.lines += 1;
                    self.observed.blank += 1;
                }
                Ok(Judgement::Filtered) => {
                    self.observed.lines += 1;
                    self.observed.filtered += 1;
                }
                Ok(Judgement::Event { type_index, payload, is_time_cut }) => {
                    self.observed.times_cut += u64::from(is_time_cut);
                    let Some(place) = self.place(plan, type_index) else { return Ok(None) };
                    let is_rest = self.is_rest;
                    let beside = judge.other_keys(line).filter(|_| !is_rest);
                    beside.for_each(|key| self.observed.beside.add(&key));
                    self.payload(place, payload, &|key| is_rest && judge.is_taken(key))?;
                    self.envelope(line)?;
                }
                Err(Fault { reason: Reason::UnknownEvent, .. }) => {
                    let is_counted = self.observed.of_any_type.is_none();
                    let long = judge.type_of(line).filter(|name| is_counted && can_be_named(name));
                    if long.is_none() {
                        self.bad(Reason::UnknownEvent);
                    }
                    return Ok(long);
                }
                Err(fault) if self.allows_others && fault.is_of_payload() => {
                    let place = judge.type_of(line).and_then(|name| self.place_of(name));
                    if let Some(place) = place {
                        self.payloads[place].others += 1;
                    }
                }
                Err(fault) => {
                    self.observed.keys_of_bad.add(line);
                    self.bad(fault.reason);
                }
            }
        }
        Ok(None)
    }

    /// Counts an event of this type; returns the place of the type, if it is looked at.
    fn place(&mut self, plan: &Plan, type_index: usize) -> Option<usize> {
        if let Some(&Some(place)) = self.places.get(type_index) {
            self.observed.lines += 1;
            return Some(place);
        }
        let EventType { domain, name, .. } = plan.event_type(type_index);
        let place = self.place_of((domain.clone(), name.clone()))?;
        self.places.resize(self.places.len().max(type_index + 1), None);
        self.places[type_index] = Some(place);
        Some(place)
    }

    /// The same by its name. No catalog can name a type or a domain `*`.
    fn place_of(&mut self, name: TypeName) -> Option<usize> {
        if !can_be_named(&name) {
            self.bad(Reason::UnknownEvent);
            return None;
        }
        self.observed.lines += 1;
        if let Some(events) = &mut self.observed.of_any_type {
            *events += 1;
            return None;
        }
        let next = self.payloads.len();
        let place = *self.types.entry(name).or_insert(next);
        if place == EVENT_TYPES_MAX {
            // From now on, events are only counted.
            let events = self.payloads.drain(..).map(|seen| seen.events + seen.others).sum::<u64>();
            self.observed.of_any_type = Some(events + 1);
            self.observed.beside = Beside::default();
            (self.types, self.places) = (HashMap::new(), Vec::new());
            return None;
        }
        if place == next {
            self.payloads.push(Payloads::default());
        }
        Some(place)
    }

    fn bad(&mut self, reason: Reason) {
        self.observed.lines += 1;
        *self.observed.bad.entry(reason.code()).or_default() += 1;
    }

    /// Observes the fields of the envelope.
    fn envelope(&mut self, record: &[u8]) -> Result<(), Error> {
        let fields = &self.envelope_fields;
        if fields.is_empty() {
            return Ok(());
        }
        let mut walk = Walk { line: record, scanner: Scanner::new(record), members_added: 0 };
        let is_other = |key: &[u8]| fields.iter().all(|field| field != key);
        // The line was scanned to its end before, so nothing is malformed.
        let _ = walk.object(&mut self.observed.envelope, 1, PAYLOAD_KEYS_MAX, &is_other);
        self.fields += walk.members_added;
        check_fields(self.fields)
    }

    fn payload(
        &mut self,
        place: usize,
        payload: Option<&[u8]>,
        is_taken: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), Error> {
        let payloads = &mut self.payloads[place];
        payloads.events += 1;
        let Some(object) = payload else { return Ok(()) };
        let mut walk = Walk { line: object, scanner: Scanner::new(object), members_added: 0 };
        // The line was scanned to its end before, so nothing is malformed.
        let _ = walk.object(&mut payloads.payload, 1, PAYLOAD_KEYS_MAX, is_taken);
        self.fields += walk.members_added;
        check_fields(self.fields)
    }
}

/// Whether a catalog can name the type: `*` stands for all others.
fn can_be_named((domain, name): &TypeName) -> bool {
    domain != OTHERS && name != OTHERS
}

impl Observed {
    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.filtered += other.filtered;
        self.times_cut += other.times_cut;
        self.beside.merge(other.beside);
        self.keys_of_bad.merge(other.keys_of_bad);
        self.envelope.merge(other.envelope, PAYLOAD_KEYS_MAX);
        for (reason, count) in other.bad {
            *self.bad.entry(reason).or_default() += count;
        }
        for (name, theirs) in other.event_types {
            let ours = self.event_types.entry(name).or_default();
            ours.events += theirs.events;
            ours.others += theirs.others;
            ours.payload.merge(theirs.payload, PAYLOAD_KEYS_MAX);
        }
        if self.event_types.len() > EVENT_TYPES_MAX || other.of_any_type.or(self.of_any_type).is_some() {
            let named = std::mem::take(&mut self.event_types).into_values();
            let named: u64 = named.map(|seen| seen.events + seen.others).sum();
            let others = other.of_any_type.unwrap_or_default();
            *self.of_any_type.get_or_insert_default() += named + others;
            self.beside = Beside::default();
        }
    }
}

fn check_fields(count: usize) -> Result<(), Error> {
    if count <= FIELDS_MAX {
        return Ok(());
    }
    Err(Error::DraftFields(FIELDS_MAX))
}

/// A plan of whatever event types there are, and of these, all without fields.
fn plan_of(names: &[TypeName], envelope: &Envelope) -> Result<Plan, CatalogError> {
    let mut texts = vec!["[domain.\"*\".fields]".to_owned()];
    let domains: BTreeSet<_> = names.iter().map(|(domain, _)| domain).collect();
    // A domain that is named is closed, unless it has a "*" of its own.
    texts.extend(
        domains.into_iter().map(|domain| format!("[domain.{}.events.\"*\".fields]", quoted_key(domain))),
    );
    // One file per type, because a file groups its event types by domain.
    texts.extend(names.iter().enumerate().map(|(index, (domain, name))| {
        format!("[domain.{}.events.{}]\ndirectory = \"d{index}\"", quoted_key(domain), quoted_key(name))
    }));
    let files: Vec<_> = texts.iter().map(|text| ("(observed)", text.as_str())).collect();
    let catalog = Catalog::from_toml(&files)?;
    let catalog =
        if envelope.is_base() { catalog } else { catalog.with_envelope("(observed)", envelope.clone())? };
    Ok(Plan::new(&catalog))
}
