//! A table of a catalog file → the place where something is added at its end, and how it is written there.
//!
//! Invariant: what is added comes behind all that the table has, and is read as a part of it.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Document, Item, KeyPath};

/// What a draft writes in front of lines that belong to the line above.
const CONTINUED: &str = "#   ";

/// Where, and in which form, something is added to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Between its braces.
    Inline(Inline),
    /// As lines of a table: `indent`, `keys`, the key, ` = `, the value.
    Lines {
        /// Where the lines begin.
        at: usize,
        /// White space in front of each.
        indent: String,
        /// The keys in front of the key, from the head of the table on.
        keys: KeyPath,
    },
    /// As tables of their own, one for each key.
    Tables {
        /// Where the lines begin.
        at: usize,
    },
    /// The table is not there: as lines below its own head.
    Section {
        /// Where the lines begin.
        at: usize,
    },
}

/// A place in an inline table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// Where the text begins.
    pub(super) at: usize,
    /// The keys in front of each key.
    pub keys: KeyPath,
    /// Where the entry before lacks its comma, if it needs one.
    pub(super) comma: Option<usize>,
    pub(super) before: String,
    pub(super) between: String,
    pub(super) behind: String,
}

impl Document<'_> {
    /// The end of the file.
    #[must_use]
    pub fn end(&self) -> usize {
        self.text.len()
    }

    /// The place at the end of a table, which may not be there yet.
    #[must_use]
    pub fn end_of(&self, path: &[String]) -> Place {
        for length in (1..=path.len()).rev() {
            let (known, rest) = path.split_at(length);
            let Some(value) = self.value(known) else { continue };
            return match value.get_ref() {
                DeValue::Table(table) if self.is_inline(value) => {
                    Place::Inline(self.within(&value.span(), table, rest.to_vec()))
                }
                _ if rest.is_empty() => self.behind_last(known),
                _ => Place::Section { at: self.end_of_sections(known) },
            };
        }
        Place::Section { at: self.text.len() }
    }

    /// Behind all sections that have something of this table; at the end of the file if none has.
    #[must_use]
    pub fn end_of_sections(&self, path: &[String]) -> usize {
        let last = self.items.iter().rposition(|item| item.path.starts_with(path));
        last.map_or(self.text.len(), |last| self.section_end(last))
    }

    /// Behind the last item of the section that has this one.
    fn section_end(&self, index: usize) -> usize {
        let behind = &self.items[index + 1..];
        let more = behind.iter().position(|item| item.is_head).unwrap_or(behind.len());
        self.behind(self.items[index + more].lines.end, true)
    }

    fn behind_last(&self, path: &[String]) -> Place {
        let Some(last) = self.items.iter().rposition(|item| item.path.starts_with(path)) else {
            return Place::Section { at: self.text.len() };
        };
        let head = self.head_of(last);
        if head.len() > path.len() {
            return Place::Tables { at: self.section_end(last) };
        }
        let is_end = self.items.get(last + 1).is_none_or(|next| next.is_head) && head == path;
        let Item { lines, is_head, .. } = &self.items[last];
        Place::Lines {
            at: self.behind(lines.end, is_end),
            indent: if *is_head { String::new() } else { self.indent_at(lines.start) },
            keys: path[head.len()..].to_vec(),
        }
    }

    /// The path of the table whose section has this item.
    pub(super) fn head_of(&self, index: usize) -> &[String] {
        self.items[..=index].iter().rev().find(|item| item.is_head).map_or(&[], |item| &item.path)
    }

    pub(super) fn indent_at(&self, line: usize) -> String {
        self.text[line..].chars().take_while(|character| matches!(character, ' ' | '\t')).collect()
    }

    /// Behind the comments that belong to what ends here: those that a draft continues it with, and at the
    /// end of a section those with a blank line behind them.
    fn behind(&self, mut at: usize, is_end: bool) -> usize {
        while self.text[at..].starts_with(CONTINUED) {
            at = self.line_end(at);
        }
        let mut comments = at;
        while is_end && self.text[comments..].starts_with('#') {
            comments = self.line_end(comments);
        }
        let rest = &self.text[comments..];
        let is_blank = rest.lines().next().is_none_or(|line| line.trim().is_empty());
        if is_blank { comments } else { at }
    }

    fn within(&self, span: &Range<usize>, table: &DeTable<'_>, keys: KeyPath) -> Inline {
        let (open, close) = (span.start + 1, span.end - 1);
        let Some(last) = table.values().map(|value| self.value_end(value)).max() else {
            let is_spaced = open < close;
            let behind = if is_spaced { "" } else { " " }.to_owned();
            return Inline { at: open, keys, comma: None, before: " ".into(), between: ", ".into(), behind };
        };
        let gap = &self.text[last..close];
        let Some(line) = gap.rfind('\n').map(|end| last + end + 1) else {
            let (before, between) = (", ".to_owned(), ", ".to_owned());
            return Inline { at: last, keys, comma: None, before, between, behind: String::new() };
        };
        let has_comma = gap.lines().any(|line| line.split('#').next().is_some_and(|text| text.contains(',')));
        let indent = self.indent_at(self.lines_of(&(last - 1..last)).start);
        let behind = if has_comma { ",\n" } else { "\n" }.to_owned();
        let comma = (!has_comma).then_some(last);
        Inline { at: line, keys, comma, before: indent.clone(), between: format!(",\n{indent}"), behind }
    }

    /// Where the last value of a table made by dotted keys ends, or the value itself.
    fn value_end(&self, value: &Spanned<DeValue<'_>>) -> usize {
        match value.get_ref() {
            DeValue::Table(table) if !self.is_inline(value) => {
                table.values().map(|value| self.value_end(value)).max().unwrap_or(value.span().end)
            }
            _ => value.span().end,
        }
    }
}
