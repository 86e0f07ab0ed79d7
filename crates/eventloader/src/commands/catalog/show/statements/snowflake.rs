//! Tables → Snowflake: external tables over a stage, or tables of its own with `COPY INTO`.
//!
//! Names are in upper case, which is what Snowflake makes of names without quotes: `SELECT event_id` works.
//!
//! Invariant: a statement reads the files of its event type alone, by a pattern, or those that the log of its
//! Delta table counts.
//!
//! Sources: <https://docs.snowflake.com/en/sql-reference/sql/create-external-table>,
//! <https://docs.snowflake.com/en/sql-reference/sql/copy-into-table>. With its logical types, an instant in
//! UTC is a `TIMESTAMP_LTZ` to its Parquet reader: <https://github.com/apache/arrow-adbc/issues/3766>.

use std::fmt::Write;

use arrow::datatypes::{DataType, FieldRef};
use events_core::{
    directory_name, event,
    partition::{Day, Layout},
    sql_text::double_quoted,
};

use super::{
    PARTITION_DAY, PARTITION_HOUR, SqlTable,
    engine::{Abilities, Addresses, Engine, Load},
    files::Files,
    kind::Kind,
    lines,
    names::TableNaming,
    quoting::escaped_text,
};
use crate::error::Error;

pub(super) const ABILITIES: Abilities = Abilities {
    name: "Snowflake",
    naming: TableNaming::Plain,
    name_bytes_max: Some(255),
    addresses: Addresses::Begin(&["@"], "a stage and the path below it: @STAGE/path"),
    load: Load::Any,
    adds_days: false,
    needs_schema: &[],
};

const FILE_FORMAT: &str = "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)";

pub(super) fn statements(table: &SqlTable<'_>) -> Result<String, Error> {
    let name = table.name(identifier);
    let files = table.files();
    if table.load { Ok(own(table, &name, files)) } else { external(table, &name, files) }
}

fn external(table: &SqlTable<'_>, name: &str, files: &Files<'_>) -> Result<String, Error> {
    let layout = table.shown.layout;
    let of_file = |field: &FieldRef| {
        let value = format!("value:{}", double_quoted(field.name()));
        column(table, field, Some(&cast(&value, field.data_type())))
    };
    let mut columns: Vec<_> = table.columns_of_files().map(of_file).collect();
    let mut partitions = Vec::new();
    for (name, type_name, value) in partition_columns(table, files)? {
        columns.push(format!("{} {type_name} AS ({value})", identifier(name)));
        // All files of the table have one event type.
        if name != event::EVENT_TYPE {
            partitions.push(identifier(name));
        }
    }
    let mut text = format!("CREATE EXTERNAL TABLE {name} (\n{}\n)\n", lines(columns.into_iter()));
    let _ = writeln!(text, "PARTITION BY ({})", partitions.join(", "));
    if layout == Layout::Delta {
        let _ = writeln!(text, "LOCATION = {}", stage(&format!("{}/", files.table())));
        text.push_str("REFRESH_ON_CREATE = FALSE\nAUTO_REFRESH = FALSE\n");
    } else {
        let _ = writeln!(text, "LOCATION = {}", stage(&format!("{}/", files.target())));
        let _ = writeln!(text, "AUTO_REFRESH = FALSE\nPATTERN = {}", pattern(files, None));
    }
    text.push_str(FILE_FORMAT);
    if layout == Layout::Delta {
        text.push_str("\nTABLE_FORMAT = DELTA");
    }
    text.push_str(&comment(table));
    text.push_str(";\n");
    if layout == Layout::Delta {
        let _ = writeln!(text, "ALTER EXTERNAL TABLE {name} REFRESH;");
    }
    Ok(text)
}

/// The columns of the directories: their names, types and expressions.
fn partition_columns(
    table: &SqlTable<'_>,
    files: &Files<'_>,
) -> Result<Vec<(&'static str, &'static str, String)>, Error> {
    let number_of = |level: usize| {
        let expression = escaped_text(&format!("{}$", files.expression_of(level)));
        format!("REGEXP_SUBSTR(METADATA$FILENAME, {expression}, 1, 1, 'e', 1)::NUMBER(10,0)")
    };
    let columns = match table.shown.layout {
        Layout::Plain => table.columns_of_plain_directories(Engine::Snowflake)?,
        _ => table.shown.of_directories,
    };
    let column = |(level, name): (usize, &&'static str)| match *name {
        PARTITION_DAY => {
            let parts = [0, 1, 2].map(number_of).join(", ");
            (PARTITION_DAY, "DATE", format!("DATE_FROM_PARTS({parts})"))
        }
        PARTITION_HOUR => (PARTITION_HOUR, "NUMBER(10,0)", number_of(3)),
        event::EVENT_TYPE => {
            let event_type = directory_name::of_hive_value(files.directory()).unwrap_or_default();
            (event::EVENT_TYPE, "VARCHAR", format!("{}::VARCHAR", escaped_text(&event_type)))
        }
        "day" if table.shown.layout == Layout::Delta => {
            let day = r"'day=([0-9]{4}-[0-9]{2}-[0-9]{2})/'";
            ("day", "DATE", format!("REGEXP_SUBSTR(METADATA$FILENAME, {day}, 1, 1, 'e', 1)::DATE"))
        }
        "hour" if table.shown.layout == Layout::Delta => {
            let hour = "REGEXP_SUBSTR(METADATA$FILENAME, '/hour=([0-9]+)/', 1, 1, 'e', 1)::NUMBER(10,0)";
            ("hour", "NUMBER(10,0)", hour.to_owned())
        }
        name => (name, "NUMBER(10,0)", number_of(level)),
    };
    Ok(columns.iter().enumerate().map(column).collect())
}

