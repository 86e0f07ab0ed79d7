//! Tables → the SQL statements of an engine: tables of its own, or tables over the files of a target, and
//! what fills them.
//!
//! Each engine has a file: what it can have, its names for all types, its statements.
//!
//! Invariant: the engine accepts the statements unchanged. A name is quoted if the engine would reject or
//! change it otherwise; what an engine can't have is refused, and no statement reads files of another event
//! type.

mod athena;
mod bigquery;
mod clickhouse;
mod duckdb;
mod engine;
mod files;
mod kind;
mod names;
mod postgres;
mod quoting;
mod redshift;
mod snowflake;
mod spark;
mod trino;

use std::fmt::Write;

use arrow::datatypes::{DataType, FieldRef};
use events_core::{
    catalog::{Catalog, EventType, OTHERS},
    directory_name,
    partition::{Day, Layout, PartitionUnit},
    schema,
};

pub use self::engine::Engine;
use self::{files::Files, names::TableNames};
use super::table::{ShownTable, stands_for_others};
use crate::error::{Error, Instead};

/// Which statements.
#[derive(Debug, Clone)]
pub struct StatementSettings {
    /// The engine that they are for.
    pub engine: Engine,
    /// Where the engine finds the target, if the statements are about its files.
    pub address: Option<String>,
    /// What the names of tables are in, with dots between its parts.
    pub schema: Option<String>,
    /// Tables of the engine's own, and what fills them from the target.
    pub load: bool,
    /// Only what a day needs.
    pub day: Option<Day>,
}

/// The statements of one output.
pub(super) struct Statements<'s> {
    settings: &'s StatementSettings,
    names: TableNames,
    placing: (Layout, PartitionUnit),
}

/// An event type's table, and what is wanted of it.
struct SqlTable<'t> {
    shown: &'t ShownTable<'t>,
    /// Its name, after that of the schema.
    name: Vec<String>,
    files: Option<Files<'t>>,
    load: bool,
    day: Option<Day>,
}

impl<'s> Statements<'s> {
    /// # Errors
    /// [`Error::Engine`] if the engine can't have what is wanted.
    pub(super) fn new(
        settings: &'s StatementSettings,
        placing: (Layout, PartitionUnit),
        types: &[&EventType],
    ) -> Result<Self, Error> {
        let abilities = settings.engine.abilities();
        abilities.check(settings, placing)?;
        let directories = types.iter().map(|event_type| event_type.directory.as_str());
        let names = TableNames::new(abilities.naming, abilities.name_bytes_max, directories);
        Ok(Self { settings, names, placing })
    }

    /// Those of a table.
    ///
    /// # Errors
    /// [`Error::Engine`] if the engine can't have this table.
    pub(super) fn of(&self, shown: &ShownTable<'_>) -> Result<String, Error> {
        if stands_for_others(shown.event_type) {
            // Each of them has a table of its own, whose name is not known.
            let EventType { domain, .. } = shown.event_type;
            let which =
                if domain == OTHERS { "other domains".into() } else { directory_name::as_plain(domain) };
            return Ok(format!(
                "-- The event types of {which} that the catalog does not name: ask for each by its name\n"
            ));
        }
        let StatementSettings { engine, address, schema, load, day } = self.settings;
        let schema = schema.as_deref().into_iter().flat_map(|schema| schema.split('.')).map(str::to_owned);
        let files = address.as_ref().map(|address| Files::new(address, self.placing, &shown.directory));
        let name = schema.chain([self.names.of(&shown.event_type.directory)]).collect();
        engine.statements(&SqlTable { shown, name, files, load: *load, day: *day })
    }
}

/// A column whose name is too long for an engine that would cut it: the place of its type in the catalog, its
/// path in the event, and what is wrong.
pub(super) fn long_name(engine: Engine, flatten: bool, event_type: &EventType) -> Option<(String, String)> {
    let max = engine.abilities().name_bytes_max?;
    let named = |(path, name): (String, String)| {
        (name.len() > max).then(|| {
            let problem = format!(
                "{event_type}: {path} would be the column {name:?}, of {} bytes, and a name has at most {max} in \
                 {}: give it another name with `column = \"…\"`",
                name.len(),
                engine.name()
            );
            (path, problem)
        })
    };
    if flatten {
        return schema::columns(event_type).into_iter().find_map(|column| named((column.path, column.name)));
    }
    // The payload is one column.
    let fields = event_type.envelope_fields.iter();
    fields.map(|field| (field.name.clone(), field.member_name().to_owned())).find_map(named)
}

