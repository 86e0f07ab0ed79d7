//! Documents with records → their records, each judged as a line.
//!
//! Invariant: every byte of a document that is not white space is in a record, in a bad line, or around the
//! records as the path to them says.

use std::ops::Range;

use super::{Newlines, Parser, is_utf8};
use crate::{
    block_state::BlockState,
    fault::Fault,
    framing::{Block, Cut, Element, LINE_BYTES_MAX, Rest, Unit},
};

impl Parser<'_> {
    /// Reads lines each of which is a document with records.
    pub(super) fn read_lines_with_records(&mut self, state: &mut BlockState<'_>) {
        self.events.set_framing(true);
        let block = state.block;
        let all_utf8 = is_utf8(&block.bytes);
        let mut start = 0;
        while start < block.bytes.len() {
            let rest = &block.bytes[start..];
            let end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &block.bytes[start + mark_bytes_at(block, start)..end];
            if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                state.parsed.blank += 1;
                state.parsed.lines += 1;
            } else {
                self.read_document(state, start..end, false, all_utf8, &mut Newlines::counted());
            }
            state.parsed.newlines += 1;
            state.line_index += 1;
            start = end + 1;
        }
    }

    /// Reads the records of a document.
    pub(super) fn read_document(
        &mut self,
        state: &mut BlockState<'_>,
        range: Range<usize>,
        may_be_long: bool,
        all_utf8: bool,
        newlines: &mut Newlines,
    ) {
        let block = state.block;
        let from = range.start + mark_bytes_at(block, range.start);
        let document = &block.bytes[from..range.end];
        state.unit = Unit::Element;
        self.events.set_document(true);
        newlines.count(state, range.start);
        let (text, offset) = (&block.bytes[range.start..], block.offset + range.start as u64);
        if self.read_framed(state, text, Some(range.len()), offset, all_utf8).is_some() {
            state.parsed.lines += 1;
            return;
        }
        let mut documents = std::mem::take(&mut self.documents);
        match documents.cut(self.plan.records(), document, may_be_long) {
            Cut::Record => {
                self.read_line(state, text, range.len(), offset, all_utf8);
                state.parsed.lines += 1;
            }
            Cut::NoPath => {
                let fault = Fault::no_records(document, self.plan.records().names());
                state.bad(document, block.offset + from as u64, None, fault);
                state.parsed.lines += 1;
            }
            Cut::Records(rest) => {
                self.events.set_document(false);
                for Element { range: Range { start, end }, due, unit } in documents.elements() {
                    state.unit = unit.clone();
                    self.read_element(state, from + start..from + end, *due, all_utf8, newlines);
                }
                if let Some(Rest { start, end, broken }) = rest {
                    newlines.count(state, from + start);
                    // What has no record yet may have some once it is read otherwise.
                    state.unit = if start == 0 { Unit::Element } else { Unit::Record(None) };
                    let (raw, at) = (&document[start..end], broken.at.saturating_sub(start));
                    let offset = block.offset + (from + start) as u64;
                    if raw.len() > LINE_BYTES_MAX {
                        state.too_long(raw, offset, 0);
                    } else if start == 0 {
                        state.bad(raw, offset, None, Fault::around_records(raw, at, broken.expected));
                    } else {
                        state.misplaced(raw, offset, Fault::around_records(raw, at, broken.expected));
                    }
                    state.parsed.lines += 1;
                }
            }
        }
        self.documents = documents;
    }
}

/// The length of the byte order mark that is here, if one is.
fn mark_bytes_at(block: &Block, at: usize) -> usize {
    let mark = b"\xEF\xBB\xBF";
    if block.offset == 0 && at == 0 && block.bytes.starts_with(mark) { mark.len() } else { 0 }
}
