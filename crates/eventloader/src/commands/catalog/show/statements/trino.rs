//! Tables → Trino: tables of its connectors for Hive and Delta Lake.
//!
//! Over plain directories, Trino projects the partitions, as Athena does, by the same properties.
//!
//! Invariant: a table over plain directories reads those of its event type alone; one over the layout hive
//! has the partitions of all event types, because the procedure that finds them finds all.
//!
//! Sources: <https://trino.io/docs/current/connector/hive.html>,
//! <https://trino.io/docs/current/connector/delta-lake.html>.

use std::fmt::Write;

use arrow::datatypes::{DataType, FieldRef};
use events_core::{
    partition::Layout,
    sql_text::{double_quoted, single_quoted},
};

use super::{
    PARTITION_DAY, SqlTable,
    athena::{DAYS_PROJECTED, projected_place},
    engine::{Abilities, Addresses, Engine, Load},
    kind::Kind,
    lines, members,
    names::TableNaming,
};
use crate::error::Error;

pub(super) const ABILITIES: Abilities = Abilities {
    name: "Trino",
    naming: TableNaming::PlainLowerCase,
    name_bytes_max: Some(128),
    addresses: Addresses::Begin(
        &["s3://", "gs://", "abfs://", "abfss://", "hdfs://", "local://", "file://"],
        "an address of a file system: s3://bucket/path, gs://bucket/path, abfss://container@account/path",
    ),
    load: Load::Never,
    adds_days: false,
    needs_schema: &[Layout::Hive, Layout::HiveWithEventType, Layout::Delta],
};

pub(super) fn statements(table: &SqlTable<'_>) -> Result<String, Error> {
    let files = table.files();
    if table.shown.layout == Layout::Delta {
        let place = single_quoted(&files.table());
        return Ok(procedure(table, "register_table", &[("table_location", place)]));
    }
    let is_plain = table.shown.layout == Layout::Plain;
    let mut columns: Vec<_> = table.columns().map(|field| column(table, field)).collect();
    let partitions = if is_plain {
        let names = table.columns_of_plain_directories(Engine::Trino)?;
        columns.extend(names.iter().map(|name| projected_column(name)));
        names
    } else {
        table.shown.of_directories
    };
    let mut text =
        format!("CREATE TABLE {} (\n{}\n)\n", table.name(double_quoted), lines(columns.into_iter()));
    if let Some(description) = table.table_description() {
        let _ = writeln!(text, "COMMENT {}", single_quoted(description));
    }
    let partitions: Vec<_> = partitions.iter().map(|name| single_quoted(name)).collect();
    let mut properties = vec![
        "format = 'PARQUET'".to_owned(),
        format!("external_location = {}", single_quoted(&format!("{}/", files.target()))),
        format!("partitioned_by = ARRAY[{}]", partitions.join(", ")),
    ];
    if is_plain {
        properties.push("partition_projection_enabled = TRUE".to_owned());
        let place = single_quoted(&projected_place(files));
        properties.push(format!("partition_projection_location_template = {place}"));
    }
    let _ = writeln!(text, "WITH (\n{}\n);", lines(properties.into_iter()));
    if !is_plain {
        text.push_str(&procedure(table, "sync_partition_metadata", &[("mode", "'FULL'".to_owned())]));
    }
    Ok(text)
}

/// A call of a connector's procedure for the table. What stands before the schema is the catalog.
fn procedure(table: &SqlTable<'_>, procedure: &str, more: &[(&str, String)]) -> String {
    let parts: Vec<_> = table.name.iter().rev().collect();
    let [name, schema, catalog @ ..] = parts.as_slice() else { unreachable!("a schema is required") };
    let system = "system".to_owned();
    let catalog: Vec<_> = catalog.iter().rev().map(|part| double_quoted(part)).chain([system]).collect();
    let mut arguments =
        format!("schema_name => {}, table_name => {}", single_quoted(schema), single_quoted(name));
    for (argument, value) in more {
        let _ = write!(arguments, ", {argument} => {value}");
    }
    format!("CALL {}.{procedure}({arguments});\n", catalog.join("."))
}

fn column(table: &SqlTable<'_>, field: &FieldRef) -> String {
    let mut column = format!("{} {}", double_quoted(field.name()), type_name(field.data_type()));
    if let Some(description) = table.description(field) {
        let _ = write!(column, " COMMENT {}", single_quoted(description));
    }
    column
}

/// A column of the directories, with the values that it can have.
fn projected_column(name: &str) -> String {
    let (type_name, properties) = if name == PARTITION_DAY {
        let [from, to] = DAYS_PROJECTED;
        let range = format!("partition_projection_range = ARRAY['{from}', '{to}']");
        let kind = "partition_projection_type = 'DATE', partition_projection_format = 'yyyy/MM/dd'";
        ("VARCHAR", format!("{kind}, {range}"))
    } else {
        let range = "partition_projection_range = ARRAY['0', '23'], partition_projection_digits = 2";
        ("INTEGER", format!("partition_projection_type = 'INTEGER', {range}"))
    };
    format!("{} {type_name} WITH ({properties})", double_quoted(name))
}

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::Int32 => "INTEGER".to_owned(),
        Kind::Int64 => "BIGINT".to_owned(),
        Kind::Float64 => "DOUBLE".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Date => "DATE".to_owned(),
        // In UTC. Its Hive connector has no other, and takes this one where `hive.timestamp-precision` is
        // MICROSECONDS.
        Kind::Timestamp => "TIMESTAMP(6)".to_owned(),
        Kind::Decimal { precision, scale } => format!("DECIMAL({precision}, {scale})"),
        Kind::List(element) => format!("ARRAY({})", type_name(element)),
        Kind::Map(value) => format!("MAP(VARCHAR, {})", type_name(value)),
        Kind::Object(fields) => format!("ROW({})", members(fields, double_quoted, " ", type_name)),
    }
}
