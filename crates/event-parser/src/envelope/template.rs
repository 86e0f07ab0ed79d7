//! A template and the captures of a record → its text.
//!
//! Invariant: only texts and integers are text of a template.

use std::borrow::Cow;

use super::Captures;
use crate::json::{Kind, Value};

/// A template, compiled.
#[derive(Debug)]
pub(crate) struct TemplatePlan {
    pub(crate) pieces: Vec<PiecePlan>,
    /// Where its text is from, for messages.
    pub(crate) path: String,
}

/// A piece of a template.
#[derive(Debug)]
pub(crate) enum PiecePlan {
    Literal(Box<[u8]>),
    Paths {
        alternatives: Vec<Alternative>,
        /// As the template has it, for messages.
        path: String,
    },
}

/// One of several paths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alternative {
    pub(crate) key: usize,
    /// Whether it is a key of the objects around the record.
    pub(crate) is_enclosing: bool,
}

/// A record, and what was captured of it so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'c, 'l> {
    pub(crate) line: &'l [u8],
    /// What is read of the objects around it, as an object.
    pub(crate) enclosing: &'l [u8],
    pub(crate) captures: &'c Captures,
}

/// Why a template has no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Absence<'p, 'l> {
    /// Nothing is at any of the paths, or null is.
    Missing { path: &'p str, found: &'static str },
    /// Neither a text nor an integer is at the path.
    Other { key: usize, found: &'l [u8] },
}

impl<'l> Record<'_, 'l> {
    pub(crate) fn text_with(self, path: Alternative) -> &'l [u8] {
        if path.is_enclosing { self.enclosing } else { self.line }
    }

    /// The alternative that is used, with its value.
    #[inline]
    pub(crate) fn used(self, alternatives: &[Alternative]) -> Option<(Alternative, Value)> {
        alternatives.iter().find_map(|&path| {
            let value = self.captures.get(path.key)?;
            (value.kind() != Kind::Null).then_some((path, value))
        })
    }
}

impl TemplatePlan {
    /// The text; copied only if it has several pieces, or escapes.
    #[inline]
    pub(crate) fn text<'p, 'l>(&'p self, record: Record<'_, 'l>) -> Result<Cow<'l, [u8]>, Absence<'p, 'l>> {
        if let [PiecePlan::Paths { alternatives, path }] = self.pieces.as_slice() {
            return text_of(alternatives, path, record);
        }
        let mut text = Vec::new();
        for piece in &self.pieces {
            match piece {
                PiecePlan::Literal(literal) => text.extend_from_slice(literal),
                PiecePlan::Paths { alternatives, path } => {
                    text.extend_from_slice(&text_of(alternatives, path, record)?);
                }
            }
        }
        Ok(Cow::Owned(text))
    }

    /// Its text, if that is the same for all records.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match self.pieces.as_slice() {
            [PiecePlan::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is made of what is around a record.
    pub(crate) fn reads_enclosing(&self) -> bool {
        self.pieces.iter().any(|piece| match piece {
            PiecePlan::Literal(_) => false,
            PiecePlan::Paths { alternatives, .. } => alternatives.iter().any(|path| path.is_enclosing),
        })
    }

    /// Whether the captures so far determine it: nothing that may still come in the record changes it.
    pub(crate) fn is_determined(&self, captures: &Captures) -> bool {
        self.pieces.iter().all(|piece| match piece {
            PiecePlan::Literal(_) => true,
            PiecePlan::Paths { alternatives, .. } => {
                // An alternative that is not there yet may still come; what is around the record is complete.
                let first = alternatives.iter().find(|path| match captures.get(path.key) {
                    Some(value) => value.kind() != Kind::Null,
                    None => !path.is_enclosing,
                });
                first.is_some_and(|path| captures.get(path.key).is_some())
            }
        })
    }
}

/// The text of the alternative that is used.
#[inline]
fn text_of<'p, 'l>(
    alternatives: &[Alternative],
    path: &'p str,
    record: Record<'_, 'l>,
) -> Result<Cow<'l, [u8]>, Absence<'p, 'l>> {
    let Some((used, value)) = record.used(alternatives) else {
        let is_null = alternatives.iter().any(|path| record.captures.get(path.key).is_some());
        return Err(Absence::Missing { path, found: if is_null { "null" } else { "nothing" } });
    };
    let line = record.text_with(used);
    characters(value, line).ok_or_else(|| Absence::Other { key: used.key, found: value.text(line) })
}

/// The characters of a text, or the digits of an integer.
#[inline]
fn characters(value: Value, line: &[u8]) -> Option<Cow<'_, [u8]>> {
    if value.kind() != Kind::Number {
        return value.string(line);
    }
    let digits = value.text(line);
    let is_integer = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    is_integer.then_some(Cow::Borrowed(digits))
}
