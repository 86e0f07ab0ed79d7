//! A field or an event type of a draft → its text in the forms that a file may have but no draft has: in an
//! inline table, or as a table of its own.
//!
//! Invariant: the text reads back as what was drafted.

use std::fmt::Write;

use super::{
    super::toml_text::{quoted, quoted_key},
    FieldDraft, KindDraft, TypeDraft,
    text::{lines_of, said, type_name, wrapped},
};

impl TypeDraft {
    /// The event type as an entry of an inline table.
    pub(crate) fn inline(&self) -> String {
        let directory = self.directory.iter().map(|directory| format!("directory = {}", quoted(directory)));
        let version = self.has_no_version.then(|| "version = []".to_owned());
        let fields =
            (!self.fields.is_empty()).then(|| format!("fields = {{ {} }}", inline_entries(&self.fields)));
        let parts: Vec<_> = directory.chain(version).chain(fields).collect();
        format!("{} = {{ {} }}", quoted_key(&self.name), parts.join(", "))
    }
}

fn inline_entries(fields: &[FieldDraft]) -> String {
    fields.iter().map(|field| inline_entry("", field)).collect::<Vec<_>>().join(", ")
}

/// A field as an entry of an inline table, behind these keys.
pub(crate) fn inline_entry(keys: &str, field: &FieldDraft) -> String {
    format!("{keys}{} = {}", quoted_key(&field.name), inline_value(field))
}

fn inline_value(field: &FieldDraft) -> String {
    let said = said(field);
    let (around, kind) = wrapped(&field.kind);
    let KindDraft::Object(fields) = kind else {
        let name = quoted(&type_name(&around, kind));
        return if said.is_empty() { name } else { format!("{{ type = {name}, {} }}", said.join(", ")) };
    };
    let object = format!("fields = {{ {} }}", inline_entries(fields));
    let kind = around.iter().rev().fold(object, |inner, container| format!("{container} = {{ {inner} }}"));
    let parts: Vec<_> = std::iter::once(kind).chain(said).collect();
    format!("{{ {} }}", parts.join(", "))
}

/// A field as a table of its own.
pub(crate) fn table_of(table: &str, field: &FieldDraft) -> String {
    let mut text = format!("\n[{table}]\n");
    for said in said(field) {
        let _ = writeln!(text, "{said}");
    }
    let (around, kind) = wrapped(&field.kind);
    let KindDraft::Object(fields) = kind else {
        let _ = writeln!(text, "type = {}  # {}", quoted(&type_name(&around, kind)), field.comment);
        return text;
    };
    let keys = [&around[..], &["fields."]].concat().join(".");
    text.push_str(&lines_of("", &keys, fields));
    text
}
