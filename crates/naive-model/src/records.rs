//! A document → its records, by the first of some paths that it has; step by step.

use events_core::envelope::RecordsPath;
use serde_json::{StreamDeserializer, value::RawValue};

use crate::{
    framing::{Piece, SPACES, end_of_element},
    json::{self, Json},
};

enum Step {
    Key(String),
    List,
}

fn steps_of(path: &RecordsPath) -> Vec<Step> {
    let mut steps = Vec::new();
    for step in path.steps() {
        steps.push(Step::Key(step.key.clone()));
        steps.extend(step.is_list.then_some(Step::List));
    }
    steps
}

/// The records of a document in a text, and what else stands in it; `None` if the document is a record
/// itself. A document without any of the paths is a piece of its own.
#[must_use]
pub fn records<'t>(text: &'t [u8], document: &Piece<'t>, paths: &[RecordsPath]) -> Option<Vec<Piece<'t>>> {
    let end = document.offset + document.raw.len();
    let mark: &[u8] = if document.offset == 0 { b"\xEF\xBB\xBF" } else { b"" };
    let start = document.offset + if document.raw.starts_with(mark) { mark.len() } else { 0 };
    let Some(path) = paths.iter().find(|path| is_there(&text[start..end], path)) else {
        let raw = &text[start..end];
        let piece = Piece { raw, no_records: true, ..Piece::trimmed(text, start, end, false) };
        return Some(vec![piece]);
    };
    let steps = steps_of(path);
    if steps.is_empty() {
        return None;
    }
    let mut walk = Walk { text: &text[..end], all: text, at: start, pieces: Vec::new() };
    let walked = walk.value(&steps, false);
    let mut pieces = walk.pieces;
    let from = match walked {
        Ok(()) | Err(Stop::Ended) => walk.at,
        Err(Stop::Broken) => pieces.last().map_or(start, |piece: &Piece<'_>| piece.offset + piece.raw.len()),
    };
    let blank = text[from..end].iter().take_while(|byte| SPACES.contains(byte)).count();
    if walked == Err(Stop::Broken) || from + blank < end {
        pieces.push(Piece::trimmed(text, from + blank, end, true));
    }
    Some(pieces)
}

fn is_there(document: &[u8], path: &RecordsPath) -> bool {
    let document = String::from_utf8_lossy(document);
    let mut rest = document.trim_start_matches([' ', '\t', '\r', '\n']);
    for step in steps_of(path) {
        match step {
            Step::List => return rest.starts_with(['[', 'n']),
            Step::Key(wanted) => match value_of(rest, &wanted) {
                Some(value) => rest = value,
                None => return false,
            },
        }
    }
    path.is_document() || rest.starts_with('{')
}

/// The text from the value of a key on, in the object at the start of a text; what stands behind it need not
/// be JSON.
fn value_of<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = text.strip_prefix('{')?;
    loop {
        rest = trimmed(rest);
        let (key, length) = value_at(rest)?;
        let Json::String(key) = key else { return None };
        rest = trimmed(trimmed(&rest[length..]).strip_prefix(':')?);
        if key == wanted {
            return Some(rest);
        }
        let (_, length) = value_at(rest)?;
        rest = trimmed(&rest[length..]).strip_prefix(',')?;
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// The value at the start of a text, and its length, whatever follows it.
pub(crate) fn value_at(text: &str) -> Option<(Json, usize)> {
    let length = match text.as_bytes().first()? {
        b'{' | b'[' | b'"' => {
            let mut values: StreamDeserializer<'_, _, Box<RawValue>> =
                serde_json::Deserializer::from_str(text).into_iter();
            values.next()?.ok()?.get().len()
        }
        b'-' | b'0'..=b'9' => length_of_number(text.as_bytes())?,
        _ => ["true", "false", "null"].iter().find(|word| text.starts_with(**word))?.len(),
    };
    Some((json::read(&text[..length])?, length))
}

/// A number goes on as long as it can.
fn length_of_number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let count = text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let is = |at: usize, bytes: &[u8]| text.get(at).is_some_and(|byte| bytes.contains(byte));
    let start = usize::from(text[0] == b'-');
    let mut end = if is(start, b"0") { start + 1 } else { digits(start)? };
    if is(end, b".") {
        end = digits(end + 1)?;
    }
    if is(end, b"eE") {
        let sign = usize::from(is(end + 1, b"+-"));
        end = digits(end + 1 + sign)?;
    }
    Some(end)
}

/// Why a way does not go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The document is broken around its records.
    Broken,
    /// It ends in a record.
    Ended,
}

