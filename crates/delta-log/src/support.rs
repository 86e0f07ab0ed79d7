//! What this crate does not know of the protocol, by its names.
//!
//! In: protocols, metadata, actions. Out: why a table can't be read, or not be written. A text completes
//! `the table …`.
//!
//! Invariant: whatever a writer of version 2 would have to see to, and this crate does not, is refused.

use serde_json::Value;

use crate::{Action, Metadata, Protocol};

/// Why a table of this protocol is not read.
pub(crate) fn refuse_protocol(protocol: &Protocol) -> Result<(), String> {
    let Protocol { min_reader_version: reader, min_writer_version: writer, .. } = protocol;
    let features = protocol.reader_features.iter().chain(&protocol.writer_features).flatten();
    let mut features: Vec<_> = features.map(String::as_str).collect();
    features.sort_unstable();
    features.dedup();
    if *reader <= Protocol::OWN.min_reader_version
        && *writer <= Protocol::OWN.min_writer_version
        && features.is_empty()
    {
        return Ok(());
    }
    let features = match (features.as_slice(), reader, writer) {
        ([], 2.., _) => " (column mapping)".to_owned(),
        ([], _, 3) => " (CHECK constraints)".to_owned(),
        ([], _, 4) => " (CHECK constraints, generated columns, change data feed)".to_owned(),
        ([], ..) => String::new(),
        (features, ..) => format!(" with {}", features.join(", ")),
    };
    Err(format!(
        "needs the Delta protocol of reader version {reader} and writer version {writer}{features}; known are \
         reader version 1 and writer version 2"
    ))
}

/// Why a table of this metadata is not read.
pub(crate) fn refuse_metadata(metadata: &Metadata) -> Result<(), String> {
    if metadata.format.provider != "parquet" {
        return Err(format!("has files of the format {:?}; only parquet is known", metadata.format.provider));
    }
    match property(metadata, "delta.columnMapping.mode") {
        None | Some("none") => Ok(()),
        Some(mode) => Err(format!(
            "has column mapping (`delta.columnMapping.mode` = {mode:?}), which is not known: its files have \
             columns of other names"
        )),
    }
}

/// Why a commit of these actions must not be made by this crate to a table of this metadata.
pub(crate) fn refuse_commit(metadata: &Metadata, actions: &[Action]) -> Result<(), String> {
    refuse_write(metadata)?;
    let takes_rows = |action: &Action| matches!(action, Action::Remove(file) if file.data_change);
    if is_true(metadata, "delta.appendOnly") && actions.iter().any(takes_rows) {
        return Err("is append-only (`delta.appendOnly` = true), so no file may be replaced".to_owned());
    }
    Ok(())
}

/// Why a table of this metadata must not be written by this crate.
fn refuse_write(metadata: &Metadata) -> Result<(), String> {
    if let Some(name) = metadata.configuration.keys().find(|name| name.starts_with("delta.constraints.")) {
        return Err(format!("has a CHECK constraint (`{name}`), which is not checked here"));
    }
    for (name, what) in [
        ("delta.enableChangeDataFeed", "a change data feed"),
        ("delta.enableDeletionVectors", "deletion vectors"),
        ("delta.enableRowTracking", "row tracking"),
        ("delta.enableInCommitTimestamps", "timestamps in its commits"),
        ("delta.enableIcebergCompatV1", "Iceberg compatibility"),
        ("delta.enableIcebergCompatV2", "Iceberg compatibility"),
    ] {
        if is_true(metadata, name) {
            return Err(format!("has {what} (`{name}` = true), which is not written here"));
        }
    }
    let schema: Value = serde_json::from_str(&metadata.schema_string)
        .map_err(|error| format!("has a schema that can't be read: {error}"))?;
    refuse_columns(&schema)
}

/// Looks for columns that say something of their values, at any depth.
fn refuse_columns(schema: &Value) -> Result<(), String> {
    let of_type =
        |field: &Value| ["type", "elementType", "keyType", "valueType"].map(|key| field[key].clone());
    for field in schema["fields"].as_array().into_iter().flatten() {
        let column = field["name"].as_str().unwrap_or_default();
        if field["nullable"] == false {
            return Err(format!("has a column {column:?} that must not be null, which is not checked here"));
        }
        let names = field["metadata"].as_object().into_iter().flat_map(|metadata| metadata.keys());
        for name in names {
            let what = match name.as_str() {
                "delta.invariants" => "an invariant",
                "delta.generationExpression" => "an expression that makes its values",
                name if name.starts_with("delta.identity.") => "values that count up",
                _ => continue,
            };
            return Err(format!("has {what} on the column {column:?} (`{name}`), which is not checked here"));
        }
    }
    let fields = schema["fields"].as_array().into_iter().flatten();
    let inner = fields.chain([schema]).flat_map(of_type).filter(Value::is_object);
    inner.collect::<Vec<_>>().iter().try_for_each(refuse_columns)
}

/// A property's value.
pub(crate) fn property<'m>(metadata: &'m Metadata, name: &str) -> Option<&'m str> {
    metadata.configuration.get(name)?.as_deref()
}

fn is_true(metadata: &Metadata, name: &str) -> bool {
    property(metadata, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
