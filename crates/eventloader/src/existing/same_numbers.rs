//! A column of numbers or instants, and the same of a wider type → whether each value is still the same.
//!
//! A digest of rows is made of the columns that are written. This closes the gap before it: what
//! `event-rows/widening.rs` has made is compared with what was read, by another way.
//!
//! Invariant: columns of other types, and texts, are not looked at.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
};

const DAY_MICROS: i128 = 86_400_000_000;

/// Whether the values of `wider` are those of `found`, as far as both are numbers or instants.
pub(super) fn are_the_same(found: &ArrayRef, wider: &ArrayRef) -> bool {
    if found.data_type() == wider.data_type() {
        return true;
    }
    let Some(before) = unscaled(found) else { return true };
    let is_null = |row: usize| found.is_null(row) && wider.is_null(row);
    let is_there = |row: usize| found.is_valid(row) && wider.is_valid(row);
    if *wider.data_type() == DataType::Float64 {
        let after = wider.as_primitive::<Float64Type>().values();
        #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "only int32 becomes a float64")]
        let is_same = |row: usize| before[row] as f64 == after[row];
        return (0..before.len()).all(|row| is_null(row) || is_there(row) && is_same(row));
    }
    let Some(after) = unscaled(wider) else { return true };
    let factor = match (found.data_type(), wider.data_type()) {
        (DataType::Date32, DataType::Timestamp(..)) => DAY_MICROS,
        (from, to) => 10_i128.pow(scale(to).saturating_sub(scale(from))),
    };
    let is_same = |row: usize| before[row].checked_mul(factor) == Some(after[row]);
    after.len() == before.len() && (0..before.len()).all(|row| is_null(row) || is_there(row) && is_same(row))
}

/// The values as integers, without the point; `None` if it has none.
fn unscaled(column: &ArrayRef) -> Option<Vec<i128>> {
    macro_rules! of {
        ($type:ty) => {
            column.as_primitive::<$type>().values().iter().map(|value| i128::from(*value)).collect()
        };
    }
    Some(match column.data_type() {
        DataType::Int32 => of!(Int32Type),
        DataType::Int64 => of!(Int64Type),
        DataType::Decimal128(..) => of!(Decimal128Type),
        DataType::Date32 => of!(Date32Type),
        DataType::Timestamp(..) => of!(TimestampMicrosecondType),
        _ => return None,
    })
}

/// The digits behind the point.
fn scale(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Decimal128(_, scale) => u32::try_from(*scale).unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };

    use super::*;

    fn decimals(values: Vec<Option<i128>>, scale: i8) -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(20, scale).unwrap())
    }

    #[test]
    fn another_value_or_another_null_is_seen() {
        let found: ArrayRef = Arc::new(Int32Array::from(vec![Some(7), None, Some(-3)]));
        let days: ArrayRef = Arc::new(Date32Array::from(vec![1, -1]));
        let instants = |values: Vec<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(values)) };
        let wider: [(&ArrayRef, ArrayRef, ArrayRef); 6] = [
            (
                &found,
                Arc::new(Int64Array::from(vec![Some(7), None, Some(-3)])),
                Arc::new(Int64Array::from(vec![Some(7), None, Some(-4)])),
            ),
            (
                &found,
                Arc::new(Int64Array::from(vec![Some(7), None, Some(-3)])),
                Arc::new(Int64Array::from(vec![Some(7), Some(0), Some(-3)])),
            ),
            (
                &found,
                Arc::new(Float64Array::from(vec![Some(7.0), None, Some(-3.0)])),
                Arc::new(Float64Array::from(vec![Some(7.5), None, Some(-3.0)])),
            ),
            (
                &found,
                decimals(vec![Some(700), None, Some(-300)], 2),
                decimals(vec![Some(700), None, Some(-3)], 2),
            ),
            (
                &decimals(vec![Some(15), None], 1),
                decimals(vec![Some(1_500), None], 3),
                decimals(vec![Some(15), None], 3),
            ),
            (&days, instants(vec![86_400_000_000, -86_400_000_000]), instants(vec![86_400_000_000, 0])),
        ];
        for (found, same, other) in &wider {
            assert!(are_the_same(found, same) && !are_the_same(found, other), "{found:?} {other:?}");
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["7", "", "-3"]));
        assert!(are_the_same(&found, &texts), "texts are not looked at");
    }
}
