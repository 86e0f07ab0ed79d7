//! Files that no load of a test's size produces: several row groups, with columns of every type.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use event_rows::{Batch, CHUNK_ROWS, Id, Ids, Position, RowRef, Rows, chunk_rows, uuid_text};
use events_core::{catalog::Catalog, schema::TableForm};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    basic::Encoding,
    file::{
        metadata::RowGroupMetaData,
        page_index::column_index::ColumnIndexMetaData,
        reader::{FileReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
};

use super::*;

const FLAT: TableForm = TableForm { flatten: true, has_event_type: true };
const COMPACT: Format = Format { codec: Codec::Zstd, encodings: Encodings::Compact };

/// A file of all rows of the batches.
fn file_of(batches: &[Batch], table: &Table<'_>, codec: Codec) -> Bytes {
    let all = |batch: usize| (0..batches[batch].rows()).map(move |row| RowRef::new(batch, row));
    let refs: Vec<_> = (0..batches.len()).flat_map(all).collect();
    let mut scratch = Scratch::new(codec).unwrap();
    let mut writer = FileWriter::new(table, Vec::new()).unwrap();
    let mut rest = refs.as_slice();
    while !rest.is_empty() {
        let (refs, behind) = rest.split_at(chunk_rows(batches, rest, CHUNK_ROWS));
        writer.write(Rows { batches, refs }, &mut scratch).unwrap();
        rest = behind;
    }
    assert_eq!(writer.rows(), refs.len() as u64);
    writer.finish(&mut scratch).unwrap().0.into()
}

#[test]
fn the_footer_says_how_many_rows_there_are_and_how_they_are_sorted() {
    const ROWS: u32 = 20_000;
    let catalog = Catalog::from_toml(&[("x.toml", "[domain.a.events.b.fields]\nn = 'int64'")]).unwrap();
    let batch = Batch {
        positions: (0..ROWS).map(|line| Position::new(0, line)).collect(),
        micros: (0..i64::from(ROWS)).collect(),
        ids: Ids::Uuids((0..u128::from(ROWS)).collect()),
        columns: vec![Arc::new((0..i64::from(ROWS)).collect::<Int64Array>())],
        versions: None,
    };
    let table = Table::new(&catalog.event_types()[0], FLAT, COMPACT).unwrap();
    let file = file_of(&[batch], &table, Codec::Zstd);
    let read = |offset: u64, bytes: &mut [u8]| {
        let start = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&file[start..start + bytes.len()]);
        Ok(())
    };
    assert_eq!(rows_in_footer(file.len() as u64, read).unwrap(), u64::from(ROWS));
    let reader = SerializedFileReader::new(file).unwrap();
    let sorting = reader.metadata().row_group(0).sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [1, 0]);
}

