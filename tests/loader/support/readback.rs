//! A target → its rows, schema, sorting columns and bad lines, as text that can be compared.
//!
//! Files are read as another engine would: by the Parquet schema alone, without the Arrow schema that the
//! writer may have left in the metadata. A row is its columns' values in order, as text of
//! `naive_model::value_text`.

use std::{collections::BTreeSet, path::Path};

use arrow::array::RecordBatch;
use naive_model::{BadLine, Row, Rows, value_text::values};
use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    file::metadata::{ParquetMetaData, RowGroupMetaData},
    schema::printer::print_schema,
};
use serde_json::Value;

use crate::support::{
    files::{Tree, tree, visible},
    tables,
};

/// `partition: row` of every row.
pub(crate) fn text_of(rows: &Rows) -> Vec<String> {
    let text = |(partition, rows): (&String, &Vec<Row>)| -> Vec<String> {
        rows.iter().map(|row| format!("{partition}: {}", row.join(" "))).collect()
    };
    rows.iter().flat_map(text).collect()
}

/// All rows of a target that readers see.
pub(crate) fn rows(target: &Path) -> Rows {
    let mut rows = Rows::new();
    for name in files_of_rows(target) {
        let (partition, _) = name.rsplit_once('/').unwrap_or(("", &name));
        rows.entry(partition.to_owned()).or_default().extend(rows_of(&target.join(&name)));
    }
    rows
}

/// The files of a target that readers see rows of.
pub(crate) fn files_of_rows(target: &Path) -> Vec<String> {
    let tree = tree(target);
    if !tables::is_of_tables(target) {
        return parquet_files(&tree);
    }
    let tables = tables::tables(&tree).into_values();
    let mut files: Vec<_> = tables.flat_map(|table| table.files).collect();
    files.sort();
    files
}

/// The names of the Parquet files in a tree, those that a reader would find.
pub(crate) fn parquet_files(tree: &Tree) -> Vec<String> {
    let is_parquet =
        |name: &&String| Path::new(name).extension().is_some_and(|extension| extension == "parquet");
    tree.keys().filter(is_parquet).cloned().collect()
}

/// The rows of one file.
pub(crate) fn rows_of(file: &Path) -> Vec<Row> {
    batches_of(file).iter().flat_map(rows_of_batch).collect()
}

