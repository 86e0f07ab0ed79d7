//! A draft → its TOML text, one line for each column, in the order of the columns.
//!
//! Fields of objects are written with dotted keys. TOML would require tables of their own to follow all other
//! fields, which would change the order of the columns.
//!
//! Invariant: the text reads back as the drafted catalog.

use std::{collections::BTreeSet, fmt::Write};

use events_core::catalog::OTHERS;

use super::{
    super::toml_text::{quoted, quoted_key},
    DomainDraft, Draft, FieldDraft, KindDraft, ObjectType,
};

/// Comments are aligned, except behind keys longer than this.
const KEY_CHARS_MAX: usize = 64;
const VALUE_CHARS_MAX: usize = 24;
/// The longest line of a note.
const NOTE_CHARS_MAX: usize = 110;

/// A line of a table of fields.
struct Entry {
    key: String,
    /// Empty where the line is only a comment.
    value: String,
    comment: String,
    alternative: Option<String>,
}

impl Draft {
    /// The whole draft as one document.
    pub(crate) fn text(&self) -> String {
        let mut text = self.head();
        self.types.iter().for_each(|of| of.write(&mut text));
        for domain in &self.domains {
            text.push('\n');
            domain.write(&mut text);
        }
        text
    }

    /// The draft of one domain as a document, with the types that it uses.
    pub(crate) fn text_of(&self, domain: &DomainDraft) -> String {
        let mut text = self.head();
        let used = self.used_by(domain);
        self.types.iter().filter(|of| used.contains(of.name.as_str())).for_each(|of| of.write(&mut text));
        text.push('\n');
        domain.write(&mut text);
        text
    }

    fn head(&self) -> String {
        let mut text = String::from(
            "# Drafted by `eventloader catalog infer`: the types hold for every value that was seen.\n",
        );
        for note in &self.notes {
            wrap(note, &mut text);
        }
        if let Some(envelope) = &self.envelope {
            text.push('\n');
            text.push_str(envelope);
        }
        text
    }

    /// The names of the types that a domain uses, also within others.
    fn used_by<'d>(&'d self, domain: &'d DomainDraft) -> BTreeSet<&'d str> {
        let of_types = domain.event_types.iter().flat_map(|of_type| &of_type.fields);
        let mut waiting: Vec<&'d FieldDraft> = domain.shared.iter().chain(of_types).collect();
        let mut used = BTreeSet::new();
        while let Some(field) = waiting.pop() {
            let (_, kind) = wrapped(&field.kind);
            match kind {
                KindDraft::Object(fields) => waiting.extend(fields),
                KindDraft::Named(name) if used.insert(name.as_str()) => {
                    let of_type = self.types.iter().find(|of_type| of_type.name == *name);
                    waiting.extend(of_type.into_iter().flat_map(|of_type| &of_type.fields));
                }
                _ => {}
            }
        }
        used
    }
}

impl ObjectType {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "\n# {}", self.comment);
        write_fields(text, &format!("types.{}", quoted_key(&self.name)), &self.fields);
    }
}

/// Writes a note as comment lines of readable length.
fn wrap(note: &str, text: &mut String) {
    let mut line = String::from("#");
    for word in note.split(' ') {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > NOTE_CHARS_MAX {
            text.push_str(&line);
            text.push_str("\n#  ");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

impl DomainDraft {
    fn write(&self, text: &mut String) {
        let domain = format!("domain.{}", quoted_key(&self.name));
        if !self.shared.is_empty() {
            text.push_str("# Fields that all event types of the domain carry.\n");
            write_fields(text, &domain, &self.shared);
            text.push('\n');
        }
        for (index, event_type) in self.event_types.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let table = format!("{domain}.events.{}", quoted_key(&event_type.name));
            for comment in &event_type.comments {
                let _ = writeln!(text, "# {comment}");
            }
            let _ = writeln!(text, "[{table}]");
            if let Some(directory) = &event_type.directory {
                let _ = writeln!(text, "directory = {}", quoted(directory));
            }
            if !event_type.fields.is_empty() {
                write_fields(text, &table, &event_type.fields);
            }
        }
        if self.others.is_empty() {
            return;
        }
        if !self.event_types.is_empty() {
            text.push('\n');
        }
        self.others.iter().for_each(|why| wrap(why, text));
        if self.name == OTHERS {
            let _ = writeln!(text, "[{domain}]");
        } else {
            let _ = writeln!(text, "[{domain}.events.{}]", quoted(OTHERS));
        }
    }
}

fn write_fields(text: &mut String, table: &str, fields: &[FieldDraft]) {
    let mut entries = Vec::new();
    for field in fields {
        add_entries(&mut entries, "", field);
    }
    let width = |length: fn(&Entry) -> usize, max: usize| {
        entries
            .iter()
            .filter(|entry| !entry.value.is_empty())
            .map(length)
            .filter(|length| *length <= max)
            .max()
            .unwrap_or_default()
    };
    let key_width = width(|entry| entry.key.chars().count(), KEY_CHARS_MAX);
    let value_width = width(|entry| entry.value.chars().count(), VALUE_CHARS_MAX);
    let _ = writeln!(text, "[{table}.fields]");
    for Entry { key, value, comment, alternative } in &entries {
        let _ = match value.as_str() {
            // An object has no line of its own.
            "" => writeln!(text, "# {key}: {comment}"),
            _ => writeln!(text, "{key:key_width$} = {value:value_width$}  # {comment}"),
        };
        if let Some(alternative) = alternative {
            let _ = writeln!(text, "#   {key}: alternative: {alternative}");
        }
    }
}

/// The lists and maps around a type, from the outermost on, and the type.
fn wrapped(mut kind: &KindDraft) -> (Vec<&'static str>, &KindDraft) {
    let mut around = Vec::new();
    loop {
        kind = match kind {
            KindDraft::List(inner) => {
                around.push("list");
                inner
            }
            KindDraft::Map(inner) => {
                around.push("map");
                inner
            }
            kind => return (around, kind),
        };
    }
}

fn add_entries(entries: &mut Vec<Entry>, parent: &str, field: &FieldDraft) {
    let key = format!("{parent}{}", quoted_key(&field.name));
    let (around, kind) = wrapped(&field.kind);
    let mut entry = Entry {
        key: key.clone(),
        value: String::new(),
        comment: field.comment.clone(),
        alternative: field.alternative.clone(),
    };
    let innermost = match kind {
        KindDraft::Value(value_type) => value_type.to_string(),
        KindDraft::Named(name) => name.clone(),
        KindDraft::Object(fields) => {
            if let Some(column) = &field.column {
                entry.key.push_str(".column");
                entry.value = quoted(column);
                entries.push(entry);
            } else if !around.is_empty() || field.comment != "always" {
                entries.push(entry);
            }
            let around = around.iter().flat_map(|container| [".", container]).collect::<String>();
            let parent = format!("{key}{around}.fields.");
            for field in fields {
                add_entries(entries, &parent, field);
            }
            return;
        }
        KindDraft::List(_) | KindDraft::Map(_) => return,
    };
    let name = around.iter().rev().fold(innermost, |inner, container| format!("{container}({inner})"));
    entry.value = match &field.column {
        Some(column) => format!("{{ type = {}, column = {} }}", quoted(&name), quoted(column)),
        None => quoted(&name),
    };
    entries.push(entry);
}
