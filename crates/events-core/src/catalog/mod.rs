//! TOML → the catalog: the types of events, and the fields of their payloads.
//!
//! ```toml
//! [domain.card]                            # one or more of them in a file
//! description = "…"                        # optional, like every description
//!
//! [domain.card.fields]                     # fields of `data` in all its event types, in column order
//! id       = { type = "string", required = true, column = "card_id" }
//! amount   = { type = "decimal(12,2)", description = "…" }
//! merchant = { fields = { name = "string", address = { fields = { city = "string" } } } }
//! tags     = "list(string)"
//! items    = { list = { fields = { sku = "string", price = "decimal(10,2)" } } }
//!
//! [domain.card.events.authorization]       # one table per event type; it may be empty
//! directory = "card-authorization"         # optional; the event type's name otherwise
//! version   = ["amount", "id"]             # optional: decide which version is the latest; also on a domain,
//!                                          # for those of its types that do not say it themselves
//!
//! [domain.card.events.authorization.fields]
//! approved = "boolean"                     # fields of this type only: their columns follow the shared ones,
//! amount   = "decimal(18,4)"               # except for those that override a shared field of the same name
//! ```
//!
//! A catalog may also say which parts of a record are the base fields of an event: `[envelope]`, see
//! [`crate::envelope`]. All files of a catalog have one envelope, the base contract by default.
//!
//! A field is the name of a type (see [`ValueType`]; `list(…)` and `map(…)` of any), or a table with one of
//! `type` (such a name), `fields` (an object, to any depth), `list` and `map` (its elements or values: the
//! name of a type, or a table with `type`, `fields`, `list` or `map`), and optionally
//! - `required = true`: an event without it, or with null, is a bad line; also if an object around it is
//!   missing;
//! - `column`: the full name of its column, instead of `data_…`; for an object, the beginning of the names of
//!   its columns. If the payload is nested, it is the member's name;
//! - `description`: goes into the Parquet files.
//!
//! An object that is used in several places is `[types.NAME]` with `fields`, and `NAME` then is a type's name
//! in this file.
//!
//! The name `"*"` stands for all other event types of a domain, or for all other domains ([`OTHERS`]).
//! Without `fields`, their `data` is one column, its JSON text.
//!
//! Catalogs add up ([`Catalog::extended`]): an event type of the first is replaced, as a whole, by that of
//! the second.
//!
//! Invariant: in a catalog that was read, `domain` + `event_type` is unique, every event type has its own
//! directory with a safe name, and every column of a table has its own name. Errors name file, line and the
//! allowed values.

pub mod document;
mod fields;
mod lattice;
mod meaning;
mod names;
mod open;
mod reader;
#[cfg(test)]
mod tests;
mod value_type;
mod version;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock},
};

pub(crate) use self::{lattice::by_name, meaning::write_fields};
pub use self::{
    names::is_safe_directory,
    open::{OPEN_TYPES_MAX, OTHERS},
    value_type::{Container, ValueType, is_reserved},
    version::VersionField,
};
use self::{open::OpenTypes, version::Among};

use crate::envelope::{BASE, Envelope};

/// The built-in catalog: the domains account and transaction.
pub static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| {
    let files = [
        ("account.toml", include_str!("account.toml")),
        ("transaction.toml", include_str!("transaction.toml")),
    ];
    let mut catalog = Catalog::from_toml(&files).expect("the built-in catalog is read by a test");
    catalog.places.iter_mut().for_each(|places| places.is_built_in = true);
    catalog
});

/// The catalog of the ledger world of `datagen --world ledger`, as TOML. Its types replace the built-in ones
/// with the same names.
pub const LEDGER: &str = include_str!("ledger.toml");

/// The key that gives an event type a directory; see [`Catalog::error_at`].
pub const DIRECTORY: &str = "directory";

/// The key that gives an event type the fields of its version.
const VERSION: &str = "version";

/// All known types of events, in the order of their files.
#[derive(Debug, Clone)]
pub struct Catalog {
    event_types: Vec<EventType>,
    /// The location of each of them. It is not part of the catalog's meaning.
    places: Vec<TypePlaces>,
    /// With the place where it was said; `None`: the base contract.
    envelope: Option<(Envelope, Place)>,
    /// What it says of all others.
    open: OpenTypes,
}

/// The locations of an event type and its fields.
#[derive(Debug, Clone)]
struct TypePlaces {
    /// The catalog file, as named by the user.
    file: String,
    /// The line of each field, by its path in the event; of the type, by the empty path; and of its
    /// directory, by [`DIRECTORY`].
    lines: HashMap<String, usize>,
    /// The fields of its version, each with its line; `None` if neither the type nor its domain names any.
    version: Option<Vec<(String, usize)>>,
    is_built_in: bool,
}

