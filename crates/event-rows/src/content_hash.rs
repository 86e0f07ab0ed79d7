//! Rows of a batch → a hash of the content of each: its timestamp and the values of its columns.
//!
//! The hash is computed from the columns, not from the line: the order of fields, white space and fields that
//! are not in the schema make no difference. A map's entries are in the order of the line, so theirs does. It
//! goes column by column, so that rows in ascending order are
//! read as they lie in memory.
//!
//! Invariant: rows of one event type with equal contents have the same hash, in any batch, spilled or not.
//! Other rows have the same hash as rarely as 64 random bits coincide; the seed is random, so no input can
//! force it.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
};
use foldhash::quality::SeedableRandomState;

use crate::batch::Batch;

/// The hashes of these rows.
#[must_use]
pub fn hash_rows(state: &SeedableRandomState, batch: &Batch, rows: &[u32]) -> Vec<u64> {
    let mut hashes: Vec<_> = rows.iter().map(|&row| state.hash_one(batch.micros[row as usize])).collect();
    for column in &batch.columns {
        add_column(state, column, rows, &mut hashes);
    }
    hashes
}

/// The hashes of all rows.
#[must_use]
pub fn hash_batch(state: &SeedableRandomState, batch: &Batch) -> Vec<u64> {
    let rows: Vec<_> = (0..).take(batch.rows()).collect();
    hash_rows(state, batch, &rows)
}

/// Adds the column's value of each row to its hash.
fn add_column(state: &SeedableRandomState, column: &ArrayRef, rows: &[u32], hashes: &mut [u64]) {
    macro_rules! add_primitive {
        ($type:ty, $part:expr) => {{
            let values = column.as_primitive::<$type>().values();
            add(state, column, rows, hashes, |row| $part(values[row]));
        }};
    }
    match column.data_type() {
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            add(state, column, rows, hashes, |row| texts.value(row));
        }
        DataType::Int32 => add_primitive!(Int32Type, i64::from),
        DataType::Int64 => add_primitive!(Int64Type, i64::from),
        DataType::Float64 => add_primitive!(Float64Type, f64::to_bits),
        DataType::Decimal128(..) => add_primitive!(Decimal128Type, i128::from),
        DataType::Date32 => add_primitive!(Date32Type, i64::from),
        DataType::Timestamp(..) => add_primitive!(TimestampMicrosecondType, i64::from),
        DataType::Boolean => {
            let values = column.as_boolean().values();
            add(state, column, rows, hashes, |row| values.value(row));
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            add_elements(state, column, (list.value_offsets(), list.values()), rows, hashes);
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            add_elements(state, column, (map.value_offsets(), &entries), rows, hashes);
        }
        DataType::Struct(_) => {
            add(state, column, rows, hashes, |_| true);
            for member in column.as_struct().columns() {
                add_column(state, member, rows, hashes);
            }
        }
        other => unreachable!("the catalog has no type that becomes {other}"),
    }
}

fn add<T: Hash>(
    state: &SeedableRandomState,
    column: &ArrayRef,
    rows: &[u32],
    hashes: &mut [u64],
    value: impl Fn(usize) -> T,
) {
    let nulls = column.nulls();
    for (hash, &row) in hashes.iter_mut().zip(rows) {
        let row = row as usize;
        *hash = if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            state.hash_one((*hash, value(row)))
        } else {
            state.hash_one(!*hash)
        };
    }
}

/// The length of a list or map, then its elements or entries.
fn add_elements(
    state: &SeedableRandomState,
    column: &ArrayRef,
    (ends, elements): (&[i32], &ArrayRef),
    rows: &[u32],
    hashes: &mut [u64],
) {
    add(state, column, rows, hashes, |row| ends[row + 1] - ends[row]);
    let elements_of = |row: u32| {
        let row = row as usize;
        let range = if column.is_null(row) { 0..0 } else { ends[row]..ends[row + 1] };
        range.map(i32::cast_unsigned)
    };
    let places: Vec<_> = rows.iter().flat_map(|&row| elements_of(row)).collect();
    let mut of_elements = vec![0; places.len()];
    add_column(state, elements, &places, &mut of_elements);
    let mut of_elements = of_elements.into_iter();
    for (hash, &row) in hashes.iter_mut().zip(rows) {
        for element in of_elements.by_ref().take(elements_of(row).len()) {
            *hash = state.hash_one((*hash, element));
        }
    }
}
