//! A catalog, and the event types that were found → an error where they do not fit a layout.
//!
//! Invariant: in a load that passes, each event type has its own directory, and no column is called like one
//! that engines read from the directories.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use event_parser::{Plan, Selection};
use events_core::{
    catalog::{self, Catalog, EventType},
    directory_name::{self, NAME_BYTES_MAX},
    partition::{Layout, PartitionUnit},
    schema::{self, TableForm},
};

use crate::{error::Error, output::table_schema};

/// The directories that a load would write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayoutFit<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) selection: &'a Selection,
    /// Only these of the types that the catalog names, by their places in it; all where `None`.
    pub(crate) only: Option<&'a BTreeSet<usize>>,
    pub(crate) layout: Layout,
    pub(crate) unit: PartitionUnit,
    pub(crate) flatten: bool,
    /// Whether the target's file system takes names for one that differ in case.
    pub(crate) folds_case: bool,
}

/// A field or event type that a layout can't have.
struct Misfit {
    /// Its place in the catalog.
    path: String,
    problem: String,
}

/// Event types by their directories.
type Owners<'a> = HashMap<Cow<'a, str>, &'a EventType>;

impl<'a> LayoutFit<'a> {
    /// Refuses fields and event types of the catalog.
    ///
    /// # Errors
    /// [`Error::Catalog`] at the first such field or type among the selected event types.
    pub(crate) fn check(self) -> Result<(), Error> {
        let Self { catalog, layout, .. } = self;
        let mut owners = Owners::new();
        for (index, event_type) in self.named() {
            let other = self.add(event_type, &mut owners);
            let misfit = self.taken_column(event_type).or_else(|| self.foreign_column(event_type));
            let misfit = misfit.or_else(|| self.foreign_table(event_type));
            let misfit = misfit.or_else(|| directory_misfit(event_type, layout));
            let misfit = misfit.or_else(|| other.map(|other| self.shared_directory(event_type, other)));
            if let Some(Misfit { path, problem }) = misfit {
                let misfit = Error::from(catalog.error_at(index, &path, format!("{event_type}: {problem}")));
                return Err(misfit.of_type(event_type));
            }
        }
        for (index, open) in catalog.open_types().iter().enumerate() {
            let misfit = self.taken_column(open).or_else(|| self.foreign_table(open));
            if let Some(Misfit { path, problem }) = misfit {
                return Err(catalog.error_at_open(index, &path, format!("{open}: {problem}")).into());
            }
        }
        Ok(())
    }

    /// Refuses event types that the catalog does not name and that were found.
    ///
    /// # Errors
    /// [`Error::Catalog`] at the open type of the first of them, by name, that would share a directory.
    pub(crate) fn check_found(self, plan: &'a Plan) -> Result<(), Error> {
        let mut found: Vec<_> = plan.found_types().collect();
        found.sort_by_key(|found| (&found.domain, &found.name));
        let mut owners = Owners::new();
        if found.is_empty() {
            return Ok(());
        }
        for (_, event_type) in self.named() {
            self.add(event_type, &mut owners);
        }
        for event_type in found {
            let Some(other) = self.add(event_type, &mut owners) else { continue };
            let open = self.catalog.open_type_of(&event_type.domain).unwrap_or_default();
            let folded = if self.folds_case { " on this file system, which ignores case" } else { "" };
            let message = format!(
                "{other} and {event_type} would share the directory {:?}{folded}: name one of the two in the \
                 catalog, or load only one of them; nothing was changed",
                self.layout.directory(event_type)
            );
            return Err(self.catalog.error_at_open(open, "", message).into());
        }
        Ok(())
    }

    /// The selected types that the catalog names.
    fn named(self) -> impl Iterator<Item = (usize, &'a EventType)> {
        let types = self.catalog.event_types().iter().enumerate();
        let is_wanted = move |index| self.only.is_none_or(|only| only.contains(&index));
        types.filter(move |(index, event_type)| is_wanted(*index) && self.selection.wants_type(event_type))
    }

