//! A catalog, or a target → the tables of its event types.
//!
//! Invariant: both sides of a comparison have the same layout and form: those of the target, if there is one.

use std::collections::{BTreeMap, BTreeSet};

use event_target::Location;
use events_core::{
    catalog::{BUILT_IN, Catalog, EventType, FieldKind, OTHERS},
    partition::PartitionUnit,
    schema::TableForm,
    table::TableColumns,
};

use super::Layout;
use crate::{
    error::Error,
    existing::{HeldTable, HeldTables, held_tables},
};

/// Domain and name of an event type.
pub(super) type Key = (String, String);

/// What a target's loads have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) layout: Layout,
    pub(super) unit: PartitionUnit,
    pub(super) flatten: bool,
    pub(super) folds_case: bool,
}

/// That of a load without flags.
impl Default for Form {
    fn default() -> Self {
        Self { layout: Layout::Plain, unit: PartitionUnit::Day, flatten: true, folds_case: false }
    }
}

/// What a target holds.
#[derive(Debug)]
pub(super) struct Held {
    form: Form,
    tables: HeldTables,
    directories: BTreeMap<Key, String>,
    versions: BTreeMap<Key, Vec<String>>,
}

impl Held {
    pub(super) fn read(target: &Location, threads: usize) -> Result<Self, Error> {
        let _lock = target.lock_to_read()?;
        let history = target.history(|_, _| {})?;
        let own = |(domain, name): (&str, &str)| (domain.to_owned(), name.to_owned());
        let directories = history.directories().into_iter();
        let versions = history.versions().into_iter();
        let parts = target.layout()?.and_then(|layout| layout.parts());
        let Form { layout, unit, flatten, .. } = Form::default();
        let (layout, unit) = parts.unwrap_or((layout, unit));
        Ok(Self {
            form: Form {
                layout,
                unit,
                flatten: history.form.as_ref().map_or(flatten, |form| form.flatten),
                folds_case: target.folds_case()?,
            },
            directories: directories.map(|(key, directory)| (own(key), directory.to_owned())).collect(),
            versions: versions.map(|(key, version)| (own(key), version.to_vec())).collect(),
            tables: held_tables(target, &history, threads)?,
        })
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }
}

/// The tables of one side.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) catalog: Option<Catalog>,
    pub(super) held: Option<Held>,
    pub(super) form: Form,
}

/// The table of an event type.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) directory: String,
    pub(super) version: Vec<String>,
    /// In a target its files may have several, the last ones first; those of a catalog are of no file.
    pub(super) columns: Vec<(TableColumns, usize)>,
}

impl Table {
    /// Whether the payload is one nested column; `None` without columns.
    pub(super) fn is_nested(&self) -> Option<bool> {
        let kinds = self.columns.iter().flat_map(|(columns, _)| columns.columns());
        let mut kinds = kinds.map(|(_, kind)| matches!(kind, FieldKind::Object(_))).peekable();
        kinds.peek()?;
        Some(kinds.any(|is_object| is_object))
    }
}

impl Tables {
    /// The event types that it names, and those that it has for others.
    pub(super) fn keys(&self) -> BTreeSet<Key> {
        let mut keys = BTreeSet::new();
        if let Some(catalog) = &self.catalog {
            keys.extend(catalog.event_types().iter().chain(catalog.open_types()).map(key_of));
        }
        keys.extend(self.held.iter().flat_map(|held| held.tables.keys().cloned()));
        keys
    }

    /// The table of an event type, flat or nested; `None` if it has none.
    pub(super) fn table(&self, key: &Key, flatten: bool) -> Option<Table> {
        let (domain, name) = key;
        if let Some(held) = &self.held {
            let columns = held.tables.get(key)?.iter();
            return Some(Table {
                directory: held.directories.get(key).cloned().unwrap_or_default(),
                version: held.versions.get(key).cloned().unwrap_or_default(),
                columns: columns.map(|HeldTable { columns, files, .. }| (columns.clone(), *files)).collect(),
            });
        }
        let catalog = self.catalog.as_ref()?;
        let event_type = if name == OTHERS {
            catalog.open_types().iter().find(|open| open.domain == *domain).cloned()
        } else {
            catalog.event_type(domain, name).map(std::borrow::Cow::into_owned)
        }?;
        let form = TableForm { flatten, has_event_type: self.form.layout.has_event_type_column() };
        Some(Table {
            directory: if name == OTHERS {
                String::new()
            } else {
                self.form.layout.directory(&event_type).into_owned()
            },
            version: event_type.version_names(),
            columns: vec![(TableColumns::of(&event_type, form), 0)],
        })
    }

    /// Whether it is an event type that every catalog has, as it is built in.
    pub(super) fn has_built_in(&self, key: &Key) -> bool {
        let of_key = |known: &&EventType| key_of(known) == *key;
        let own = self.catalog.as_ref().and_then(|catalog| catalog.event_types().iter().find(of_key));
        let built_in = BUILT_IN.event_types().iter().find(of_key);
        own.zip(built_in).is_some_and(|(own, built_in)| own.fields == built_in.fields)
    }
}

fn key_of(event_type: &EventType) -> Key {
    (event_type.domain.clone(), event_type.name.clone())
}
