//! Values of a catalog's types: in columns, in statistics, near others.
//!
//! Invariant: a value is written and read here without any code of the loader.

use std::{cmp::Ordering, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
        StringArray, TimestampMicrosecondArray,
    },
    datatypes::DataType,
};
use chrono::{DateTime, NaiveDate};

/// A value. Numbers without a fraction are days and microseconds, too; of a decimal number, all digits.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
}

/// What readers compare numbers with a fraction by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// -0.0 is 0.0: Spark, Polars.
    Same,
    /// -0.0 is less than 0.0: `DataFusion`.
    Total,
}

impl Order {
    pub(super) fn compare(self, left: &Value, right: &Value) -> Ordering {
        match (self, left, right) {
            (_, Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (_, Value::Int(left), Value::Int(right)) => left.cmp(right),
            (_, Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Self::Same, Value::Float(left), Value::Float(right)) => left.partial_cmp(right).unwrap(),
            (Self::Total, Value::Float(left), Value::Float(right)) => left.total_cmp(right),
            _ => panic!("{left:?} and {right:?} are of two columns"),
        }
    }
}

/// A column.
pub(super) fn array_of(data_type: &DataType, values: &[Option<Value>]) -> ArrayRef {
    fn ints<T: TryFrom<i128, Error: std::fmt::Debug>>(values: &[Option<Value>]) -> Vec<Option<T>> {
        let int = |value: &Value| match value {
            Value::Int(int) => T::try_from(*int).unwrap(),
            other => panic!("{other:?} in a column of numbers"),
        };
        values.iter().map(|value| value.as_ref().map(int)).collect()
    }
    match data_type {
        DataType::Int32 => Arc::new(Int32Array::from(ints(values))),
        DataType::Int64 => Arc::new(Int64Array::from(ints(values))),
        DataType::Date32 => Arc::new(Date32Array::from(ints(values))),
        DataType::Timestamp(..) => {
            Arc::new(TimestampMicrosecondArray::from(ints(values)).with_timezone("UTC"))
        }
        DataType::Decimal128(precision, scale) => {
            let array = Decimal128Array::from(ints(values));
            Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::Float64 => {
            let float = |value: &Option<Value>| match value {
                Some(Value::Float(float)) => Some(*float),
                _ => None,
            };
            Arc::new(values.iter().map(float).collect::<Float64Array>())
        }
        DataType::Boolean => {
            let boolean = |value: &Option<Value>| match value {
                Some(Value::Bool(boolean)) => Some(*boolean),
                _ => None,
            };
            Arc::new(values.iter().map(boolean).collect::<BooleanArray>())
        }
        DataType::Utf8 => {
            let text = |value: &Option<Value>| match value {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            Arc::new(values.iter().map(text).collect::<StringArray>())
        }
        other => panic!("no column of {other}"),
    }
}

/// A value in statistics, as readers take it.
pub(super) fn value_of(data_type: &DataType, json: &str) -> Value {
    let text = || serde_json::from_str::<String>(json).unwrap();
    match data_type {
        DataType::Int32 | DataType::Int64 => Value::Int(json.parse().unwrap()),
        DataType::Decimal128(_, scale) => {
            let (_, fraction) = json.split_once('.').unwrap_or((json, ""));
            assert_eq!(fraction.len(), usize::try_from(*scale).unwrap(), "{json}");
            Value::Int(json.replace('.', "").parse().unwrap())
        }
        DataType::Date32 => {
            let date = NaiveDate::parse_from_str(&text(), "%Y-%m-%d").unwrap();
            Value::Int(date.to_epoch_days().into())
        }
        DataType::Timestamp(..) => {
            let text = text();
            let milliseconds = "2024-10-10T00:00:00.000Z".len();
            assert!(text.len() == milliseconds || text.starts_with("9999-12-31T23:59:59.999"), "{text}");
            Value::Int(DateTime::parse_from_rfc3339(&text).unwrap().timestamp_micros().into())
        }
        DataType::Float64 => Value::Float(json.parse().unwrap()),
        DataType::Utf8 => Value::Text(text()),
        DataType::Boolean => Value::Bool(json.parse().unwrap()),
        other => panic!("no statistics of {other}"),
    }
}