    /// Adds a type; returns the one that has the same directory.
    fn add(self, event_type: &'a EventType, owners: &mut Owners<'a>) -> Option<&'a EventType> {
        let directory = self.layout.directory(event_type);
        let key = if self.folds_case { directory.to_lowercase().into() } else { directory };
        owners.insert(key, event_type)
    }

    /// A column of the table that has the name of one that engines read from the directories. DuckDB,
    /// Polars and Spark would silently show the directory's value instead of the event's; pyarrow fails if
    /// the types differ.
    fn taken_column(self, event_type: &EventType) -> Option<Misfit> {
        let taken = self.layout.reserved_names(self.unit);
        let is_taken = |name: &str| taken.iter().any(|taken| taken.eq_ignore_ascii_case(name));
        let (path, name) = if self.flatten {
            let column = schema::columns(event_type).into_iter().find(|column| is_taken(&column.name))?;
            (column.path, column.name)
        } else {
            // The payload is one column. Those of the envelope stand beside it.
            let field = event_type.envelope_fields.iter().find(|field| is_taken(field.member_name()))?;
            (field.name.clone(), field.member_name().to_owned())
        };
        let owner = match self.layout {
            Layout::Delta => "which Delta tables are partitioned by",
            _ => "which engines read from the directories of the layout hive",
        };
        let problem = format!(
            "{path} would be the column {name:?}, {owner}: give it another name with `column = \"…\"`, or load \
             with the layout plain"
        );
        Some(Misfit { path, problem })
    }

    /// A column that no Delta table can have.
    fn foreign_column(self, event_type: &EventType) -> Option<Misfit> {
        if self.layout != Layout::Delta {
            return None;
        }
        let form = TableForm { flatten: self.flatten, has_event_type: self.layout.has_event_type_column() };
        let refused = table_schema(event_type, form, self.unit).err()?;
        let name = refused.column();
        let column = schema::columns(event_type).into_iter().find(|column| column.name == name);
        let path = column.map(|column| column.path).unwrap_or_default();
        Some(Misfit { path, problem: format!("{refused}: change it in the catalog, or load without tables") })
    }

    /// A table that no database can have, or a column of it.
    fn foreign_table(self, event_type: &EventType) -> Option<Misfit> {
        if self.layout != Layout::Database {
            return None;
        }
        let form = TableForm { flatten: self.flatten, has_event_type: self.layout.has_event_type_column() };
        // Whatever the schema is called.
        let refused = event_postgres::Table::new("", event_type, form).err()?;
        let columns = schema::columns(event_type);
        let column = columns.into_iter().find(|column| Some(column.name.as_str()) == refused.column());
        let path = column.map(|column| column.path).unwrap_or_default();
        Some(Misfit { path, problem: format!("{refused}: change it in the catalog") })
    }

    /// A type that would share the directory of another one, because the file system ignores case: any other
    /// clash is one of the catalog.
    fn shared_directory(self, event_type: &EventType, other: &EventType) -> Misfit {
        let directory = self.layout.directory(event_type);
        let problem = format!(
            "on this file system, which ignores case, it would share the directory {directory:?} with {other}: \
             load only one of them, or into another target"
        );
        Misfit { path: String::new(), problem }
    }
}

/// A type whose directory can't have its name, where engines read the type from the directories.
fn directory_misfit(event_type: &EventType, layout: Layout) -> Option<Misfit> {
    if layout.has_event_type_column() {
        return None;
    }
    let EventType { name, directory, .. } = event_type;
    if *directory != directory_name::as_plain(name) {
        let problem = format!(
            "engines read the event type from the directories of the layout hive, so they are named as the \
             type: remove `directory = {directory:?}`, or load with the layout plain"
        );
        return Some(Misfit { path: catalog::DIRECTORY.to_owned(), problem });
    }
    let bytes = layout.name_bytes(event_type);
    let problem = format!(
        "its directory in the layout hive would have a name of {bytes} bytes, and a directory's has at most \
         {NAME_BYTES_MAX}: load with the layout plain"
    );
    (bytes > NAME_BYTES_MAX).then(|| Misfit { path: String::new(), problem })
}
