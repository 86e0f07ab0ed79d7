//! Bad lines → groups of one reason, source and field, with their number and the first of each.
//!
//! Invariant: there are at most so many groups; lines beyond are in one group for each reason.

use std::{collections::BTreeMap, fmt};

use event_parser::{Detail, OTHER_NAMES};
use serde::Serialize;

use crate::{
    error::Error,
    quarantine::record::Record,
    runtime::{escape_for_terminal, plural},
};

/// The most groups. A field may be the key of a map, and there may be a source for each minute of years.
const GROUPS_MAX: usize = 20_000;

/// The longest excerpt of a line, in characters.
const EXCERPT_CHARS: usize = 100;

/// Reason, source and field.
type Key = (String, String, Option<String>);

#[derive(Debug, Default)]
pub(in crate::commands) struct Groups(BTreeMap<Key, (u64, First)>);

/// Bad lines of one reason, source and field.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Group<'g> {
    pub(in crate::commands) reason: &'g str,
    pub(in crate::commands) source: &'g str,
    pub(in crate::commands) field: Option<&'g str>,
    pub(in crate::commands) lines: u64,
    pub(in crate::commands) first: &'g First,
}

/// The first of a group.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct First {
    pub(in crate::commands) line: u64,
    offset: u64,
    pub(in crate::commands) expected: String,
    pub(in crate::commands) found: String,
    pub(in crate::commands) excerpt: String,
}

impl Groups {
    /// Adds a line; of one in fragments, only the first counts.
    pub(super) fn add(&mut self, record: Record<'_>) -> Result<(), Error> {
        if !record.counts() {
            return Ok(());
        }
        let reason = record.reason.clone().into_owned();
        let mut key = (reason, record.source.clone().into_owned(), record.detail.field.clone());
        if self.0.len() >= GROUPS_MAX && !self.0.contains_key(&key) {
            key = (key.0, OTHER_NAMES.to_owned(), None);
        }
        if let Some((lines, _)) = self.0.get_mut(&key) {
            *lines += 1;
            return Ok(());
        }
        let (line, offset) = (record.line, record.offset);
        let Detail { expected, found, .. } = record.detail.clone().into_owned();
        let raw = record.into_raw().map_err(Error::Output)?;
        self.0.insert(key, (1, First { line, offset, expected, found, excerpt: excerpt(&raw) }));
        Ok(())
    }

    /// Calls `take` with each group: by reason, then by source, then by field.
    pub(in crate::commands) fn each(
        &self,
        mut take: impl FnMut(&Group<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for ((reason, source, field), (lines, first)) in &self.0 {
            take(&Group { reason, source, field: field.as_deref(), lines: *lines, first })?;
        }
        Ok(())
    }
}

/// ```text
/// type_mismatch, data.amount: 12 lines of in/1.json
///     line 17: expected int32, found "x"
///     {"event_id": "c", …
/// ```
impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, source, field, lines, first: First { line, expected, found, excerpt, .. } } = self;
        let field = field.map_or_else(String::new, |field| format!(", {}", escape_for_terminal(field)));
        let source = escape_for_terminal(source);
        writeln!(f, "{}{field}: {} of {source}", escape_for_terminal(reason), plural(*lines, "line"))?;
        let fault = escape_for_terminal(&format!("expected {expected}, found {found}"));
        writeln!(f, "    line {line}: {fault}")?;
        writeln!(f, "    {}", escape_for_terminal(excerpt))
    }
}

/// The beginning of a line.
fn excerpt(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * EXCERPT_CHARS)]);
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS).collect();
    if excerpt.len() < text.len() || text.len() < line.len() {
        excerpt.push('…');
    }
    excerpt
}
