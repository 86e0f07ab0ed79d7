//! The good rows of one event type, as columns.
//!
//! Invariant: all parts of a [`Batch`] have one entry per row.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Schema},
    error::ArrowError,
};
use events_core::{catalog::EventType, schema};

use crate::{
    ids::{self, Ids},
    position::Position,
    version_keys::{VersionKeys, VersionOrder},
};

/// The bytes that an array takes beside itself and its values: its counters, those of each of its buffers,
/// and what the allocator adds to each of these allocations.
pub const ARRAY_BYTES: usize = 256;
/// The least that an array takes.
pub const ARRAY_BYTES_MIN: usize = ARRAY_BYTES + 128;

fn array_bytes(array: &ArrayRef) -> usize {
    array.get_array_memory_size() + arrays_in(array.data_type()) * ARRAY_BYTES
}

/// An array and those in it.
fn arrays_in(data_type: &DataType) -> usize {
    1 + match data_type {
        DataType::List(inner) | DataType::Map(inner, _) => arrays_in(inner.data_type()),
        DataType::Struct(members) => members.iter().map(|member| arrays_in(member.data_type())).sum(),
        _ => 0,
    }
}

/// Rows of one event type; from one block, or gathered and sorted.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The position of each row in the input or target.
    pub positions: Vec<Position>,
    /// The timestamps, in microseconds since 1970-01-01T00:00:00Z.
    pub micros: Vec<i64>,
    /// The event ids.
    pub ids: Ids,
    /// The payload's columns, as in the flat or the nested schema after the base columns.
    pub columns: Vec<ArrayRef>,
    /// The keys of the versions, where the event type has a version and they are still needed.
    pub versions: Option<VersionKeys>,
}

impl Batch {
    /// What orders a row among the versions of its event.
    #[must_use]
    #[inline]
    pub fn version_order(&self, row: usize) -> VersionOrder<'_> {
        let key = self.versions.as_ref().map(|keys| keys.get(row));
        VersionOrder { key, micros: self.micros[row], position: self.positions[row] }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.micros.len()
    }

    /// The memory that the rows take, in bytes. In a batch of few rows, most of it is not for values.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(array_bytes).sum();
        let own =
            columns + self.ids.memory_bytes() + self.versions.as_ref().map_or(0, VersionKeys::memory_bytes);
        own + (self.positions.capacity() + self.micros.capacity()) * 8 + ARRAY_BYTES
    }

    /// The part of it that grows with the rows.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        let arrays: usize = self.columns.iter().map(|column| arrays_in(column.data_type())).sum();
        self.memory_bytes().saturating_sub((arrays + 1) * ARRAY_BYTES_MIN)
    }

    /// The rows with all columns of their table: the base columns, then the payload's.
    ///
    /// # Errors
    /// The columns are not those of this event type in this layout.
    pub fn to_record_batch(&self, event_type: &EventType, flatten: bool) -> Result<RecordBatch, ArrowError> {
        let schema =
            if flatten { schema::flat_schema(event_type) } else { schema::nested_schema(event_type) };
        self.with_base_columns((&event_type.domain, &event_type.name), schema)
    }

    /// The rows with all columns of a table that has this schema, of one domain and event type.
    ///
    /// # Errors
    /// The columns are not those of the schema.
    pub fn with_base_columns(
        &self,
        (domain, event_type): (&str, &str),
        schema: Schema,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = self.rows();
        let same = |text: &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(ids::texts_of(&self.ids)),
            Arc::new(TimestampMicrosecondArray::from(self.micros.clone()).with_timezone("UTC")),
            same(domain),
            same(event_type),
        ];
        columns.extend(self.columns.iter().map(Arc::clone));
        RecordBatch::try_new(Arc::new(schema), columns)
    }
}
