//! The text of JSON documents, one behind the other → the location of each; the reader decides what it is.
//!
//! Between documents there may be white space, newlines and 0x1E (RFC 7464), or nothing.
//! - A document is an object or array. It ends with its bracket, or where it breaks off (`open_document`).
//! - Text in which no document begins is one by itself, up to the next newline, 0x1E or `{`. No reader
//!   accepts it as an event.
//! - A document that is longer than a line may be is cut into its records while it goes by, if it has a list
//!   of them (`record_scanner`).
//!
//! Invariant: every byte is in some document, except for white space and 0x1E between them; or it is in some
//! record, or around records as the path to them says. Documents depend on the text alone, not on how it is
//! cut into pieces.

use std::{io, sync::Arc};

use super::{
    LINE_BYTES_MAX,
    arrays::{Element, Unit},
    open_document::{End, OpenDocument, RECORD_SEPARATOR, is_space},
    record_scanner::{RecordScanner, Step},
    records::Records,
};

/// The state of reading documents, across all pieces of the text.
#[derive(Debug)]
pub(crate) struct DocumentScanner {
    records: Arc<Records>,
    state: State,
    /// The start of the unfinished document, in the bytes that are being scanned.
    start: usize,
    /// How far the bytes are scanned.
    at: usize,
    /// Whether it went back to the start of a long document, and nobody asked yet.
    went_back: bool,
}

#[derive(Debug)]
enum State {
    /// Between documents.
    Between,
    /// In a document, or in what is left of one that is broken around its records.
    Open { document: OpenDocument, due: Option<&'static str> },
    /// In text that is no document.
    Junk,
    /// In a long document that is cut into its records.
    Records(Box<RecordScanner>),
}

impl DocumentScanner {
    /// A scanner of a text whose first character is at `at`, or behind it.
    pub(crate) fn new(at: usize, records: Arc<Records>) -> Self {
        Self { records, state: State::Between, start: 0, at, went_back: false }
    }

    /// Continues to the end of `bytes`, or until `elements` has `elements_max`.
    pub(crate) fn scan(&mut self, bytes: &[u8], elements: &mut Vec<Element>, elements_max: usize) {
        while self.at < bytes.len() && elements.len() < elements_max {
            match &mut self.state {
                State::Between => self.scan_gap(bytes[self.at]),
                State::Open { document, due } => {
                    let Some(end) = document.end(bytes, &mut self.at) else {
                        self.begin_records(bytes);
                        return;
                    };
                    let end = if let End::BreaksOff(end) = end { end } else { self.at };
                    let unit = if due.is_some() { Unit::Record(None) } else { Unit::Document };
                    let due = *due;
                    elements.push(Element { due, unit, ..self.element_before(bytes, end) });
                    self.state = State::Between;
                }
                State::Junk => match memchr::memchr3(b'\n', RECORD_SEPARATOR, b'{', &bytes[self.at..]) {
                    Some(length) => {
                        self.at += length;
                        elements.push(self.element_before(bytes, self.at));
                        self.state = State::Between;
                    }
                    None => self.at = bytes.len(),
                },
                State::Records(scanner) => match scanner.scan(&self.records, bytes, elements, elements_max) {
                    Step::Stopped => {
                        self.at = scanner.scanned();
                        return;
                    }
                    Step::Ended => {
                        self.at = scanner.scanned();
                        self.state = State::Between;
                    }
                    Step::Broken(broken) => {
                        (self.start, self.at) = (scanner.behind_last(), scanner.scanned());
                        let document = scanner.open_document();
                        self.state = State::Open { document, due: Some(broken.expected) };
                    }
                },
            }
        }
    }

    /// At the end of the text: finishes its last piece; fails if a document has not ended.
    pub(crate) fn finish(&mut self, bytes: &[u8], elements: &mut Vec<Element>) -> io::Result<()> {
        match self.state {
            State::Between => Ok(()),
            State::Junk => {
                elements.push(self.element_before(bytes, bytes.len()));
                self.state = State::Between;
                Ok(())
            }
            State::Open { .. } | State::Records(_) => {
                let problem = "the text is JSON documents one behind the other, but the last one is cut off: \
                               no bracket ends what begins there";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem))
            }
        }
    }

    /// The start of the document or record in which the bytes end; their end, if they end between them.
    pub(crate) fn unfinished(&self) -> usize {
        match &self.state {
            State::Between => self.at,
            State::Open { .. } | State::Junk => self.start,
            State::Records(scanner) => scanner.unfinished(),
        }
    }

    /// Whether it has just gone back to the start of a long document, to cut it into its records.
    pub(crate) fn went_back(&mut self) -> bool {
        std::mem::take(&mut self.went_back)
    }

    /// How far the bytes are scanned.
    pub(crate) fn scanned(&self) -> usize {
        self.at
    }

    /// The first bytes were returned: the following ones count from there.
    pub(crate) fn advance(&mut self, returned: &[u8]) {
        let length = returned.len();
        match &mut self.state {
            State::Between | State::Junk => {}
            State::Open { document, .. } => document.advance(returned, self.start),
            State::Records(scanner) => scanner.advance(returned),
        }
        self.start = self.start.saturating_sub(length);
        self.at -= length;
    }

    fn scan_gap(&mut self, byte: u8) {
        if !is_space(byte) && byte != RECORD_SEPARATOR {
            self.start = self.at;
            let is_document = matches!(byte, b'{' | b'[');
            self.state = if is_document {
                State::Open { document: OpenDocument::behind(byte), due: None }
            } else {
                State::Junk
            };
        }
        self.at += 1;
    }

    /// If the document is too long to be read as a whole, goes back to its start, to cut it into its records.
    fn begin_records(&mut self, bytes: &[u8]) {
        let State::Open { due: None, .. } = self.state else { return };
        let document = &bytes[self.start..];
        if document.len() > LINE_BYTES_MAX
            && self.records.has_lists()
            && let Some(path) = self.records.list_in(&document[..LINE_BYTES_MAX])
        {
            (self.at, self.went_back) = (self.start, true);
            self.state = State::Records(Box::new(RecordScanner::new(path, self.start)));
        }
    }

    fn element_before(&self, bytes: &[u8], end: usize) -> Element {
        let spaces = bytes[self.start..end].iter().rev().take_while(|byte| is_space(**byte)).count();
        Element { range: self.start..end - spaces, due: None, unit: Unit::Document }
    }
}