impl SqlTable<'_> {
    /// Its whole name, with its parts quoted.
    fn name(&self, quoted: fn(&str) -> String) -> String {
        self.name.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(".")
    }

    /// The files that it is over.
    ///
    /// # Panics
    /// If the engine also has tables without files: for all others, there is an address.
    fn files(&self) -> &Files<'_> {
        self.files.as_ref().unwrap_or_else(|| unreachable!("an address is required"))
    }

    /// The columns of the files, then those of the directories.
    fn columns(&self) -> impl Iterator<Item = &FieldRef> {
        self.shown.schema.fields().iter()
    }

    /// The columns of the files.
    fn columns_of_files(&self) -> impl Iterator<Item = &FieldRef> {
        self.columns().filter(|field| !self.shown.of_directories.contains(&field.name().as_str()))
    }

    /// The columns of the directories.
    fn columns_of_directories(&self) -> impl Iterator<Item = &FieldRef> {
        self.columns().filter(|field| self.shown.of_directories.contains(&field.name().as_str()))
    }

    fn description(&self, field: &FieldRef) -> Option<&str> {
        self.shown.description(field.name())
    }

    fn table_description(&self) -> Option<&str> {
        self.shown.event_type.description.as_deref()
    }

    /// The columns that engines with partitions get in a table over plain directories, which name none: the
    /// day and, by hour, the hour.
    ///
    /// # Errors
    /// [`Error::Engine`] if the files have a column of such a name.
    fn columns_of_plain_directories(&self, engine: Engine) -> Result<&'static [&'static str], Error> {
        let is_by_hour = self.files.as_ref().is_some_and(Files::is_by_hour);
        let names: &[&str] = if is_by_hour { &[PARTITION_DAY, PARTITION_HOUR] } else { &[PARTITION_DAY] };
        let taken =
            self.columns().find(|field| names.iter().any(|name| name.eq_ignore_ascii_case(field.name())));
        taken.map_or(Ok(names), |taken| {
            let problem = format!(
                "the table of {} is divided by {}, and has a column {:?}",
                self.shown.event_type,
                names.join(" and "),
                taken.name()
            );
            Err(Error::Engine { engine: engine.name(), problem, instead: Instead::OtherColumn })
        })
    }
}

/// The columns of a table over plain directories.
const PARTITION_DAY: &str = "partition_day";
const PARTITION_HOUR: &str = "partition_hour";

/// The lines of a list, each but the last with a comma.
fn lines(indented: impl Iterator<Item = String>) -> String {
    indented.map(|line| format!("  {line}")).collect::<Vec<_>>().join(",\n")
}

/// `COMMENT ON` statements for the descriptions of a table (`what` it is) and of these columns.
fn comments<'t>(
    table: &'t SqlTable<'_>,
    (what, name): (&str, &str),
    columns: impl Iterator<Item = &'t FieldRef>,
    quoted: impl Fn(&str) -> String,
    text_of: fn(&str) -> String,
) -> String {
    let mut text = String::new();
    if let Some(description) = table.table_description() {
        let _ = writeln!(text, "COMMENT ON {what} {name} IS {};", text_of(description));
    }
    for field in columns {
        if let Some(description) = table.description(field) {
            let column = quoted(field.name());
            let _ = writeln!(text, "COMMENT ON COLUMN {name}.{column} IS {};", text_of(description));
        }
    }
    text
}

/// The members of an object, each after `member`, with `separator` before its type.
fn members(
    fields: &arrow::datatypes::Fields,
    quoted: impl Fn(&str) -> String,
    separator: &str,
    type_name: impl Fn(&DataType) -> String,
) -> String {
    let members = fields
        .iter()
        .map(|field| format!("{}{separator}{}", quoted(field.name()), type_name(field.data_type())));
    members.collect::<Vec<_>>().join(", ")
}

/// The types of a catalog, with those that it does not name but that are shown.
pub(super) fn all_types<'c>(catalog: &'c Catalog, others: &'c [EventType]) -> Vec<&'c EventType> {
    catalog.event_types().iter().chain(others.iter().filter(|other| !stands_for_others(other))).collect()
}
