//! A record of an envelope → an event with its payload as slots of its columns, an event that is not
//! selected, or a fault.
//!
//! The record is scanned once for what the envelope reads of it. The payload is read on the way, if the type
//! is known by then. Otherwise it is only skipped, by its strings and brackets, and read afterwards
//! (`events/rest.rs` for a payload that is the rest of the record).
//!
//! Invariant: a value that was skipped is read as JSON before the line counts as anything. Where the line is
//! not JSON, it is scanned from its beginning, so that the first mistake is the one that is reported.

use events_core::timestamp::ToSeconds;

use super::{EventReader, Judged, record_base::name, record_frames::RecordFrames, rest::Rest};
use crate::{
    envelope::{Captures, DataPlan, EnvelopePlan, RECORD, Record, TemplatePlan},
    fault::{Fault, Reason, excerpt},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, OTHER_KEYS, Scanner, Value},
    plan::{OfType, Plan},
};

/// What is known of the record that is being read.
#[derive(Debug)]
pub(super) struct Records<'a> {
    pub(super) plan: &'a Plan,
    pub(super) envelope: &'a EnvelopePlan,
    pub(super) captures: Captures,
    /// By node.
    pub(super) key_predictors: Vec<KeyPredictor>,
    /// Values that were not read as JSON yet.
    pub(super) skipped: Vec<Skipped>,
    /// Whether its type is known, and not selected: its values are only read as JSON.
    pub(super) is_unwanted: bool,
    /// The payload, if it was read on the way.
    pub(super) is_data_read: bool,
    pub(super) rest: Rest,
    pub(super) to_seconds: ToSeconds,
    /// Of the records of documents, and of documents that are records.
    pub(super) frames: [RecordFrames; 2],
}

/// A value that was skipped, and the levels around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skipped {
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
            to_seconds: ToSeconds::default(),
            is_unwanted: false,
            is_data_read: false,
            rest: Rest::new(plan),
            frames: Default::default(),
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
        self.reset(reader);
        let judged = self.scan_and_judge(reader, line, text, enclosing);
        let validated = match &judged {
            Err(Problem::Malformed(malformed)) => Err(*malformed),
            _ => self.read_skipped(line),
        };
        if let Err(malformed) = validated {
            return Err(first_mistake(line, malformed));
        }
        if let Ok(judged) = &judged {
            self.learn_frame(reader, line, judged);
        }
        judged.map_err(|problem| match problem {
            Problem::Fault(fault) => fault,
            Problem::Malformed(malformed) => Fault::malformed(line, malformed),
        })
    }

    /// Forgets the record before.
    pub(super) fn reset(&mut self, reader: &mut EventReader<'_>) {
        reader.unknown.clear();
        reader.read_as = None;
        self.captures.reset(self.envelope.keys.len());
        self.skipped.clear();
        self.is_data_read = false;
        self.is_unwanted = false;
        self.rest.reset();
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
    pub(super) fn walk(
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

    /// Reads the payload, if it is one of a known type; anything else is skipped, unless it is only to be
    /// read as JSON.
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
        if self.is_unwanted {
            return scanner.value();
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
        self.is_unwanted = !reader.selection.wants(&domain, &event_type);
        if self.is_unwanted {
            return None;
        }
        reader.types_found.find(self.plan, &domain, &event_type)
    }

    /// A scanner at a value that was captured, and may have been skipped: it counts as read.
    pub(super) fn scanner_at<'l>(&mut self, line: &'l [u8], value: Value) -> Scanner<'l> {
        let skipped = self.skipped.iter_mut().find(|skipped| skipped.value == value);
        let depth = skipped.map_or(0, |skipped| {
            skipped.is_read = true;
            skipped.depth
        });
        Scanner::at_depth(line, value, depth)
    }

    /// Reads what was skipped and not needed.
    pub(super) fn read_skipped(&mut self, line: &[u8]) -> Result<(), Malformed> {
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

/// The fault of a line that is not JSON, which is that of its first mistake.
#[cold]
fn first_mistake(line: &[u8], found: Malformed) -> Fault {
    let mut scanner = Scanner::new(line);
    let first = scanner.value().and_then(|_| scanner.end()).err().unwrap_or(found);
    Fault::malformed(line, first)
}
