//! A list on the path → its elements: records, or what leads on to them.
//!
//! What a list of records has wrong is an element of its own, as in an array. Other lists must be JSON.
//!
//! Invariant: each byte of a list of records is in an element, but for white space, brackets and commas in
//! their places.

use super::{Broken, RecordScanner, State};
use crate::framing::{
    arrays::Element,
    nesting::Nesting,
    open_document::{End, OpenDocument, RECORD_SEPARATOR, is_space},
    records::Records,
};

/// What is before the place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    First,
    Comma,
    Element,
}

const COMMA: &str = "`,` or `]` behind an element of the list";
const ELEMENT: &str = "an element of the list";

impl RecordScanner {
    pub(super) fn scan_gap(
        &mut self,
        records: &Records,
        bytes: &[u8],
        gap: Gap,
        elements: &mut Vec<Element>,
    ) -> Result<bool, Broken> {
        let Some(byte) = self.next_byte(bytes) else { return self.wait(bytes, COMMA) };
        let step = self.frames.last().map_or(0, |frame| frame.step + 1);
        let is_of_records = step == records.steps(self.path).len();
        let is_behind = gap == Gap::Element;
        let due = is_behind.then_some(COMMA);
        match byte {
            b']' if is_of_records || gap != Gap::Comma => {
                if gap == Gap::Comma {
                    self.push_byte(records, elements);
                }
                self.at += 1;
                self.leave(records, elements);
            }
            b',' if is_of_records || is_behind => {
                if !is_behind {
                    self.push_byte(records, elements);
                }
                self.at += 1;
                self.state = State::Gap(Gap::Comma);
            }
            b'}' | b']' | b',' | RECORD_SEPARATOR => {
                return Err(Broken { at: self.at, expected: due.unwrap_or(ELEMENT) });
            }
            // In documents one behind the other, this is the next one.
            b'{' if is_behind && !self.is_whole => return Err(Broken { at: self.at, expected: COMMA }),
            _ if !is_of_records && is_behind => return Err(Broken { at: self.at, expected: COMMA }),
            _ if !is_of_records => self.state = State::Value(step),
            _ => {
                self.state = match byte {
                    b'{' | b'[' => {
                        State::Container { open: OpenDocument::of_record(byte, self.is_whole), due }
                    }
                    _ => State::Scalar { nesting: Nesting::behind(byte), due },
                };
                self.start = self.at;
                self.at += 1;
            }
        }
        Ok(true)
    }

    /// Continues in a record; returns whether there is more to do.
    pub(super) fn scan_record(
        &mut self,
        records: &Records,
        bytes: &[u8],
        elements: &mut Vec<Element>,
    ) -> bool {
        let (end, due, goes_on) = match &mut self.state {
            State::Container { open, due } => match open.end(bytes, &mut self.at) {
                Some(End::Closed) => (Some(self.at), *due, true),
                Some(End::BreaksOff(end)) => (Some(end), *due, false),
                None => (None, *due, false),
            },
            State::Scalar { nesting, due } => {
                let length = bytes[self.at..].iter().position(|byte| nesting.ends_scalar(*byte));
                self.at = length.map_or(bytes.len(), |length| self.at + length);
                (length.map(|_| self.at), *due, true)
            }
            _ => return true,
        };
        if end.is_none() && !self.is_whole {
            return false;
        }
        let text = &bytes[self.start..end.unwrap_or(bytes.len())];
        let spaces = text.iter().rev().take_while(|byte| is_space(**byte)).count();
        self.push(records, self.start + text.len() - spaces, due, elements);
        if end.is_none() || !goes_on {
            self.state = State::Ended;
        }
        true
    }

    /// A comma or bracket in the place of a record.
    fn push_byte(&mut self, records: &Records, elements: &mut Vec<Element>) {
        self.start = self.at;
        self.push(records, self.at + 1, None, elements);
    }
}
