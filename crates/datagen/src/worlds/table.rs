//! The tables that a world's events go to: one for each event type, and one for each that a type is split
//! into.
//!
//! Invariant: the tables of a world's own event types are the first ones, in the order of [`EventType::ALL`].

use std::fmt::Write;

use events_core::catalog::{Catalog, Field, FieldKind};

use super::EventType;

/// The events of one domain and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) domain: String,
    pub(crate) event_type: String,
    /// The fields of the payload, in the order of their columns.
    pub(crate) fields: Vec<Field>,
    /// How many of them are the world's own.
    pub(crate) own_fields: usize,
}

/// The tables of a world's event types, which `catalog` has.
pub(crate) fn tables_of(catalog: &Catalog) -> Vec<Table> {
    let table = |event_type: EventType| {
        let (domain, name) = event_type.names();
        let mut known = catalog.event_types().iter();
        let known = known.find(|known| (known.domain.as_str(), known.name.as_str()) == (domain, name));
        let fields = known.expect("a world's catalog has its event types").fields.to_vec();
        Table { domain: domain.to_owned(), event_type: name.to_owned(), own_fields: fields.len(), fields }
    };
    EventType::ALL.map(table).into()
}

/// A table with these fields, in a catalog.
pub(crate) fn append_toml(
    (domain, name): (&str, &str),
    fields: impl IntoIterator<Item = (String, String)>,
    text: &mut String,
) {
    let written = writeln!(text, "\n[domain.{}.events.{}.fields]", toml_key(domain), toml_key(name));
    written.expect("writing to memory cannot fail");
    for (name, kind) in fields {
        writeln!(text, "{name} = {kind}").expect("writing to memory cannot fail");
    }
}

/// A key, in quotes if TOML needs them.
fn toml_key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.chars().all(is_bare) { name.to_owned() } else { format!("\"{name}\"") }
}

/// The fields of a payload with their types, as TOML.
pub(crate) fn toml_fields(fields: &[Field]) -> Vec<(String, String)> {
    fields.iter().map(|field| (field.name.clone(), toml_kind(&field.kind))).collect()
}

fn toml_kind(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Object(members) => toml_object(toml_fields(members)),
        FieldKind::List(element) => format!("{{ list = {} }}", toml_kind(element)),
        value => format!("\"{value}\""),
    }
}

/// An object with these members.
pub(crate) fn toml_object(fields: impl IntoIterator<Item = (String, String)>) -> String {
    let fields: Vec<_> = fields.into_iter().map(|(name, kind)| format!("{name} = {kind}")).collect();
    format!("{{ fields = {{ {} }} }}", fields.join(", "))
}
