//! The columns of a version's fields → a key of bytes for each row, so that the later version has the higher
//! key.
//!
//! Numbers compare as numbers, instants as instants, texts by their bytes, and the fields one after the
//! other. A field without a value, which only rows of a target can have that were held from before, is lower
//! than all values.
//!
//! Invariant: keys compare as the values of their rows do, whichever batches they are of: those of the input,
//! of the target, or read back from the spill file.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use events_core::{
    catalog::{EventType, VersionField},
    schema,
    timestamp::timestamp_text,
    truth::decimal_text,
};

use crate::position::Position;

/// In front of a value, and in the place of none.
const VALUE: u8 = 1;
const NONE: u8 = 0;
/// Behind a zero byte of a text; its end has two zero bytes.
const ZERO: u8 = 1;

/// Where a version's fields are among the columns of a batch.
#[derive(Debug, Clone, Default)]
pub struct VersionColumns {
    /// By field: a column, then an index among the members of each object.
    paths: Vec<Vec<usize>>,
}

/// The keys of the rows of a batch.
#[derive(Debug, Clone, Default)]
pub struct VersionKeys {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

/// What orders the versions of an event: the key, if its type has a version; the timestamp; the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionOrder<'k> {
    /// The key of its version.
    pub key: Option<&'k [u8]>,
    /// Its timestamp.
    pub micros: i64,
    /// Where it is.
    pub position: Position,
}

impl VersionColumns {
    /// Those of an event type's rows.
    #[must_use]
    pub fn of(event_type: &EventType, flatten: bool) -> Self {
        Self { paths: event_type.version.iter().map(|field| field.column(event_type, flatten)).collect() }
    }

    /// Whether the event type has no version.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The keys of `rows` rows with these columns; `None` if the event type has no version.
    #[must_use]
    pub fn keys(&self, columns: &[ArrayRef], rows: usize) -> Option<VersionKeys> {
        if self.is_empty() {
            return None;
        }
        let fields: Vec<_> = self.paths.iter().map(|path| Field::at(columns, path)).collect();
        let mut keys = VersionKeys { ends: Vec::with_capacity(rows), bytes: Vec::new() };
        for row in 0..rows {
            for field in &fields {
                field.add_to(row, &mut keys.bytes);
            }
            keys.ends.push(keys.bytes.len());
        }
        keys.bytes.shrink_to_fit();
        Some(keys)
    }
}

impl VersionKeys {
    /// The key of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[row]]
    }

    /// The memory that the keys take, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

impl<'k> FromIterator<&'k [u8]> for VersionKeys {
    fn from_iter<K: IntoIterator<Item = &'k [u8]>>(keys: K) -> Self {
        let mut own = Self::default();
        for key in keys {
            own.bytes.extend_from_slice(key);
            own.ends.push(own.bytes.len());
        }
        own
    }
}

/// The values in a key of this event type, as texts, each with the name of its field.
#[must_use]
pub fn version_texts<'e>(event_type: &'e EventType, mut key: &[u8]) -> Vec<(&'e str, Option<String>)> {
    let text = |field: &'e VersionField| {
        let data_type = schema::data_type(&field.field(event_type).kind);
        (field.name.as_str(), take_text(&data_type, &mut key))
    };
    event_type.version.iter().map(text).collect()
}

fn take_text(data_type: &DataType, key: &mut &[u8]) -> Option<String> {
    let (&first, rest) = key.split_first()?;
    *key = rest;
    if first == NONE {
        return None;
    }
    match data_type {
        DataType::Utf8 => take_string(key),
        DataType::Decimal128(_, scale) => {
            let (bytes, rest) = key.split_first_chunk()?;
            *key = rest;
            Some(decimal_text(
                i128::from_be_bytes(*bytes) ^ i128::MIN,
                u8::try_from(*scale).unwrap_or_default(),
            ))
        }
        data_type => {
            let (bytes, rest) = key.split_first_chunk()?;
            *key = rest;
            let value = i64::from_be_bytes(*bytes) ^ i64::MIN;
            let is_instant = matches!(data_type, DataType::Timestamp(..));
            Some(if is_instant { timestamp_text(value) } else { value.to_string() })
        }
    }
}

fn take_string(key: &mut &[u8]) -> Option<String> {
    let mut text = Vec::new();
    loop {
        match **key {
            [0, ZERO, ..] => {
                text.push(0);
                *key = &key[2..];
            }
            [0, ..] => {
                *key = key.get(2..).unwrap_or_default();
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
            [byte, ..] => {
                text.push(byte);
                *key = &key[1..];
            }
            [] => return None,
        }
    }
}

/// A field's column, with the objects that it is in.
struct Field<'c> {
    column: &'c ArrayRef,
    around: Vec<&'c ArrayRef>,
}

impl<'c> Field<'c> {
    fn at(columns: &'c [ArrayRef], path: &[usize]) -> Self {
        let (mut column, mut around) = (&columns[path[0]], Vec::new());
        for &member in &path[1..] {
            around.push(column);
            column = column.as_struct().column(member);
        }
        Self { column, around }
    }