/// The same of rows that the reader gave.
pub(crate) fn rows_of_batch(batch: &RecordBatch) -> Vec<Row> {
    let row = |row| batch.columns().iter().flat_map(|column| values(column, row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

/// The rows of one file, as the reader gives them.
pub(crate) fn batches_of(file: &Path) -> Vec<RecordBatch> {
    open(file).build().unwrap().collect::<Result<_, _>>().unwrap()
}

/// The Parquet schema of one file, as its message type.
pub(crate) fn schema_of(file: &Path) -> String {
    let mut text = Vec::new();
    print_schema(&mut text, metadata_of(file).file_metadata().schema());
    String::from_utf8(text).unwrap()
}

/// What one file says about the order of its rows: `column ascending` for each sorting column of every row
/// group.
pub(crate) fn sorting_of(file: &Path) -> Vec<Vec<String>> {
    let metadata = metadata_of(file);
    let mut groups = Vec::new();
    for group in metadata.row_groups() {
        let columns = group.sorting_columns().into_iter().flatten();
        let text = columns.map(|sorting| {
            let name = group.column(usize::try_from(sorting.column_idx).unwrap()).column_path().string();
            format!("{name} {}", if sorting.descending { "descending" } else { "ascending" })
        });
        groups.push(text.collect());
    }
    groups
}

/// How the column chunks of one file are compressed.
pub(crate) fn codecs_of(file: &Path) -> Vec<String> {
    let metadata = metadata_of(file);
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let mut codecs: Vec<_> = chunks.map(|chunk| format!("{:?}", chunk.compression())).collect();
    codecs.sort();
    codecs.dedup();
    codecs
}

/// The encodings in one file, those of levels included.
pub(crate) fn encodings_of(file: &Path) -> BTreeSet<String> {
    let metadata = metadata_of(file);
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    chunks.flat_map(|chunk| chunk.encodings().map(|encoding| encoding.to_string())).collect()
}

/// The number of rows that the footer of one file names.
pub(crate) fn footer_rows_of(file: &Path) -> u64 {
    u64::try_from(metadata_of(file).file_metadata().num_rows()).unwrap()
}

fn metadata_of(file: &Path) -> ParquetMetaData {
    open(file).metadata().as_ref().clone()
}

fn open(file: &Path) -> ParquetRecordBatchReaderBuilder<std::fs::File> {
    let (opened, path) = fs_err::File::open(file).unwrap().into_parts();
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options)
        .unwrap_or_else(|error| panic!("{} is no Parquet file: {error}", path.display()))
}

/// The key-value metadata of one file: `key: value`.
pub(crate) fn metadata_entries_of(file: &Path) -> Vec<String> {
    let metadata = metadata_of(file);
    let entries = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    entries.map(|entry| format!("{}: {}", entry.key, entry.value.as_deref().unwrap_or_default())).collect()
}

/// `source:line @offset reason raw`
pub(crate) fn text_of_bad_line(bad: &BadLine) -> String {
    let BadLine { source, line, offset, reason, raw } = bad;
    format!("{source}:{line} @{offset} {reason} {}", visible(raw))
}

/// All bad lines of a target, by source and line; fragments of one line put together.
pub(crate) fn quarantine(target: &Path) -> Vec<BadLine> {
    let mut lines: Vec<BadLine> = Vec::new();
    for (record, fragment) in quarantine_records(target) {
        let line = BadLine {
            source: string(&record, "source"),
            line: number(&record, "line"),
            offset: number(&record, "offset"),
            reason: string(&record, "reason"),
            raw: raw_of(&record),
        };
        match (fragment, lines.last_mut()) {
            (Some(fragment), Some(last)) if fragment > 0 => {
                assert_eq!(
                    (&last.source, last.line, last.offset),
                    (&line.source, line.line, line.offset),
                    "fragment {fragment} follows its line"
                );
                last.raw.extend(line.raw);
            }
            _ => lines.push(line),
        }
    }
    lines.sort();
    lines
}

/// The records of the quarantine, as they stand in each file, with their fragment's number.
pub(crate) fn quarantine_records(target: &Path) -> Vec<(Value, Option<u64>)> {
    let mut records = Vec::new();
    for (name, bytes) in tree(&target.join("_quarantine")) {
        assert!(
            Path::new(&name).extension().is_some_and(|extension| extension == "jsonl"),
            "_quarantine/{name}"
        );
        let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("_quarantine/{name}: {error}"));
        assert!(text.is_empty() || text.ends_with('\n'), "_quarantine/{name} ends in the middle of a line");
        let (mut last_source, mut last_line) = (None, 0);
        for line in text.lines() {
            let record: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("_quarantine/{name}: {error} in {line}"));
            let fragment = record.get("fragment").map(|value| value.as_u64().unwrap());
            let source = string(&record, "source");
            assert!(
                last_source.as_ref().is_none_or(|last| *last == source),
                "_quarantine/{name} is of two sources"
            );
            assert!(
                number(&record, "line") >= last_line,
                "_quarantine/{name} is not in the order of its lines"
            );
            (last_source, last_line) = (Some(source), number(&record, "line"));
            records.push((record, fragment));
        }
    }
    records
}

/// `reason field: expected …, found …` of every record of the quarantine, as they stand in each file.
pub(crate) fn details(target: &Path) -> Vec<String> {
    let text = |record: &Value| {
        let text = |key: &str| record["detail"][key].as_str().unwrap_or_default().to_owned();
        let reason = record["reason"].as_str().unwrap();
        format!("{reason} {}: expected {}, found {}", text("field"), text("expected"), text("found"))
    };
    quarantine_records(target).iter().map(|(record, _)| text(record)).collect()
}

fn string(record: &Value, key: &str) -> String {
    record[key].as_str().unwrap_or_else(|| panic!("no string {key:?} in {record}")).to_owned()
}

fn number(record: &Value, key: &str) -> u64 {
    record[key].as_u64().unwrap_or_else(|| panic!("no number {key:?} in {record}"))
}

fn raw_of(record: &Value) -> Vec<u8> {
    match (record.get("raw").and_then(Value::as_str), record.get("raw_base64").and_then(Value::as_str)) {
        (Some(raw), None) => raw.as_bytes().to_vec(),
        (None, Some(encoded)) => from_base64(encoded),
        _ => panic!("expected one of raw and raw_base64 in {record}"),
    }
}

/// RFC 4648, with padding.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert!(text.len().is_multiple_of(4), "base64 without its padding: {text}");
    let mut bytes = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let digit =
            |byte: &u8| ALPHABET.iter().position(|letter| letter == byte).expect("a letter of base64");
        let bits =
            chunk.iter().map(digit).fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        let [_, bytes_of_bits @ ..] = u32::try_from(bits).unwrap().to_be_bytes();
        bytes.extend(&bytes_of_bits[..chunk.len() - 1]);
    }
    bytes
}
