//! Tables → Redshift: external tables of Spectrum, or tables of its own with `COPY`.
//!
//! Spectrum has partitions that are added one by one; over Delta tables, over the manifests that other
//! programs make for it. `COPY` takes columns by their order, so a table of its own has those of the files
//! alone.
//!
//! Invariant: nested columns are typed in an external table, and `SUPER` in one of its own.
//!
//! Sources: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_TABLE.html>,
//! <https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html>,
//! <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html>.

use std::fmt::Write;

use arrow::datatypes::DataType;
use events_core::{
    directory_name, event,
    partition::{Day, Layout},
    sql_text::{double_quoted, single_quoted},
};

use super::{
    PARTITION_DAY, PARTITION_HOUR, SqlTable, comments,
    engine::{Abilities, Addresses, Engine, Load},
    files::Files,
    kind::Kind,
    lines, members,
    names::TableNaming,
};
use crate::error::Error;

pub(super) const ABILITIES: Abilities = Abilities {
    name: "Redshift",
    naming: TableNaming::PlainLowerCase,
    name_bytes_max: Some(127),
    addresses: Addresses::Begin(&["s3://"], "an address of S3: s3://bucket/path"),
    load: Load::Days,
    adds_days: true,
    needs_schema: &[Layout::Plain, Layout::Hive, Layout::HiveWithEventType, Layout::Delta],
};

/// What Spectrum reads Delta tables by.
const MANIFESTS: &str = "_symlink_format_manifest";

pub(super) fn statements(table: &SqlTable<'_>) -> Result<String, Error> {
    let (files, name) = (table.files(), table.name(double_quoted));
    match (table.load, table.day) {
        (true, Some(day)) => Ok(day_loaded(table, &name, files, day)),
        (true, None) => Ok(own(table, &name)),
        (false, Some(day)) => partitions_added(table, &name, files, day),
        (false, None) => external(table, &name, files),
    }
}

/// External tables take no comments.
fn external(table: &SqlTable<'_>, name: &str, files: &Files<'_>) -> Result<String, Error> {
    let of_files = table.columns_of_files();
    let columns =
        of_files.map(|field| format!("{} {}", double_quoted(field.name()), external_type(field.data_type())));
    let partitions = partition_columns(table)?
        .iter()
        .map(|column| {
            let type_name = match *column {
                event::EVENT_TYPE => TEXT,
                PARTITION_DAY => "date",
                "day" if table.shown.layout == Layout::Delta => "date",
                _ => "integer",
            };
            format!("{} {type_name}", double_quoted(column))
        })
        .collect::<Vec<_>>()
        .join(", ");
    let (format, place) = if table.shown.layout == Layout::Delta {
        let format = "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'\n\
                      STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'\n\
                      OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'";
        (format, format!("{}/{MANIFESTS}", files.table()))
    } else {
        ("STORED AS PARQUET", format!("{}/", files.target()))
    };
    Ok(format!(
        "CREATE EXTERNAL TABLE {name} (\n{}\n)\nPARTITIONED BY ({partitions})\n{format}\nLOCATION {};\n",
        lines(columns),
        text(&place)
    ))
}

fn partition_columns(table: &SqlTable<'_>) -> Result<&'static [&'static str], Error> {
    match table.shown.layout {
        Layout::Plain => table.columns_of_plain_directories(Engine::Redshift),
        _ => Ok(table.shown.of_directories),
    }
}

/// The partitions of a day.
fn partitions_added(table: &SqlTable<'_>, name: &str, files: &Files<'_>, day: Day) -> Result<String, Error> {
    let columns = partition_columns(table)?;
    let mut statements = String::new();
    for (hour, place) in files.partitions(day) {
        let place = match (table.shown.layout, place.strip_prefix(&files.table())) {
            (Layout::Delta, Some(partition)) => format!("{}/{MANIFESTS}{partition}/", files.table()),
            _ => format!("{place}/"),
        };
        let day_text = day.to_string();
        let of_date = |part: usize| day_text.split('-').nth(part).unwrap_or_default().trim_start_matches('0');
        let value = |column: &&str| match *column {
            "year" => of_date(0).to_owned(),
            "month" => of_date(1).to_owned(),
            "day" if table.shown.layout != Layout::Delta => of_date(2).to_owned(),
            "hour" | PARTITION_HOUR => hour.unwrap_or_default().to_string(),
            event::EVENT_TYPE => text(&directory_name::of_hive_value(files.directory()).unwrap_or_default()),
            _ => text(&day_text),
        };
        let values: Vec<_> =
            columns.iter().map(|column| format!("{} = {}", double_quoted(column), value(column))).collect();
        let _ = writeln!(
            statements,
            "ALTER TABLE {name} ADD IF NOT EXISTS PARTITION ({}) LOCATION {};",
            values.join(", "),
            text(&place)
        );
    }
    Ok(statements)
}

fn own(table: &SqlTable<'_>, name: &str) -> String {
    let columns = table
        .columns_of_files()
        .map(|field| format!("{} {}", double_quoted(field.name()), own_type(field.data_type())));
    let comments = comments(table, ("TABLE", name), table.columns_of_files(), double_quoted, text);
    format!("CREATE TABLE {name} (\n{}\n);\n{comments}", lines(columns))
}

/// The rows of the day are replaced.
fn day_loaded(table: &SqlTable<'_>, name: &str, files: &Files<'_>, day: Day) -> String {
    let to = Day::from_epoch_days(day.epoch_days() + 1);
    let timestamp = double_quoted(event::TIMESTAMP);
    let is_nested = table.columns_of_files().any(|field| Kind::of(field.data_type()).is_nested());
    let options = if is_nested { " SERIALIZETOJSON" } else { "" };
    let place = text(&format!("{}/", files.directories(Some(day))));
    format!(
        "BEGIN;\nDELETE FROM {name} WHERE {timestamp} >= '{day}' AND {timestamp} < '{to}';\n\
         COPY {name} FROM {place} IAM_ROLE DEFAULT FORMAT AS PARQUET{options};\nCOMMIT;\n"
    )
}

/// The longest text; Spectrum cuts longer ones without a word, `COPY` fails.
const TEXT: &str = "varchar(65535)";

/// A text, in which a backslash begins an escape, too.
fn text(text: &str) -> String {
    single_quoted(text).replace('\\', "\\\\")
}

fn own_type(data_type: &DataType) -> String {
    if Kind::of(data_type).is_nested() { "super".to_owned() } else { external_type(data_type) }
}

fn external_type(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => TEXT.to_owned(),
        Kind::Int32 => "integer".to_owned(),
        Kind::Int64 => "bigint".to_owned(),
        Kind::Float64 => "double precision".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Date => "date".to_owned(),
        // In UTC.
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Kind::List(element) => format!("array<{}>", external_type(element)),
        Kind::Map(value) => format!("map<{TEXT},{}>", external_type(value)),
        Kind::Object(fields) => format!("struct<{}>", members(fields, double_quoted, ":", external_type)),
    }
}
