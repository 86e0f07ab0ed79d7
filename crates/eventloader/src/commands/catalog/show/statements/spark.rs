//! Tables → Spark: tables of its own, or over the files of a target.
//!
//! Invariant: a table over the directories of the layout hive has the partitions of all event types, because
//! Spark has one place for a table; over plain directories a view has those of its own.

use std::fmt::Write;

use arrow::datatypes::DataType;
use events_core::partition::Layout;

use super::{
    SqlTable,
    engine::{Abilities, Addresses, Load},
    kind::Kind,
    lines, members,
    names::TableNaming,
    quoting::{backticked, escaped_text, plain_or},
};

/// Its catalogs take letters, digits and `_` only, quoted or not.
pub(super) const ABILITIES: Abilities = Abilities {
    name: "Spark",
    naming: TableNaming::Plain,
    name_bytes_max: None,
    addresses: Addresses::Any,
    load: Load::Never,
    adds_days: false,
    needs_schema: &[],
};

pub(super) fn statements(table: &SqlTable<'_>) -> String {
    let name = table.name(identifier);
    match (&table.files, table.shown.layout) {
        // Its log has the columns.
        (Some(files), Layout::Delta) => {
            format!("CREATE TABLE {name}\nUSING delta\nLOCATION {};\n", escaped_text(&files.table()))
        }
        (Some(files), Layout::Plain) => {
            // A view in a session has no schema, and no comment.
            let name = table.name.last().map(|name| identifier(name)).unwrap_or_default();
            let path = escaped_text(&files.directories(None));
            let columns = columns(table);
            format!("CREATE TEMPORARY VIEW {name} (\n{columns}\n)\nUSING parquet\nOPTIONS (path {path});\n")
        }
        (files, layout) => {
            let mut text = format!("CREATE TABLE {name} (\n{}\n)\n", columns(table));
            text.push_str(if layout == Layout::Delta { "USING delta" } else { "USING parquet" });
            if !table.shown.of_directories.is_empty() {
                let names = table.shown.of_directories.iter().map(|name| identifier(name));
                let _ = write!(text, "\nPARTITIONED BY ({})", names.collect::<Vec<_>>().join(", "));
            }
            if let Some(files) = files {
                let _ = write!(text, "\nLOCATION {}", escaped_text(files.target()));
            }
            let comment = comment(table);
            let _ = write!(text, "\n{comment}");
            text.truncate(text.trim_end().len());
            text.push_str(";\n");
            if files.is_some() {
                let _ = writeln!(text, "MSCK REPAIR TABLE {name};");
            }
            text
        }
    }
}

fn columns(table: &SqlTable<'_>) -> String {
    lines(table.columns().map(|field| {
        let mut column = format!("{} {}", identifier(field.name()), type_name(field.data_type()));
        if let Some(description) = table.description(field) {
            let _ = write!(column, " COMMENT {}", escaped_text(description));
        }
        column
    }))
}

fn comment(table: &SqlTable<'_>) -> String {
    let description = table.table_description();
    description.map(|text| format!("COMMENT {}\n", escaped_text(text))).unwrap_or_default()
}

fn identifier(name: &str) -> String {
    plain_or(backticked, name)
}

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "STRING".to_owned(),
        Kind::Int32 => "INT".to_owned(),
        Kind::Int64 => "BIGINT".to_owned(),
        Kind::Float64 => "DOUBLE".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMP".to_owned(),
        Kind::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        Kind::List(element) => format!("ARRAY<{}>", type_name(element)),
        Kind::Map(value) => format!("MAP<STRING, {}>", type_name(value)),
        Kind::Object(fields) => format!("STRUCT<{}>", members(fields, identifier, ": ", type_name)),
    }
}
