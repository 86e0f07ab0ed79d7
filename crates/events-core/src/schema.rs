//! An event type → its columns, as a flat table or with the payload as one nested column.
//!
//! A flattened column's name is its path joined with `_`: `data.merchant.address.city` is `data_merchant_address_city`.
//!
//! Invariant: the columns' order is that of the catalog, base columns first, and all are nullable; the flat and the
//! nested schema hold the same values in the same order.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, Schema, TimeUnit};

use crate::{
    catalog::{EventType, Field, FieldKind, ValueType},
    event,
};

/// One flattened column of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Where its value stands in the event, with dots: `data.merchant.name`.
    pub path: String,
    /// What it holds.
    pub value_type: ValueType,
}

/// The columns of a payload, depth first, in catalog order.
#[must_use]
pub fn columns(event_type: &EventType) -> Vec<Column> {
    let mut columns = Vec::new();
    collect_columns(event::DATA, event::DATA, &event_type.fields, &mut columns);
    columns
}

fn collect_columns(name: &str, path: &str, fields: &[Field], columns: &mut Vec<Column>) {
    for field in fields {
        let name = format!("{name}_{}", field.column.as_ref().unwrap_or(&field.name));
        let path = format!("{path}.{}", field.name);
        match &field.kind {
            FieldKind::Value(value_type) => columns.push(Column { name, path, value_type: *value_type }),
            FieldKind::Object(fields) => collect_columns(&name, &path, fields, columns),
        }
    }
}

/// The schema with one column per value of the payload.
#[must_use]
pub fn flat_schema(event_type: &EventType) -> Schema {
    let payload =
        columns(event_type).into_iter().map(|column| nullable(column.name, data_type(column.value_type)));
    Schema::new(base_fields().into_iter().chain(payload).collect::<Fields>())
}

/// The schema with the payload as one struct column `data`.
#[must_use]
pub fn nested_schema(event_type: &EventType) -> Schema {
    let data = nullable(event::DATA, DataType::Struct(nested_fields(&event_type.fields)));
    Schema::new(base_fields().into_iter().chain([data]).collect::<Fields>())
}

fn nested_fields(fields: &[Field]) -> Fields {
    let nested = fields.iter().map(|field| {
        let name = field.column.as_ref().unwrap_or(&field.name);
        match &field.kind {
            FieldKind::Value(value_type) => nullable(name, data_type(*value_type)),
            FieldKind::Object(fields) => nullable(name, DataType::Struct(nested_fields(fields))),
        }
    });
    nested.collect()
}

fn base_fields() -> [ArrowField; 4] {
    [
        nullable(event::EVENT_ID, DataType::Utf8),
        nullable(event::TIMESTAMP, data_type(ValueType::Timestamp)),
        nullable(event::DOMAIN, DataType::Utf8),
        nullable(event::EVENT_TYPE, DataType::Utf8),
    ]
}

fn nullable(name: impl Into<String>, data_type: DataType) -> ArrowField {
    ArrowField::new(name, data_type, true)
}

/// The Arrow type that holds a value.
#[must_use]
pub fn data_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::String | ValueType::Json => DataType::Utf8,
        ValueType::Int32 => DataType::Int32,
        ValueType::Int64 => DataType::Int64,
        ValueType::Float64 => DataType::Float64,
        ValueType::Boolean => DataType::Boolean,
        ValueType::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
        }
        ValueType::Date => DataType::Date32,
        ValueType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::BUILT_IN;

    fn text_of(schema: &Schema) -> String {
        let line = |field: &Arc<ArrowField>| {
            assert!(field.is_nullable(), "{field}");
            format!("{} {}", field.name(), field.data_type())
        };
        schema.fields().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_built_in_tables_are_the_contract_s() {
        let base = "event_id Utf8\ntimestamp Timestamp(µs, \"UTC\")\ndomain Utf8\nevent_type Utf8\n";
        for event_type in BUILT_IN.event_types() {
            let payload = match event_type.domain.as_str() {
                "account" => "data_id Int32\ndata_old_status Utf8\ndata_new_status Utf8\ndata_reason Utf8",
                _ => "data_id Utf8\ndata_to Utf8\ndata_from Utf8\ndata_amount Decimal128(10, 2)",
            };
            assert_eq!(text_of(&flat_schema(event_type)), format!("{base}{payload}"));
        }
    }

    #[test]
    fn the_nested_schema_keeps_data_as_one_struct() {
        let schema = nested_schema(&BUILT_IN.event_types()[3]);
        assert_eq!(schema.fields().len(), 5);
        let DataType::Struct(fields) = schema.field(4).data_type() else { panic!("{schema}") };
        assert_eq!(
            fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
            ["id", "to", "from", "amount"]
        );
    }
}
