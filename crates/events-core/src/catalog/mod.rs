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
//!
//! [domain.card.events.authorization.fields]
//! approved = "boolean"                     # fields of this type only: their columns follow the shared ones,
//! amount   = "decimal(18,4)"               # except for those that override a shared field of the same name
//! ```
//!
//! A field is the name of a type (see [`ValueType`]; `list(…)` of any), or a table with one of `type` (such a
//! name), `fields` (an object, to any depth) and `list` (its elements: the name of a type, or a table with
//! `type`, `fields` or `list`), and optionally
//! - `required = true`: an event without it, or with null, is a bad line; also if an object around it is
//!   missing;
//! - `column`: the full name of its column, instead of `data_…`; for an object, the beginning of the names of
//!   its columns. If the payload is nested, it is the member's name;
//! - `description`: goes into the Parquet files.
//!
//! Catalogs add up ([`Catalog::extended`]): an event type of the first is replaced, as a whole, by that of
//! the second.
//!
//! Invariant: in a catalog that was read, `domain` + `event_type` is unique, every event type has its own
//! directory with a safe name, and every column of a table has its own name. Errors name file, line and the
//! allowed values.

mod meaning;
mod names;
mod reader;
#[cfg(test)]
mod tests;
mod value_type;

use std::{collections::HashMap, fmt, sync::LazyLock};

pub use self::{names::is_safe_directory, value_type::ValueType};

/// The built-in catalog: the domains account and transaction.
pub static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| {
    let files = [
        ("account.toml", include_str!("account.toml")),
        ("transaction.toml", include_str!("transaction.toml")),
    ];
    Catalog::from_toml(&files).expect("the built-in catalog is read by a test")
});

/// The catalog of the ledger world of `datagen --world ledger`, as TOML. Its types replace the built-in ones
/// with the same names.
pub const LEDGER: &str = include_str!("ledger.toml");

/// The key that gives an event type a directory; see [`Catalog::error_at`].
pub const DIRECTORY: &str = "directory";

/// All known types of events, in the order of their files.
#[derive(Debug, Clone)]
pub struct Catalog {
    event_types: Vec<EventType>,
    /// The location of each of them. It is not part of the catalog's meaning.
    places: Vec<TypePlaces>,
}

/// The locations of an event type and its fields.
#[derive(Debug, Clone)]
struct TypePlaces {
    /// The catalog file, as named by the user.
    file: String,
    /// The line of each field, by its path in the event; of the type, by the empty path; and of its
    /// directory, by [`DIRECTORY`].
    lines: HashMap<String, usize>,
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
    pub fields: Vec<Field>,
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
        Self { event_types: Vec::new(), places: Vec::new() }.extended(files)
    }

    /// This catalog, extended by `files`: event types that it has are replaced, others added.
    ///
    /// # Errors
    /// A [`CatalogError`] at the first entry that can't be used, or that two of the files have.
    pub fn extended(&self, files: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let known = self.event_types.iter().cloned().zip(self.places.iter().cloned());
        let mut entries: Vec<_> =
            known.map(|(event_type, places)| Entry { event_type, places, place: None }).collect();
        let mut by_name: HashMap<_, _> =
            entries.iter().enumerate().map(|(index, known)| (known.event_type.key(), index)).collect();
        for &(file, text) in files {
            for entry in reader::read(file, text)? {
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
        names::check_directories(&entries)?;
        let (event_types, places) =
            entries.into_iter().map(|Entry { event_type, places, .. }| (event_type, places)).unzip();
        Ok(Self { event_types, places })
    }

    /// An error at the field with this path in the event (`data.amount`) of the event type with this index;
    /// at the type itself if the path is empty, at its directory if it is [`DIRECTORY`].
    #[must_use]
    pub fn error_at(&self, type_index: usize, path: &str, message: String) -> CatalogError {
        let places = self.places.get(type_index);
        let file = places.map_or_else(String::new, |places| places.file.clone());
        let line = places.and_then(|places| places.lines.get(path)).copied().unwrap_or(1);
        CatalogError { file, line, message }
    }

    /// All event types, in the order of their files.
    #[must_use]
    pub fn event_types(&self) -> &[EventType] {
        &self.event_types
    }

    /// The names of the domains, each once.
    #[must_use]
    pub fn domains(&self) -> Vec<&str> {
        let mut domains: Vec<&str> = Vec::new();
        for event_type in &self.event_types {
            if !domains.contains(&event_type.domain.as_str()) {
                domains.push(&event_type.domain);
            }
        }
        domains
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
