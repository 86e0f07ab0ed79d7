//! Names and texts → SQL; and which names a table can't have.
//!
//! Invariant: the server takes every name that passes as it is. It would cut off longer ones without an
//! error.

use events_core::{
    catalog::EventType, partition::Layout, schema::BASE_COLUMNS, sql_text::single_quoted, table::TableColumns,
};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

/// The columns that every table has of its own: `CREATE TABLE` refuses them.
/// <https://www.postgresql.org/docs/current/ddl-system-columns.html>
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// The most columns of a table. <https://www.postgresql.org/docs/current/limits.html>
const COLUMNS_MAX: usize = 1_600;

/// The most bytes of a name: `NAMEDATALEN` - 1. <https://www.postgresql.org/docs/current/limits.html>
const NAME_BYTES_MAX: usize = 63;

/// A table that a database can't have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadTable {
    /// The table's name is too long.
    #[error(
        "its table would have a name of {bytes} bytes, {name:?}, and PostgreSQL's have at most {NAME_BYTES_MAX}"
    )]
    LongName {
        /// The name.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// A column's name is too long.
    #[error(
        "the column {column:?} has a name of {bytes} bytes, and PostgreSQL's have at most {NAME_BYTES_MAX}"
    )]
    LongColumn {
        /// The name.
        column: String,
        /// Its length.
        bytes: usize,
    },
    /// A column is called like one that every table has.
    #[error("the column {column:?} is one that every table of PostgreSQL has of its own")]
    SystemColumn {
        /// The name.
        column: String,
    },
    /// There are too many columns.
    #[error("its table would have {columns} columns, and PostgreSQL's have at most {COLUMNS_MAX}")]
    Columns {
        /// How many.
        columns: usize,
    },
    /// The name of the domain or of the event type has a U+0000, so no text can hold it.
    #[error("the name of its domain or of itself has a U+0000, which PostgreSQL's texts can't have")]
    Nul,
}

impl BadTable {
    /// The column that is the problem, if one is.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::LongColumn { column, .. } | Self::SystemColumn { column } => Some(column),
            Self::LongName { .. } | Self::Columns { .. } | Self::Nul => None,
        }
    }
}

/// Refuses names of an event type's table.
pub(crate) fn check(event_type: &EventType, columns: &TableColumns) -> Result<(), BadTable> {
    let EventType { domain, name, .. } = event_type;
    if domain.contains('\0') || name.contains('\0') {
        return Err(BadTable::Nul);
    }
    let bytes = Layout::Database.name_bytes(event_type);
    if bytes > NAME_BYTES_MAX {
        return Err(BadTable::LongName { name: event_type.directory.clone(), bytes });
    }
    for (column, _) in columns.columns() {
        if column.len() > NAME_BYTES_MAX {
            return Err(BadTable::LongColumn { column: column.to_owned(), bytes: column.len() });
        }
        if SYSTEM_COLUMNS.contains(&column) {
            return Err(BadTable::SystemColumn { column: column.to_owned() });
        }
    }
    let columns = BASE_COLUMNS + columns.columns().count();
    if columns > COLUMNS_MAX { Err(BadTable::Columns { columns }) } else { Ok(()) }
}

/// Why a schema can't have this name; `None` if it can.
#[must_use]
pub fn check_schema(schema: &str) -> Option<String> {
    match schema {
        "" => Some("a schema's name is not empty".to_owned()),
        _ if schema.len() > NAME_BYTES_MAX => {
            let bytes = schema.len();
            Some(format!(
                "{schema:?} has {bytes} bytes, and a name of PostgreSQL's has at most {NAME_BYTES_MAX}"
            ))
        }
        _ if schema.contains('\0') => Some(format!("{schema:?} has a U+0000, which no name can have")),
        _ if schema.starts_with("pg_") || schema == "information_schema" => {
            Some(format!("{schema:?} is one of PostgreSQL's own schemas"))
        }
        _ => None,
    }
}

/// A text in single quotes. One with a backslash gets an `E` in front, so that it does not depend on
/// `standard_conforming_strings`.
#[must_use]
pub fn quoted_literal(text: &str) -> String {
    let quoted = single_quoted(text);
    if quoted.contains('\\') { format!("E{}", quoted.replace('\\', "\\\\")) } else { quoted }
}

/// The name of the index on a column of a table: `_payment-to_event_id`.
pub(crate) fn index_name(table: &str, column: &str) -> String {
    let name = format!("_{table}_{column}");
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let hash = format!("~{:016x}", xxh3_64(table.as_bytes()));
    let bytes = NAME_BYTES_MAX - "_".len() - hash.len() - "_".len() - column.len();
    let kept = (0..=bytes).rev().find(|&at| table.is_char_boundary(at)).unwrap_or_default();
    format!("_{}{hash}_{column}", &table[..kept])
}
