//! A partition's rows in order → its Parquet files, staged, each with its row count, length and checksum.
//!
//! Invariant: the bytes are a function of the rows, the schema and the codec alone: not of memory, threads or the order of
//! the input. All settings that shape them are set here, each with its reason.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Schema, SchemaRef},
};
use events_core::{event, schema};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, Encoding, ZstdLevel},
    file::{
        metadata::{KeyValue, ParquetMetaDataReader, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
    },
    schema::types::ColumnPath,
};
use xxhash_rust::xxh3::Xxh3Default;

use crate::{
    batch::Batch,
    columns,
    error::Error,
    ids::Ids,
    merge::OrderedRows,
    plan::TypePlan,
    stages::{Clock, Stage},
};

/// Rows of a row group, at most: what one reader's thread works on, and what the writer holds encoded.
const ROW_GROUP_ROWS: usize = 131_072;
/// Bytes of a row group's columns in memory, at most; bounds the writer's memory for wide rows.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Rows of a file, at most; a partition with more has further parts.
pub(crate) const PART_ROWS: u64 = 1 << 24;
/// Rows at the front of a partition that show whether a column repeats its values.
const SAMPLE_ROWS: usize = 1_024;

/// What the keys of descriptions begin with, in a file's metadata.
const DESCRIPTION: &str = "description";

/// Codec of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// zstd at level 1.
    Zstd,
    /// Snappy.
    Snappy,
    /// No compression.
    None,
}

impl Codec {
    /// As the command line and file names say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }

    fn compression(self) -> Compression {
        match self {
            Self::Zstd => Compression::ZSTD(ZstdLevel::default()),
            Self::Snappy => Compression::SNAPPY,
            Self::None => Compression::UNCOMPRESSED,
        }
    }
}

/// A file that was written but is not in its place yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedFile {
    /// Its name in the partition's directory.
    pub(crate) name: String,
    /// Its name in the staging directory.
    pub(crate) staged: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// XXH3 of all bytes.
    pub(crate) checksum: u64,
}

/// How the files of a run are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSettings<'a> {
    pub(crate) codec: Codec,
    pub(crate) flatten: bool,
    /// Where files are staged; none in a dry run, which encodes and counts all the same.
    pub(crate) staging: Option<&'a Path>,
    pub(crate) part_rows: u64,
}

/// Writes a partition's rows; `label` names it in messages, and `number` its staged files.
pub(crate) fn write_partition(
    mut rows: OrderedRows<'_>,
    plan: &TypePlan,
    settings: FileSettings<'_>,
    label: &str,
    number: usize,
    clock: &mut Clock<'_>,
) -> Result<Vec<StagedFile>, Error> {
    let table = Table::new(plan, settings.flatten);
    let mut next_chunk = |clock: &mut Clock<'_>| {
        clock.lap(Stage::Encode);
        let chunk = rows.next_chunk()?;
        clock.lap(Stage::Gather);
        chunk.map(|chunk| table.record_batch(&chunk).map_err(Error::encode(label))).transpose()
    };
    let mut files = Vec::new();
    let mut next = next_chunk(clock)?;
    while let Some(first) = &next {
        let name = format!("part-{:05}.{}.parquet", files.len(), settings.codec.name());
        let staged = format!("{number:06}-{:05}.staged", files.len());
        let mut part = PartWriter::create(&table, settings, &staged, first, label)?;
        while let Some(chunk) = next.take_if(|chunk| part.has_room_for(chunk, settings.part_rows)) {
            part.write(&chunk, label)?;
            next = next_chunk(clock)?;
        }
        files.push(part.finish(name, staged, settings, label)?);
    }
    clock.lap(Stage::Encode);
    Ok(files)
}

/// The row count in a staged file's footer, read back.
pub(crate) fn footer_rows(path: &Path) -> Result<u64, Error> {
    let file: File = fs_err::File::open(path).map_err(Error::io("reading a staged file back"))?.into();
    let label = path.display().to_string();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).map_err(Error::encode(&label))?;
    u64::try_from(metadata.file_metadata().num_rows()).map_err(Error::encode(&label))
}

