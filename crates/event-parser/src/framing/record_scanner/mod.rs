//! The bytes of a document, and the path to its records → the location of each record.
//!
//! Around the records, the document must be JSON. The records themselves are only told by their strings and
//! brackets, like the elements of an array: the reader decides what they are.
//! - A list that is missing or null below the outermost one has no records.
//! - Any other value that is not what the path says is a record itself, so that it is a bad line and not
//!   lost.
//! - Where the document is broken around its records, those before the break stay.
//!
//! Invariant: records depend on the document alone, not on how its bytes are cut. All that is kept of a
//! document that goes by is one open object or list per step of the path, and the wanted members around the
//! records.

mod list;

use self::list::Gap;
use super::{
    LINE_BYTES_MAX,
    arrays::{Element, Unit},
    enclosing::Enclosing,
    nesting::Nesting,
    open_document::{OpenDocument, is_space},
    records::{PathStep, Records},
};
use crate::json::{Kind, Malformed, Scanner, Value};

/// The state of reading the records of a document.
#[derive(Debug)]
pub(crate) struct RecordScanner {
    path: usize,
    /// Whether the bytes are the whole document. Otherwise it goes by, and more bytes follow.
    is_whole: bool,
    state: State,
    /// The objects and lists around the place, from the outermost.
    frames: Vec<Frame>,
    /// How far the bytes are scanned.
    at: usize,
    /// The start of the unfinished record.
    start: usize,
    /// The end of the last record; the start of the document before.
    behind_last: usize,
    enclosing: Enclosing,
}

/// An object or list on the path.
#[derive(Debug)]
struct Frame {
    is_object: bool,
    /// The step of the path that leads on from it.
    step: usize,
    start: usize,
    /// Whether it is an object in which a record is missing so far.
    lacks_record: bool,
    /// The number of wanted members around it.
    members: usize,
}

#[derive(Debug)]
enum State {
    /// Before a value, with this many steps of the path behind.
    Value(usize),
    /// In an object: before its first key, or behind a value.
    Member {
        is_first: bool,
    },
    /// In a list.
    Gap(Gap),
    /// In a record that is an object or list.
    Container {
        open: OpenDocument,
        due: Option<&'static str>,
    },
    /// In any other record of a list.
    Scalar {
        nesting: Nesting,
        due: Option<&'static str>,
    },
    Ended,
}

/// Why scanning stopped.
#[derive(Debug)]
pub(crate) enum Step {
    /// There are enough elements, or the bytes end.
    Stopped,
    /// The document ended.
    Ended,
    /// The document is broken around its records.
    Broken(Broken),
}

/// Where a document is broken, and what is expected there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

/// What an object on the path has next.
enum Member {
    /// Its end, up to here.
    End(usize),
    /// The key of the path, and its colon, up to here.
    OnPath(usize),
    /// Another key, and its value.
    Other(Value, Value),
}

const VALUE: &str = "a value";
const SHORTER: &str = "keys and values of at most 16 MiB around the records";
const UTF_8: &str = "UTF-8 around the records";

impl RecordScanner {
    /// A scanner of the document that begins at `start` of the bytes and goes by. It has this path.
    pub(crate) fn new(path: usize, start: usize) -> Self {
        Self {
            path,
            is_whole: false,
            state: State::Value(0),
            frames: Vec::new(),
            at: start,
            start,
            behind_last: start,
            enclosing: Enclosing::default(),
        }
    }

    /// Begins with a document that the bytes are the whole of.
    pub(crate) fn begin(&mut self, path: usize) {
        self.frames.clear();
        self.enclosing.truncate(0);
        (self.path, self.is_whole, self.state) = (path, true, State::Value(0));
        (self.at, self.start, self.behind_last) = (0, 0, 0);
    }