/// Numbers that look random but are always the same.
fn numbers(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(|index| {
        (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    })
}

#[test]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "any numbers will do, as long as they stay the same"
)]
fn columns_of_every_kind_read_back_over_pages_row_groups_and_dictionaries() {
    const COUNT: u64 = 140_000;
    let text = "[domain.a.events.b.fields]\n\
        few = 'string'\nmany = 'string'\nmore = 'string'\nsmall = 'int32'\nlarge = 'int64'\nfloat = 'float64'\nflag = 'boolean'\n\
        money = 'decimal(10,2)'\nhuge = 'decimal(38,9)'\nday = 'date'\nat = 'timestamp'\nnothing = 'int64'";
    let catalog = Catalog::from_toml(&[("x.toml", text)]).unwrap();
    let given = |every: u64| move |number: &u64| !number.is_multiple_of(every);
    let some = |every: u64| numbers(COUNT).map(move |number| Some(number).filter(given(every)));
    let signed = |number: u64| number.cast_signed();
    let columns: Vec<ArrayRef> = vec![
        // A dictionary, with and without nulls in a page; none; one that is abandoned when it has grown too
        // large.
        Arc::new(
            some(3)
                .enumerate()
                .map(|(row, n)| n.or((row < 30_000).then_some(7)).map(|n| format!("é{}", n % 5)))
                .collect::<StringArray>(),
        ),
        Arc::new(
            some(50)
                .map(|n| n.map(|n| "x".repeat((n % 90) as usize) + &n.to_string()))
                .collect::<StringArray>(),
        ),
        Arc::new(
            numbers(COUNT)
                .enumerate()
                .map(|(row, n)| Some(if row < 2_000 { n % 3 } else { n }.to_string()))
                .collect::<StringArray>(),
        ),
        Arc::new(some(2).map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
        Arc::new(some(1_000_000).map(|n| n.map(signed)).collect::<Int64Array>()),
        Arc::new(some(9).map(|n| n.map(|n| (signed(n) % 40) as f64 / 8.0)).collect::<Float64Array>()),
        Arc::new(some(4).map(|n| n.map(|n| n % 7 < 2)).collect::<BooleanArray>()),
        Arc::new(decimals(some(5).map(|n| n.map(|n| i128::from(signed(n) % 10_000_000_000))), 10, 2)),
        Arc::new(decimals(some(6).map(|n| n.map(|n| i128::from(signed(n)) * i128::from(u32::MAX))), 38, 9)),
        Arc::new(some(8).map(|n| n.map(|n| (n % 40_000) as i32)).collect::<Date32Array>()),
        Arc::new(
            some(10)
                .map(|n| n.map(|n| signed(n >> 12)))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        Arc::new(std::iter::repeat_n(None, 140_000).collect::<Int64Array>()),
    ];
    let rows = u32::try_from(COUNT).unwrap();
    let batches = [Batch {
        positions: (0..rows).map(|line| Position::new(0, line)).collect(),
        micros: (0..i64::from(rows)).map(|row| row / 3).collect(),
        ids: Ids::Uuids(numbers(COUNT).map(|n| u128::from(n) << 64 | u128::from(!n)).collect()),
        columns: columns.clone(),
        versions: None,
    }];
    for (codec, encodings) in [
        (Codec::Zstd, Encodings::Compact),
        (Codec::Snappy, Encodings::Compact),
        (Codec::None, Encodings::Compact),
        (Codec::Zstd, Encodings::Basic),
        (Codec::None, Encodings::Basic),
    ] {
        let format = Format { codec, encodings };
        let table = Table::new(&catalog.event_types()[0], FLAT, format).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file_of(&batches, &table, codec)).unwrap();
        let reader_metadata = Arc::clone(reader.metadata());
        assert!(reader_metadata.num_row_groups() > 1);
        let read: Vec<_> = reader.with_batch_size(50_000).build().unwrap().map(Result::unwrap).collect();
        let read = arrow::compute::concat_batches(&read[0].schema(), &read).unwrap();
        for (index, expected) in columns.iter().enumerate() {
            let name = read.schema().field(4 + index).name().clone();
            assert!(read.column(4 + index) == expected, "{name} with {format:?}");
        }
        assert_eq!(encodings == Encodings::Basic, has_basic_encodings(reader_metadata.row_groups()));
        let id = read.column(0).as_string::<i32>().value(COUNT as usize - 1).to_owned();
        assert_eq!(Id::of(&id), batches[0].ids.get(COUNT as usize - 1));
    }
}

/// Whether values are plain or in dictionaries. `RLE` is that of levels.
fn has_basic_encodings(row_groups: &[RowGroupMetaData]) -> bool {
    let basic = [Encoding::PLAIN, Encoding::RLE_DICTIONARY, Encoding::RLE];
    let mut columns = row_groups.iter().flat_map(RowGroupMetaData::columns);
    columns.all(|column| column.encodings().all(|encoding| basic.contains(&encoding)))
}

fn decimals(values: impl Iterator<Item = Option<i128>>, precision: u8, scale: i8) -> Decimal128Array {
    values.collect::<Decimal128Array>().with_precision_and_scale(precision, scale).unwrap()
}

#[test]
fn texts_with_the_same_beginnings_read_back() {
    const ROWS: usize = 40_000;
    let texts = |prefix: &'static str| {
        let uuid = |n: u64| uuid_text(u128::from(n) << 64 | u128::from(!n)).to_vec();
        numbers(ROWS as u64).map(move |n| format!("{prefix}{}", String::from_utf8(uuid(n)).unwrap()))
    };
    let odd_at = |row: usize, odd: &'static str| {
        let odd = move |(at, text): (usize, String)| if at == row { odd.to_owned() } else { text };
        StringArray::from_iter_values(texts("urn:").enumerate().map(odd))
    };
    let times = (0..ROWS).map(|row| format!("2024-10-10T{:02}:{:02}é{row:05}", row / 3_600, row / 60 % 60));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(texts("evt_"))),
        Arc::new(StringArray::from_iter_values(texts(""))),
        Arc::new(
            texts("é").enumerate().map(|(at, text)| (at % 3 > 0).then_some(text)).collect::<StringArray>(),
        ),
        // Of another length, of the same length with another prefix, and in upper case.
        Arc::new(odd_at(0, "urn")),
        Arc::new(odd_at(20_000, "uri:00000000-0000-0000-0000-000000000000")),
        Arc::new(odd_at(ROWS - 1, "urn:00000000-0000-0000-0000-00000000000A")),
        Arc::new(StringArray::from_iter_values(times)),
    ];
    let names = ["prefix", "none", "nulls", "length", "other", "upper", "times"];
    let fields = names.map(|name| format!("{name} = 'string'\n")).concat();
    let catalog =
        Catalog::from_toml(&[("x.toml", &format!("[domain.a.events.b.fields]\n{fields}"))]).unwrap();
    let rows = u32::try_from(ROWS).unwrap();
    let batch = Batch {
        positions: (0..rows).map(|line| Position::new(0, line)).collect(),
        micros: (0..i64::from(rows)).collect(),
        ids: Ids::Uuids((0..u128::from(rows)).collect()),
        columns: columns.clone(),
        versions: None,
    };
    let table = Table::new(&catalog.event_types()[0], FLAT, COMPACT).unwrap();
    let file = file_of(&[batch], &table, Codec::Zstd);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = Arc::clone(reader.metadata());
    let read: Vec<_> = reader.with_batch_size(ROWS).build().unwrap().map(Result::unwrap).collect();
    for (index, expected) in columns.iter().enumerate() {
        assert!(read[0].column(4 + index) == expected, "{}", names[index]);
        let column = metadata.row_group(0).column(4 + index);
        let statistics = column.statistics().unwrap();
        let all = expected.as_string::<i32>().iter().flatten();
        assert_eq!(statistics.min_bytes_opt(), all.clone().min().map(str::as_bytes), "{}", names[index]);
        assert_eq!(statistics.max_bytes_opt(), all.max().map(str::as_bytes), "{}", names[index]);
        let encodings: Vec<_> = column.encodings().filter(|encoding| *encoding != Encoding::RLE).collect();
        let expected = match names[index] {
            "prefix" | "nulls" | "times" => vec![Encoding::DELTA_BYTE_ARRAY],
            "none" => vec![Encoding::DELTA_LENGTH_BYTE_ARRAY],
            _ => vec![Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY],
        };
        assert_eq!(encodings, expected, "{}", names[index]);
    }
}

