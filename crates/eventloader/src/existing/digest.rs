//! Rows, some at a time → a digest of their values in their order.
//!
//! Each column is hashed by itself, as streams of its values: whether a row has one, how long texts and lists
//! are, and the values. So values go into the hash as they lie in memory, and it does not matter how rows are
//! divided into batches.
//!
//! Invariant: rows with equal digests have the same values in the same order, unless 128 bits coincide by
//! chance. What lies behind a null makes no difference.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringArray},
    buffer::NullBuffer,
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
        TimestampMicrosecondType, ToByteSlice,
    },
};
use xxhash_rust::xxh3::Xxh3Default;

/// The digest of some rows.
#[derive(Clone, Default)]
pub(crate) struct RowsDigest {
    rows: u64,
    ids: Stream,
    times: Stream,
    columns: Vec<Stream>,
}

/// The values of a column, of the elements of its lists, or of a member of its objects.
#[derive(Clone, Default)]
struct Stream {
    /// For each row whether it has a value.
    presence: Xxh3Default,
    /// How long each text, list or map is.
    lengths: Xxh3Default,
    values: Xxh3Default,
    inner: Vec<Stream>,
}

/// The values of a list or map, with those that belong to each row.
struct Elements<'a> {
    ends: &'a [i32],
    values: &'a ArrayRef,
}

impl RowsDigest {
    /// How many rows it has seen.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows with these ids and timestamps, and the same columns as those before.
    pub(crate) fn add(&mut self, ids: &StringArray, micros: &[i64], columns: &[ArrayRef]) {
        self.rows += micros.len() as u64;
        self.ids.add_texts(ids, None);
        self.times.values.update(micros.to_byte_slice());
        self.columns.resize_with(columns.len(), Stream::default);
        for (stream, column) in self.columns.iter_mut().zip(columns) {
            stream.add(column, column.nulls());
        }
    }

    /// The digest of all rows.
    pub(crate) fn finish(&self) -> u128 {
        let mut all = Xxh3Default::new();
        all.update(&self.rows.to_le_bytes());
        for stream in [&self.ids, &self.times].into_iter().chain(&self.columns) {
            stream.add_to(&mut all);
        }
        all.digest128()
    }
}

impl std::fmt::Debug for RowsDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsDigest").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Stream {
    fn add_to(&self, all: &mut Xxh3Default) {
        for part in [&self.presence, &self.lengths, &self.values] {
            all.update(&part.digest128().to_le_bytes());
        }
        all.update(&(self.inner.len() as u64).to_le_bytes());
        self.inner.iter().for_each(|inner| inner.add_to(all));
    }

    /// Adds a column. `nulls` are its own and those of the objects around it.
    fn add(&mut self, column: &ArrayRef, nulls: Option<&NullBuffer>) {
        self.add_presence(column.len(), nulls);
        match column.data_type() {
            DataType::Utf8 => self.add_texts(column.as_string(), nulls),
            DataType::Int32 => self.add_values::<Int32Type>(column, nulls),
            DataType::Int64 => self.add_values::<Int64Type>(column, nulls),
            DataType::Float64 => self.add_values::<Float64Type>(column, nulls),
            DataType::Decimal128(..) => self.add_values::<Decimal128Type>(column, nulls),
            DataType::Date32 => self.add_values::<Date32Type>(column, nulls),
            DataType::Timestamp(..) => self.add_values::<TimestampMicrosecondType>(column, nulls),
            DataType::Boolean => {
                let values = column.as_boolean().values();
                let bytes: Vec<_> = (0..values.len())
                    .map(|row| u8::from(values.value(row) && is_valid(nulls, row)))
                    .collect();
                self.values.update(&bytes);
            }
            DataType::Struct(_) => {
                let members = column.as_struct().columns();
                self.inner.resize_with(members.len(), Self::default);
                for (stream, member) in self.inner.iter_mut().zip(members) {
                    let nulls = NullBuffer::union(nulls, member.nulls());
                    stream.add(member, nulls.as_ref());
                }
            }
            DataType::List(_) => {
                let list = column.as_list::<i32>();
                self.add_elements(Elements { ends: list.value_offsets(), values: list.values() }, nulls);
            }
            DataType::Map(..) => {
                let map = column.as_map();
                let entries: ArrayRef = Arc::new(map.entries().clone());
                self.add_elements(Elements { ends: map.value_offsets(), values: &entries }, nulls);
            }
            other => unreachable!("the catalog has no type that becomes {other}"),
        }
    }

    fn add_presence(&mut self, rows: usize, nulls: Option<&NullBuffer>) {
        const PRESENT: [u8; 1024] = [1; 1024];
        if let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) {
            let bytes: Vec<_> = nulls.iter().map(u8::from).collect();
            return self.presence.update(&bytes);
        }
        let mut left = rows;
        while left > 0 {
            let some = left.min(PRESENT.len());
            self.presence.update(&PRESENT[..some]);
            left -= some;
        }
    }

    fn add_values<T: ArrowPrimitiveType>(&mut self, column: &ArrayRef, nulls: Option<&NullBuffer>) {
        let values = column.as_primitive::<T>().values();
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => self.values.update(values.to_byte_slice()),
            Some(nulls) => {
                let present: Vec<_> = nulls.valid_indices().map(|row| values[row]).collect();
                self.values.update(present.to_byte_slice());
            }
        }
    }

    fn add_texts(&mut self, texts: &StringArray, nulls: Option<&NullBuffer>) {
        let (ends, bytes) = (texts.value_offsets(), texts.value_data());
        let lengths: Vec<_> = (ends.windows(2).enumerate())
            .map(|(row, ends)| if is_valid(nulls, row) { ends[1] - ends[0] } else { 0 })
            .collect();
        self.lengths.update(lengths.to_byte_slice());
        let total: i64 = lengths.iter().map(|length| i64::from(*length)).sum();
        let (first, last) = (place(ends[0]), place(ends[texts.len()]));
        if usize::try_from(total).is_ok_and(|total| total == last - first) {
            return self.values.update(&bytes[first..last]);
        }
        for (row, ends) in ends.windows(2).enumerate().filter(|(row, _)| is_valid(nulls, *row)) {
            debug_assert!(row < texts.len());
            self.values.update(&bytes[place(ends[0])..place(ends[1])]);
        }
    }

    fn add_elements(&mut self, Elements { ends, values }: Elements<'_>, nulls: Option<&NullBuffer>) {
        let rows = ends.windows(2).enumerate();
        let lengths: Vec<_> =
            rows.map(|(row, ends)| if is_valid(nulls, row) { ends[1] - ends[0] } else { 0 }).collect();
        self.lengths.update(lengths.to_byte_slice());
        self.inner.resize_with(1, Self::default);
        let mut add = |first: usize, last: usize| {
            let some = values.slice(first, last - first);
            self.inner[0].add(&some, some.nulls());
        };
        let total: i64 = lengths.iter().map(|length| i64::from(*length)).sum();
        let (first, last) = (place(ends[0]), place(ends[ends.len() - 1]));
        if usize::try_from(total).is_ok_and(|total| total == last - first) {
            return add(first, last);
        }
        for (row, ends) in ends.windows(2).enumerate() {
            if is_valid(nulls, row) {
                add(place(ends[0]), place(ends[1]));
            }
        }
    }
}

