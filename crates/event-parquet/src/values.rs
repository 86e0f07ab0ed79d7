//! The values of a page, collected from Arrow arrays → encoded, with a dictionary or without.
//!
//! Nulls are not values: the page's levels represent them.
//!
//! Invariant: all values of one column are of one kind, except for ids: they are UUIDs as long as all of the
//! page's are.

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
};
use event_rows::{Id, Ids, RowRef, UUID_TEXT_BYTES, uuid_text};
use parquet::{
    basic::{Encoding, Type},
    schema::types::ColumnDescriptor,
};

use crate::{
    Encodings, bounds::Bounds, delta, dictionary::Dictionary, hybrid, plain, shared_prefixes, texts::Texts,
    uuid_texts::UuidTexts,
};

/// Values of one column.
#[derive(Debug)]
pub(crate) enum Values {
    /// Integers, decimals of up to 18 digits, days, instants.
    Ints {
        values: Vec<i64>,
        is_32: bool,
    },
    Doubles(Vec<f64>),
    Booleans(Vec<bool>),
    /// Decimals of more digits, in `width` bytes.
    Wide {
        values: Vec<i128>,
        width: usize,
    },
    Texts(Texts),
    /// Event ids, all UUIDs.
    Uuids(Vec<u128>),
    /// The same text in all rows.
    Same {
        text: Box<str>,
        count: usize,
    },
}

impl Values {
    /// An empty collection for a column of the file, with room for some values.
    pub(crate) fn of_column(column: &ColumnDescriptor, room: usize) -> Self {
        match column.physical_type() {
            Type::INT32 => Self::Ints { values: Vec::with_capacity(room), is_32: true },
            Type::INT64 | Type::INT96 => Self::Ints { values: Vec::with_capacity(room), is_32: false },
            Type::FLOAT | Type::DOUBLE => Self::Doubles(Vec::with_capacity(room)),
            Type::BOOLEAN => Self::Booleans(Vec::with_capacity(room)),
            Type::BYTE_ARRAY => Self::Texts(Texts::with_capacity(room)),
            Type::FIXED_LEN_BYTE_ARRAY => {
                let width = usize::try_from(column.type_length()).unwrap_or(16);
                Self::Wide { values: Vec::with_capacity(room), width }
            }
        }
    }

    /// Adds the values of some rows of an array of the column's type.
    pub(crate) fn extend(&mut self, array: &ArrayRef, rows: &[RowRef]) {
        match self {
            Self::Ints { values, .. } => extend_ints(values, array, rows),
            Self::Doubles(values) => extend_present::<Float64Type, _>(values, array, rows, |value| value),
            Self::Wide { values, .. } => {
                extend_present::<Decimal128Type, _>(values, array, rows, |value| value);
            }
            Self::Booleans(values) => {
                let array = array.as_boolean();
                let rows = rows.iter().map(|row| row.row());
                values.extend(rows.filter(|&row| array.is_valid(row)).map(|row| array.value(row)));
            }
            Self::Texts(texts) => {
                let array = array.as_string::<i32>();
                let (ends, bytes) = (array.value_offsets(), array.value_data());
                let place = |at: i32| usize::try_from(at).unwrap_or(0);
                let all_present = array.null_count() == 0;
                for row in rows.iter().map(|row| row.row()) {
                    if all_present || array.is_valid(row) {
                        texts.push_part(bytes, place(ends[row])..place(ends[row + 1]));
                    }
                }
            }
            Self::Uuids(_) | Self::Same { .. } => unreachable!("a base column"),
        }
    }

    /// Adds event ids; if one is not a UUID, all become texts.
    pub(crate) fn extend_ids(&mut self, ids: &Ids, rows: &[RowRef]) {
        if let (Self::Uuids(values), Ids::Uuids(uuids)) = (&mut *self, ids) {
            return values.extend(rows.iter().map(|row| uuids[row.row()]));
        }
        if let Self::Uuids(uuids) = self {
            let mut texts = Texts::default();
            for &uuid in uuids.iter() {
                texts.push(&uuid_text(uuid));
            }
            *self = Self::Texts(texts);
        }
        let Self::Texts(texts) = self else { unreachable!("ids are UUIDs or texts") };
        for row in rows {
            match ids.get(row.row()) {
                Id::Uuid(uuid) => texts.push(&uuid_text(uuid)),
                Id::Text(text) => texts.push(text.as_bytes()),
            }
        }
    }

    /// Adds timestamps.
    pub(crate) fn extend_micros(&mut self, micros: &[i64], rows: &[RowRef]) {
        let Self::Ints { values, .. } = self else { unreachable!("times are integers") };
        values.extend(rows.iter().map(|row| micros[row.row()]));
    }