    /// Continues to the end of `bytes`, or until `elements` has `elements_max`.
    pub(crate) fn scan(
        &mut self,
        records: &Records,
        bytes: &[u8],
        elements: &mut Vec<Element>,
        elements_max: usize,
    ) -> Step {
        while elements.len() < elements_max {
            let moved = match self.state {
                State::Ended => return Step::Ended,
                State::Value(step) => self.scan_value(records, bytes, step, elements),
                State::Member { is_first } => self.scan_member(records, bytes, is_first, elements),
                State::Gap(gap) => self.scan_gap(records, bytes, gap, elements),
                State::Container { .. } | State::Scalar { .. } => {
                    Ok(self.scan_record(records, bytes, elements))
                }
            };
            match moved {
                Ok(true) => {}
                Ok(false) => return Step::Stopped,
                Err(broken) => return Step::Broken(broken),
            }
        }
        Step::Stopped
    }

    /// How far the bytes are scanned.
    pub(crate) fn scanned(&self) -> usize {
        self.at
    }

    /// The end of the last record; the start of the document before.
    pub(crate) fn behind_last(&self) -> usize {
        self.behind_last
    }

    /// The start of what must stay in memory: of a record, or of an object that may be one.
    pub(crate) fn unfinished(&self) -> usize {
        match self.state {
            State::Container { .. } | State::Scalar { .. } => self.start,
            _ => self.frames.last().filter(|frame| frame.lacks_record).map_or(self.at, |frame| frame.start),
        }
    }

    /// The first bytes were returned: the following ones count from there.
    pub(crate) fn advance(&mut self, returned: &[u8]) {
        let length = returned.len();
        if let State::Container { open, .. } = &mut self.state {
            open.advance(returned, self.start);
        }
        for frame in &mut self.frames {
            frame.start = frame.start.saturating_sub(length);
        }
        self.start = self.start.saturating_sub(length);
        self.behind_last = self.behind_last.saturating_sub(length);
        self.at -= length;
    }

    /// The brackets that are open around the place, for reading on without a path.
    pub(crate) fn open_document(&self) -> OpenDocument {
        let mut open = OpenDocument::default();
        for frame in &self.frames {
            open.open(if frame.is_object { b'{' } else { b'[' });
        }
        open
    }

    /// Whether the path goes on to a list behind this many steps.
    fn leads_to_list(&self, records: &Records, step: usize) -> bool {
        records.steps(self.path)[step..].contains(&PathStep::List)
    }

    fn scan_value(
        &mut self,
        records: &Records,
        bytes: &[u8],
        step: usize,
        elements: &mut Vec<Element>,
    ) -> Result<bool, Broken> {
        let Some(byte) = self.next_byte(bytes) else { return self.wait(bytes, VALUE) };
        match (records.steps(self.path).get(step), byte) {
            (Some(PathStep::Key(_)), b'{') => {
                let is_in_list = records.steps(self.path)[..step].contains(&PathStep::List);
                self.enter(true, step, is_in_list && !self.leads_to_list(records, step));
                self.state = State::Member { is_first: true };
            }
            (Some(PathStep::List), b'[') => {
                self.enter(false, step, false);
                self.state = State::Gap(Gap::First);
            }
            (_, b'{' | b'[') => {
                self.state =
                    State::Container { open: OpenDocument::of_record(byte, self.is_whole), due: None };
                self.start = self.at;
                self.at += 1;
            }
            (on_path, _) => {
                let text = &bytes[self.at..];
                let value = match Scanner::new(text).value() {
                    Ok(value) if value.end() < text.len() || self.is_whole => value,
                    Ok(_) => return self.wait(bytes, VALUE),
                    Err(malformed) => return self.malformed(bytes, malformed),
                };
                let (start, end) = (self.at + value.start(), self.at + value.end());
                self.at = end;
                if on_path.is_some() && value.kind() == Kind::Null && self.leads_to_list(records, step) {
                    self.leave_value();
                } else {
                    self.start = start;
                    self.push(records, end, None, elements);
                }
            }
        }
        Ok(true)
    }

