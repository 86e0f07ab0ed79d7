//! The bytes of a checkpoint → its rows.
//!
//! Invariant: types are taken from the Parquet schema alone, so it does not matter which program wrote it.
//! Columns that this crate does not know are not decoded.

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field},
    error::ArrowError,
};
use bytes::Bytes;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::metadata::{ParquetMetaData, RowGroupMetaData},
    schema::types::SchemaDescriptor,
};
use serde_json::Value;

use super::{rows, write};

/// How many rows are decoded at once.
const BATCH_ROWS: usize = 4_096;

/// What is read beside the columns that are written: what the table may need, and where its files may be.
const BESIDE: [[&str; 2]; 4] = [
    ["protocol", "readerFeatures"],
    ["protocol", "writerFeatures"],
    ["checkpointMetadata", "version"],
    ["sidecar", "path"],
];

/// The rows of a checkpoint, or of a part of one; what is null in them is left out. Behind an error, there
/// may be others.
pub(super) fn rows(bytes: Vec<u8>) -> Result<impl Iterator<Item = Result<Value, String>>, String> {
    let length = bytes.len() as u64;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::from(bytes), options)
        .map_err(|error| error.to_string())?;
    check_places(builder.metadata(), length)?;
    let mask = ProjectionMask::leaves(builder.parquet_schema(), known_leaves(builder.parquet_schema()));
    let batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    Ok(batches.map_err(|error| error.to_string())?.flat_map(rows_of))
}

/// Refuses columns that lie elsewhere than in the file: the decoder takes it for granted that they don't.
fn check_places(metadata: &ParquetMetaData, length: u64) -> Result<(), String> {
    for column in metadata.row_groups().iter().flat_map(RowGroupMetaData::columns) {
        let first = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let place = u64::try_from(first).ok().zip(u64::try_from(column.compressed_size()).ok());
        let end = place.and_then(|(first, bytes)| first.checked_add(bytes));
        if end.is_none_or(|end| end > length) {
            return Err(format!("the column {} is not in the file", column.column_path()));
        }
    }
    Ok(())
}

fn known_leaves(schema: &SchemaDescriptor) -> Vec<usize> {
    let written = write::schema();
    let is_written = |action: &str, member: &str| match written.field_with_name(action).map(Field::data_type)
    {
        Ok(DataType::Struct(members)) => members.find(member).is_some(),
        _ => false,
    };
    let is_known = |leaf: &usize| match schema.column(*leaf).path().parts() {
        [action, member, ..] => {
            is_written(action, member) || BESIDE.contains(&[action.as_str(), member.as_str()])
        }
        _ => false,
    };
    (0..schema.num_columns()).filter(is_known).collect()
}

fn rows_of(batch: Result<RecordBatch, ArrowError>) -> Vec<Result<Value, String>> {
    match batch {
        Ok(batch) => (0..batch.num_rows()).map(|row| rows::object(&batch, row)).collect(),
        Err(error) => vec![Err(error.to_string())],
    }
}
