//! A value → its JSON in the line, and what a column of a given type has of it.
//!
//! Invariant: no text needs escaping. A column has the value exactly: a type that the value's own does not
//! widen to is never asked for.

use std::io::Write;

use chrono::DateTime;
use events_core::{
    catalog::{FieldKind, ValueType},
    partition::Day,
    timestamp::DAY_MICROS,
    truth::{RowDigest, decimal_text},
};

/// A value of a field that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i128),
    /// In units of its last digit, with the number of digits after the point.
    Decimal(i128, u8),
    /// In days since 1970.
    Date(i32),
    /// In microseconds since 1970.
    Timestamp(i64),
    Boolean(bool),
    Text(String),
    List(Vec<String>),
    /// `value` and `unit`.
    Object(i128, String),
}

impl Value {
    /// Appends the JSON, with a space behind each comma and colon as in all lines, or without any.
    pub(super) fn append_json(&self, space: &str, out: &mut Vec<u8>) {
        let written = match self {
            Self::Date(_) | Self::Timestamp(_) | Self::Text(_) => {
                out.push(b'"');
                self.append_text(out);
                out.push(b'"');
                return;
            }
            Self::List(texts) => write!(out, "[\"{}\"]", texts.join(&format!("\",{space}\""))),
            Self::Object(value, unit) => {
                write!(out, "{{\"value\":{space}{value},{space}\"unit\":{space}\"{unit}\"}}")
            }
            Self::Integer(_) | Self::Decimal(..) | Self::Boolean(_) => return self.append_text(out),
        };
        written.expect("writing to memory cannot fail");
    }

    /// Appends what a column of texts has of it.
    fn append_text(&self, out: &mut Vec<u8>) {
        let written = match self {
            Self::Integer(number) => write!(out, "{number}"),
            Self::Decimal(unscaled, scale) => write!(out, "{}", decimal_text(*unscaled, *scale)),
            Self::Date(days) => write!(out, "{}", Day::from_epoch_days((*days).into())),
            Self::Timestamp(micros) => {
                let time = DateTime::from_timestamp_micros(*micros).expect("an instant of the calendar");
                write!(out, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ"))
            }
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Text(text) => write!(out, "{text}"),
            Self::List(_) | Self::Object(..) => return self.append_json("", out),
        };
        written.expect("writing to memory cannot fail");
    }

    /// Adds it to a row, in a column of this type; an object has a column for each member.
    pub(super) fn write(&self, kind: &FieldKind, row: &mut RowDigest) {
        match (kind, self) {
            (FieldKind::Value(ValueType::Decimal { scale, .. }), Self::Integer(number)) => {
                row.decimal(number * 10_i128.pow((*scale).into()), *scale);
            }
            (FieldKind::Value(ValueType::Decimal { scale, .. }), Self::Decimal(unscaled, own)) => {
                row.decimal(unscaled * 10_i128.pow((scale - own).into()), *scale);
            }
            (FieldKind::Value(ValueType::Timestamp), Self::Date(days)) => {
                row.timestamp(i64::from(*days) * DAY_MICROS);
            }
            (FieldKind::Value(ValueType::Timestamp), Self::Timestamp(micros)) => row.timestamp(*micros),
            (FieldKind::Object(_), Self::Object(value, unit)) => {
                row.decimal(*value, 0);
                row.text(unit.as_bytes());
            }
            // Any other type has the same digest as its text.
            _ => row.text_of(|out| self.append_text(out)),
        }
    }

    /// Adds that a column of this type has no value.
    pub(super) fn write_null(kind: &FieldKind, row: &mut RowDigest) {
        match kind {
            FieldKind::Object(members) => members.iter().for_each(|_| row.null()),
            _ => row.null(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        let mut out = Vec::new();
        value.append_json(" ", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_written_as_a_line_has_them_and_as_a_column_has_them() {
        let decimal = |precision, scale| FieldKind::Value(ValueType::Decimal { precision, scale });
        let value = FieldKind::Value;
        let text = || value(ValueType::String);
        for (of, line, kind, column) in [
            (Value::Integer(-12), "-12", value(ValueType::Int32), "-12"),
            (Value::Integer(-12), "-12", decimal(12, 2), "-12.00"),
            (Value::Integer(-12), "-12", text(), "-12"),
            (Value::Decimal(-5, 2), "-0.05", decimal(10, 2), "-0.05"),
            (Value::Decimal(-5, 2), "-0.05", decimal(14, 4), "-0.0500"),
            (Value::Decimal(1250, 2), "12.50", text(), "12.50"),
            (Value::Date(-1), "\"1969-12-31\"", value(ValueType::Date), "1969-12-31"),
            (Value::Date(-1), "\"1969-12-31\"", value(ValueType::Timestamp), "-86400000000"),
            (Value::Date(-1), "\"1969-12-31\"", text(), "1969-12-31"),
            (
                Value::Timestamp(7_000_001),
                "\"1970-01-01T00:00:07.000001Z\"",
                value(ValueType::Timestamp),
                "7000001",
            ),
            (Value::Boolean(true), "true", text(), "true"),
            (Value::Text("ref-7".to_owned()), "\"ref-7\"", text(), "ref-7"),
            (Value::List(vec!["a".to_owned(), "b".to_owned()]), r#"["a", "b"]"#, text(), r#"["a","b"]"#),
            (
                Value::Object(5, "u".to_owned()),
                r#"{"value": 5, "unit": "u"}"#,
                text(),
                r#"{"value":5,"unit":"u"}"#,
            ),
        ] {
            assert_eq!(json(&of), line);
            let (mut found, mut expected) = (RowDigest::default(), RowDigest::default());
            of.write(&kind, &mut found);
            expected.text(column.as_bytes());
            assert_eq!(found.finish(), expected.finish(), "{line} as {kind:?}: {column}");
        }
    }
}
