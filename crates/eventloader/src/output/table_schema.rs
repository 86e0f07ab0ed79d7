//! An event type → the schema that its Delta table has in the log.
//!
//! Invariant: the schema has the columns of the files, and those of the partitions.

use std::collections::{BTreeMap, BTreeSet};

use delta_log::{PartitionKind, SchemaError, schema_string};
use event_parser::Plan;
use events_core::{
    catalog::EventType,
    partition::{Layout, PartitionUnit},
    schema::TableForm,
};

use crate::{error::Error, settings::Settings};

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

/// The schemas of these event types by their directories, if the target is of tables.
pub(crate) fn table_schemas(
    (settings, plan): (&Settings, &Plan),
    types: &BTreeSet<usize>,
) -> Result<BTreeMap<String, String>, Error> {
    let Settings { layout, partition_unit: unit, .. } = *settings;
    let types = types.iter().filter(|_| layout == Layout::Delta);
    let schemas = types.map(|&type_index| {
        let event_type = plan.event_type(type_index);
        let schema = table_schema(event_type, settings.table_form(), unit);
        let schema = schema.map_err(Error::encode("the tables' schemas"))?;
        Ok((layout.directory(event_type).into_owned(), schema))
    });
    schemas.collect()
}
