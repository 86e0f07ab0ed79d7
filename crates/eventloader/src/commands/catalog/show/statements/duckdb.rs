//! Tables → `DuckDB`: tables of its own, with the types that its Parquet reader gives the files, or views of
//! a target.
//!
//! Invariant: a view reads each column by its name, old and widened files alike.

use arrow::datatypes::DataType;
use events_core::{
    partition::Layout,
    sql_text::{double_quoted, single_quoted},
};

use super::{
    SqlTable, comments,
    engine::{Abilities, Addresses, Load},
    files::Files,
    kind::Kind,
    lines, members,
    names::TableNaming,
    quoting::plain_or,
};

pub(super) const ABILITIES: Abilities = Abilities {
    name: "DuckDB",
    naming: TableNaming::AsDirectoryInAnyCase,
    name_bytes_max: None,
    addresses: Addresses::Any,
    load: Load::Never,
    adds_days: false,
    needs_schema: &[],
};

pub(super) fn statements(table: &SqlTable<'_>) -> String {
    let name = table.name(identifier);
    let (what, mut text) = if let Some(files) = &table.files {
        let from = reader(table, files);
        ("VIEW", format!("CREATE VIEW {name} AS\nSELECT * FROM {from};\n"))
    } else {
        let column = table
            .columns()
            .map(|field| format!("{} {}", identifier(field.name()), type_name(field.data_type())));
        ("TABLE", format!("CREATE TABLE {name} (\n{}\n);\n", lines(column)))
    };
    text.push_str(&comments(table, (what, &name), table.columns(), identifier, single_quoted));
    text
}

/// The function that reads the files.
fn reader(table: &SqlTable<'_>, files: &Files<'_>) -> String {
    if table.shown.layout == Layout::Delta {
        return format!("delta_scan({})", single_quoted(&files.table()));
    }
    let glob = single_quoted(&files.glob(None));
    let types: Vec<_> = table
        .columns_of_directories()
        .map(|field| format!("{}: {}", identifier(field.name()), type_name(field.data_type())))
        .collect();
    if types.is_empty() {
        return format!("read_parquet({glob}, union_by_name = true, hive_partitioning = false)");
    }
    let types = types.join(", ");
    format!("read_parquet({glob}, union_by_name = true, hive_partitioning = true, hive_types = {{{types}}})")
}

fn identifier(name: &str) -> String {
    plain_or(double_quoted, name)
}

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::Int32 => "INTEGER".to_owned(),
        Kind::Int64 => "BIGINT".to_owned(),
        Kind::Float64 => "DOUBLE".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMP WITH TIME ZONE".to_owned(),
        Kind::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        Kind::List(element) => format!("{}[]", type_name(element)),
        Kind::Map(value) => format!("MAP(VARCHAR, {})", type_name(value)),
        Kind::Object(fields) => format!("STRUCT({})", members(fields, identifier, " ", type_name)),
    }
}
