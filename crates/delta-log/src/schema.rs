//! The columns of a table's files → the schema in its log.
//!
//! In: an Arrow schema and the partition columns. Out: Delta's JSON, the partition columns last; everything
//! may be null.
//!
//! Invariant: a column whose type Delta does not have, or whose name its readers refuse, is an error that
//! names it.

use std::collections::HashSet;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use serde_json::{Value, json};

/// The type of a partition column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionKind {
    /// A day, `2024-10-10`.
    Date,
    /// A number of 32 bits.
    Integer,
    /// A text.
    String,
}

/// Why a schema has no counterpart in Delta.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Delta does not have a column's type.
    #[error("the column {column:?} is of the type {data_type}, which Delta tables don't have")]
    Type {
        /// The column; a part of it behind a dot.
        column: String,
        /// Its Arrow type.
        data_type: String,
    },
    /// A column has a name that readers of Delta tables refuse.
    #[error(
        "{name:?} can't be a column of a Delta table: its name has a space or one of , ; {{ }} ( ) = in it"
    )]
    Name {
        /// The column.
        name: String,
    },
    /// Two columns are one for readers of Delta tables.
    #[error("two columns are named {name:?}, and Delta tables don't distinguish upper and lower case")]
    Twice {
        /// The second of them.
        name: String,
    },
}

impl SchemaError {
    /// The column.
    #[must_use]
    pub fn column(&self) -> &str {
        match self {
            Self::Type { column, .. } => column.split('.').next().unwrap_or(column),
            Self::Name { name } | Self::Twice { name } => name,
        }
    }
}

/// The schema of a table in its log: of its files' columns, and then the partition columns.
///
/// | Arrow | Delta |
/// |---|---|
/// | Utf8, `LargeUtf8`, `Utf8View` | string |
/// | Boolean | boolean |
/// | Int8, Int16, Int32, Int64 | byte, short, integer, long |
/// | Float32, Float64 | float, double |
/// | Decimal32, 64, 128 of a scale from 0 to the precision | decimal(p,s) |
/// | Date32 | date |
/// | Timestamp(µs, "UTC") | timestamp |
/// | Binary, `LargeBinary`, `BinaryView` | binary |
/// | List, `LargeList` | array |
/// | Map | map |
/// | Struct that is not empty | struct |
///
/// Everything else is an error: numbers without a sign, times of day, timestamps of another unit or zone.
///
/// # Errors
/// A column that Delta can't have.
pub fn schema_string(schema: &Schema, partition: &[(&str, PartitionKind)]) -> Result<String, SchemaError> {
    let mut fields = fields_of("", schema.fields())?;
    let mut names: HashSet<_> = schema.fields().iter().map(|field| field.name().to_lowercase()).collect();
    for (name, kind) in partition {
        if !names.insert(name.to_lowercase()) {
            return Err(SchemaError::Twice { name: (*name).to_owned() });
        }
        let kind = match kind {
            PartitionKind::Date => "date",
            PartitionKind::Integer => "integer",
            PartitionKind::String => "string",
        };
        fields.push(field_of(name, &kind.into()));
    }
    Ok(json!({ "type": "struct", "fields": fields }).to_string())
}

fn field_of(name: &str, data_type: &Value) -> Value {
    json!({ "name": name, "type": data_type, "nullable": true, "metadata": {} })
}

