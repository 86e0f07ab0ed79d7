//! A record of an envelope → an event with its payload as slots of its columns, an event that is not
//! selected, or a fault.
//!
//! The record is scanned once for what the envelope reads of it. The payload is read on the way, if the type
//! is known by then. Otherwise it is only skipped, by its strings and brackets, and read afterwards
//! (`events/rest.rs` for a payload that is the rest of the record).
//!
//! Invariant: a value that was skipped is read as JSON before the line counts as anything. Where the line is
//! not JSON, it is scanned from its beginning, so that the first mistake is the one that is reported.

use std::borrow::Cow;

use event_rows::{ReadId, uuid_text};
use events_core::{
    envelope::hash_id,
    timestamp::{self, EpochUnit},
};

use super::{Event, EventReader, Judged, NamedEvent};
use crate::{
    envelope::{
        Absence, Captures, DataPlan, EnvelopePlan, IdPlan, PiecePlan, RECORD, Record, Stage, Taken,
        TemplatePlan,
    },
    fault::{EXPECTED_PAYLOAD, Fault, Reason, excerpt},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, Scanner, Value, quoted_into},
    payload::duplicate_key,
    plan::{KeyTarget, OfType, Plan},
    selection::Timing,
};

/// What a template must be made of, for messages.
const EXPECTED_TEXT: &str = "a text or an integer";

/// Keys that are not read have so many places in what is learned of an object: records have more of them
/// than payloads.
pub(super) const OTHER_KEYS: usize = 32;

/// What is known of the record that is being read.
#[derive(Debug)]
pub(super) struct Records<'a> {
    pub(super) plan: &'a Plan,
    pub(super) envelope: &'a EnvelopePlan,
    pub(super) captures: Captures,
    /// By node.
    pub(super) key_predictors: Vec<KeyPredictor>,
    /// Values that were not read as JSON yet.
    skipped: Vec<Skipped>,
    /// The payload, if it was read on the way.
    is_data_read: bool,
    pub(super) rest: super::rest::Rest,
}

/// A value that was skipped, and the levels around it.
#[derive(Debug, Clone, Copy)]
struct Skipped {
    value: Value,
    depth: u32,
    is_read: bool,
}

/// Why a record is no event.
pub(super) enum Problem {
    Malformed(Malformed),
    Fault(Fault),
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The time of a record.
struct TimeRead<'l> {
    text: Cow<'l, [u8]>,
    micros: Option<i64>,
    is_cut: bool,
}

impl<'a> Records<'a> {
    /// Nothing for the base contract, which has a reader of its own.
    pub(super) fn of(plan: &'a Plan) -> Option<Box<Self>> {
        let envelope = plan.envelope.as_ref()?;
        Some(Box::new(Self {
            plan,
            envelope,
            captures: Captures::default(),
            key_predictors: envelope.nodes.iter().map(|_| KeyPredictor::default()).collect(),
            skipped: Vec::new(),
            is_data_read: false,
            rest: super::rest::Rest::new(plan),
        }))
    }

