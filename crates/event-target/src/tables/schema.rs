//! The schema of a table in its log, and the one that a load would write → what the log gets.
//!
//! A table has one schema for all of its files, so a column may be new, but its type may change only in a
//! commit that replaces every file of the table. A column that only earlier files have stays.
//!
//! Invariant: after any commit, each file of a table can be read with the table's schema.

use std::collections::{BTreeMap, BTreeSet};

use delta_log::{Snapshot, WiderTable};
use serde_json::{Map, Value};
use storage::Store;

use super::{partition_values, publish::Snapshots, table_of};
use crate::{Change, TargetError};

/// The schema that a table has after a commit.
#[derive(Debug)]
pub(super) struct After {
    pub(super) schema: String,
    /// Whether its log does not have it yet.
    pub(super) is_new: bool,
}

/// The schemas after a commit of the tables that a load writes, by their directories. `asked` are those that
/// it writes its files with.
///
/// # Errors
/// The type of a column changes, and files that have the old one stay.
pub(super) fn schemas_after(
    store: &dyn Store,
    changes: &[Change],
    asked: &BTreeMap<String, String>,
    snapshots: &Snapshots,
) -> Result<BTreeMap<String, After>, TargetError> {
    let written: BTreeSet<_> = changes
        .iter()
        .filter(|change| change.event_type.is_some() && !change.files.is_empty())
        .map(|change| table_of(&change.directory))
        .collect();
    let asked = asked.iter().filter(|(table, _)| written.contains(table.as_str()));
    let schemas = asked.map(|(table, asked)| {
        let Some(snapshot) = snapshots.get(table).and_then(|seen| seen.snapshot.as_ref()) else {
            return Ok((table.clone(), After { schema: asked.clone(), is_new: true }));
        };
        let stays = keeps_files(table, snapshot, changes);
        let held = &snapshot.metadata.schema_string;
        let schema = followed(held, asked, stays)
            .map_err(|problem| TargetError::Unusable { path: store.address(table).into(), problem })?;
        let is_new = schema.is_some();
        Ok((table.clone(), After { schema: schema.unwrap_or_else(|| held.clone()), is_new }))
    });
    schemas.collect()
}

/// Adds the columns of tables that a load's files don't have to their statistics: all rows are null there.
pub(super) fn complete(
    changes: &mut [Change],
    asked: &BTreeMap<String, String>,
    after: &BTreeMap<String, After>,
) {
    let wider = |(table, after): (&String, &After)| {
        Some((table.clone(), WiderTable::new(&after.schema, asked.get(table)?)?))
    };
    let wider: BTreeMap<_, _> = after.iter().filter_map(wider).collect();
    for change in changes.iter_mut().filter(|change| change.event_type.is_some()) {
        let Some(table) = wider.get(table_of(&change.directory)) else { continue };
        let partition: Vec<_> = partition_values(&change.directory).into_keys().collect();
        for statistics in change.files.iter_mut().filter_map(|file| file.statistics.as_mut()) {
            if let Some(completed) = table.statistics(statistics, &partition) {
                *statistics = completed;
            }
        }
    }
}

/// Whether some file of a table is in none of the partitions that are replaced.
fn keeps_files(table: &str, snapshot: &Snapshot, changes: &[Change]) -> bool {
    let replaced: BTreeSet<_> = changes
        .iter()
        .filter(|change| change.event_type.is_some() && table_of(&change.directory) == table)
        .map(|change| partition_values(&change.directory))
        .collect();
    snapshot.files.values().any(|file| !replaced.contains(&file.partition_values))
}

/// The schema that follows one in a log; `None` if it is the same.
fn followed(held: &str, asked: &str, keeps_files: bool) -> Result<Option<String>, String> {
    if held == asked {
        return Ok(None);
    }
    let parse =
        |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("its schema: {error}"));
    let (held, mut asked) = (parse(held)?, parse(asked)?);
    if keeps_files {
        asked = joined(&held, &asked, "")?;
    }
    Ok((held != asked).then(|| asked.to_string()))
}