/// One type of event, identified by `domain` + `event_type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// The event's `domain`.
    pub domain: String,
    /// The event's `event_type`.
    pub name: String,
    /// A description of its events.
    pub description: Option<String>,
    /// The last part of its partitions' paths in the plain layout: the one given, or that of its name
    /// ([`directory_name::as_plain`](crate::directory_name::as_plain)).
    pub directory: String,
    /// The fields of `data`, in column order.
    pub fields: Arc<[Field]>,
    /// The fields of the catalog's envelope, whose columns come before those of `data`.
    pub envelope_fields: Vec<Field>,
    /// The fields that decide which version of an event is the latest, before its timestamp; often none.
    pub version: Vec<VersionField>,
    /// Whether `data` is one column instead, its JSON text; it then has no fields.
    pub is_json: bool,
    /// Whether no catalog names it: it is one of those that `"*"` stands for.
    pub is_open: bool,
}

/// A field of a payload, or of an object in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its key in the JSON object.
    pub name: String,
    /// The name of its column, or the beginning of the names of its columns, if those don't follow from the
    /// path.
    pub column: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Whether an event must have it, with a value other than null.
    pub required: bool,
    /// Its type.
    pub kind: FieldKind,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// A value; one column.
    Value(ValueType),
    /// An object; the columns of its fields.
    Object(Vec<Field>),
    /// A list of these; one column.
    List(Box<FieldKind>),
    /// An object of any keys, each with one of these; one column.
    Map(Box<FieldKind>),
}

impl FieldKind {
    /// The type in all lists and maps.
    #[must_use]
    pub fn innermost(&self) -> &Self {
        let mut kind = self;
        while let Self::List(inner) | Self::Map(inner) = kind {
            kind = inner;
        }
        kind
    }
}

/// A catalog file that can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct CatalogError {
    /// The file, as named by the user.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// A location in a catalog file.
#[derive(Debug, Clone)]
struct Place {
    file: String,
    line: usize,
}

/// An event type of a catalog that is being extended.
struct Entry {
    event_type: EventType,
    places: TypePlaces,
    /// The location of its name, unless it comes from the earlier catalog.
    place: Option<Place>,
}

impl Catalog {
    /// Reads catalog files: pairs of a name, for messages, and the TOML text.
    ///
    /// # Errors
    /// A [`CatalogError`] at the first entry that can't be used.
    pub fn from_toml(files: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let (event_types, places, open) = (Vec::new(), Vec::new(), OpenTypes::default());
        Self { event_types, places, envelope: None, open }.extended(files)
    }

    /// This catalog, extended by `files`: event types that it has are replaced, others added. In an envelope,
    /// a built-in type gives way to one that has its directory.
    ///
    /// # Errors
    /// A [`CatalogError`] at the first entry that can't be used, or that two of the files have.
    pub fn extended(&self, files: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let known = self.event_types.iter().zip(&self.places);
        let known = known.chain(self.open.types.iter().zip(&self.open.places));
        let entry = |(event_type, places): (&EventType, &TypePlaces)| Entry {
            event_type: event_type.clone(),
            places: places.clone(),
            place: None,
        };
        let mut entries: Vec<_> = known.map(entry).collect();
        let mut by_name: HashMap<_, _> =
            entries.iter().enumerate().map(|(index, known)| (known.event_type.key(), index)).collect();
        let mut envelope = self.envelope.clone();
        for &(file, text) in files {
            let contents = reader::read(file, text)?;
            envelope = one_envelope(envelope, contents.envelope)?;
            for entry in contents.event_types {
                let Some(index) = by_name.insert(entry.event_type.key(), entries.len()) else {
                    entries.push(entry);
                    continue;
                };
                if let (Some(first), Some(place)) = (&entries[index].place, &entry.place) {
                    let message = format!(
                        "{} is defined twice, here and at {first}: remove one of the two",
                        entry.event_type
                    );
                    return Err(place.error(message));
                }
                by_name.insert(entry.event_type.key(), index);
                entries[index] = entry;
            }
        }
        if envelope.is_some() {
            names::leave_out_built_in(&mut entries);
        }
        names::check_directories(&entries)?;
        let open = OpenTypes::of(&entries);
        let named = entries.into_iter().filter(|entry| !entry.event_type.is_open);
        let (event_types, places) =
            named.map(|Entry { event_type, places, .. }| (event_type, places)).unzip();
        Self { event_types, places, envelope, open }.with_envelope_fields()
    }

