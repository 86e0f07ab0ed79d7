//! The text of a catalog file → what stands where in it ([`Outline`]), and the text with some of it changed.
//!
//! A file is changed in place: a type's name is replaced, a field is added at the end of its table, an event
//! type at the end of its domain. However the file is written (tables of their own, inline tables, dotted
//! keys), what is added is written as its neighbours are.
//!
//! Invariant: every byte that is no part of a change stays as it is: comments, order, blank lines, quotes.

mod edit;
mod outline;
mod place;
#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub use self::{
    edit::dotted,
    outline::{DomainNode, FieldNode, KindNode, Leaf, Outline, TableNode, TypeNode},
    place::{Inline, Place},
};
use super::CatalogError;

/// A way into the file: keys, from its outermost table on.
pub type KeyPath = Vec<String>;

/// A catalog file, and what is to be changed in it.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    root: DeTable<'t>,
    /// In the order of the text.
    items: Vec<Item>,
    edits: Vec<Edit>,
}

/// The head of a table (`[domain.x.fields]`), or a key with its value, as whole lines.
#[derive(Debug)]
struct Item {
    path: KeyPath,
    lines: Range<usize>,
    is_head: bool,
}

/// New text in place of a range.
#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    text: String,
    kind: EditKind,
}

/// In the order in which changes at one place are made: what is added below a head comes before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EditKind {
    /// A part of a line, or lines that go.
    Part,
    /// Whole lines of the table that is there.
    Lines,
    /// Whole lines that begin with a head.
    Tables,
}

impl<'t> Document<'t> {
    /// Reads a file, which a catalog was read from.
    ///
    /// # Errors
    /// It is no TOML; `file` names it in the message.
    pub fn parse(file: &str, text: &'t str) -> Result<Self, CatalogError> {
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count();
            CatalogError { file: file.to_owned(), line, message: error.message().to_owned() }
        })?;
        let mut document = Self { text, root: root.into_inner(), items: Vec::new(), edits: Vec::new() };
        let mut items = Vec::new();
        document.collect(&document.root, &mut Vec::new(), &mut items);
        items.sort_by_key(|item| item.lines.start);
        document.items = items;
        Ok(document)
    }

    fn collect(&self, table: &DeTable<'_>, path: &mut KeyPath, items: &mut Vec<Item>) {
        for (key, value) in table {
            path.push(key.get_ref().to_string());
            let is_head = self.begins_with(value, b'[') && value.get_ref().is_table();
            match value.get_ref() {
                DeValue::Table(inner) if !self.is_inline(value) => {
                    if is_head {
                        items.push(Item { path: path.clone(), lines: self.lines_of(&value.span()), is_head });
                    }
                    self.collect(inner, path, items);
                }
                _ => {
                    let lines = self.lines_of(&(key.span().start..value.span().end));
                    items.push(Item { path: path.clone(), lines, is_head });
                }
            }
            path.pop();
        }
    }

    /// The span of a table that only its keys make is that of a key.
    fn begins_with(&self, value: &Spanned<DeValue<'_>>, byte: u8) -> bool {
        self.text.as_bytes().get(value.span().start) == Some(&byte)
    }

    fn is_inline(&self, value: &Spanned<DeValue<'_>>) -> bool {
        value.get_ref().is_table() && self.begins_with(value, b'{')
    }

    fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text[..span.start].rfind('\n').map_or(0, |end| end + 1);
        start..self.line_end(span.end)
    }

    /// Behind the end of the line with this position.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    fn value(&self, path: &[String]) -> Option<&Spanned<DeValue<'t>>> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.root.get(first.as_str())?, |value, key| {
            value.get_ref().as_table()?.get(key.as_str())
        })
    }
}
