//! `"*"` in a catalog → the event types that no catalog names.
//!
//! `[domain.shop.events."*"]` stands for every other type of the domain, `[domain."*"]` for every type of
//! every other domain. A domain that one of the files names is no other domain; those of the catalog that the
//! files extend are, except for the types that it names.
//!
//! Invariant: a type that is named is never one of these. Its directory has the name of its domain in front,
//! so it does not depend on which other types there are.

use std::{borrow::Cow, collections::BTreeSet};

use super::{Catalog, CatalogError, Entry, EventType, TypePlaces};
use crate::directory_name::{self, directory_text};

/// The name that stands for all others.
pub const OTHERS: &str = "*";

/// The most event types of a run that no catalog names.
pub const OPEN_TYPES_MAX: usize = 10_000;

/// What a catalog says of event types that it does not name.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenTypes {
    /// One for a domain, or for all others. Their name is [`OTHERS`].
    pub(super) types: Vec<EventType>,
    pub(super) places: Vec<TypePlaces>,
    /// The domains that the files name.
    pub(super) named_domains: BTreeSet<String>,
}

impl OpenTypes {
    /// Of the entries of a catalog; those with a place are of its files.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let is_of_file = |entry: &&Entry| entry.place.is_some() && entry.event_type.domain != OTHERS;
        let of_files = entries.iter().filter(is_of_file);
        let open = entries.iter().filter(|entry| entry.event_type.is_open);
        let (types, places) = open.map(|entry| (entry.event_type.clone(), entry.places.clone())).unzip();
        let named_domains = of_files.map(|entry| entry.event_type.domain.clone()).collect();
        Self { types, places, named_domains }
    }
}

impl Catalog {
    /// The event types that stand for others: one for a domain, or for all other domains. Their name is
    /// [`OTHERS`], and so is the domain of the latter.
    #[must_use]
    pub fn open_types(&self) -> &[EventType] {
        &self.open.types
    }

    /// The index of the open type that stands for the types of a domain that are not named.
    #[must_use]
    pub fn open_type_of(&self, domain: &str) -> Option<usize> {
        let OpenTypes { types, named_domains, .. } = &self.open;
        let of = |domain: &str| types.iter().position(|open| open.domain == domain);
        match of(domain) {
            None if named_domains.contains(domain) => None,
            None => of(OTHERS),
            found => found,
        }
    }

    /// The event type with this name, named by the catalog or not.
    #[must_use]
    pub fn event_type(&self, domain: &str, name: &str) -> Option<Cow<'_, EventType>> {
        let is_it = |event_type: &&EventType| event_type.domain == domain && event_type.name == name;
        let named = self.event_types.iter().find(is_it).map(Cow::Borrowed);
        named.or_else(|| {
            let open = self.open_type_of(domain)?;
            Some(Cow::Owned(self.open.types[open].one_of_others(domain, name)))
        })
    }

    /// An error at the field with this path of the open type with this index; at the type itself if the path
    /// is empty.
    #[must_use]
    pub fn error_at_open(&self, open: usize, path: &str, message: String) -> CatalogError {
        TypePlaces::error(self.open.places.get(open), path, message)
    }
}

impl EventType {
    /// The event type with this name, of those that an open type stands for.
    #[must_use]
    pub fn one_of_others(&self, domain: &str, name: &str) -> Self {
        let directory = directory_name::as_plain(&directory_text(domain, name)).into_owned();
        Self { domain: domain.to_owned(), name: name.to_owned(), directory, ..self.clone() }
    }

    /// The text that its directories are named after: its name, with the domain in front where no catalog
    /// names it.
    #[must_use]
    pub fn directory_text(&self) -> Cow<'_, str> {
        if self.is_open { directory_text(&self.domain, &self.name).into() } else { (&*self.name).into() }
    }
}