    /// Adds the one text `times` more times.
    pub(crate) fn repeat(&mut self, times: usize) {
        let Self::Same { count, .. } = self else { unreachable!("a column of one text") };
        *count += times;
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ints { values, .. } => values.len(),
            Self::Doubles(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Wide { values, .. } => values.len(),
            Self::Texts(texts) => texts.len(),
            Self::Uuids(uuids) => uuids.len(),
            Self::Same { count, .. } => *count,
        }
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Self::Ints { values, .. } => values.clear(),
            Self::Doubles(values) => values.clear(),
            Self::Booleans(values) => values.clear(),
            Self::Wide { values, .. } => values.clear(),
            Self::Texts(texts) => texts.clear(),
            Self::Uuids(uuids) => uuids.clear(),
            Self::Same { count, .. } => *count = 0,
        }
    }

    /// The bytes of all texts; `None` for values of a fixed width.
    pub(crate) fn text_bytes(&self) -> Option<usize> {
        match self {
            Self::Texts(texts) => Some(texts.bytes().len()),
            Self::Uuids(uuids) => Some(uuids.len() * UUID_TEXT_BYTES),
            Self::Same { text, count } => Some(text.len() * count),
            _ => None,
        }
    }

    /// Whether words of a dictionary take four bytes.
    pub(crate) fn is_32(&self) -> bool {
        matches!(self, Self::Ints { is_32: true, .. })
    }

    /// The least and the greatest; `None` if there are no values.
    pub(crate) fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Ints { values, is_32 } => {
                let (min, max) = min_max(values)?;
                Some(Bounds::Int { min, max, is_32: *is_32 })
            }
            Self::Doubles(values) => Bounds::of_doubles(values.iter().copied()),
            Self::Booleans(values) => {
                let (min, max) = min_max(values)?;
                Some(Bounds::Boolean { min, max })
            }
            Self::Wide { values, width } => {
                let (min, max) = min_max(values)?;
                Some(Bounds::Wide { min, max, width: *width })
            }
            Self::Texts(texts) => Bounds::of_texts(texts.iter()),
            Self::Uuids(uuids) => UuidTexts::of_uuids(uuids).bounds(),
            Self::Same { text, count } => {
                Bounds::of_texts([text.as_bytes()].into_iter().take((*count).min(1)))
            }
        }
    }

    /// Appends the values without a dictionary.
    pub(crate) fn encode(&self, encodings: Encodings, out: &mut Vec<u8>) -> Encoding {
        match self {
            _ if encodings == Encodings::Basic => plain::encode(self, out),
            Self::Doubles(_) | Self::Booleans(_) | Self::Wide { .. } => plain::encode(self, out),
            Self::Ints { values, is_32 } => {
                delta::encode(values, *is_32, out);
                Encoding::DELTA_BINARY_PACKED
            }
            Self::Texts(texts) if shared_prefixes::pay(texts) => {
                shared_prefixes::encode(texts, out);
                Encoding::DELTA_BYTE_ARRAY
            }
            // Separate lengths, which mostly take no bytes at all, leave the compressor nothing but text.
            Self::Texts(texts) => {
                delta::encode(&texts.lengths().collect::<Vec<_>>(), true, out);
                out.extend_from_slice(texts.bytes());
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
            Self::Uuids(uuids) => {
                let encoding = UuidTexts::of_uuids(uuids).encode_front(out);
                out.reserve(uuids.len() * UUID_TEXT_BYTES);
                for &uuid in uuids {
                    out.extend_from_slice(&uuid_text(uuid));
                }
                encoding
            }
            Self::Same { text, count } => {
                let mut texts = Texts::default();
                (0..*count).for_each(|_| texts.push(text.as_bytes()));
                Self::Texts(texts).encode(encodings, out)
            }
        }
    }

    /// The values as UUIDs behind one prefix, if they are.
    pub(crate) fn uuid_texts(&self) -> Option<UuidTexts<'_>> {
        match self {
            Self::Uuids(uuids) => Some(UuidTexts::of_uuids(uuids)),
            Self::Texts(texts) => UuidTexts::of_texts(texts),
            _ => None,
        }
    }

    /// A dictionary of the first values of a column chunk, if it would pay off for these.
    pub(crate) fn dictionary(&self, encodings: Encodings) -> Option<Dictionary> {
        /// The number of values that are looked at.
        const SAMPLE_VALUES: usize = 512;
        /// The number of texts among which at least one must be a repeat to look at more: columns of ids are
        /// rejected early.
        const ANY_REPEAT_VALUES: usize = 64;
        let count = self.len().min(SAMPLE_VALUES);
        match self {
            Self::Same { .. } => Some(Dictionary::of_texts(1)),
            Self::Texts(texts) => {
                let mut sample = Dictionary::of_texts(count / 2 + 1);
                let repeat = texts.iter().take(count).zip(1..).all(|(text, seen)| {
                    sample.place_of_text(text);
                    sample.len() * 2 <= count && (seen != ANY_REPEAT_VALUES || sample.len() < seen)
                });
                repeat.then_some(sample)
            }
            Self::Ints { values, is_32 } => {
                let word_bytes = if *is_32 { 4 } else { 8 };
                let direct_bytes = match encodings {
                    Encodings::Compact => {
                        let mut direct = Vec::new();
                        delta::encode(&values[..count], *is_32, &mut direct);
                        direct.len()
                    }
                    Encodings::Basic => count * word_bytes,
                };
                words_pay(values[..count].iter().copied(), word_bytes, direct_bytes)
            }
            Self::Doubles(values) => {
                words_pay(values[..count].iter().map(|value| value.to_bits().cast_signed()), 8, count * 8)
            }
            Self::Booleans(_) | Self::Wide { .. } | Self::Uuids(_) => None,
        }
    }

    /// Finds or adds the values' indices in a dictionary of their kind.
    pub(crate) fn places(&self, dictionary: &mut Dictionary, places: &mut Vec<u32>) {
        match self {
            Self::Same { text, count } => {
                let place = dictionary.place_of_text(text.as_bytes());
                places.resize(places.len() + count, place);
            }
            Self::Texts(texts) => {
                // Many columns have the same text in most rows.
                let mut last: (&[u8], Option<u32>) = (b"", None);
                places.extend(texts.iter().map(|text| match last {
                    (before, Some(place)) if before == text => place,
                    _ => {
                        let place = dictionary.place_of_text(text);
                        last = (text, Some(place));
                        place
                    }
                }));
            }
            Self::Ints { values, .. } => {
                places.extend(values.iter().map(|value| dictionary.place_of_word(*value)));
            }
            Self::Doubles(values) => {
                let word = |value: &f64| value.to_bits().cast_signed();
                places.extend(values.iter().map(|value| dictionary.place_of_word(word(value))));
            }
            Self::Booleans(_) | Self::Wide { .. } | Self::Uuids(_) => unreachable!("they have no dictionary"),
        }
    }
}

