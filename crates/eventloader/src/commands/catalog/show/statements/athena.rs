//! Tables → Athena: external tables.
//!
//! Over plain directories, Athena projects the partitions: it makes their addresses from a range of days.
//!
//! Invariant: a table over plain directories reads those of its event type alone; one over the layout hive
//! has the partitions of all event types, because `MSCK REPAIR TABLE` finds all.
//!
//! Sources: <https://docs.aws.amazon.com/athena/latest/ug/create-table.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/delta-lake-tables-getting-started.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>.

use std::fmt::Write;

use arrow::datatypes::DataType;
use events_core::partition::Layout;

use super::{
    PARTITION_DAY, PARTITION_HOUR, SqlTable,
    engine::{Abilities, Addresses, Engine, Load},
    files::Files,
    kind::Kind,
    lines, members,
    names::TableNaming,
    quoting::{backticked, escaped_text},
};
use crate::error::Error;

pub(super) const ABILITIES: Abilities = Abilities {
    name: "Athena",
    naming: TableNaming::PlainLowerCase,
    name_bytes_max: Some(255),
    addresses: Addresses::Begin(&["s3://"], "an address of S3: s3://bucket/path"),
    load: Load::Never,
    adds_days: false,
    needs_schema: &[],
};

/// The days whose directories a table over plain ones reads.
pub(super) const DAYS_PROJECTED: [&str; 2] = ["2000/01/01", "NOW"];

pub(super) fn statements(table: &SqlTable<'_>) -> Result<String, Error> {
    let (files, name) = (table.files(), table.name(backticked));
    if table.shown.layout == Layout::Delta {
        // Nothing else is allowed; its log has the columns.
        let place = escaped_text(&format!("{}/", files.table()));
        return Ok(format!(
            "CREATE EXTERNAL TABLE {name}\nLOCATION {place}\nTBLPROPERTIES ('table_type' = 'DELTA');\n"
        ));
    }
    let of_files = table.columns_of_files().map(|field| {
        let mut column = format!("{} {}", backticked(field.name()), type_name(field.data_type()));
        if let Some(description) = table.description(field) {
            let _ = write!(column, " COMMENT {}", escaped_text(description));
        }
        column
    });
    let mut text = format!("CREATE EXTERNAL TABLE {name} (\n{}\n)\n", lines(of_files));
    if let Some(description) = table.table_description() {
        let _ = writeln!(text, "COMMENT {}", escaped_text(description));
    }
    let is_plain = table.shown.layout == Layout::Plain;
    let partitions: Vec<_> = if is_plain {
        let names = table.columns_of_plain_directories(Engine::Athena)?;
        let type_name = |name: &str| if name == PARTITION_DAY { "string" } else { "int" };
        names.iter().map(|name| format!("{} {}", backticked(name), type_name(name))).collect()
    } else {
        let columns = table.columns_of_directories();
        columns
            .map(|field| format!("{} {}", backticked(field.name()), type_name(field.data_type())))
            .collect()
    };
    let place = escaped_text(&format!("{}/", files.target()));
    let _ = write!(text, "PARTITIONED BY ({})\nSTORED AS PARQUET\nLOCATION {place}", partitions.join(", "));
    if is_plain {
        let properties = projection(files).into_iter();
        let pairs =
            properties.map(|(name, value)| format!("{} = {}", escaped_text(&name), escaped_text(&value)));
        let _ = writeln!(text, "\nTBLPROPERTIES (\n{}\n);", lines(pairs));
    } else {
        let _ = writeln!(text, ";\nMSCK REPAIR TABLE {name};");
    }
    Ok(text)
}

/// How the addresses of partitions are made.
fn projection(files: &Files<'_>) -> Vec<(String, String)> {
    let property =
        |column: &str, name: &str, value: &str| (format!("projection.{column}.{name}"), value.to_owned());
    let mut properties = vec![
        ("projection.enabled".to_owned(), "true".to_owned()),
        property(PARTITION_DAY, "type", "date"),
        property(PARTITION_DAY, "format", "yyyy/MM/dd"),
        property(PARTITION_DAY, "range", &DAYS_PROJECTED.join(",")),
    ];
    if files.is_by_hour() {
        properties.extend([
            property(PARTITION_HOUR, "type", "integer"),
            property(PARTITION_HOUR, "range", "0,23"),
            property(PARTITION_HOUR, "digits", "2"),
        ]);
    }
    properties.push(("storage.location.template".to_owned(), projected_place(files)));
    properties
}

/// The address of a projected partition, with its columns as placeholders.
pub(super) fn projected_place(files: &Files<'_>) -> String {
    let hour = if files.is_by_hour() { format!("/${{{PARTITION_HOUR}}}") } else { String::new() };
    format!("{}/${{{PARTITION_DAY}}}{hour}/{}/", files.target(), files.directory())
}

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "string".to_owned(),
        Kind::Int32 => "int".to_owned(),
        Kind::Int64 => "bigint".to_owned(),
        Kind::Float64 => "double".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Date => "date".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Kind::List(element) => format!("array<{}>", type_name(element)),
        Kind::Map(value) => format!("map<string,{}>", type_name(value)),
        Kind::Object(fields) => format!("struct<{}>", members(fields, backticked, ":", type_name)),
    }
}
