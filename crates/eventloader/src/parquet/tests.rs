//! What no load of a test's size reaches: partitions of several parts and row groups.

use std::{fs::File, sync::Arc};

use arrow::array::Int64Array;
use events_core::catalog::Catalog;
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
