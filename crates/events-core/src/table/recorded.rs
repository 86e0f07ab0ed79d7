//! The columns of a table ↔ JSON, as the commits of a target record them.
//!
//! Invariant: what is written is read back as the same columns. A type that is not known is an error, never
//! another type.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{TableColumns, column};
use crate::catalog::{Field, FieldKind, ValueType};

/// A column, as it is recorded: `["data_id", "int32"]`.
pub(super) type RecordedColumn = (String, RecordedKind);

/// A type, as it is recorded.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum RecordedKind {
    Value(String),
    Object { fields: Vec<RecordedColumn> },
    List { list: Box<RecordedKind> },
    Map { map: Box<RecordedKind> },
}

impl From<TableColumns> for Vec<RecordedColumn> {
    fn from(table: TableColumns) -> Self {
        recorded(table.columns)
    }
}

fn recorded(fields: Vec<Field>) -> Vec<RecordedColumn> {
    fields.into_iter().map(|field| (field.name, recorded_kind(field.kind))).collect()
}

fn recorded_kind(kind: FieldKind) -> RecordedKind {
    match kind {
        FieldKind::Value(value_type) => RecordedKind::Value(value_type.to_string()),
        FieldKind::Object(fields) => RecordedKind::Object { fields: recorded(fields) },
        FieldKind::List(element) => RecordedKind::List { list: Box::new(recorded_kind(*element)) },
        FieldKind::Map(value) => RecordedKind::Map { map: Box::new(recorded_kind(*value)) },
    }
}

impl TryFrom<Vec<RecordedColumn>> for TableColumns {
    type Error = String;

    fn try_from(columns: Vec<RecordedColumn>) -> Result<Self, Self::Error> {
        Ok(Self { columns: read(columns)?, version: BTreeSet::new(), are_texts_alike: false })
    }
}

fn read(columns: Vec<RecordedColumn>) -> Result<Vec<Field>, String> {
    columns.into_iter().map(|(name, kind)| Ok(column(name, read_kind(kind)?))).collect()
}

fn read_kind(kind: RecordedKind) -> Result<FieldKind, String> {
    Ok(match kind {
        RecordedKind::Value(text) => {
            let value_type = ValueType::parse(&text);
            FieldKind::Value(value_type.ok_or_else(|| format!("expected a type, found {text:?}"))?)
        }
        RecordedKind::Object { fields } => FieldKind::Object(read(fields)?),
        RecordedKind::List { list } => FieldKind::List(Box::new(read_kind(*list)?)),
        RecordedKind::Map { map } => FieldKind::Map(Box::new(read_kind(*map)?)),
    })
}
