//! A column → what is left of it where lists, maps and objects are `jsonb`: maps have their entries in its
//! order, and there is no −0.0.
//!
//! Rows of the input are brought into this form before they compete, so that an event that is delivered again
//! is equal to the row that a database returns.
//!
//! Invariant: a column that is in this form already is not touched.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array},
    compute::take,
    datatypes::{DataType, Float64Type},
    error::ArrowError,
};

/// The column as a database returns it.
///
/// # Panics
/// If the parts of the column do not fit each other, which Arrow does not allow.
#[must_use]
pub fn as_jsonb(column: &ArrayRef) -> ArrayRef {
    let is_jsonb = match column.data_type() {
        DataType::List(element) => {
            matches!(element.data_type(), DataType::List(_) | DataType::Map(..) | DataType::Struct(_))
        }
        other => matches!(other, DataType::Map(..) | DataType::Struct(_)),
    };
    if !is_jsonb {
        return Arc::clone(column);
    }
    match within(column) {
        Ok(column) => column,
        Err(error) => unreachable!("its parts have as many rows as before: {error}"),
    }
}

fn within(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match column.data_type() {
        DataType::Float64 => {
            let floats = column.as_primitive::<Float64Type>();
            let is_negative_zero = |float: &f64| float.to_bits() == (-0.0_f64).to_bits();
            if !floats.values().iter().any(is_negative_zero) {
                return Ok(Arc::clone(column));
            }
            Arc::new(floats.unary::<_, Float64Type>(|float| if float == 0.0 { 0.0 } else { float }))
        }
        DataType::List(element) => {
            let list = column.as_list::<i32>();
            let values = within(list.values())?;
            Arc::new(ListArray::try_new(
                Arc::clone(element),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )?)
        }
        DataType::Struct(fields) => {
            let object = column.as_struct();
            let members = object.columns().iter().map(within).collect::<Result<_, _>>()?;
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                members,
                object.nulls().cloned(),
                column.len(),
            )?)
        }
        DataType::Map(entry, is_sorted) => {
            let map = column.as_map();
            let (mut keys, mut values) = (Arc::clone(map.keys()), within(map.values())?);
            if let Some(order) = order(map) {
                (keys, values) = (take(&keys, &order, None)?, take(&values, &order, None)?);
            }
            let parts = map.entries().fields().clone();
            let entries = StructArray::try_new(parts, vec![keys, values], None)?;
            Arc::new(MapArray::try_new(
                Arc::clone(entry),
                map.offsets().clone(),
                entries,
                map.nulls().cloned(),
                *is_sorted,
            )?)
        }
        _ => Arc::clone(column),
    })
}

/// The entries in the order of `jsonb`: shorter keys first, then by their bytes. `None` if they are in it.
/// <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/jsonb_util.c>
/// (`lengthCompareJsonbString`)
fn order(map: &MapArray) -> Option<UInt32Array> {
    let keys = map.keys().as_string::<i32>();
    let key = |entry: u32| {
        let key = keys.value(entry as usize);
        (key.len(), key)
    };
    let mut entries: Vec<u32> = (0..).take(keys.len()).collect();
    let mut is_changed = false;
    for ends in map.value_offsets().windows(2) {
        let [start, end] = [ends[0], ends[1]].map(|end| usize::try_from(end).unwrap_or_default());
        let entries = &mut entries[start..end];
        if !entries.is_sorted_by_key(|&entry| key(entry)) {
            entries.sort_unstable_by_key(|&entry| key(entry));
            is_changed = true;
        }
    }
    is_changed.then(|| entries.into())
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{Float64Builder, ListBuilder, MapBuilder, StringBuilder},
        datatypes::ToByteSlice,
    };

    use super::*;

    type Entry<'e> = (&'e str, Option<f64>);

    /// Maps of floats.
    fn maps(rows: &[Option<&[Entry<'_>]>]) -> ArrayRef {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
        for row in rows {
            for (key, value) in row.unwrap_or_default() {
                builder.keys().append_value(key);
                builder.values().append_option(*value);
            }
            builder.append(row.is_some()).unwrap();
        }
        Arc::new(builder.finish())
    }

    #[test]
    fn entries_are_in_the_order_of_jsonb_and_zeros_have_no_sign() {
        let given = maps(&[
            Some(&[("bb", Some(-0.0)), ("é", Some(1.0)), ("c", None), ("", Some(-2.0))]),
            None,
            Some(&[]),
        ]);
        let expected = maps(&[
            Some(&[("", Some(-2.0)), ("c", None), ("bb", Some(0.0)), ("é", Some(1.0))]),
            None,
            Some(&[]),
        ]);
        let found = as_jsonb(&given);
        assert_eq!(&found, &expected);
        let zero = found.as_map().values().as_primitive::<Float64Type>().value(2);
        assert_eq!(zero.to_byte_slice(), 0.0_f64.to_byte_slice());
        assert_eq!(&as_jsonb(&expected), &expected);
    }

    #[test]
    fn a_column_that_is_no_jsonb_stays() {
        let mut builder = ListBuilder::new(Float64Builder::new());
        builder.values().append_value(-0.0);
        builder.append(true);
        let list: ArrayRef = Arc::new(builder.finish());
        let floats = Arc::clone(list.as_list::<i32>().values());
        for column in [list, floats] {
            let kept = as_jsonb(&column);
            assert_eq!(kept.to_data().buffers(), column.to_data().buffers());
        }
    }
}