/// The schema of a type's files, and how a batch becomes a record batch of it.
struct Table<'a> {
    plan: &'a TypePlan,
    schema: SchemaRef,
    flatten: bool,
}

impl<'a> Table<'a> {
    fn new(plan: &'a TypePlan, flatten: bool) -> Self {
        let schema: Schema = if flatten {
            schema::flat_schema(&plan.event_type)
        } else {
            schema::nested_schema(&plan.event_type)
        };
        Self { plan, schema: Arc::new(schema), flatten }
    }

    fn record_batch(&self, batch: &Batch) -> Result<RecordBatch, arrow::error::ArrowError> {
        let rows = batch.rows();
        let constant =
            |text: &str| Arc::new(StringArray::from_iter_values((0..rows).map(|_| text))) as ArrayRef;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(id_texts(&batch.ids)),
            Arc::new(TimestampMicrosecondArray::from(batch.micros.clone()).with_timezone("UTC")),
            constant(&self.plan.event_type.domain),
            constant(&self.plan.event_type.name),
        ];
        if self.flatten {
            columns.extend(batch.columns.iter().cloned());
        } else if self.schema.fields().len() > columns.len() {
            columns.push(columns::struct_array(&self.plan.payload, &batch.columns)?);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    /// What the catalog says of the type and its fields, for the file's key-value metadata: Parquet has no other place
    /// for it. Keys are `description` and `description.<column>`.
    fn descriptions(&self) -> Option<Vec<KeyValue>> {
        let of_type =
            self.plan.event_type.description.iter().map(|text| (DESCRIPTION.to_owned(), text.as_str()));
        let of_fields = schema::descriptions(&self.plan.event_type, self.flatten);
        let of_fields = of_fields.into_iter().map(|(column, text)| (format!("{DESCRIPTION}.{column}"), text));
        let entries: Vec<_> =
            of_type.chain(of_fields).map(|(key, text)| KeyValue::new(key, text.to_owned())).collect();
        (!entries.is_empty()).then_some(entries)
    }
}

fn id_texts(ids: &Ids) -> StringArray {
    match ids {
        Ids::Texts(texts) => texts.clone(),
        Ids::Uuids(uuids) => {
            let mut bytes = Vec::with_capacity(uuids.len() * 36);
            let mut ends = Vec::with_capacity(uuids.len() + 1);
            ends.push(0);
            for &uuid in uuids {
                bytes.extend_from_slice(&crate::ids::uuid_text(uuid));
                ends.push(crate::ids::end_of(&bytes));
            }
            crate::ids::text_array(ends, bytes)
        }
    }
}

/// Writes one file.
struct PartWriter {
    writer: ArrowWriter<ChecksumWriter>,
    rows: u64,
    row_group_rows: usize,
    row_group_bytes: usize,
}

impl PartWriter {
    fn create(
        table: &Table<'_>,
        settings: FileSettings<'_>,
        staged: &str,
        sample: &RecordBatch,
        label: &str,
    ) -> Result<Self, Error> {
        let file = match settings.staging {
            Some(dir) => {
                Some(fs_err::File::create(dir.join(staged)).map_err(Error::io("staging a partition"))?.into())
            }
            None => None,
        };
        let output = ChecksumWriter { file, bytes: 0, checksum: Xxh3Default::new() };
        // Readers take the types from Parquet's own schema; an embedded Arrow schema would only add bytes.
        let options = ArrowWriterOptions::new()
            .with_properties(properties(table, sample, settings.codec))
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, Arc::clone(&table.schema), options)
            .map_err(Error::encode(label))?;
        Ok(Self { writer, rows: 0, row_group_rows: 0, row_group_bytes: 0 })
    }

    /// A part takes at least one chunk, however small parts are to be.
    fn has_room_for(&self, chunk: &RecordBatch, part_rows: u64) -> bool {
        self.rows == 0 || self.rows + chunk.num_rows() as u64 <= part_rows
    }