fn fields_of(parent: &str, fields: &Fields) -> Result<Vec<Value>, SchemaError> {
    let mut names = HashSet::new();
    let field = |field: &std::sync::Arc<Field>| {
        let name = field.name();
        let place = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
        if name.contains([' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '=']) {
            return Err(SchemaError::Name { name: place });
        }
        if !names.insert(name.to_lowercase()) {
            return Err(SchemaError::Twice { name: place });
        }
        Ok(field_of(name, &type_of(&place, field.data_type())?))
    };
    fields.iter().map(field).collect()
}

fn type_of(place: &str, data_type: &DataType) -> Result<Value, SchemaError> {
    let unknown = || SchemaError::Type { column: place.to_owned(), data_type: data_type.to_string() };
    let name = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Boolean => "boolean",
        DataType::Int8 => "byte",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Date32 => "date",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC" => "timestamp",
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => {
            let has_scale = u8::try_from(*scale).is_ok_and(|scale| scale <= *precision);
            return if has_scale {
                Ok(format!("decimal({precision},{scale})").into())
            } else {
                Err(unknown())
            };
        }
        DataType::List(element) | DataType::LargeList(element) => {
            let element = type_of(&format!("{place}.element"), element.data_type())?;
            return Ok(json!({ "type": "array", "elementType": element, "containsNull": true }));
        }
        DataType::Map(entry, _) => {
            let DataType::Struct(parts) = entry.data_type() else { return Err(unknown()) };
            let [key, value] = parts.as_ref() else { return Err(unknown()) };
            let key = type_of(&format!("{place}.key"), key.data_type())?;
            let value = type_of(&format!("{place}.value"), value.data_type())?;
            return Ok(json!({
                "type": "map", "keyType": key, "valueType": value, "valueContainsNull": true,
            }));
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            return Ok(json!({ "type": "struct", "fields": fields_of(place, fields)? }));
        }
        _ => return Err(unknown()),
    };
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn schema(name: &str, data_type: DataType) -> Schema {
        Schema::new(vec![Field::new("event_id", DataType::Utf8, true), Field::new(name, data_type, true)])
    }

    fn of(data_type: DataType) -> Result<String, String> {
        let text = schema_string(&schema("x", data_type), &[]).map_err(|error| error.to_string())?;
        let schema: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema["type"], "struct");
        let field = &schema["fields"][1];
        assert_eq!(*field, field_of("x", &field["type"]));
        Ok(field["type"].as_str().map_or_else(|| field["type"].to_string(), str::to_owned))
    }

    fn nullable(name: &str, data_type: DataType) -> Arc<Field> {
        Arc::new(Field::new(name, data_type, true))
    }

    #[test]
    fn each_type_has_its_counterpart() {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for (data_type, expected) in [
            (DataType::Utf8, "string"),
            (DataType::LargeUtf8, "string"),
            (DataType::Boolean, "boolean"),
            (DataType::Int8, "byte"),
            (DataType::Int16, "short"),
            (DataType::Int32, "integer"),
            (DataType::Int64, "long"),
            (DataType::Float32, "float"),
            (DataType::Float64, "double"),
            (DataType::Decimal128(10, 2), "decimal(10,2)"),
            (DataType::Decimal128(38, 38), "decimal(38,38)"),
            (DataType::Date32, "date"),
            (DataType::Binary, "binary"),
            (utc.clone(), "timestamp"),
        ] {
            assert_eq!(of(data_type).as_deref(), Ok(expected));
        }
        let list = DataType::List(nullable("element", utc));
        assert_eq!(
            of(list.clone()).unwrap(),
            r#"{"containsNull":true,"elementType":"timestamp","type":"array"}"#
        );
        let entry = vec![nullable("key", DataType::Utf8), nullable("value", DataType::Int32)];
        let map = DataType::Map(nullable("key_value", DataType::Struct(entry.into())), false);
        let expected = r#"{"keyType":"string","type":"map","valueContainsNull":true,"valueType":"integer"}"#;
        assert_eq!(of(map).unwrap(), expected);
        assert_eq!(
            of(DataType::Struct(vec![nullable("a", list)].into())).unwrap(),
            r#"{"fields":[{"metadata":{},"name":"a","nullable":true,"type":{"containsNull":true,"elementType":"timestamp","type":"array"}}],"type":"struct"}"#
        );
    }

    #[test]
    fn a_type_that_delta_does_not_have_is_an_error_that_names_its_column() {
        let local = DataType::Timestamp(TimeUnit::Microsecond, None);
        for data_type in [
            DataType::UInt64,
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into())),
            DataType::Decimal128(5, -2),
            DataType::Decimal256(40, 2),
            DataType::Struct(Fields::empty()),
            DataType::Null,
        ] {
            let error = format!("the column \"x\" is of the type {data_type}, which Delta tables don't have");
            assert_eq!(of(data_type), Err(error));
        }
        let list = DataType::List(nullable("element", DataType::Struct(vec![nullable("at", local)].into())));
        let error = "the column \"x.element.at\" is of the type Timestamp(µs), which Delta tables don't have";
        assert_eq!(of(list), Err(error.to_owned()));
    }

    #[test]
    fn partition_columns_come_last_and_have_names_of_their_own() {
        let partition = [("day", PartitionKind::Date), ("hour", PartitionKind::Integer)];
        let text = schema_string(&schema("x", DataType::Int32), &partition).unwrap();
        let schema_of: Value = serde_json::from_str(&text).unwrap();
        let fields =
            ["event_id", "x", "day", "hour"].into_iter().zip(["string", "integer", "date", "integer"]);
        let fields: Vec<_> = fields.map(|(name, kind)| field_of(name, &kind.into())).collect();
        assert_eq!(schema_of["fields"], Value::from(fields));
        for (name, error) in [
            ("Day", SchemaError::Twice { name: "day".to_owned() }),
            ("EVENT_ID", SchemaError::Twice { name: "EVENT_ID".to_owned() }),
            ("a b", SchemaError::Name { name: "a b".to_owned() }),
        ] {
            assert_eq!(schema_string(&schema(name, DataType::Int32), &partition), Err(error));
        }
    }
}
