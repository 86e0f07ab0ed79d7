//! What no load of a test's size reaches: partitions of several parts and row groups.
#![expect(clippy::disallowed_types, reason = "a test looks behind the seam")]

use std::{fs::File, sync::Arc};

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use events_core::catalog::Catalog;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::*;
use crate::stages::Stages;
use crate::{
    batch::{Batch, Position},
    ids::Ids,
    partitions::{self, CHUNK_ROWS},
    plan::Plan,
};

const ROWS: u32 = 20_000;

fn plan() -> Plan {
    Plan::new(&Catalog::from_toml(&[("x.toml", "[domain.a.events.b.fields]\nn = 'int64'")]).unwrap())
}

fn batch() -> Batch {
    Batch {
        positions: (0..ROWS).map(|line| Position::new(0, line)).collect(),
        micros: (0..i64::from(ROWS)).collect(),
        ids: Ids::Uuids((0..u128::from(ROWS)).collect()),
        columns: vec![Arc::new((0..i64::from(ROWS)).collect::<Int64Array>())],
    }
}

fn write(dir: &Path, part_rows: u64) -> Vec<StagedFile> {
    let batches = [batch()];
    let refs = (0..ROWS as usize).map(|row| partitions::RowRef::new(0, row)).collect();
    let rows = OrderedRows::InMemory { batches: &batches, refs, done: 0 };
    encode(rows, Some(dir), part_rows)
}

fn encode(rows: OrderedRows<'_>, staging: Option<&Path>, part_rows: u64) -> Vec<StagedFile> {
    let plan = plan();
    let table = Table::new(&plan.event_types[0], true, Codec::Zstd).unwrap();
    let mut writer = PartitionWriter::new(Codec::Zstd, staging, 3).unwrap();
    writer.write(rows, &table, part_rows, ("2024/10/10/b", 7), &mut Stages::default().clock()).unwrap()
}

#[test]
fn a_large_partition_has_several_parts_that_hold_its_rows_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let files = write(dir.path(), 4 * CHUNK_ROWS as u64);
    let shape: Vec<_> = files.iter().map(|file| format!("{} {}", file.name, file.rows)).collect();
    let expected =
        ["part-00000.zstd.parquet 8192", "part-00001.zstd.parquet 8192", "part-00002.zstd.parquet 3616"];
    assert_eq!(shape, expected);
    for file in &files {
        let staged = dir.path().join(&file.staged);
        let reader = SerializedFileReader::new(fs_err::File::open(&staged).unwrap().into_parts().0).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows().cast_unsigned(), file.rows);
        assert_eq!(checksum_of(&staged).unwrap(), (file.bytes, file.checksum));
    }
}

#[test]
fn a_dry_run_counts_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let batches = [batch()];
    let refs = (0..ROWS as usize).map(|row| partitions::RowRef::new(0, row)).collect();
    let rows = OrderedRows::InMemory { batches: &batches, refs, done: 0 };
    let counted = encode(rows, None, PART_ROWS);
    let mut written = write(dir.path(), PART_ROWS);
    assert_eq!(written[0].staged, "03/000007-00000.staged");
    "000007-00000.staged".clone_into(&mut written[0].staged);
    assert_eq!(counted, written);
    assert_eq!(counted.len(), 1);
}

#[test]
fn the_footer_says_how_rows_are_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let files = write(dir.path(), PART_ROWS);
    let file: File = fs_err::File::open(dir.path().join(&files[0].staged)).unwrap().into();
    let reader = SerializedFileReader::new(file).unwrap();
    let sorting = reader.metadata().row_group(0).sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_chunk_of_long_texts_is_shorter() {
    let texts: arrow::array::StringArray = (0..40).map(|_| Some("x".repeat(1 << 20))).collect();
    let batches = [Batch {
        positions: (0..40).map(|line| Position::new(0, line)).collect(),
        micros: (0..40).collect(),
        ids: Ids::Uuids((0..40).collect()),
        columns: vec![Arc::new(texts)],
    }];
    let refs = (0..40).map(|row| partitions::RowRef::new(0, row)).collect();
    let mut rows = OrderedRows::InMemory { batches: &batches, refs, done: 0 };
    let mut lengths = Vec::new();
    while let Some(chunk) = rows.next_chunk().unwrap() {
        lengths.push(chunk.len());
    }
    assert_eq!(lengths, [16, 16, 8]);
}

/// Numbers that look random and are always the same.
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
    let plan = Plan::new(&Catalog::from_toml(&[("x.toml", text)]).unwrap());
    let given = |every: u64| move |number: &u64| !number.is_multiple_of(every);
    let some = |every: u64| numbers(COUNT).map(move |number| Some(number).filter(given(every)));
    let signed = |number: u64| number.cast_signed();
    let columns: Vec<ArrayRef> = vec![
        // A dictionary, with and without nulls in a page; none; one that is given up when it has grown too large.
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
    }];
    for codec in [Codec::Zstd, Codec::Snappy, Codec::None] {
        let dir = tempfile::tempdir().unwrap();
        let refs = (0..rows as usize).map(|row| partitions::RowRef::new(0, row)).collect();
        let ordered = OrderedRows::InMemory { batches: &batches, refs, done: 0 };
        let table = Table::new(&plan.event_types[0], true, codec).unwrap();
        let mut writer = PartitionWriter::new(codec, Some(dir.path()), 0).unwrap();
        let files =
            writer.write(ordered, &table, PART_ROWS, ("p", 0), &mut Stages::default().clock()).unwrap();
        let file = fs_err::File::open(dir.path().join(&files[0].staged)).unwrap().into_parts().0;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert!(reader.metadata().num_row_groups() > 1);
        let read: Vec<_> = reader.with_batch_size(50_000).build().unwrap().map(Result::unwrap).collect();
        let read = arrow::compute::concat_batches(&read[0].schema(), &read).unwrap();
        for (index, expected) in columns.iter().enumerate() {
            let name = read.schema().field(4 + index).name().clone();
            assert!(read.column(4 + index) == expected, "{name} with {codec:?}");
        }
        let id = read.column(0).as_string::<i32>().value(COUNT as usize - 1).to_owned();
        assert_eq!(crate::ids::Id::of(&id), batches[0].ids.get(COUNT as usize - 1));
    }
}

fn decimals(values: impl Iterator<Item = Option<i128>>, precision: u8, scale: i8) -> Decimal128Array {
    values.collect::<Decimal128Array>().with_precision_and_scale(precision, scale).unwrap()
}
