//! Actions → the bytes of a checkpoint.
//!
//! Invariant: only some thousand actions are held as anything but Parquet. The bytes are a function of the
//! actions.

use std::{mem, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Fields, Schema},
};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::Compression,
    errors::ParquetError,
    file::properties::WriterProperties,
};
use serde_json::Value;

use super::{rows, seal};
use crate::Action;

/// How many actions are encoded at once.
const BATCH_ROWS: usize = 4_096;

/// Writes one checkpoint.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    schema: Arc<Schema>,
    writer: ArrowWriter<Vec<u8>>,
    waiting: Vec<Value>,
    actions: u64,
}

impl CheckpointWriter {
    pub(crate) fn new() -> Result<Self, String> {
        let schema = Arc::new(schema());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(vec![seal::blank()]))
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options);
        Ok(Self {
            schema,
            writer: writer.map_err(|error| error.to_string())?,
            waiting: Vec::new(),
            actions: 0,
        })
    }

    pub(crate) fn push(&mut self, action: &Action) -> Result<(), String> {
        self.waiting.push(serde_json::to_value(action).map_err(|error| error.to_string())?);
        self.actions += 1;
        if self.waiting.len() < BATCH_ROWS {
            Ok(())
        } else {
            self.encode().map_err(|error| error.to_string())
        }
    }

    /// The bytes, and of how many actions they are.
    pub(crate) fn finish(mut self) -> Result<(Vec<u8>, u64), String> {
        self.encode().map_err(|error| error.to_string())?;
        let mut bytes = self.writer.into_inner().map_err(|error| error.to_string())?;
        seal::seal(&mut bytes)?;
        Ok((bytes, self.actions))
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        let rows = mem::take(&mut self.waiting);
        let column = |field: &Arc<Field>| {
            let values: Vec<_> = rows.iter().map(|row| row.get(field.name())).collect();
            rows::array(field.data_type(), &values)
        };
        let columns = self.schema.fields().iter().map(column).collect::<Result<_, _>>()?;
        self.writer.write(&RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

/// The actions of a checkpoint, each a column.
pub(crate) fn schema() -> Schema {
    let protocol = [("minReaderVersion", DataType::Int32), ("minWriterVersion", DataType::Int32)];
    let format = [("provider", DataType::Utf8), ("options", texts())];
    let metadata = [
        ("id", DataType::Utf8),
        ("name", DataType::Utf8),
        ("description", DataType::Utf8),
        ("format", members(format)),
        ("schemaString", DataType::Utf8),
        ("partitionColumns", DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))),
        ("configuration", texts()),
        ("createdTime", DataType::Int64),
    ];
    let transaction =
        [("appId", DataType::Utf8), ("version", DataType::Int64), ("lastUpdated", DataType::Int64)];
    let add = [
        ("path", DataType::Utf8),
        ("partitionValues", texts()),
        ("size", DataType::Int64),
        ("modificationTime", DataType::Int64),
        ("dataChange", DataType::Boolean),
        ("stats", DataType::Utf8),
        ("tags", texts()),
    ];
    let remove = [
        ("path", DataType::Utf8),
        ("deletionTimestamp", DataType::Int64),
        ("dataChange", DataType::Boolean),
        ("extendedFileMetadata", DataType::Boolean),
        ("partitionValues", texts()),
        ("size", DataType::Int64),
    ];
    Schema::new(fields([
        ("protocol", members(protocol)),
        ("metaData", members(metadata)),
        ("txn", members(transaction)),
        ("add", members(add)),
        ("remove", members(remove)),
    ]))
}

fn fields<const N: usize>(fields: [(&str, DataType); N]) -> Fields {
    fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect()
}

fn members<const N: usize>(members: [(&str, DataType); N]) -> DataType {
    DataType::Struct(fields(members))
}

/// Names and texts.
fn texts() -> DataType {
    let parts = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(parts.into()), false)), false)
}