/// The least and the greatest; `None` if there are no values.
pub(crate) fn min_max<T: Copy + Ord>(values: &[T]) -> Option<(T, T)> {
    let (&first, rest) = values.split_first()?;
    Some(rest.iter().fold((first, first), |(min, max), &value| (min.min(value), max.max(value))))
}

/// A dictionary, if the sample takes fewer bytes with one than without.
fn words_pay(
    mut sample: impl ExactSizeIterator<Item = i64>,
    word_bytes: usize,
    direct_bytes: usize,
) -> Option<Dictionary> {
    let count = sample.len();
    let mut distinct = Dictionary::of_words(count / 2 + 1);
    let pays = sample.all(|word| {
        distinct.place_of_word(word);
        let width = hybrid::bit_width(distinct.len() as u64 - 1);
        distinct.len() * word_bytes + count * usize::from(width) / 8 < direct_bytes
    });
    pays.then_some(distinct)
}

#[expect(clippy::cast_possible_truncation, reason = "a decimal of 18 digits fits into 64 bits")]
fn extend_ints(values: &mut Vec<i64>, array: &ArrayRef, rows: &[RowRef]) {
    match array.data_type() {
        DataType::Int32 => extend_present::<Int32Type, _>(values, array, rows, i64::from),
        DataType::Date32 => extend_present::<Date32Type, _>(values, array, rows, i64::from),
        DataType::Int64 => extend_present::<Int64Type, _>(values, array, rows, |value| value),
        DataType::Decimal128(..) => {
            extend_present::<Decimal128Type, _>(values, array, rows, |value| value as i64);
        }
        _ => extend_present::<TimestampMicrosecondType, _>(values, array, rows, |value| value),
    }
}

fn extend_present<T: ArrowPrimitiveType, V>(
    values: &mut Vec<V>,
    array: &ArrayRef,
    rows: &[RowRef],
    convert: impl Fn(T::Native) -> V,
) {
    let array = array.as_primitive::<T>();
    let all = array.values();
    if array.null_count() == 0 {
        values.extend(rows.iter().map(|row| convert(all[row.row()])));
    } else {
        let present = rows.iter().map(|row| row.row()).filter(|&row| array.is_valid(row));
        values.extend(present.map(|row| convert(all[row])));
    }
}
