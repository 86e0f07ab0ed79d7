//! A catalog → the tables that a load creates from it: as text, as Arrow schemas, or as `CREATE TABLE`
//! statements.
//!
//! Invariant: names and types are those of the schemas that files are written with.

mod ddl;

use std::{borrow::Cow, fmt::Write};

use arrow::datatypes::{DataType, Field, Schema, SchemaBuilder};
use event_parser::Selection;
use events_core::{
    catalog::{Catalog, EventType, OTHERS},
    directory_name::directory_text,
    event,
    partition::{Layout, PartitionUnit},
    schema::{self, TableForm},
};

use self::ddl::Dialect;
use crate::{commands::layout_fit::LayoutFit, error::Error, runtime::escape_for_terminal};

/// What to show.
#[derive(Debug, Clone)]
pub struct ShowSettings {
    /// The known events.
    pub catalog: Catalog,
    /// The events to show.
    pub selection: Selection,
    /// One column per payload value; otherwise one struct column.
    pub flatten: bool,
    /// The names of the directories; engines read columns from some of them.
    pub layout: Layout,
    /// The time span of a partition.
    pub partition_unit: PartitionUnit,
    /// The output format.
    pub format: Format,
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns, types, descriptions.
    Text,
    /// Arrow's type names.
    Arrow,
    /// `CREATE TABLE` for `DuckDB`.
    DuckDb,
    /// `CREATE TABLE` for Spark.
    Spark,
    /// `CREATE TABLE` for `PostgreSQL`.
    Postgres,
}

/// The tables of the selected event types.
///
/// # Errors
/// A domain or event type is not in the catalog.
pub fn show(settings: &ShowSettings) -> Result<String, Error> {
    settings.selection.check(&settings.catalog)?;
    let ShowSettings { catalog, selection, flatten, layout, partition_unit, .. } = settings;
    let fit = LayoutFit {
        catalog,
        selection,
        only: None,
        layout: *layout,
        unit: *partition_unit,
        flatten: *flatten,
        folds_case: false,
    };
    fit.check()?;
    let named = catalog.event_types().iter().filter(|event_type| selection.wants_type(event_type));
    let others = others(catalog, selection);
    let tables = named.chain(&others).map(|event_type| {
        let table = ShownTable::new(event_type, *flatten, (*layout, *partition_unit));
        match settings.format {
            Format::Text => table.text(),
            Format::Arrow => table.arrow(),
            Format::DuckDb => ddl::create_table(&table, Dialect::DuckDb),
            Format::Spark => ddl::create_table(&table, Dialect::Spark),
            Format::Postgres => ddl::create_table(&table, Dialect::Postgres),
        }
    });
    Ok(tables.collect::<Vec<_>>().join("\n"))
}

/// The types that the catalog does not name: those that are asked for by name, or what stands for them.
fn others(catalog: &Catalog, selection: &Selection) -> Vec<EventType> {
    let Selection { domains, event_types, .. } = selection;
    if domains.is_empty() && event_types.is_empty() {
        return catalog.open_types().to_vec();
    }
    let of_catalog = || catalog.open_types().iter().map(|open| open.domain.as_str());
    let domains: Vec<_> = if domains.is_empty() {
        of_catalog().collect()
    } else {
        domains.iter().map(String::as_str).collect()
    };
    let names = if event_types.is_empty() { &[OTHERS.to_owned()][..] } else { event_types };
    let of_domain = |domain: &&str| {
        let asked = names.iter().filter_map(|name| catalog.event_type(domain, name));
        asked.filter(|event_type| event_type.is_open).map(Cow::into_owned).collect::<Vec<_>>()
    };
    domains.iter().flat_map(of_domain).collect()
}

/// An event type's table.
struct ShownTable<'c> {
    event_type: &'c EventType,
    /// The columns of the files, then those that engines read from the directories.
    schema: Schema,
    /// The name of its directories.
    directory: Cow<'c, str>,
    /// The columns that engines read from the directories.
    of_directories: &'static [&'static str],
    layout: Layout,
    /// By column, and by member where the path has a dot.
    descriptions: Vec<(String, &'c str)>,
}

/// Whether it is not one type, but all of a domain, or of all other domains, that are not named.
fn stands_for_others(event_type: &EventType) -> bool {
    event_type.is_open && event_type.name == OTHERS
}

impl<'c> ShownTable<'c> {
    fn new(event_type: &'c EventType, flatten: bool, (layout, unit): (Layout, PartitionUnit)) -> Self {
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

    fn description(&self, column: &str) -> Option<&'c str> {
        self.descriptions.iter().find(|(place, _)| place == column).map(|(_, description)| *description)
    }

    fn text(&self) -> String {
        let directory = match self.layout {
            Layout::Plain => format!("…/{}", self.directory),
            Layout::Hive | Layout::HiveWithEventType => format!("…/{}={}", event::EVENT_TYPE, self.directory),
            Layout::Delta | Layout::Database => self.directory.to_string(),
        };
        let mut text = format!("{}, in {directory}/\n", self.event_type);
        if let Some(description) = &self.event_type.description {
            let _ = writeln!(text, "    {description}");
        }
        if !self.event_type.version.is_empty() {
            let names = self.event_type.version_names();
            let fields: Vec<_> = names.iter().map(|name| escape_for_terminal(name)).collect();
            let fields = fields.join(", then by ");
            let _ = writeln!(
                text,
                "    The latest version of an event is that by {fields}, then by the timestamp"
            );
        }
        let rows: Vec<_> = self
            .schema
            .fields()
            .iter()
            .map(|field| {
                let description = self.description(field.name()).unwrap_or_default();
                (field.name().as_str(), type_name(field.data_type()), description)
            })
            .collect();
        let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
        let names = width(&mut rows.iter().map(|(name, ..)| name.chars().count()));
        let types = width(&mut rows.iter().filter(|row| !row.2.is_empty()).map(|row| row.1.chars().count()));
        for (name, type_name, description) in rows {
            let line = format!("  {name:names$}  {type_name:types$}  {description}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }

    fn arrow(&self) -> String {
        let mut text = format!("{}\n", self.event_type);
        for field in self.schema.fields() {
            let _ = writeln!(text, "  {}: {}", field.name(), field.data_type());
        }
        text
    }
}

/// A type as a catalog writes it; objects with their members.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::List(element) => format!("list({})", type_name(element.data_type())),
        DataType::Map(entry, _) => match entry.data_type() {
            DataType::Struct(parts) => format!("map({})", type_name(parts[1].data_type())),
            other => unreachable!("a map has entries, not {other}"),
        },
        DataType::Struct(fields) => {
            let members =
                fields.iter().map(|field| format!("{}: {}", field.name(), type_name(field.data_type())));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
