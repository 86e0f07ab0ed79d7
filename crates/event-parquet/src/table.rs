//! An event type → the table in its files: schema, properties, and the source of each column's values.
//!
//! Made once for each type of a run, however many partitions it has; unless a run has very many columns.
//!
//! Invariant: all settings that shape a file are made here, each with its reason, except for the encodings of
//! flat columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields, Schema};
use event_rows::{Rows, chunk_rows_of};
use events_core::{
    catalog::EventType,
    schema::{self, TableForm},
};
use parquet::{
    arrow::{ArrowSchemaConverter, arrow_writer::ArrowRowGroupWriterFactory},
    basic::{Compression, Encoding, ZstdLevel},
    errors::Result as ParquetResult,
    file::{
        metadata::{ColumnChunkMetaData, KeyValue, ParquetMetaData, RowGroupMetaData, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::SchemaDescriptor,
};

use crate::{Codec, Encodings, Format, ROW_GROUP_ROWS, ZSTD_LEVEL, column::Input};

/// What the name of the writer begins with in all files of this program.
const WRITER: &str = "eventloader version ";
/// The beginning of the keys of descriptions in a file's metadata.
const DESCRIPTION: &str = "description";

/// The files of one event type.
#[derive(Debug)]
pub struct Table<'p> {
    event_type: &'p EventType,
    pub(crate) fields: Fields,
    pub(crate) descriptor: SchemaDescriptor,
    pub(crate) properties: WriterPropertiesPtr,
    pub(crate) compression: Compression,
    pub(crate) encodings: Encodings,
    form: TableForm,
    /// Makes writers for the columns that are lists, maps or objects.
    pub(crate) nested: Option<ArrowRowGroupWriterFactory>,
}

impl<'p> Table<'p> {
    /// The table of an event type.
    ///
    /// # Errors
    /// None in practice: `parquet` supports all types of the catalog.
    pub fn new(event_type: &'p EventType, form: TableForm, format: Format) -> ParquetResult<Self> {
        let schema = form.schema(event_type);
        let properties = Arc::new(properties(event_type, form.flatten, format.codec));
        Ok(Self {
            event_type,
            descriptor: ArrowSchemaConverter::new().convert(&schema)?,
            nested: nested_factory(&schema, &properties)?,
            properties,
            compression: format.codec.compression(),
            encodings: format.encodings,
            form,
            fields: schema.fields,
        })
    }

    /// How many columns it has, with those in lists, maps and objects.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.descriptor.num_columns()
    }

    /// The most rows that are encoded at once: fewer if the table is wide, because each has a place in all
    /// columns.
    #[must_use]
    pub fn chunk_rows(&self) -> usize {
        chunk_rows_of(self.columns())
    }

    /// Whether a file with this footer, which has rows, is one of this table, with its encodings and
    /// descriptions. Its codec is only partly known: small column chunks have none.
    #[must_use]
    pub fn has_form_of(&self, metadata: &ParquetMetaData) -> bool {
        let file = metadata.file_metadata();
        let entries = |entries: Option<&Vec<KeyValue>>| entries.cloned().unwrap_or_default();
        is_own(metadata)
            && file.schema() == self.descriptor.root_schema()
            && entries(file.key_value_metadata()) == entries(self.properties.key_value_metadata())
            && metadata.row_groups().iter().all(|group| self.has_pages_of(group))
    }

    fn has_pages_of(&self, group: &RowGroupMetaData) -> bool {
        let is_packed = |chunk: &ColumnChunkMetaData| {
            let found = chunk.compression();
            found == self.compression || found == Compression::UNCOMPRESSED
        };
        // Ids are in the first column. They don't repeat, so they have no dictionary, and their encoding
        // tells which of the two choices it was.
        let mut of_ids = group.columns().first().into_iter().flat_map(ColumnChunkMetaData::encodings);
        let is_compact = of_ids.any(|encoding| !matches!(encoding, Encoding::PLAIN | Encoding::RLE));
        is_compact == (self.encodings == Encodings::Compact) && group.columns().iter().all(is_packed)
    }

    /// All columns of some rows, in the order of the file.
    pub(crate) fn inputs(&self, rows: Rows<'_>) -> ParquetResult<Vec<Input<'_>>> {
        let mut inputs = vec![Input::Ids, Input::Micros, Input::Same(&self.event_type.domain)];
        inputs.extend(self.form.has_event_type.then_some(Input::Same(&self.event_type.name)));
        let mut gathering = None;
        for (index, field) in self.fields[self.form.base_columns()..].iter().enumerate() {
            inputs.push(if is_nested(field) {
                Input::Nested(gathering.get_or_insert_with(|| rows.gathering()).column(index)?)
            } else {
                Input::Column(index)
            });
        }
        Ok(inputs)
    }
}

/// Whether a file with this footer was written by this program.
#[must_use]
pub fn is_own(metadata: &ParquetMetaData) -> bool {
    metadata.file_metadata().created_by().is_some_and(|writer| writer.starts_with(WRITER))
}

/// Whether a column is written by `parquet`'s own writer, because it has more levels than "null or not".
pub(crate) fn is_nested(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::List(_) | DataType::Map(..) | DataType::Struct(_))
}

fn nested_factory(
    schema: &Schema,
    properties: &WriterPropertiesPtr,
) -> ParquetResult<Option<ArrowRowGroupWriterFactory>> {
    let nested: Vec<_> = schema.fields().iter().filter(|field| is_nested(field)).cloned().collect();
    if nested.is_empty() {
        return Ok(None);
    }
    let nested = Schema::new(nested);
    let root = ArrowSchemaConverter::new().convert(&nested)?.root_schema_ptr();
    // The factory takes its schema from a file writer; the file of this one is discarded.
    let writer = SerializedFileWriter::new(Vec::new(), root, Arc::clone(properties))?;
    Ok(Some(ArrowRowGroupWriterFactory::new(&writer, Arc::new(nested))))
}

fn properties(event_type: &EventType, flatten: bool, codec: Codec) -> WriterProperties {
    WriterProperties::builder()
        // Version 1 pages are readable by every engine. With them, `parquet` writes lists, maps and objects
        // in basic encodings.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("{WRITER}{}", env!("CARGO_PKG_VERSION")))
        .set_compression(codec.compression())
        .set_max_row_group_row_count(Some(2 * ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        // By (timestamp, event_id): columns 1 and 0, ascending.
        .set_sorting_columns(Some(vec![
            SortingColumn { column_idx: 1, descending: false, nulls_first: false },
            SortingColumn { column_idx: 0, descending: false, nulls_first: false },
        ]))
        .set_key_value_metadata(descriptions(event_type, flatten))
        .build()
}

/// The catalog's descriptions of the type and its fields, for the file's key-value metadata: Parquet has no
/// other place for them. Keys are `description` and `description.<column>`.
fn descriptions(event_type: &EventType, flatten: bool) -> Option<Vec<KeyValue>> {
    let of_type = event_type.description.iter().map(|text| (DESCRIPTION.to_owned(), text.as_str()));
    let of_fields = schema::descriptions(event_type, flatten);
    let of_fields = of_fields.into_iter().map(|(column, text)| (format!("{DESCRIPTION}.{column}"), text));
    let entries: Vec<_> =
        of_type.chain(of_fields).map(|(key, text)| KeyValue::new(key, text.to_owned())).collect();
    (!entries.is_empty()).then_some(entries)
}

impl Codec {
    pub(crate) fn compression(self) -> Compression {
        match self {
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default()),
            Self::Snappy => Compression::SNAPPY,
            Self::None => Compression::UNCOMPRESSED,
        }
    }
}
