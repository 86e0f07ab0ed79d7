//! The footers of a partition's files → what they are, without a look at a row.
//!
//! Invariant: what is said of a partition holds for each of its files.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Schema};
use event_target::{Location, PartitionFile};
use events_core::{
    catalog::EventType,
    event,
    schema::{TableForm, flat_schema, nested_schema},
};
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    file::metadata::ParquetMetaData,
};

use super::{ParquetFile, promotion, reader::ExistingFile};
use crate::error::Error;

/// The footers of a partition's files.
pub(crate) struct StoredForm(Vec<ArrowReaderMetadata>);

impl StoredForm {
    pub(crate) fn of(target: &Location, files: &[PartitionFile]) -> Result<Self, Error> {
        let footer = |file: &PartitionFile| {
            let opened = target.open(&file.path, file.bytes).map_err(Error::io("reading the target"))?;
            let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
            let metadata = ArrowReaderMetadata::load(&ParquetFile::from(opened), options);
            metadata.map_err(|error| ExistingFile::rewritten(target, file).refused(error))
        };
        files.iter().map(footer).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn footers(&self) -> impl Iterator<Item = &ParquetMetaData> {
        self.0.iter().map(|metadata| &**metadata.metadata())
    }

    /// The rows of each file.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u64> {
        self.footers().map(|footer| u64::try_from(footer.file_metadata().num_rows()).unwrap_or_default())
    }

    /// Whether payloads have a column for each value; `None` if the columns of this type, without its
    /// payload, are all that there are beside one of JSON text.
    pub(crate) fn flatten(&self, without_payload: &EventType) -> Option<bool> {
        let mut known = BTreeSet::from([event::DATA.to_owned()]);
        for schema in [flat_schema(without_payload), nested_schema(without_payload)] {
            known.extend(schema.fields().iter().map(|field| field.name().clone()));
        }
        let is_nested = |schema: &Schema| {
            let data = schema.field_with_name(event::DATA);
            data.is_ok_and(|field| matches!(field.data_type(), DataType::Struct(_)))
        };
        let is_flat = |schema: &Schema| schema.fields().iter().any(|field| !known.contains(field.name()));
        self.0.iter().find_map(|metadata| {
            let schema = metadata.schema();
            if is_nested(schema) { Some(false) } else { is_flat(schema).then_some(true) }
        })
    }

    /// Whether payloads are JSON text, and columns of the catalog instead in today's table.
    pub(crate) fn is_json_of(&self, event_type: &EventType, form: TableForm) -> bool {
        let wanted = form.schema(event_type);
        self.0.iter().any(|metadata| promotion::is_json(metadata.schema(), &wanted))
    }
}