/// The way through a document.
struct Walk<'t> {
    /// Up to the document's end.
    text: &'t [u8],
    all: &'t [u8],
    at: usize,
    pieces: Vec<Piece<'t>>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        while self.text.get(self.at).is_some_and(|byte| SPACES.contains(byte)) {
            self.at += 1;
        }
        self.text.get(self.at).copied().ok_or(Stop::Broken)
    }

    fn push(&mut self, start: usize, end: usize, out_of_place: bool) {
        self.pieces.push(Piece::trimmed(self.all, start, end, out_of_place));
    }

    /// A JSON value that is only passed.
    fn skip(&mut self) -> Result<Json, Stop> {
        self.byte()?;
        let rest = &self.text[self.at..];
        let valid = std::str::from_utf8(rest).map_or_else(|error| error.valid_up_to(), str::len);
        let valid = std::str::from_utf8(&rest[..valid]).map_err(|_| Stop::Broken)?;
        self.pass(valid)
    }

    fn pass(&mut self, rest: &str) -> Result<Json, Stop> {
        let (value, length) = value_at(rest).ok_or(Stop::Broken)?;
        self.at += length;
        Ok(value)
    }

    /// A string, number or word that is a record, whether or not it is UTF-8.
    fn scalar(&mut self) -> Result<Json, Stop> {
        self.byte()?;
        let ascii =
            self.text[self.at..].iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { 'x' });
        let ascii: String = ascii.collect();
        self.pass(&ascii)
    }

    /// A record, which ends by its brackets.
    fn record(&mut self, out_of_place: bool) -> Result<(), Stop> {
        let (start, end) = (self.at, end_of_record(self.text, self.at));
        self.at = end.unwrap_or(self.text.len());
        self.push(start, self.at, out_of_place);
        end.map(drop).ok_or(Stop::Ended)
    }

    fn value(&mut self, steps: &[Step], in_list: bool) -> Result<(), Stop> {
        let byte = self.byte()?;
        match (steps.first(), byte) {
            (Some(Step::Key(key)), b'{') => self.object(key, &steps[1..], in_list),
            (Some(Step::List), b'[') => self.list(&steps[1..]),
            (_, b'{' | b'[') => self.record(false),
            _ => {
                let start = self.at;
                let leads_to_list = steps.iter().any(|step| matches!(step, Step::List));
                let value = self.scalar()?;
                if !(leads_to_list && matches!(value, Json::Null)) {
                    self.push(start, self.at, false);
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, wanted: &str, behind: &[Step], in_list: bool) -> Result<(), Stop> {
        let start = self.at;
        let lacks = in_list && !behind.iter().any(|step| matches!(step, Step::List));
        let (mut is_first, mut found) = (true, false);
        self.at += 1;
        loop {
            match self.byte()? {
                b'}' => {
                    self.at += 1;
                    if lacks && !found {
                        self.push(start, self.at, false);
                    }
                    return Ok(());
                }
                b',' if !is_first => self.at += 1,
                _ if is_first => {}
                _ => return Err(Stop::Broken),
            }
            is_first = false;
            let Json::String(key) = self.skip()? else { return Err(Stop::Broken) };
            if self.byte()? != b':' {
                return Err(Stop::Broken);
            }
            self.at += 1;
            if key == wanted {
                found = true;
                self.value(behind, in_list)?;
            } else {
                self.skip()?;
            }
            if self.at == self.text.len() {
                return Err(Stop::Broken);
            }
        }
    }

    fn list(&mut self, behind: &[Step]) -> Result<(), Stop> {
        self.at += 1;
        let (mut is_first, mut comma) = (true, true);
        let of_records = behind.is_empty();
        loop {
            let byte = self.byte()?;
            match byte {
                b']' if of_records || is_first || !comma => {
                    if comma && !is_first {
                        self.push(self.at, self.at + 1, false);
                    }
                    self.at += 1;
                    return Ok(());
                }
                b',' if of_records || !comma => {
                    if comma {
                        self.push(self.at, self.at + 1, false);
                    }
                    comma = true;
                    is_first = false;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' | b',' | 0x1E => return Err(Stop::Broken),
                _ if of_records => self.record(!comma)?,
                _ if !comma => return Err(Stop::Broken),
                _ => {
                    self.value(behind, true)?;
                    if self.at == self.text.len() {
                        return Err(Stop::Broken);
                    }
                }
            }
            (is_first, comma) = (false, false);
        }
    }
}

/// As in an array, but that no string goes over a newline.
fn end_of_record(text: &[u8], start: usize) -> Option<usize> {
    if !matches!(text[start], b'{' | b'[') {
        return end_of_element(text, start);
    }
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'\n' => (in_string, escaped) = (false, false),
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}
