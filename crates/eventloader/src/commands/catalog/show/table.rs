//! An event type → its table: the columns of the files, and those that engines read from the directories.
//!
//! Invariant: names and types are those of the schemas that files are written with.

use std::borrow::Cow;

use arrow::datatypes::{DataType, Field, Schema, SchemaBuilder};
use events_core::{
    catalog::{EventType, OTHERS},
    directory_name::directory_text,
    event,
    partition::{Layout, PartitionUnit},
    schema::{self, TableForm},
};

/// An event type's table.
pub(super) struct ShownTable<'c> {
    pub(super) event_type: &'c EventType,
    /// The columns of the files, then those that engines read from the directories.
    pub(super) schema: Schema,
    /// The name of its directories.
    pub(super) directory: Cow<'c, str>,
    /// The columns that engines read from the directories.
    pub(super) of_directories: &'static [&'static str],
    pub(super) layout: Layout,
    /// By column, and by member where the path has a dot.
    pub(super) descriptions: Vec<(String, &'c str)>,
}

/// Whether it is not one type, but all of a domain, or of all other domains, that are not named.
pub(super) fn stands_for_others(event_type: &EventType) -> bool {
    event_type.is_open && event_type.name == OTHERS
}

impl<'c> ShownTable<'c> {
    pub(super) fn new(
        event_type: &'c EventType,
        flatten: bool,
        (layout, unit): (Layout, PartitionUnit),
    ) -> Self {
        let form = TableForm { flatten, has_event_type: layout.has_event_type_column() };
        let mut columns = SchemaBuilder::from(&form.schema(event_type));
        for name in layout.columns(unit) {
            let data_type = match (layout, *name) {
                (_, event::EVENT_TYPE) => DataType::Utf8,
                (Layout::Delta, "day") => DataType::Date32,
                _ => DataType::Int32,
            };
            columns.push(Field::new(*name, data_type, true));
        }
        Self {
            event_type,
            schema: columns.finish(),
            directory: if stands_for_others(event_type) {
                let domain = if event_type.domain == OTHERS { "DOMAIN" } else { &event_type.domain };
                Cow::Owned(directory_text(domain, "TYPE"))
            } else {
                layout.directory(event_type)
            },
            of_directories: layout.columns(unit),
            layout,
            descriptions: schema::descriptions(event_type, flatten),
        }
    }

    pub(super) fn description(&self, column: &str) -> Option<&'c str> {
        self.descriptions.iter().find(|(place, _)| place == column).map(|(_, description)| *description)
    }
}
