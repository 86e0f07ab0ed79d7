//! A table → the `CREATE TABLE` statement of an engine, with the types that its Parquet reader gives the
//! files.
//!
//! Invariant: the engine accepts the statement unchanged. A name is quoted if the engine would reject or
//! change it otherwise.

use std::fmt::Write;

use arrow::datatypes::{DataType, Fields};
use events_core::{
    catalog::{EventType, OTHERS},
    directory_name,
    partition::Layout,
};

use super::{ShownTable, stands_for_others};

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    DuckDb,
    Spark,
    Postgres,
}

pub(super) fn create_table(table: &ShownTable<'_>, dialect: Dialect) -> String {
    if stands_for_others(table.event_type) {
        // Each of them has a table of its own, whose name is not known.
        let EventType { domain, .. } = table.event_type;
        let which = if domain == OTHERS { "other domains".into() } else { directory_name::as_plain(domain) };
        return format!(
            "-- The event types of {which} that the catalog does not name: ask for each by its name\n"
        );
    }
    let name = dialect.table_name(&table.event_type.directory);
    let columns: Vec<_> = table
        .schema
        .fields()
        .iter()
        .map(|field| {
            let mut column =
                format!("  {} {}", dialect.identifier(field.name()), dialect.type_name(field.data_type()));
            if let (Dialect::Spark, Some(description)) = (dialect, table.description(field.name())) {
                let _ = write!(column, " COMMENT {}", dialect.literal(description));
            }
            column
        })
        .collect();
    let mut text = format!("CREATE TABLE {name} (\n{}\n)", columns.join(",\n"));
    if dialect == Dialect::Spark {
        text.push_str(if table.layout == Layout::Delta { "\nUSING delta" } else { "\nUSING parquet" });
        if !table.of_directories.is_empty() {
            let names = table.of_directories.iter().map(|name| dialect.identifier(name));
            let _ = write!(text, "\nPARTITIONED BY ({})", names.collect::<Vec<_>>().join(", "));
        }
        if let Some(description) = &table.event_type.description {
            let _ = write!(text, "\nCOMMENT {}", dialect.literal(description));
        }
    }
    text.push_str(";\n");
    if dialect != Dialect::Spark {
        comment(&mut text, dialect, "TABLE", &name, table.event_type.description.as_deref());
        for field in table.schema.fields() {
            let column = format!("{name}.{}", dialect.identifier(field.name()));
            comment(&mut text, dialect, "COLUMN", &column, table.description(field.name()));
        }
    }
    text
}

fn comment(text: &mut String, dialect: Dialect, what: &str, name: &str, description: Option<&str>) {
    if let Some(description) = description {
        let _ = writeln!(text, "COMMENT ON {what} {name} IS {};", dialect.literal(description));
    }
}

impl Dialect {
    /// Spark's catalogs accept letters, digits and `_` only, quoted or not.
    fn table_name(self, directory: &str) -> String {
        if self != Self::Spark {
            return self.identifier(directory);
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.identifier(&directory.chars().map(plain).collect::<String>())
    }

    /// Quoted unless it is plain and can't be an SQL keyword: all names from a catalog or an event type are
    /// quoted.
    fn identifier(self, name: &str) -> String {
        let is_plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let is_no_word = name.starts_with("data_") || matches!(name, "event_id" | "event_type");
        match self {
            _ if is_plain && is_no_word => name.to_owned(),
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            Self::DuckDb | Self::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    fn literal(self, text: &str) -> String {
        let text = match self {
            Self::Spark => text.replace('\\', "\\\\").replace('\'', "\\'"),
            Self::DuckDb | Self::Postgres => text.replace('\'', "''"),
        };
        format!("'{text}'")
    }

    fn type_name(self, data_type: &DataType) -> String {
        let [duckdb, spark, postgres] = match data_type {
            DataType::Int32 => ["INTEGER", "INT", "integer"],
            DataType::Int64 => ["BIGINT", "BIGINT", "bigint"],
            DataType::Float64 => ["DOUBLE", "DOUBLE", "double precision"],
            DataType::Boolean => ["BOOLEAN", "BOOLEAN", "boolean"],
            DataType::Date32 => ["DATE", "DATE", "date"],
            DataType::Timestamp(..) => ["TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "timestamp with time zone"],
            DataType::Decimal128(precision, scale) => {
                let name = if self == Self::Postgres { "numeric" } else { "DECIMAL" };
                return format!("{name}({precision},{scale})");
            }
            DataType::List(element) => return self.list(element.data_type()),
            DataType::Map(entry, _) => return self.map(entry.data_type()),
            DataType::Struct(fields) => return self.object(fields),
            // Strings; a schema has no other types.
            _ => ["VARCHAR", "STRING", "text"],
        };
        let name = match self {
            Self::DuckDb => duckdb,
            Self::Spark => spark,
            Self::Postgres => postgres,
        };
        name.to_owned()
    }

    fn list(self, element: &DataType) -> String {
        let inner = self.type_name(element);
        match self {
            Self::Spark => format!("ARRAY<{inner}>"),
            // PostgreSQL's arrays are rectangular, and have values only.
            Self::Postgres if inner == "jsonb" || matches!(element, DataType::List(_)) => "jsonb".to_owned(),
            Self::DuckDb | Self::Postgres => format!("{inner}[]"),
        }
    }

    /// `entry` is an object of a key and a value.
    fn map(self, entry: &DataType) -> String {
        let DataType::Struct(parts) = entry else { unreachable!("a map has entries") };
        let [key, value] = [0, 1].map(|part: usize| self.type_name(parts[part].data_type()));
        match self {
            Self::DuckDb => format!("MAP({key}, {value})"),
            Self::Spark => format!("MAP<{key}, {value}>"),
            Self::Postgres => "jsonb".to_owned(),
        }
    }

    fn object(self, fields: &Fields) -> String {
        let member = |separator: &str| {
            let members = fields.iter().map(|field| {
                format!("{}{separator}{}", self.identifier(field.name()), self.type_name(field.data_type()))
            });
            members.collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::DuckDb => format!("STRUCT({})", member(" ")),
            Self::Spark => format!("STRUCT<{}>", member(": ")),
            Self::Postgres => "jsonb".to_owned(),
        }
    }
}
