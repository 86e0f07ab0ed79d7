//! Lines → a file in one of the forms that a source may have, and where each line stands in its text.
//!
//! A test about lines runs for every form: `each_form(|form| …)` with a `Workdir::in_form(form)`.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// A way to write events into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Gzip,
    GzipOfManyMembers,
    Zstd,
    ZstdOfManyFrames,
    Array,
    PrettyArray,
    ArrayInGzip,
    PrettyArrayInZstd,
}

/// The one table of them.
pub(crate) const FORMS: [Form; 9] = [
    Form::Lines,
    Form::Gzip,
    Form::GzipOfManyMembers,
    Form::Zstd,
    Form::ZstdOfManyFrames,
    Form::Array,
    Form::PrettyArray,
    Form::ArrayInGzip,
    Form::PrettyArrayInZstd,
];

/// Runs a test with every form.
pub(crate) fn each_form(test: impl Fn(Form)) {
    for form in FORMS {
        test(form);
    }
}

/// Lines as a source: its text, and where each line begins in it; nowhere, if the form can't express the
/// line.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: Vec<u8>,
    pub(crate) offsets: Vec<Option<u64>>,
}

impl Form {
    pub(crate) fn is_array(self) -> bool {
        matches!(self, Self::Array | Self::PrettyArray | Self::ArrayInGzip | Self::PrettyArrayInZstd)
    }

    /// The text of a source with these lines, which are given without their newlines.
    pub(crate) fn write<L: AsRef<[u8]>>(self, lines: &[L]) -> Written {
        let (mut text, mut offsets) = (Vec::new(), Vec::new());
        if !self.is_array() {
            for line in lines {
                offsets.push(Some(text.len() as u64));
                text.extend_from_slice(line.as_ref());
                text.push(b'\n');
            }
            return Written { text, offsets };
        }
        let pretty = matches!(self, Self::PrettyArray | Self::PrettyArrayInZstd);
        let separator: &[u8] = if pretty { b",\r\n    " } else { b"," };
        text.extend_from_slice(if pretty { b"\n[\n    " } else { b"[" });
        let mut is_first = true;
        for line in lines {
            let line = line.as_ref().trim_ascii();
            if !is_one_element(line) {
                offsets.push(None);
                continue;
            }
            if !std::mem::take(&mut is_first) {
                text.extend_from_slice(separator);
            }
            offsets.push(Some(text.len() as u64));
            text.extend(if pretty { spread(line) } else { line.to_vec() });
        }
        text.extend_from_slice(if pretty { b"\n]\n" } else { b"]" });
        Written { text, offsets }
    }

    /// The bytes of a file with this text.
    pub(crate) fn encode(self, text: &[u8]) -> Vec<u8> {
        let pieces = |text: &[u8]| {
            // The last is empty, and some end in the middle of a line.
            let (first, second) = text.split_at(text.len() / 3);
            [first.to_vec(), second.to_vec(), Vec::new()]
        };
        match self {
            Self::Lines | Self::Array | Self::PrettyArray => text.to_vec(),
            Self::Gzip | Self::ArrayInGzip => gzip(text),
            Self::GzipOfManyMembers => pieces(text).iter().flat_map(|piece| gzip(piece)).collect(),
            Self::Zstd | Self::PrettyArrayInZstd => zstd(text),
            Self::ZstdOfManyFrames => pieces(text).iter().flat_map(|piece| zstd(piece)).collect(),
        }
    }
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

/// Whether a line between commas is one element by its brackets and quotes, whatever else is wrong with it.
fn is_one_element(line: &[u8]) -> bool {
    let is_container = line.first().is_some_and(|byte| matches!(byte, b'{' | b'['));
    let (mut depth, mut in_string, mut escaped) = (0_i32, false, false);
    for (index, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' if !is_container => {}
            b'}' | b']' => depth -= 1,
            b',' if !is_container => return false,
            _ => {}
        }
        let is_last = index + 1 == line.len();
        if is_container && (depth == 0) != is_last || !is_container && depth != 0 {
            return false;
        }
    }
    !line.is_empty() && !in_string
}

/// The same JSON over many lines; what is not JSON stays as it is.
fn spread(line: &[u8]) -> Vec<u8> {
    if serde_json::from_slice::<serde_json::Value>(line).is_err() {
        return line.to_vec();
    }
    let (mut spread, mut in_string, mut escaped) = (Vec::new(), false, false);
    for byte in line {
        if !in_string && matches!(byte, b'}' | b']') {
            spread.extend_from_slice(b"\n    ");
        }
        spread.push(*byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' | b',' if !in_string => spread.extend_from_slice(b"\n        "),
            _ => {}
        }
    }
    spread
}