/// The type that has the values of both. What another program has noted beside a column stays.
fn joined(held: &Value, asked: &Value, column: &str) -> Result<Value, String> {
    let kind = |value: &Value| value.get("type").and_then(Value::as_str).map(str::to_owned);
    let (Some(held_kind), Some(asked_kind)) = (kind(held), kind(asked)) else {
        return if held == asked { Ok(held.clone()) } else { Err(clash(held, asked, column)) };
    };
    let mut joint = asked.as_object().cloned().unwrap_or_default();
    match (held_kind.as_str(), asked_kind.as_str()) {
        ("struct", "struct") => {
            joint.insert("fields".to_owned(), joined_fields(held, asked, column)?);
        }
        ("array", "array") => join_members(&mut joint, held, &["elementType"], column)?,
        ("map", "map") => join_members(&mut joint, held, &["keyType", "valueType"], column)?,
        _ => return Err(clash(held, asked, column)),
    }
    Ok(Value::Object(joint))
}

fn join_members(
    joint: &mut Map<String, Value>,
    held: &Value,
    names: &[&str],
    column: &str,
) -> Result<(), String> {
    for name in names {
        let asked = joint.get(*name).cloned().unwrap_or_default();
        joint.insert((*name).to_owned(), joined(&held[*name], &asked, column)?);
    }
    Ok(())
}

/// The fields of the held struct, and those that are new, each behind the one that it is behind.
fn joined_fields(held: &Value, asked: &Value, column: &str) -> Result<Value, String> {
    let fields = |of: &Value| of["fields"].as_array().cloned().unwrap_or_default();
    let name = |field: &Value| field["name"].as_str().unwrap_or_default().to_owned();
    let mut joint = fields(held);
    let mut next = 0;
    for field in fields(asked) {
        let own = name(&field);
        if let Some(place) = joint.iter().position(|held| name(held) == own) {
            let column = if column.is_empty() { own } else { format!("{column}.{own}") };
            joint[place]["type"] = joined(&joint[place]["type"], &field["type"], &column)?;
            next = place + 1;
        } else {
            joint.insert(next, field);
            next += 1;
        }
    }
    Ok(Value::Array(joint))
}

fn clash(held: &Value, asked: &Value, column: &str) -> String {
    let text = |of: &Value| of.as_str().or(of["type"].as_str()).unwrap_or("another type").to_owned();
    format!(
        "has the column {column} as {}, and this run would write it as {}: a table has one type for all of its \
         files, and some would stay; rewrite the target with this catalog first",
        text(held),
        text(asked)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(fields: &[(&str, Value)]) -> String {
        let field = |(name, kind): &(&str, Value)| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
        json!({"type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>()}).to_string()
    }

    fn object(fields: &[(&str, Value)]) -> Value {
        serde_json::from_str(&schema(fields)).unwrap()
    }

    #[test]
    fn columns_may_be_new_and_none_is_lost() {
        let held =
            schema(&[("a", json!("long")), ("o", object(&[("x", json!("string"))])), ("old", json!("date"))]);
        let asked =
            schema(&[("o", object(&[("y", json!("date"))])), ("new", json!("double")), ("a", json!("long"))]);
        let followed = |keeps| followed(&held, &asked, keeps).unwrap().unwrap();
        let both = object(&[("y", json!("date")), ("x", json!("string"))]);
        let joint =
            schema(&[("a", json!("long")), ("o", both), ("new", json!("double")), ("old", json!("date"))]);
        assert_eq!(followed(true), joint);
        assert_eq!(followed(false), serde_json::from_str::<Value>(&asked).unwrap().to_string());
        assert_eq!(super::followed(&joint, &asked, true), Ok(None));
    }

    #[test]
    fn a_type_changes_only_where_all_files_are_replaced() {
        let list = |of: &str| json!({"type": "array", "elementType": of, "containsNull": true});
        for (held, asked) in [(json!("integer"), json!("long")), (list("integer"), list("long"))] {
            let (held, asked) = (schema(&[("n", held)]), schema(&[("n", asked)]));
            let refused = followed(&held, &asked, true).unwrap_err();
            assert!(
                refused.starts_with("has the column n as integer, and this run would write it as long"),
                "{refused}"
            );
            assert!(followed(&held, &asked, false).unwrap().is_some());
        }
    }

    #[test]
    fn what_others_noted_beside_a_column_stays() {
        let noted = schema(&[("a", json!("long"))]).replace("{}", r#"{"comment":"cents"}"#);
        assert_eq!(followed(&noted, &schema(&[("a", json!("long"))]), true), Ok(None));
    }
}