    fn scan_member(
        &mut self,
        records: &Records,
        bytes: &[u8],
        is_first: bool,
        elements: &mut Vec<Element>,
    ) -> Result<bool, Broken> {
        let text = &bytes[self.at..];
        let member = match self.member(records, text, is_first) {
            Ok(member) => member,
            Err(malformed) => return self.malformed(bytes, malformed),
        };
        let length = match &member {
            Member::End(length) | Member::OnPath(length) => *length,
            Member::Other(_, value) if value.end() == text.len() => return self.wait(bytes, "`,` or `}`"),
            Member::Other(_, value) => value.end(),
        };
        if std::str::from_utf8(&text[..length]).is_err() {
            return Err(Broken { at: self.at, expected: UTF_8 });
        }
        self.at += length;
        match member {
            Member::End(_) => self.leave(records, elements),
            Member::OnPath(_) => {
                let step = self.frames.last_mut().map_or(0, |frame| {
                    frame.lacks_record = false;
                    frame.step + 1
                });
                self.state = State::Value(step);
            }
            Member::Other(key, value) => {
                if let Some(name) = key.string(text).filter(|_| records.has_enclosing_keys()) {
                    self.enclosing.add(records, &name, key.text(text), value.text(text));
                }
                self.state = State::Member { is_first: false };
            }
        }
        Ok(true)
    }

    /// What an object has at the start of `text`.
    fn member(&self, records: &Records, text: &[u8], is_first: bool) -> Result<Member, Malformed> {
        let mut scanner = Scanner::new(text);
        if scanner.peek() == Some(b'}') {
            return Ok(Member::End(scanner.position() + 1));
        }
        if !is_first {
            scanner.next_member()?;
        }
        let key = scanner.key()?;
        let step = self.frames.last().map(|frame| &records.steps(self.path)[frame.step]);
        if let (Some(PathStep::Key(wanted)), Some(name)) = (step, key.string(text))
            && *name == *wanted.as_bytes()
        {
            return Ok(Member::OnPath(scanner.position()));
        }
        Ok(Member::Other(key, scanner.value()?))
    }

    /// The next byte that is not white space.
    fn next_byte(&mut self, bytes: &[u8]) -> Option<u8> {
        let spaces = bytes[self.at..].iter().take_while(|byte| is_space(**byte)).count();
        self.at += spaces;
        bytes.get(self.at).copied()
    }

    /// At the end of the bytes: the document is broken there if it ends with them.
    fn wait(&self, bytes: &[u8], expected: &'static str) -> Result<bool, Broken> {
        if self.is_whole {
            return Err(Broken { at: bytes.len(), expected });
        }
        let is_long = bytes.len() - self.at > LINE_BYTES_MAX;
        if is_long { Err(Broken { at: self.at, expected: SHORTER }) } else { Ok(false) }
    }

    fn malformed(&self, bytes: &[u8], malformed: Malformed) -> Result<bool, Broken> {
        if !self.is_whole && malformed.is_cut(&bytes[self.at..]) {
            return self.wait(bytes, malformed.expected());
        }
        Err(Broken { at: self.at + malformed.at(), expected: malformed.expected() })
    }

    fn enter(&mut self, is_object: bool, step: usize, lacks_record: bool) {
        let (start, members) = (self.at, self.enclosing.len());
        self.frames.push(Frame { is_object, step, start, lacks_record, members });
        self.at += 1;
    }

    /// Leaves an object or list, behind its bracket.
    fn leave(&mut self, records: &Records, elements: &mut Vec<Element>) {
        let Some(frame) = self.frames.pop() else { return };
        self.enclosing.truncate(frame.members);
        self.leave_value();
        if frame.lacks_record {
            self.start = frame.start;
            self.push(records, self.at, None, elements);
        }
    }

    fn leave_value(&mut self) {
        self.state = match self.frames.last() {
            None => State::Ended,
            Some(frame) if frame.is_object => State::Member { is_first: false },
            Some(_) => State::Gap(Gap::Element),
        };
    }

    /// The record up to `end`.
    fn push(
        &mut self,
        records: &Records,
        end: usize,
        due: Option<&'static str>,
        elements: &mut Vec<Element>,
    ) {
        let unit = Unit::Record(self.enclosing.text(records));
        elements.push(Element { range: self.start..end, due, unit });
        self.behind_last = end;
        self.leave_value();
    }
}

#[cfg(test)]
mod tests;