    /// Reads and judges a record; see [`EventReader::read`]. `enclosing` is what the envelope reads of the
    /// objects around it, as an object.
    pub(super) fn read<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        text: &'l [u8],
        enclosing: &'l [u8],
    ) -> Result<Judged<'l>, Fault> {
        reader.unknown.clear();
        reader.read_as = None;
        self.captures.reset(self.envelope.keys.len());
        self.skipped.clear();
        self.is_data_read = false;
        self.rest.reset();
        let judged = self.scan_and_judge(reader, line, text, enclosing);
        let validated = match &judged {
            Err(Problem::Malformed(malformed)) => Err(*malformed),
            _ => self.read_skipped(line),
        };
        if let Err(malformed) = validated {
            return Err(first_mistake(line, malformed));
        }
        judged.map_err(|problem| match problem {
            Problem::Fault(fault) => fault,
            Problem::Malformed(malformed) => Fault::malformed(line, malformed),
        })
    }

    fn scan_and_judge<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        text: &'l [u8],
        enclosing: &'l [u8],
    ) -> Result<Judged<'l>, Problem> {
        let mut scanner = Scanner::in_text(text, line.len());
        if scanner.peek() != Some(b'{') {
            let value = scanner.value()?;
            scanner.end()?;
            if value.kind() == Kind::Null {
                return Ok(Judged::Blank);
            }
            return Err(Fault::new(Reason::NotAnEvent, None, "an object", excerpt(line)).into());
        }
        if let Some(node) = self.envelope.enclosing
            && enclosing.first() == Some(&b'{')
        {
            self.walk(reader, &mut Scanner::new(enclosing), enclosing, node)?;
        }
        match self.envelope.data {
            DataPlan::Rest => self.scan_rest(reader, &mut scanner, line, text)?,
            DataPlan::At(_) => self.walk(reader, &mut scanner, line, RECORD)?,
        }
        scanner.end()?;
        self.judge(reader, line, text, enclosing)
    }

    /// Reads an object in which the envelope reads keys.
    fn walk(
        &mut self,
        reader: &mut EventReader<'_>,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        node: usize,
    ) -> Result<(), Malformed> {
        let plan = &self.envelope.nodes[node];
        scanner.open_object()?;
        let mut position = OBJECT_START;
        loop {
            let find = |name: &[u8]| plan.find(name);
            let places = (plan.members.len(), OTHER_KEYS);
            let next = self.key_predictors[node].next_of_many(scanner, position, places, find)?;
            position = next.position();
            match next {
                Next::Member(member) => drop(self.capture(reader, scanner, line, plan.members[member])?),
                Next::Unknown | Next::Other(_) => {
                    if !plan.is_covered {
                        let key = self.key_predictors[node].unknown();
                        reader.unknown.extend(key.map(|key| (Some(plan.id), key)));
                    }
                    scanner.value()?;
                }
                Next::End => return Ok(()),
            }
        }
    }

    /// Takes the value of a key.
    pub(super) fn capture(
        &mut self,
        reader: &mut EventReader<'_>,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        key: usize,
    ) -> Result<Value, Malformed> {
        if self.captures.get(key).is_some() {
            self.captures.repeated.push(key);
            return scanner.value();
        }
        let plan = &self.envelope.keys[key];
        let first = scanner.peek();
        let value = match (first, plan.node) {
            (Some(b'{'), Some(node)) => {
                let start = scanner.position();
                self.walk(reader, scanner, line, node)?;
                Value::new(Kind::Object, start, scanner.position())
            }
            (Some(b'{' | b'['), None) if plan.may_be_skipped() => {
                self.read_or_skip(reader, scanner, line, plan.data == Some(0) && first == Some(b'{'))?
            }
            _ => scanner.value()?,
        };
        self.captures.set(key, value);
        Ok(value)
    }

    /// Reads the payload, if it is one of a known type; anything else is skipped.
    fn read_or_skip(
        &mut self,
        reader: &mut EventReader<'_>,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        is_payload: bool,
    ) -> Result<Value, Malformed> {
        let start = scanner.position();
        if is_payload && let Some(type_index) = self.type_to_read(reader, line) {
            reader.read_payload(scanner, OfType::Known(type_index))?;
            reader.read_as = Some(type_index);
            self.is_data_read = true;
            return Ok(Value::new(Kind::Object, start, scanner.position()));
        }
        let depth = scanner.depth();
        let value = scanner.skip()?;
        self.skipped.push(Skipped { value, depth, is_read: false });
        Ok(value)
    }

    /// The type to read a payload as, if the values so far determine a type that is selected.
    pub(super) fn type_to_read(&mut self, reader: &mut EventReader<'_>, line: &[u8]) -> Option<usize> {
        let EnvelopePlan { domain, event_type, .. } = self.envelope;
        if !domain.is_determined(&self.captures) || !event_type.is_determined(&self.captures) {
            return None;
        }
        // What is around the record has no type to read a payload as before all is known.
        let record = Record { line, enclosing: b"", captures: &self.captures };
        if [domain, event_type].into_iter().any(TemplatePlan::reads_enclosing) {
            return None;
        }
        let (domain, event_type) = (name(domain, record).ok()?, name(event_type, record).ok()?);
        if !reader.selection.wants(&domain, &event_type) {
            return None;
        }
        reader.types_found.find(self.plan, &domain, &event_type)
    }

    fn judge<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        text: &'l [u8],
        enclosing: &'l [u8],
    ) -> Result<Judged<'l>, Problem> {
        self.refuse_repeated(Stage::Type)?;
        let of_type = if let Some(type_index) = reader.read_as {
            Ok(OfType::Known(type_index))
        } else {
            let record = Record { line, enclosing, captures: &self.captures };
            let not_an_event = |absence| self.not_an_event(absence, EXPECTED_TEXT);
            let domain = name(&self.envelope.domain, record).map_err(not_an_event)?;
            let event_type = name(&self.envelope.event_type, record).map_err(not_an_event)?;
            if !reader.selection.wants(&domain, &event_type) {
                return Ok(Judged::Filtered);
            }
            reader.types_found.of_type(self.plan, &domain, &event_type)
        };
        self.refuse_repeated(Stage::Time)?;
        let time = self.time(line, enclosing)?;
        let timing = time.micros.map_or(Timing::Within, |micros| reader.selection.timing(micros));
        if reader.is_filtered(timing, of_type.as_ref().ok().copied()) {
            return Ok(Judged::Filtered);
        }
        let is_later_candidate = timing != Timing::Within;
        let event = of_type
            .map_err(Problem::Fault)
            .and_then(|of_type| self.judge_event(reader, (line, text, enclosing), of_type, &time));
        match event {
            Ok(event) => Ok(Judged::Event(Event { is_later_candidate, ..event })),
            // Its day is not selected, and a bad line takes no part in "latest".
            Err(Problem::Fault(_)) if is_later_candidate => Ok(Judged::Filtered),
            Err(problem) => Err(problem),
        }
    }

    fn refuse_repeated(&self, stage: Stage) -> Result<(), Fault> {
        let keys = self.captures.repeated.iter().map(|&key| &self.envelope.keys[key]);
        let repeated = keys.filter(|key| key.stage == stage).min_by_key(|key| &key.path);
        repeated.map_or(Ok(()), |key| Err(duplicate_key(&key.path)))
    }

    #[cold]
    fn not_an_event(&self, absence: Absence<'_, '_>, expected: &str) -> Fault {
        match absence {
            Absence::Missing { path, found } => Fault::new(Reason::NotAnEvent, Some(path), expected, found),
            Absence::Other { key, found } => {
                let path = &self.envelope.keys[key].path;
                Fault::new(Reason::NotAnEvent, Some(path), expected, excerpt(found))
            }
        }
    }

    fn time<'l>(&self, line: &'l [u8], enclosing: &'l [u8]) -> Result<TimeRead<'l>, Fault> {
        let record = Record { line, enclosing, captures: &self.captures };
        let Some(unit) = self.envelope.unit else {
            let text = self.envelope.time.text(record);
            let text = text.map_err(|absence| self.not_an_event(absence, EXPECTED_TEXT))?;
            let micros = timestamp::parse_timestamp(&text);
            let is_cut = micros.is_some() && timestamp::is_cut(&text);
            return Ok(TimeRead { text, micros, is_cut });
        };
        let text = self.number_text(record);
        let text = text.map_err(|absence| self.not_an_event(absence, unit.expected()))?;
        let epoch = timestamp::parse_epoch(&text, unit).ok();
        let (micros, is_cut) = (epoch.map(|epoch| epoch.micros), epoch.is_some_and(|epoch| epoch.is_cut));
        Ok(TimeRead { text, micros, is_cut })
    }

    /// The text of an epoch, which may be a number with a fraction.
    fn number_text<'l>(&self, record: Record<'_, 'l>) -> Result<Cow<'l, [u8]>, Absence<'a, 'l>> {
        if let [PiecePlan::Paths { alternatives, .. }] = self.envelope.time.pieces.as_slice()
            && let Some((path, value)) = record.used(alternatives)
            && value.kind() == Kind::Number
        {
            return Ok(Cow::Borrowed(value.text(record.text_with(path))));
        }
        self.envelope.time.text(record)
    }

    /// Judges everything that the filters don't need.
    fn judge_event<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text, enclosing): (&'l [u8], &'l [u8], &'l [u8]),
        of_type: OfType,
        time: &TimeRead<'_>,
    ) -> Result<Event<'l>, Problem> {
        self.refuse_repeated(Stage::Event)?;
        let id = self.id(line, enclosing)?;
        let Some(micros) = time.micros else { return Err(self.bad_timestamp(&time.text).into()) };
        self.read_payload(reader, (line, text), of_type)?;
        self.read_fields(reader, line, of_type)?;
        reader.judge_members(of_type)?;
        let type_index = match of_type {
            OfType::Known(type_index) => type_index,
            OfType::Open(open) => self.place_of(reader, open, (line, enclosing))?,
        };
        Ok(Event { type_index, micros, is_time_cut: time.is_cut, id, is_later_candidate: false })
    }

    /// The place of a type that had none. A line that is not JSON is no event: it makes no type.
    #[cold]
    fn place_of(
        &mut self,
        reader: &mut EventReader<'_>,
        open: usize,
        (line, enclosing): (&[u8], &[u8]),
    ) -> Result<usize, Problem> {
        self.read_skipped(line)?;
        let record = Record { line, enclosing, captures: &self.captures };
        let not_an_event = |absence| self.not_an_event(absence, EXPECTED_TEXT);
        let domain = name(&self.envelope.domain, record).map_err(not_an_event)?;
        let event_type = name(&self.envelope.event_type, record).map_err(not_an_event)?;
        Ok(reader.place_of(open, &domain, &event_type)?)
    }

    #[cold]
    fn bad_timestamp(&self, found: &[u8]) -> Fault {
        let expected = self.envelope.unit.map_or(timestamp::EXPECTED_TIMESTAMP, EpochUnit::expected);
        Fault::new(Reason::BadTimestamp, Some(&self.envelope.time.path), expected, excerpt(found))
    }

    fn id<'l>(&self, line: &'l [u8], enclosing: &'l [u8]) -> Result<ReadId<'l>, Fault> {
        let record = Record { line, enclosing, captures: &self.captures };
        match &self.envelope.id {
            IdPlan::Text(template) => {
                let id = template.text(record).map_err(|absence| self.no_id(absence))?;
                if id.is_empty() {
                    return Err(self.no_id(Absence::Missing { path: &template.path, found: "\"\"" }));
                }
                Ok(ReadId::Text(id))
            }
            IdPlan::Key(parts) => {
                let mut id = vec![b'['];
                for part in parts {
                    if id.len() > 1 {
                        id.push(b',');
                    }
                    quoted_into(&part.text(record).map_err(|absence| self.no_id(absence))?, &mut id);
                }
                id.push(b']');
                Ok(ReadId::Text(Cow::Owned(id)))
            }
            IdPlan::Hash => {
                Ok(ReadId::Uuid(hash_id(line, self.envelope.enclosing.map_or(b"", |_| enclosing))))
            }
        }
    }

    #[cold]
    fn no_id(&self, absence: Absence<'_, '_>) -> Fault {
        match absence {
            Absence::Missing { path, found } => {
                Fault::new(Reason::MissingEventId, Some(path), "the event's id", found)
            }
            Absence::Other { .. } => self.not_an_event(absence, EXPECTED_TEXT),
        }
    }

    /// Reads the payload, unless it was read on the way.
    fn read_payload(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&[u8], &[u8]),
        of_type: OfType,
    ) -> Result<(), Problem> {
        let DataPlan::At(keys) = &self.envelope.data else {
            return Ok(self.finish_rest(reader, (line, text), of_type)?);
        };
        let shape = &self.plan.payload_of(of_type).shape;
        if self.is_data_read {
            return Ok(());
        }
        let values = keys.iter().filter_map(|&key| Some((key, self.captures.get(key)?)));
        let used = values.into_iter().find(|(_, value)| value.kind() != Kind::Null);
        let Some((key, data)) = used else {
            reader.take_no_payload(shape);
            return Ok(());
        };
        if data.kind() != Kind::Object {
            if shape.is_json {
                reader.payload.take_all(shape, data);
                return Ok(());
            }
            let path = &self.envelope.keys[key].path;
            let found = excerpt(data.text(line));
            return Err(Fault::new(Reason::NotAnEvent, Some(path), EXPECTED_PAYLOAD, found).into());
        }
        let mut scanner = self.scanner_at(line, data);
        reader.read_payload(&mut scanner, of_type)?;
        Ok(reached(&scanner, data)?)
    }

    /// Reads the columns of the envelope; the payload was read before.
    fn read_fields(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &[u8],
        of_type: OfType,
    ) -> Result<(), Malformed> {
        for &key in &self.envelope.fields {
            let field = self.envelope.keys[key].field.zip(self.captures.get(key));
            match field {
                Some(((_, KeyTarget::Column(column)), value)) => drop(reader.payload.take(column, value)),
                Some(((member, _), value)) => {
                    let mut scanner = self.scanner_at(line, value);
                    reader.read_member(&mut scanner, of_type, (0, member), Some(value))?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Domain and type of a record, if it has them.
    pub(super) fn type_of<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
    ) -> Option<(Cow<'l, [u8]>, Cow<'l, [u8]>)>
    where
        'a: 'l,
    {
        self.skipped.clear();
        self.is_data_read = false;
        self.captures.reset(self.envelope.keys.len());
        let mut scanner = Scanner::new(line);
        if scanner.peek() == Some(b'{') {
            // What was captured before a mistake counts.
            let _ = self.walk(reader, &mut scanner, line, RECORD);
        }
        let record = Record { line, enclosing: b"", captures: &self.captures };
        let EnvelopePlan { domain, event_type, .. } = self.envelope;
        Some((name(domain, record).ok()?, name(event_type, record).ok()?))
    }

    /// What a record says of its event; see [`Plan::event_named_by`].
    pub(super) fn event_named_by(&mut self, reader: &mut EventReader<'_>, line: &[u8]) -> Option<NamedEvent> {
        let (domain, event_type) = self.type_of(reader, line)?;
        let text = |text: Cow<'_, [u8]>| String::from_utf8_lossy(&text).into_owned();
        let (domain, event_type) = (text(domain), text(event_type));
        let micros = self.time(line, b"").ok()?.micros?;
        let id = match self.id(line, b"").ok()? {
            ReadId::Uuid(uuid) => String::from_utf8_lossy(&uuid_text(uuid)).into_owned(),
            ReadId::Text(id) => text(id),
        };
        Some(NamedEvent { domain, event_type, id, micros })
    }

    /// Whether the payload, the rest of the record, leaves out this key of it.
    pub(super) fn is_taken(&self, key: &[u8]) -> bool {
        let root = &self.envelope.nodes[RECORD];
        root.find(key).map(|member| root.members[member]).is_some_and(|key| {
            match self.envelope.keys[key].taken {
                Taken::Never => false,
                Taken::Always => true,
                Taken::IfUsed => self.is_used(key),
            }
        })
    }

    /// The payload of the record that was read last, if it is an object; the record itself, if the payload is
    /// the rest of it.
    pub(super) fn payload(&self, line: &[u8]) -> Option<Value> {
        let DataPlan::At(keys) = &self.envelope.data else {
            let mut scanner = Scanner::new(line);
            return scanner.value().ok();
        };
        let values = keys.iter().filter_map(|&key| self.captures.get(key));
        values.into_iter().find(|value| value.kind() != Kind::Null).filter(|data| data.kind() == Kind::Object)
    }

    /// A scanner at a value that was captured, and may have been skipped: it counts as read.
    fn scanner_at<'l>(&mut self, line: &'l [u8], value: Value) -> Scanner<'l> {
        let skipped = self.skipped.iter_mut().find(|skipped| skipped.value == value);
        let depth = skipped.map_or(0, |skipped| {
            skipped.is_read = true;
            skipped.depth
        });
        Scanner::at_depth(line, value, depth)
    }

    /// Reads what was skipped and not needed.
    fn read_skipped(&mut self, line: &[u8]) -> Result<(), Malformed> {
        for &Skipped { value, depth, is_read } in &self.skipped {
            if !is_read {
                let mut scanner = Scanner::at_depth(line, value, depth);
                scanner.value()?;
                reached(&scanner, value)?;
            }
        }
        self.rest.read_skipped(line)
    }
}

/// Fails if a value that was skipped ends elsewhere than its brackets say.
pub(super) fn reached(scanner: &Scanner<'_>, value: Value) -> Result<(), Malformed> {
    if scanner.position() == value.end() { Ok(()) } else { scanner.misplaced() }
}

/// A name of an event's type.
pub(super) fn name<'p, 'l: 'x, 'x>(
    template: &'p TemplatePlan,
    record: Record<'_, 'l>,
) -> Result<Cow<'x, [u8]>, Absence<'p, 'l>>
where
    'p: 'x,
{
    template.literal().map_or_else(|| template.text(record), |text| Ok(Cow::Borrowed(text)))
}

/// The fault of a line that is not JSON, which is that of its first mistake.
#[cold]
fn first_mistake(line: &[u8], found: Malformed) -> Fault {
    let mut scanner = Scanner::new(line);
    let first = scanner.value().and_then(|_| scanner.end()).err().unwrap_or(found);
    Fault::malformed(line, first)
}
