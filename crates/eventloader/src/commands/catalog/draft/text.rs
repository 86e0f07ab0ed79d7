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
    DomainDraft, Draft, FieldDraft, KindDraft, ObjectType, TypeDraft,
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
        self.head() + &self.body()
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

    /// The draft without its head.
    pub(crate) fn body(&self) -> String {
        let mut text = String::new();
        self.types.iter().for_each(|of| of.write(&mut text));
        for domain in &self.domains {
            text.push('\n');
            domain.write(&mut text);
        }
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
    pub(crate) fn write(&self, text: &mut String) {
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
            event_type.write(text, &domain);
        }
        if !self.event_types.is_empty() && !self.others.is_empty() {
            text.push('\n');
        }
        self.write_others(text);
    }

    /// Writes the `"*"`, if it has one.
    pub(crate) fn write_others(&self, text: &mut String) {
        if self.others.is_empty() {
            return;
        }
        let domain = format!("domain.{}", quoted_key(&self.name));
        self.others.iter().for_each(|why| wrap(why, text));
        if self.name == OTHERS {
            let _ = writeln!(text, "[{domain}]");
        } else {
            let _ = writeln!(text, "[{domain}.events.{}]", quoted(OTHERS));
        }
    }
}

/// Why a type of a domain with a version has none.
const NO_VERSION: &str = "not every event has the fields of the version";

impl TypeDraft {
    /// Writes the tables of an event type; `domain` is the head of its domain's.
    pub(crate) fn write(&self, text: &mut String, domain: &str) {
        let table = format!("{domain}.events.{}", quoted_key(&self.name));
        for comment in &self.comments {
            let _ = writeln!(text, "# {comment}");
        }
        let _ = writeln!(text, "[{table}]");
        if let Some(directory) = &self.directory {
            let _ = writeln!(text, "directory = {}", quoted(directory));
        }
        if self.has_no_version {
            let _ = writeln!(text, "version = []  # {NO_VERSION}");
        }
        if !self.fields.is_empty() {
            write_fields(text, &table, &self.fields);
        }
    }
}

/// What is said of a field beside its type.
pub(super) fn said(field: &FieldDraft) -> Vec<String> {
    let column = field.column.iter().map(|column| format!("column = {}", quoted(column)));
    let required = field.said.required.then(|| "required = true".to_owned());
    let description = field.said.description.iter().map(|text| format!("description = {}", quoted(text)));
    column.chain(required).chain(description).collect()
}

pub(crate) fn write_fields(text: &mut String, table: &str, fields: &[FieldDraft]) {
    let _ = writeln!(text, "[{table}.fields]");
    text.push_str(&lines_of("", "", fields));
}

/// The lines of fields, each behind these keys.
pub(crate) fn lines_of(indent: &str, keys: &str, fields: &[FieldDraft]) -> String {
    let (mut text, mut entries) = (String::new(), Vec::new());
    for field in fields {
        add_entries(&mut entries, keys, field);
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
    for Entry { key, value, comment, alternative } in &entries {
        let _ = match value.as_str() {
            // An object has no line of its own.
            "" => writeln!(text, "{indent}# {key}: {comment}"),
            _ if comment.is_empty() => writeln!(text, "{indent}{key:key_width$} = {value}"),
            _ => writeln!(text, "{indent}{key:key_width$} = {value:value_width$}  # {comment}"),
        };
        if let Some(alternative) = alternative {
            let _ = writeln!(text, "#   {key}: alternative: {alternative}");
        }
    }
    text
}

/// The name of a type in its lists and maps; objects have none.
pub(super) fn type_name(around: &[&str], kind: &KindDraft) -> String {
    let innermost = match kind {
        KindDraft::Value(value_type) => value_type.to_string(),
        KindDraft::Named(name) => name.clone(),
        KindDraft::Object(_) | KindDraft::List(_) | KindDraft::Map(_) => "object".to_owned(),
    };
    around.iter().rev().fold(innermost, |inner, container| format!("{container}({inner})"))
}

/// The name of a field's type, for messages.
pub(crate) fn shown_type(kind: &KindDraft) -> String {
    let (around, kind) = wrapped(kind);
    type_name(&around, kind)
}

/// The lists and maps around a type, from the outermost on, and the type.
pub(super) fn wrapped(mut kind: &KindDraft) -> (Vec<&'static str>, &KindDraft) {
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
    let KindDraft::Object(fields) = kind else {
        let said = said(field);
        let name = quoted(&type_name(&around, kind));
        entry.value =
            if said.is_empty() { name } else { format!("{{ type = {name}, {} }}", said.join(", ")) };
        entries.push(entry);
        return;
    };
    let said = said(field);
    if said.is_empty() {
        if !field.comment.is_empty() && (!around.is_empty() || field.comment != "always") {
            entries.push(entry);
        }
    } else {
        for said in said {
            let (said, value) = said.split_once(" = ").unwrap_or_default();
            let (key, value) = (format!("{key}.{said}"), value.to_owned());
            entries.push(Entry { key, value, comment: field.comment.clone(), alternative: None });
        }
        if let Some(last) = entries.last_mut() {
            last.alternative = entry.alternative;
        }
    }
    let around = around.iter().flat_map(|container| [".", container]).collect::<String>();
    let parent = format!("{key}{around}.fields.");
    for field in fields {
        add_entries(entries, &parent, field);
    }
}
