//! An event type → the schema that its Delta table has in the log.
//!
//! Invariant: the schema has the columns of the files, and those of the partitions.

use delta_log::{PartitionKind, SchemaError, schema_string};
use events_core::{
    catalog::EventType,
    partition::{Layout, PartitionUnit},
    schema::TableForm,
};

/// The schema of an event type's table.
///
/// # Errors
/// A column is one that no Delta table can have.
pub(crate) fn table_schema(
    event_type: &EventType,
    form: TableForm,
    unit: PartitionUnit,
) -> Result<String, SchemaError> {
    let kind = |name: &&'static str| {
        let kind = if *name == "day" { PartitionKind::Date } else { PartitionKind::Integer };
        (*name, kind)
    };
    let partition: Vec<_> = Layout::Delta.columns(unit).iter().map(kind).collect();
    schema_string(&form.schema(event_type), &partition)
}
