//! Changes of a catalog file → its new text.
//!
//! Invariant: changes do not overlap; those at one place stand in the order in which they were made.

use std::{fmt::Write, ops::Range};

use toml::{Spanned, de::DeValue};

use super::{Document, Edit, EditKind, place::Inline};

/// The keys of a field that say its type.
const KINDS: [&str; 3] = ["fields", "list", "map"];

impl Document<'_> {
    /// Adds lines to the table at whose end a place is.
    pub fn add_lines(&mut self, at: usize, text: String) {
        self.edits.push(Edit { range: at..at, text, kind: EditKind::Lines });
    }

    /// Adds lines that begin with the head of a table.
    pub fn add_tables(&mut self, at: usize, text: String) {
        self.edits.push(Edit { range: at..at, text, kind: EditKind::Tables });
    }

    /// Adds entries (`key = value`) to an inline table.
    pub fn add_inline(&mut self, place: &Inline, entries: &[String]) {
        let Inline { at, comma, before, between, behind, .. } = place;
        if let Some(comma) = comma {
            self.replace(*comma..*comma, ",".to_owned());
        }
        self.replace(*at..*at, format!("{before}{}{behind}", entries.join(between)));
    }

    /// Gives a field another type, the name of one: in place of the name at this path, or of whatever says
    /// the type of what stands there. It gets a column of this name, too, if one is given.
    pub fn set_type(&mut self, path: &[String], name: &str, column: Option<&str>) {
        let Some(value) = self.value(path) else { return };
        let span = value.span();
        let mut said: Vec<_> = column.iter().map(|column| format!("column = \"{column}\"")).collect();
        match value.get_ref() {
            DeValue::Table(table) if self.is_inline(value) => {
                let kept = table.iter().filter(|(key, _)| !KINDS.contains(&key.get_ref().as_ref()));
                let kept = kept.filter(|(key, _)| column.is_none() || key.get_ref() != "column");
                said.extend(
                    kept.map(|(key, value)| self.text[key.span().start..value.span().end].to_owned()),
                );
                self.replace(span, with_type('"', name, &said));
            }
            DeValue::Table(table) => {
                let known = table.get("column").map(Spanned::span);
                if let (Some(known), Some(column)) = (known, column) {
                    self.replace(known, format!("\"{column}\""));
                    said.clear();
                }
                self.set_type_of_table(path, name, &said);
            }
            _ => {
                let quote = if self.text[span.clone()].starts_with('\'') { '\'' } else { '"' };
                let is_whole = path.last().is_none_or(|key| key != "type");
                let said = if is_whole { &said[..] } else { &[] };
                self.replace(span, with_type(quote, name, said));
            }
        }
    }

    /// The same where the type takes lines of its own.
    fn set_type_of_table(&mut self, path: &[String], name: &str, said: &[String]) {
        let is_kind = |at: &[String]| at.get(path.len()).is_some_and(|key| KINDS.contains(&key.as_str()));
        let (mut removed, mut kept) = (Vec::new(), None);
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| item.path.starts_with(path)) {
            if is_kind(&item.path) { removed.push(index) } else { kept = Some(index) }
        }
        let Some(&first) = removed.first() else { return };
        let head = self.head_of(first).to_vec();
        // Where something else is said of it, the type stands behind that.
        let (at, text, kind) = if let Some(kept) = kept {
            let keys = &path[self.head_of(kept).len()..];
            let keys = if keys.is_empty() { String::new() } else { dotted(keys) + "." };
            let lines = &self.items[kept].lines;
            let indent = if self.items[kept].is_head { String::new() } else { self.indent_at(lines.start) };
            let all = [&[format!("type = \"{name}\"")], said].concat();
            let text = all.iter().fold(String::new(), |text, said| format!("{text}{indent}{keys}{said}\n"));
            (lines.end, text, EditKind::Lines)
        } else {
            let start = self.items[first].lines.start;
            if head.len() < path.len() {
                let (indent, keys) = (self.indent_at(start), dotted(&path[head.len()..]));
                (start, format!("{indent}{keys} = {}\n", with_type('"', name, said)), EditKind::Lines)
            } else {
                let said = [&[format!("type = \"{name}\"")], said].concat().join("\n");
                (start, format!("[{}]\n{said}\n", dotted(path)), EditKind::Tables)
            }
        };
        self.edits.push(Edit { range: at..at, text, kind });
        for index in removed {
            let range = self.items[index].lines.clone();
            self.edits.push(Edit { range, text: String::new(), kind: EditKind::Part });
        }
    }

    fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text, kind: EditKind::Part });
    }

    /// The new text.
    #[must_use]
    pub fn changed(mut self) -> String {
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        self.edits.sort_by_key(|edit| (edit.range.start, edit.kind));
        let (mut text, mut done) = (String::with_capacity(self.text.len()), 0);
        for Edit { range, text: new, kind } in &self.edits {
            text.push_str(&self.text[done..range.start.max(done)]);
            if *kind != EditKind::Part && !text.is_empty() && !text.ends_with('\n') {
                text.push_str(newline);
            }
            text.push_str(&new.replace('\n', newline));
            done = range.end.max(done);
        }
        text.push_str(&self.text[done..]);
        text
    }
}

/// A field of this type, and what else is said of it.
fn with_type(quote: char, name: &str, said: &[String]) -> String {
    if said.is_empty() {
        return format!("{quote}{name}{quote}");
    }
    format!("{{ type = {quote}{name}{quote}, {} }}", said.join(", "))
}

/// Keys as TOML has them, with dots between them.
#[must_use]
pub fn dotted(keys: &[String]) -> String {
    keys.iter().map(|key| key_text(key)).collect::<Vec<_>>().join(".")
}

/// A key, bare where it can be. What TOML forbids and JSON does not escape is escaped in the same way.
fn key_text(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !key.is_empty() && key.bytes().all(is_bare) {
        return key.to_owned();
    }
    let mut text = String::new();
    for character in serde_json::to_string(key).unwrap_or_default().chars() {
        if character.is_control() {
            let _ = write!(text, "\\u{:04X}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}