/// Without a day, the table and all files; with one, the rows of the day, replaced.
fn own(table: &SqlTable<'_>, name: &str, files: &Files<'_>) -> String {
    let mut text = String::new();
    if let Some(day) = table.day {
        let [from, to] = [day.epoch_days(), day.epoch_days() + 1].map(Day::from_epoch_days);
        let timestamp = identifier(event::TIMESTAMP);
        let _ = writeln!(
            text,
            "BEGIN;\nDELETE FROM {name}\nWHERE {timestamp} >= '{from} 00:00:00 +00:00'::TIMESTAMP_LTZ \
             AND {timestamp} < '{to} 00:00:00 +00:00'::TIMESTAMP_LTZ;"
        );
    } else {
        let columns = table.columns_of_files().map(|field| column(table, field, None));
        let _ = writeln!(text, "CREATE TABLE {name} (\n{}\n){};", lines(columns), comment(table));
    }
    let names = table.columns_of_files().map(|field| identifier(field.name())).collect::<Vec<_>>().join(", ");
    let values = table
        .columns_of_files()
        .map(|field| cast(&format!("$1:{}", double_quoted(field.name())), field.data_type()));
    let _ = writeln!(
        text,
        "COPY INTO {name} ({names})\nFROM (\n  SELECT\n{}\n  FROM {}\n)\nPATTERN = {}\n{FILE_FORMAT}",
        lines(values).replace("  ", "    "),
        stage(&format!("{}/", table.day.map_or(files.target().to_owned(), |day| files.day(day)))),
        pattern(files, table.day)
    );
    // Files that it has loaded before are loaded again: their rows were deleted.
    text.push_str(if table.day.is_some() {
        "FORCE = TRUE;\nCOMMIT;\n"
    } else {
        "ON_ERROR = ABORT_STATEMENT;\n"
    });
    text
}

fn column(table: &SqlTable<'_>, field: &FieldRef, value: Option<&str>) -> String {
    let mut text = format!("{} {}", identifier(field.name()), type_name(field.data_type()));
    if let Some(value) = value {
        let _ = write!(text, " AS ({value})");
    }
    if let Some(description) = table.description(field) {
        let _ = write!(text, " COMMENT {}", escaped_text(description));
    }
    text
}

fn comment(table: &SqlTable<'_>) -> String {
    let description = table.table_description();
    description.map(|text| format!("\nCOMMENT = {}", escaped_text(text))).unwrap_or_default()
}

/// A regular expression for the whole path of a file.
fn pattern(files: &Files<'_>, day: Option<Day>) -> String {
    escaped_text(&format!("(.*/)?{}", files.expression(day)))
}

/// A stage with a path needs quotes for anything that a name without them can't have.
fn stage(place: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'_' | b'.' | b'/' | b'-' | b'=');
    if place.bytes().all(is_plain) { place.to_owned() } else { escaped_text(place) }
}

fn identifier(name: &str) -> String {
    double_quoted(&name.to_uppercase())
}

fn cast(value: &str, data_type: &DataType) -> String {
    format!("{value}::{}", type_name(data_type))
}

fn type_name(data_type: &DataType) -> String {
    match Kind::of(data_type) {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::Int32 => "NUMBER(10,0)".to_owned(),
        Kind::Int64 => "NUMBER(19,0)".to_owned(),
        Kind::Float64 => "FLOAT".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::Timestamp => "TIMESTAMP_LTZ(6)".to_owned(),
        Kind::Decimal { precision, scale } => format!("NUMBER({precision},{scale})"),
        Kind::List(_) => "ARRAY".to_owned(),
        Kind::Object(_) => "OBJECT".to_owned(),
        // An object, or a list of pairs: releases of its reader differ.
        Kind::Map(_) => "VARIANT".to_owned(),
    }
}