    /// This catalog with the envelope of a preset; see [`crate::envelope::PRESETS`].
    ///
    /// # Errors
    /// The catalog has another envelope, or a field of an event type has a name of the envelope's.
    pub fn with_envelope(&self, name: &str, envelope: Envelope) -> Result<Self, CatalogError> {
        let place = Place { file: format!("the envelope {name}"), line: 1 };
        let envelope = one_envelope(Some((envelope, place)), self.envelope.clone())?;
        Self { envelope, ..self.clone() }.with_envelope_fields()
    }

    /// The envelope of the records.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        self.envelope.as_ref().map_or(&BASE, |(envelope, _)| envelope)
    }

    /// The same event types with their payloads alone, in the base contract.
    #[must_use]
    pub fn of_payloads(&self) -> Self {
        let mut catalog = Self { envelope: None, ..self.clone() };
        for event_type in catalog.event_types.iter_mut().chain(&mut catalog.open.types) {
            event_type.envelope_fields.clear();
            event_type.version.clear();
        }
        catalog
    }

    /// Gives all event types the fields of the envelope.
    fn with_envelope_fields(mut self) -> Result<Self, CatalogError> {
        if let Some((envelope, _)) = &self.envelope {
            for event_type in self.event_types.iter_mut().chain(&mut self.open.types) {
                event_type.envelope_fields.clone_from(&envelope.fields);
            }
        }
        self.resolve_versions()?;
        for (index, event_type) in self.event_types.iter().enumerate() {
            names::check_columns(event_type)
                .map_err(|clash| self.error_at(index, &clash.path, clash.message))?;
        }
        for (open, event_type) in self.open.types.iter().enumerate() {
            names::check_columns(event_type)
                .map_err(|clash| self.error_at_open(open, &clash.path, clash.message))?;
        }
        Ok(self)
    }

    /// Finds the fields of the versions: those that a type or its domain names, or else those of the
    /// envelope.
    fn resolve_versions(&mut self) -> Result<(), CatalogError> {
        let of_files = self.event_types.iter_mut().zip(&self.places);
        for (event_type, places) in of_files.chain(self.open.types.iter_mut().zip(&self.open.places)) {
            if let Some(named) = &places.version {
                let names: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
                let set = event_type.set_version(&names, Among::DataFirst);
                set.map_err(|(index, message)| CatalogError {
                    file: places.file.clone(),
                    line: named[index].1,
                    message,
                })?;
            } else if let Some((envelope, place)) = &self.envelope {
                let set = event_type.set_version(&envelope.version, Among::EnvelopeFirst);
                // Nobody brings events of the built-in types in another envelope.
                if let Err((_, message)) = set
                    && !places.is_built_in
                {
                    return Err(place.error(message));
                }
            }
        }
        Ok(())
    }

    /// An error at the field with this path in the event (`data.amount`) of the event type with this index;
    /// at the type itself if the path is empty, at its directory if it is [`DIRECTORY`].
    #[must_use]
    pub fn error_at(&self, type_index: usize, path: &str, message: String) -> CatalogError {
        TypePlaces::error(self.places.get(type_index), path, message)
    }

    /// All event types that it names, in the order of their files.
    #[must_use]
    pub fn event_types(&self) -> &[EventType] {
        &self.event_types
    }

    /// The names of the domains, each once.
    #[must_use]
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = Vec::new();
        let open = self.open.types.iter().filter(|open| open.domain != OTHERS);
        for event_type in self.event_types.iter().chain(open) {
            if !domains.contains(&event_type.domain.as_str()) {
                domains.push(&event_type.domain);
            }
        }
        domains
    }
}

/// The envelope that two of them come to.
fn one_envelope(
    first: Option<(Envelope, Place)>,
    second: Option<(Envelope, Place)>,
) -> Result<Option<(Envelope, Place)>, CatalogError> {
    match (first, second) {
        (Some((first, at)), Some((second, place))) if first.meaning() != second.meaning() => {
            Err(place.error(format!("the envelope differs from that of {at}: a run has one")))
        }
        (first, second) => Ok(first.or(second)),
    }
}

impl TypePlaces {
    fn error(places: Option<&Self>, path: &str, message: String) -> CatalogError {
        let file = places.map_or_else(String::new, |places| places.file.clone());
        let line = places.and_then(|places| places.lines.get(path)).copied().unwrap_or(1);
        CatalogError { file, line, message }
    }
}

impl EventType {
    fn key(&self) -> (String, String) {
        (self.domain.clone(), self.name.clone())
    }
}

/// `domain/event_type`, as in messages.
impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.name)
    }
}

impl Place {
    fn error(&self, message: String) -> CatalogError {
        CatalogError { file: self.file.clone(), line: self.line, message }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