    fn write(&mut self, chunk: &RecordBatch, label: &str) -> Result<(), Error> {
        self.writer.write(chunk).map_err(Error::encode(label))?;
        self.rows += chunk.num_rows() as u64;
        self.row_group_rows += chunk.num_rows();
        self.row_group_bytes +=
            chunk.columns().iter().map(|column| value_bytes(&column.to_data())).sum::<usize>();
        if self.row_group_rows >= ROW_GROUP_ROWS || self.row_group_bytes >= ROW_GROUP_BYTES {
            self.writer.flush().map_err(Error::encode(label))?;
            (self.row_group_rows, self.row_group_bytes) = (0, 0);
        }
        Ok(())
    }

    fn finish(
        self,
        name: String,
        staged: String,
        settings: FileSettings<'_>,
        label: &str,
    ) -> Result<StagedFile, Error> {
        let rows = self.rows;
        let output = self.writer.into_inner().map_err(Error::encode(label))?;
        let file = StagedFile { name, staged, rows, bytes: output.bytes, checksum: output.checksum.digest() };
        if let Some(dir) = settings.staging {
            let in_footer = footer_rows(&dir.join(&file.staged))?;
            if in_footer != rows {
                return Err(Error::Unbalanced(format!(
                    "{label}: {rows} rows written, {in_footer} in the footer"
                )));
            }
        }
        Ok(file)
    }
}

/// Bytes of what the rows are, not of what was allocated for them: it must be the same in every run. Whether an array
/// without nulls says so in a buffer depends on the arrays that it was gathered from.
fn value_bytes(data: &ArrayData) -> usize {
    fn idle_validity(data: &ArrayData) -> usize {
        let is_idle = data.nulls().is_some_and(|nulls| nulls.null_count() == 0);
        let own = if is_idle { data.len().div_ceil(8) } else { 0 };
        own + data.child_data().iter().map(idle_validity).sum::<usize>()
    }
    data.get_slice_memory_size().unwrap_or(0).saturating_sub(idle_validity(data))
}

fn properties(table: &Table<'_>, sample: &RecordBatch, codec: Codec) -> WriterProperties {
    let timestamp = ColumnPath::from(event::TIMESTAMP);
    let mut properties = WriterProperties::builder()
        // Version 1 pages: readable by every engine. The encodings used below are known to all since 2.4 of the format.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("eventloader version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(codec.compression())
        // Row groups are flushed by rows and bytes above.
        .set_max_row_group_row_count(Some(2 * ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        // By (timestamp, event_id): columns 1 and 0, ascending.
        .set_sorting_columns(Some(vec![
            SortingColumn { column_idx: 1, descending: false, nulls_first: false },
            SortingColumn { column_idx: 0, descending: false, nulls_first: false },
        ]))
        // Timestamps ascend, so their differences are small numbers.
        .set_column_dictionary_enabled(timestamp.clone(), false)
        .set_column_encoding(timestamp, Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(table.descriptions());
    for (field, column) in table.schema.fields().iter().zip(sample.columns()) {
        // A dictionary that can't pay costs a hash per value until the writer gives it up.
        if field.name() != event::TIMESTAMP && !repeats_its_values(column) {
            properties =
                properties.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
        }
    }
    properties.build()
}

/// Whether at most half of the first values are distinct. Nested columns are left to the writer.
fn repeats_its_values(column: &ArrayRef) -> bool {
    let rows = column.len().min(SAMPLE_ROWS);
    let Some(texts) = column.as_string_opt::<i32>() else { return true };
    let distinct: HashSet<&str> = texts.iter().take(rows).flatten().collect();
    distinct.len() * 2 <= rows.max(32)
}

/// Counts and sums up what goes to a file, or to nothing.
struct ChecksumWriter {
    file: Option<File>,
    bytes: u64,
    checksum: Xxh3Default,
}

impl Write for ChecksumWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.bytes += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

/// Length and checksum of a file, as [`StagedFile`] has them.
pub(crate) fn checksum_of(path: &Path) -> io::Result<(u64, u64)> {
    let mut writer = ChecksumWriter { file: None, bytes: 0, checksum: Xxh3Default::new() };
    io::copy(&mut fs_err::File::open(path)?, &mut writer)?;
    Ok((writer.bytes, writer.checksum.digest()))
}

#[cfg(test)]
mod tests;
