//! Tables → `ClickHouse`: tables over files, or tables of its own with `INSERT`.
//!
//! Lists, maps and objects can't be null in it: a null one is an empty list, an empty map, an object of
//! nulls. The event type of the layout hive is what stands in the path, with its `%XX`.
//!
//! Invariant: the columns of every event are not `Nullable`, all others are, to the last element.
//!
//! Sources: <https://clickhouse.com/docs/engines/table-engines/integrations/s3>,
//! <https://clickhouse.com/docs/engines/table-engines/special/file>,
//! <https://clickhouse.com/docs/engines/table-engines/integrations/deltalake>.

use std::fmt::Write;

use arrow::datatypes::{DataType, FieldRef};
use events_core::{
    event,
    partition::{Day, Layout},
};

use super::{
    SqlTable,
    engine::{Abilities, Addresses, Load},
    files::Files,
    kind::Kind,
    lines, members,
    names::TableNaming,
    quoting::{backticked, escaped_text},
};

pub(super) const ABILITIES: Abilities = Abilities {
    name: "ClickHouse",
    naming: TableNaming::Plain,
    name_bytes_max: Some(200),
    addresses: Addresses::Begin(
        &["s3://", "gs://", "https://", "http://", "/", "."],
        "an address that its engine S3 takes (s3://bucket/path, gs://bucket/path, https://…), or a path",
    ),
    load: Load::Any,
    adds_days: false,
    needs_schema: &[],
};

pub(super) fn statements(table: &SqlTable<'_>) -> String {
    let (files, name) = (table.files(), table.name(backticked));
    if table.load {
        return own(table, &name, files);
    }
    let engine = match (is_path(files), table.shown.layout) {
        (true, Layout::Delta) => format!("DeltaLakeLocal({})", escaped_text(&format!("{}/", files.table()))),
        (false, Layout::Delta) => format!("DeltaLake({})", escaped_text(&format!("{}/", files.table()))),
        (true, _) => format!("File(Parquet, {})", escaped_text(&files.glob(None))),
        (false, _) => format!("S3({}, 'Parquet')", escaped_text(&files.glob(None))),
    };
    let columns = table.columns().map(|field| column(table, field));
    format!("CREATE TABLE {name} (\n{}\n)\nENGINE = {engine}{};\n", lines(columns), comment(table))
}

/// Without a day, the table and all files; with one, the rows of the day, replaced.
fn own(table: &SqlTable<'_>, name: &str, files: &Files<'_>) -> String {
    let mut text = String::new();
    let timestamp = backticked(event::TIMESTAMP);
    if let Some(day) = table.day {
        let to = Day::from_epoch_days(day.epoch_days() + 1);
        let instant = |day: Day| format!("toDateTime64('{day} 00:00:00', 6, 'UTC')");
        let [from, to] = [day, to].map(instant);
        let _ = writeln!(text, "DELETE FROM {name} WHERE {timestamp} >= {from} AND {timestamp} < {to};");
    } else {
        let columns = table.columns_of_files().map(|field| column(table, field));
        let _ = writeln!(
            text,
            "CREATE TABLE {name} (\n{}\n)\nENGINE = MergeTree\nORDER BY ({timestamp}, {}){};",
            lines(columns),
            backticked(event::EVENT_ID),
            comment(table)
        );
    }
    let names = table.columns_of_files().map(|field| backticked(field.name())).collect::<Vec<_>>().join(", ");
    let structure =
        table.columns_of_files().map(|field| format!("{} {}", backticked(field.name()), column_type(field)));
    let function = if is_path(files) { "file" } else { "s3" };
    let _ = writeln!(
        text,
        "INSERT INTO {name} ({names})\nSELECT {names}\nFROM {function}({}, 'Parquet', {});",
        escaped_text(&files.glob(table.day)),
        escaped_text(&structure.collect::<Vec<_>>().join(", "))
    );
    text
}

fn is_path(files: &Files<'_>) -> bool {
    !files.target().contains("://")
}

fn column(table: &SqlTable<'_>, field: &FieldRef) -> String {
    let mut text = format!("{} {}", backticked(field.name()), column_type(field));
    if let Some(description) = table.description(field) {
        let _ = write!(text, " COMMENT {}", escaped_text(description));
    }
    text
}

fn comment(table: &SqlTable<'_>) -> String {
    let description = table.table_description();
    description.map(|text| format!("\nCOMMENT {}", escaped_text(text))).unwrap_or_default()
}

/// What every event has has few values, or is what rows are found by.
fn column_type(field: &FieldRef) -> String {
    match field.name().as_str() {
        event::EVENT_ID => "String".to_owned(),
        event::TIMESTAMP => TIMESTAMP.to_owned(),
        event::DOMAIN | event::EVENT_TYPE => "LowCardinality(String)".to_owned(),
        _ => type_name(field.data_type()),
    }
}

const TIMESTAMP: &str = "DateTime64(6, 'UTC')";

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "Nullable(String)".to_owned(),
        Kind::Int32 => "Nullable(Int32)".to_owned(),
        Kind::Int64 => "Nullable(Int64)".to_owned(),
        Kind::Float64 => "Nullable(Float64)".to_owned(),
        Kind::Boolean => "Nullable(Bool)".to_owned(),
        Kind::Date => "Nullable(Date32)".to_owned(),
        Kind::Timestamp => format!("Nullable({TIMESTAMP})"),
        Kind::Decimal { precision, scale } => format!("Nullable(Decimal({precision}, {scale}))"),
        Kind::List(element) => format!("Array({})", type_name(element)),
        Kind::Map(value) => format!("Map(String, {})", type_name(value)),
        Kind::Object(fields) => format!("Tuple({})", members(fields, backticked, " ", type_name)),
    }
}