fn is_valid(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row))
}

fn place(end: i32) -> usize {
    usize::try_from(end).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{BooleanArray, Int32Array, ListArray, StructArray},
        buffer::{NullBuffer, OffsetBuffer},
        datatypes::{Field, Fields},
    };

    use super::*;

    /// Rows with a text, a number, a list of numbers and an object, some of them null. Behind a null there is
    /// `hidden`.
    fn rows(texts: &[Option<&str>], hidden: i32) -> (StringArray, Vec<i64>, Vec<ArrayRef>) {
        let present: Vec<_> = texts.iter().map(Option::is_some).collect();
        let nulls = || Some(NullBuffer::from(present.clone()));
        let number = |text: Option<&str>| text.map_or(hidden, |text| i32::try_from(text.len()).unwrap());
        let numbers = Int32Array::new(texts.iter().copied().map(number).collect(), nulls());
        // A null list has an element that nobody sees.
        let elements = Int32Array::from_iter_values(texts.iter().copied().map(number));
        let field = Arc::new(Field::new("element", DataType::Int32, true));
        let lists = ListArray::new(
            field,
            OffsetBuffer::from_lengths(vec![1; texts.len()]),
            Arc::new(elements),
            nulls(),
        );
        let members = Fields::from(vec![Field::new("n", DataType::Int32, true)]);
        let object = StructArray::new(members, vec![Arc::new(numbers.clone())], nulls());
        let ids = StringArray::from_iter_values((0..texts.len()).map(|row| format!("id {row}")));
        let flags = BooleanArray::from(present.clone());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(numbers),
            Arc::new(lists),
            Arc::new(object),
            Arc::new(flags),
        ];
        (ids, (0..).take(texts.len()).collect(), columns)
    }

    fn digest(of: &(StringArray, Vec<i64>, Vec<ArrayRef>), cuts: &[usize]) -> u128 {
        let (ids, micros, columns) = of;
        let mut digest = RowsDigest::default();
        let ends = cuts.iter().copied().chain([micros.len()]);
        let mut first = 0;
        for end in ends {
            let columns: Vec<_> = columns.iter().map(|column| column.slice(first, end - first)).collect();
            digest.add(&ids.slice(first, end - first), &micros[first..end], &columns);
            first = end;
        }
        assert_eq!(digest.rows(), micros.len() as u64);
        digest.finish()
    }

    const TEXTS: [Option<&str>; 7] = [Some("a"), None, Some(""), Some("bc"), None, Some("d"), Some("é")];

    #[test]
    fn it_does_not_matter_how_rows_are_divided_and_what_nulls_hide() {
        let whole = digest(&rows(&TEXTS, 0), &[]);
        for cuts in [&[1][..], &[2, 5], &[0, 3, 3, 7], &[1, 2, 3, 4, 5, 6]] {
            assert_eq!(digest(&rows(&TEXTS, 0), cuts), whole, "{cuts:?}");
            assert_eq!(digest(&rows(&TEXTS, 17), cuts), whole, "{cuts:?}, with another value behind nulls");
        }
    }

    #[test]
    fn other_values_another_order_and_other_nulls_are_seen() {
        let whole = digest(&rows(&TEXTS, 0), &[]);
        let mut seen = vec![whole];
        for change in 0..6 {
            let mut texts = TEXTS.to_vec();
            match change {
                0 => texts.swap(0, 5),
                1 => texts[1] = Some(""),
                2 => texts[2] = None,
                3 => texts[3] = Some("bd"),
                // The same letters, of other rows.
                4 => (texts[0], texts[3]) = (Some("ab"), Some("c")),
                _ => drop(texts.pop()),
            }
            let other = digest(&rows(&texts, 0), &[]);
            assert!(!seen.contains(&other), "{texts:?}");
            seen.push(other);
        }
        let (ids, mut micros, columns) = rows(&TEXTS, 0);
        micros[3] += 1;
        assert!(!seen.contains(&digest(&(ids, micros, columns), &[])));
    }
}