    fn add_to(&self, row: usize, key: &mut Vec<u8>) {
        if self.column.is_null(row) || self.around.iter().any(|object| object.is_null(row)) {
            return key.push(NONE);
        }
        key.push(VALUE);
        match self.column.data_type() {
            DataType::Int32 => add_integer(self.column.as_primitive::<Int32Type>().value(row).into(), key),
            DataType::Int64 => add_integer(self.column.as_primitive::<Int64Type>().value(row), key),
            DataType::Timestamp(..) => {
                add_integer(self.column.as_primitive::<TimestampMicrosecondType>().value(row), key);
            }
            DataType::Decimal128(..) => {
                let unscaled = self.column.as_primitive::<Decimal128Type>().value(row);
                key.extend_from_slice(&(unscaled ^ i128::MIN).to_be_bytes());
            }
            DataType::Utf8 => add_text(self.column.as_string::<i32>().value(row), key),
            other => unreachable!("a catalog names no field of type {other} as a version"),
        }
    }
}

fn add_integer(value: i64, key: &mut Vec<u8>) {
    key.extend_from_slice(&(value ^ i64::MIN).to_be_bytes());
}

/// A text, so that one that another begins with is lower, whatever follows in the key.
fn add_text(text: &str, key: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(ZERO);
        }
    }
    key.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use std::{cmp::Ordering, sync::Arc};

    use arrow::{
        array::{
            Decimal128Array, Int32Array, Int64Array, StringArray, StructArray, TimestampMicrosecondArray,
        },
        datatypes::Fields,
    };
    use events_core::catalog::Catalog;
    use proptest::prelude::*;

    use super::*;

    /// The values of a row's version, absent where a column has none.
    type Values = (Option<String>, Option<i32>, Option<i128>, Option<i64>, Option<i64>);

    fn event_type() -> EventType {
        let text = "[domain.x.events.y]\nversion = ['t', 'o.i', 'o.d', 'l', 'at']\n[domain.x.events.y.fields]\n\
             other = 'json'\nl = 'int64'\nt = 'string'\nat = 'timestamp'\n\
             o = { fields = { i = 'int32', d = 'decimal(10,2)' } }";
        Catalog::from_toml(&[("x.toml", text)]).unwrap().event_types()[0].clone()
    }

    /// The columns of these rows; in the nested form, a row without a value of `i` and `d` has no object `o`.
    fn columns(rows: &[Values], flatten: bool) -> Vec<ArrayRef> {
        let event_type = event_type();
        let int32s: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int32Array>());
        let decimals = rows.iter().map(|row| row.2).collect::<Decimal128Array>();
        let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(10, 2).unwrap());
        let int64s: ArrayRef = Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>());
        let times = rows.iter().map(|row| row.4).collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
        let other: ArrayRef = Arc::new(StringArray::new_null(rows.len()));
        let flat = vec![other, int64s, texts, Arc::new(times) as ArrayRef];
        if flatten {
            return [flat, vec![int32s, decimals]].concat();
        }
        let members = schema::members(&event_type.fields);
        let DataType::Struct(inner) = members[4].data_type() else { panic!("{members:?}") };
        let there = rows.iter().map(|row| row.1.is_some() || row.2.is_some()).collect::<Vec<_>>();
        let object =
            |fields: Fields, columns, nulls| Arc::new(StructArray::new(fields, columns, nulls)) as ArrayRef;
        let inner = object(inner.clone(), vec![int32s, decimals], Some(there.into()));
        vec![object(members, [flat, vec![inner]].concat(), None)]
    }

    fn values() -> impl Strategy<Value = Values> {
        use prop::option::of;
        (of("[\0\x01a]{0,3}"), of(-2..3_i32), of(-300..300_i128), of(-2..3_i64), of(-2..3_i64))
    }

    proptest! {
        #[test]
        fn keys_compare_as_values_do_in_both_forms(rows in prop::collection::vec(values(), 2..20)) {
            let event_type = event_type();
            for flatten in [true, false] {
                let columns = columns(&rows, flatten);
                let keys = VersionColumns::of(&event_type, flatten).keys(&columns, rows.len()).unwrap();
                for (a, b) in (0..rows.len()).zip(1..rows.len()) {
                    // None is lower than every value, and texts compare by their bytes.
                    let expected: Ordering = rows[a].cmp(&rows[b]);
                    prop_assert_eq!(keys.get(a).cmp(keys.get(b)), expected, "{:?} {:?}", &rows[a], &rows[b]);
                }
                for (row, values) in rows.iter().enumerate() {
                    let texts = version_texts(&event_type, keys.get(row));
                    let of = |name: &str| texts.iter().find(|text| text.0 == name).unwrap().1.clone();
                    prop_assert_eq!(of("t"), values.0.clone());
                    prop_assert_eq!(of("o.i"), values.1.map(|value| value.to_string()));
                    prop_assert_eq!(of("at"), values.4.map(timestamp_text));
                    prop_assert_eq!(of("o.d").is_some(), values.2.is_some());
                }
            }
        }
    }
}