/// No event has NaN, but a file of another program that was accepted may. For some readers NaN is greater
/// than all numbers: by bounds without it, they would pass over its row.
#[test]
fn a_column_with_nan_has_no_bounds() {
    const ROWS: u32 = 40_000;
    let numbers = |odd: f64| {
        let number = move |row| if row == 20_000 { odd } else { f64::from(row) };
        Arc::new((0..ROWS).map(number).collect::<Float64Array>()) as ArrayRef
    };
    let text = "[domain.a.events.b.fields]\nnan = 'float64'\nnumber = 'float64'";
    let catalog = Catalog::from_toml(&[("x.toml", text)]).unwrap();
    let batch = Batch {
        positions: (0..ROWS).map(|line| Position::new(0, line)).collect(),
        micros: (0..i64::from(ROWS)).collect(),
        ids: Ids::Uuids((0..u128::from(ROWS)).collect()),
        columns: vec![numbers(f64::NAN), numbers(-1.0)],
        versions: None,
    };
    let table = Table::new(&catalog.event_types()[0], FLAT, COMPACT).unwrap();
    let file = file_of(&[batch], &table, Codec::Zstd);
    let options = ReadOptionsBuilder::new().with_page_index().build();
    let reader = SerializedFileReader::new_with_options(file, options).unwrap();
    let (group, indexes) = (reader.metadata().row_group(0), reader.metadata().column_index().unwrap());
    let bounds = |column: usize| {
        let statistics = group.column(column).statistics().unwrap();
        (statistics.min_bytes_opt().is_some(), statistics.max_bytes_opt().is_some())
    };
    let has_index = |column: usize| !matches!(indexes[0][column], ColumnIndexMetaData::NONE);
    assert_eq!((bounds(4), has_index(4)), ((false, false), false));
    assert_eq!((bounds(5), has_index(5)), ((true, true), true));
}
