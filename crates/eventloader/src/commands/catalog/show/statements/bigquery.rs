//! Tables → `BigQuery`: external tables, or tables of its own with `LOAD DATA`.
//!
//! Invariant: a URI has one asterisk, because `BigQuery` takes no more, and one that could match files of
//! other event types is given only where a filter keeps them out.
//!
//! Sources: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language>,
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types>,
//! <https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet>,
//! <https://cloud.google.com/bigquery/docs/create-delta-lake-table>.

use std::fmt::Write;

use arrow::datatypes::{DataType, FieldRef};
use events_core::{
    event,
    partition::{Day, Layout},
};

use super::{
    SqlTable,
    engine::{Abilities, Addresses, Engine, Load},
    files::Files,
    kind::Kind,
    lines, members,
    names::TableNaming,
    quoting::{backticked, escaped_text},
};
use crate::error::{Error, Instead};

pub(super) const ABILITIES: Abilities = Abilities {
    name: "BigQuery",
    naming: TableNaming::Plain,
    name_bytes_max: Some(300),
    addresses: Addresses::Begin(&["gs://"], "an address of Google Cloud Storage: gs://bucket/path"),
    load: Load::Days,
    adds_days: false,
    needs_schema: &[],
};

pub(super) fn statements(table: &SqlTable<'_>) -> Result<String, Error> {
    let (files, name) = (table.files(), table.name(backticked));
    match (table.load, table.day, table.shown.layout) {
        (true, Some(day), _) => Ok(day_loaded(table, &name, files, day)),
        (true, None, _) => Ok(own(table, &name)),
        // Its log has the columns.
        (false, _, Layout::Delta) => {
            let mut options = vec![
                "format = 'DELTA_LAKE'".to_owned(),
                format!("uris = [{}]", escaped_text(&files.table())),
            ];
            options.extend(description(table.table_description()));
            let options = lines(options.into_iter());
            Ok(format!("CREATE EXTERNAL TABLE {name}\nWITH CONNECTION DEFAULT\nOPTIONS (\n{options}\n);\n"))
        }
        (false, _, Layout::Plain | Layout::Database) => Err(Error::Engine {
            engine: Engine::BigQuery.name(),
            problem: "a URI of its has one asterisk, which is too few to tell event types apart in plain \
                      directories"
                .to_owned(),
            instead: Instead::LoadOrOtherLayout,
        }),
        (false, _, Layout::Hive | Layout::HiveWithEventType) => Ok(external(table, &name, files)),
    }
}

/// Over the files of all event types: a query has to say which one it wants, and opens no other's.
fn external(table: &SqlTable<'_>, name: &str, files: &Files<'_>) -> String {
    let has_nested_lists = has_nested_lists(table);
    let columns = lines(table.columns_of_files().map(|field| column(table, field, has_nested_lists)));
    let partitions = table.columns_of_directories().map(|field| {
        format!("{} {}", backticked(field.name()), type_name(field.data_type(), has_nested_lists))
    });
    let mut options = vec![
        "format = 'PARQUET'".to_owned(),
        format!("uris = [{}]", escaped_text(&format!("{}/year=*", files.target()))),
        format!("hive_partition_uri_prefix = {}", escaped_text(files.target())),
        "require_hive_partition_filter = TRUE".to_owned(),
        format!("enable_list_inference = {}", sql_boolean(!has_nested_lists)),
    ];
    options.extend(description(table.table_description()));
    format!(
        "CREATE EXTERNAL TABLE {name} (\n{columns}\n)\nWITH PARTITION COLUMNS (\n{}\n)\nOPTIONS (\n{}\n);\n",
        lines(partitions),
        lines(options.into_iter())
    )
}

fn own(table: &SqlTable<'_>, name: &str) -> String {
    let has_nested_lists = has_nested_lists(table);
    let columns = lines(table.columns_of_files().map(|field| column(table, field, has_nested_lists)));
    let timestamp = backticked(event::TIMESTAMP);
    let mut text =
        format!("CREATE TABLE {name} (\n{columns}\n)\nPARTITION BY TIMESTAMP_TRUNC({timestamp}, DAY)");
    if let Some(description) = description(table.table_description()) {
        let _ = write!(text, "\nOPTIONS ({description})");
    }
    text.push_str(";\n");
    text
}

/// The rows of the day are replaced.
fn day_loaded(table: &SqlTable<'_>, name: &str, files: &Files<'_>, day: Day) -> String {
    let [from, to] = [day.epoch_days(), day.epoch_days() + 1].map(Day::from_epoch_days);
    let timestamp = backticked(event::TIMESTAMP);
    let options = [
        "format = 'PARQUET'".to_owned(),
        format!("uris = [{}]", escaped_text(&files.glob(Some(day)))),
        format!("enable_list_inference = {}", sql_boolean(!has_nested_lists(table))),
    ];
    format!(
        "DELETE FROM {name}\nWHERE {timestamp} >= TIMESTAMP '{from} 00:00:00+00:00' \
         AND {timestamp} < TIMESTAMP '{to} 00:00:00+00:00';\nLOAD DATA INTO {name}\nFROM FILES (\n{}\n);\n",
        lines(options.into_iter())
    )
}

fn column(table: &SqlTable<'_>, field: &FieldRef, has_nested_lists: bool) -> String {
    let mut text = format!("{} {}", backticked(field.name()), type_name(field.data_type(), has_nested_lists));
    if let Some(description) = description(table.description(field)) {
        let _ = write!(text, " OPTIONS ({description})");
    }
    text
}

fn description(text: Option<&str>) -> Option<String> {
    text.map(|text| format!("description = {}", escaped_text(text)))
}

fn sql_boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// Whether a list is in a list: arrays have no arrays in them, so lists are what the file has for them,
/// groups with `list` and `element`. That is one choice for all columns of a table.
fn has_nested_lists(table: &SqlTable<'_>) -> bool {
    fn within(data_type: &DataType) -> bool {
        match Kind::of(data_type) {
            Kind::List(element) => matches!(Kind::of(element), Kind::List(_)) || within(element),
            Kind::Map(value) => within(value),
            Kind::Object(fields) => fields.iter().any(|field| within(field.data_type())),
            _ => false,
        }
    }
    table.columns().any(|field| within(field.data_type()))
}

fn type_name(data_type: &DataType, has_nested_lists: bool) -> String {
    let inner = |data_type: &DataType| type_name(data_type, has_nested_lists);
    match Kind::of(data_type) {
        Kind::Text => "STRING".to_owned(),
        Kind::Int32 | Kind::Int64 => "INT64".to_owned(),
        Kind::Float64 => "FLOAT64".to_owned(),
        Kind::Boolean => "BOOL".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMP".to_owned(),
        Kind::Decimal { precision, scale } => {
            // What the parameters of each may be is in its documentation of data types.
            let is_numeric = scale <= 9 && i16::from(precision) - i16::from(scale) <= 29;
            format!("{}({precision}, {scale})", if is_numeric { "NUMERIC" } else { "BIGNUMERIC" })
        }
        Kind::List(element) if has_nested_lists => {
            format!("STRUCT<list ARRAY<STRUCT<element {}>>>", inner(element))
        }
        Kind::List(element) => format!("ARRAY<{}>", inner(element)),
        // The groups of the file.
        Kind::Map(value) => format!("STRUCT<key_value ARRAY<STRUCT<key STRING, value {}>>>", inner(value)),
        Kind::Object(fields) => format!("STRUCT<{}>", members(fields, backticked, " ", inner)),
    }
}
