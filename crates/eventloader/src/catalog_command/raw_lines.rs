//! A block → its lines, and a line → the event type that it says it is.
//!
//! Invariant: the lines are those that a load reads: of a text its lines, of an array its elements.

use events_core::event;

use crate::{
    arrays::Element,
    blocks::{Block, Content, LINE_BYTES_MAX},
    fault::Reason,
    json::Scanner,
};

/// A line of a block, or what stands in place of one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line<'b> {
    Text(&'b [u8]),
    /// It can't be read.
    Bad(Reason),
    /// A further piece of one that was told before.
    Continued,
}

/// The lines of a block, as a load sees them.
pub(super) fn lines_of(block: &Block) -> Box<dyn Iterator<Item = Line<'_>> + '_> {
    match &block.content {
        Content::Lines => {
            let mut start = 0;
            Box::new(std::iter::from_fn(move || {
                let rest = block.bytes.get(start..).filter(|rest| !rest.is_empty())?;
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let bom: &[u8] = if block.offset == 0 && start == 0 { b"\xEF\xBB\xBF" } else { b"" };
                start += length + 1;
                Some(Line::Text(rest[..length].strip_prefix(bom).unwrap_or(&rest[..length])))
            }))
        }
        Content::Elements(elements) => Box::new(elements.iter().map(|Element { range, due }| {
            match (due, range.len() > LINE_BYTES_MAX) {
                (Some(_), false) => Line::Bad(Reason::MalformedJson),
                _ => Line::Text(&block.bytes[range.clone()]),
            }
        })),
        Content::Fragment(fragment) => Box::new(std::iter::once(match fragment.bytes_before {
            0 => Line::Bad(Reason::LineTooLong),
            _ => Line::Continued,
        })),
    }
}

/// The event type that a line says it is, as far as it says so.
pub(super) fn type_of(line: &[u8]) -> Option<(String, String)> {
    let mut scanner = Scanner::new(line);
    let (mut domain, mut event_type) = (None, None);
    let mut more = scanner.peek() == Some(b'{') && scanner.enter_object().ok()?;
    while more {
        let key = scanner.key().ok()?.string(line)?;
        let value = scanner.value().ok()?.string(line);
        let text = value.map(|text| String::from_utf8_lossy(&text).into_owned());
        match std::str::from_utf8(&key) {
            Ok(event::DOMAIN) => domain = domain.or(text),
            Ok(event::EVENT_TYPE) => event_type = event_type.or(text),
            _ => {}
        }
        more = scanner.next_member().ok()?;
    }
    Some((domain?, event_type?))
}
