//! The text of a `jsonb` value → the row of a list, a map or an object, in one pass over the text.
//!
//! Numbers are taken from their digits, so that decimals are exact.
//!
//! Invariant: members that an object of the column does not have are refused; those that the text does not
//! have are null.

use std::{borrow::Cow, fmt};

use events_core::{number, timestamp};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::columns::{ColumnBuilder, Problem, Values, finite, push_end, push_text};

impl ColumnBuilder {
    /// Adds a value by its JSON.
    pub(crate) fn push_json_text(&mut self, text: &[u8]) -> Result<(), Problem> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let read = Row(self).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        read.map_err(|error| error.to_string())
    }

    fn push_number(&mut self, digits: &str) -> Result<(), Problem> {
        let no = |what: &str| format!("{digits} is no {what}");
        match &mut self.values {
            Values::Int32(values) => values.push(digits.parse().map_err(|_| no("int32"))?),
            Values::Int64(values) => values.push(digits.parse().map_err(|_| no("int64"))?),
            Values::Float64(values) => values.push(finite(digits.parse().map_err(|_| no("float64"))?)?),
            Values::Decimal { unscaled, precision, scale } => {
                let decimal = number::parse_decimal(digits.as_bytes(), *precision, *scale);
                let exact = decimal.ok().filter(|decimal| !decimal.is_rounded);
                unscaled.push(exact.ok_or_else(|| no("decimal of its column"))?.unscaled);
            }
            _ => return Err(no("value of its column")),
        }
        self.validity.append_non_null();
        Ok(())
    }

    fn push_string(&mut self, text: &str) -> Result<(), Problem> {
        let no = || format!("{text:?} is no value of its column");
        match &mut self.values {
            Values::Text { ends, bytes } => push_text(ends, bytes, text)?,
            Values::Date(values) => values.push(timestamp::parse_date(text.as_bytes()).ok_or_else(no)?),
            Values::Timestamp(values) => {
                values.push(timestamp::parse_timestamp(text.as_bytes()).ok_or_else(no)?);
            }
            _ => return Err(no()),
        }
        self.validity.append_non_null();
        Ok(())
    }

    fn is_of_numbers(&self) -> bool {
        matches!(
            self.values,
            Values::Int32(_) | Values::Int64(_) | Values::Float64(_) | Values::Decimal { .. }
        )
    }
}

/// The next row of a column.
struct Row<'c>(&'c mut ColumnBuilder);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.0.is_of_numbers() {
            return deserializer.deserialize_any(self);
        }
        match <&RawValue>::deserialize(deserializer)?.get() {
            "null" => {
                self.0.push_null();
                Ok(())
            }
            digits => self.0.push_number(digits).map_err(D::Error::custom),
        }
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of its column")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push_null();
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let Values::Boolean(values) = &mut self.0.values else {
            return Err(E::custom(format!("{value} is no value of its column")));
        };
        values.push(value);
        self.0.validity.append_non_null();
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push_string(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Values::List { ends, elements, .. } = &mut self.0.values else {
            return Err(A::Error::custom("an array is no value of its column"));
        };
        while array.next_element_seed(Row(elements))?.is_some() {}
        push_end(ends, elements.len()).map_err(A::Error::custom)?;
        self.0.validity.append_non_null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        match &mut self.0.values {
            Values::Map { ends, keys, values, .. } => {
                while object.next_key_seed(Row(keys))?.is_some() {
                    object.next_value_seed(Row(values))?;
                }
                push_end(ends, keys.len()).map_err(A::Error::custom)?;
            }
            Values::Object { rows, fields, members } => {
                while let Some(Key(key)) = object.next_key()? {
                    let found = fields.iter().position(|field| *field.name() == *key);
                    let member = found.filter(|&member| members[member].len() == *rows);
                    let member =
                        member.ok_or_else(|| A::Error::custom(format!("it has a member {key:?}")))?;
                    object.next_value_seed(Row(&mut members[member]))?;
                }
                *rows += 1;
                members.iter_mut().filter(|member| member.len() < *rows).for_each(ColumnBuilder::push_null);
            }
            _ => return Err(A::Error::custom("an object is no value of its column")),
        }
        self.0.validity.append_non_null();
        Ok(())
    }
}

/// The key of a member.
#[derive(Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);
