//! The statistics of a file whose table has columns that the file does not have → the same, with these as
//! null.
//!
//! In: the schemas of the table and of the file, as they are in a log; the file's statistics. Out: statistics
//! that say of each column for which readers expect it how many nulls there are.
//!
//! Invariant: digits stay as they are written, and so does what this crate knows nothing of.

use std::collections::BTreeMap;

use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use super::COLUMNS_MAX;

/// The members of an object, each as it is written.
type Members = BTreeMap<String, Box<RawValue>>;

/// A table with columns in another order than a file, or with more.
#[derive(Debug)]
pub struct WiderTable {
    /// The columns that the file does not have, but for lists and maps; `true` for objects.
    missing: Vec<(String, bool)>,
    /// Those that it has.
    held: Vec<String>,
}

impl WiderTable {
    /// `None` if the file has the table's columns, in its order; and if there is anything odd in a schema.
    #[must_use]
    pub fn new(table: &str, file: &str) -> Option<Self> {
        if table == file {
            return None;
        }
        let fields =
            |schema: &str| match serde_json::from_str::<Value>(schema).ok()?.get_mut("fields")?.take() {
                Value::Array(fields) => Some(fields),
                _ => None,
            };
        let of_file = fields(file)?;
        let is_held = |name: &str| of_file.iter().any(|field| field["name"].as_str() == Some(name));
        let (mut missing, mut held, mut columns) = (Vec::new(), Vec::new(), 0);
        for field in fields(table)? {
            let (name, kind) = (field["name"].as_str()?, field["type"]["type"].as_str());
            if columns < COLUMNS_MAX && !matches!(kind, Some("array" | "map")) {
                let name = name.to_owned();
                if is_held(&name) { held.push(name) } else { missing.push((name, kind.is_some())) }
            }
            columns += leaves(&field["type"]);
        }
        Some(Self { missing, held })
    }

    /// The file's statistics, if they are to be others. `partition` are the columns that no file has.
    #[must_use]
    pub fn statistics(&self, of_file: &str, partition: &[String]) -> Option<String> {
        let mut all: Members = serde_json::from_str(of_file).ok()?;
        let rows = all.get("numRecords")?.clone();
        let part = |name| serde_json::from_str::<Members>(all.get(name)?.get()).ok();
        let [mut min, mut max, mut nulls] = [part("minValues")?, part("maxValues")?, part("nullCount")?];
        let is_unknown = |name: &String| !nulls.contains_key(name) && !partition.contains(name);
        if self.held.iter().any(is_unknown) {
            // Readers expect statistics of it, because it is one of the table's first columns. In the file it
            // is further behind.
            return Some(format!(r#"{{"numRecords":{rows}}}"#));
        }
        let unknown: Vec<_> = self.missing.iter().filter(|(name, _)| is_unknown(name)).collect();
        if unknown.is_empty() {
            return None;
        }
        let nothing = to_raw_value(&Value::Object(serde_json::Map::new())).ok()?;
        for (name, is_object) in unknown.into_iter().cloned() {
            if is_object {
                min.insert(name.clone(), nothing.clone());
                max.insert(name.clone(), nothing.clone());
                nulls.insert(name, nothing.clone());
            } else {
                nulls.insert(name, rows.clone());
            }
        }
        for (name, members) in [("minValues", min), ("maxValues", max), ("nullCount", nulls)] {
            all.insert(name.to_owned(), to_raw_value(&members).ok()?);
        }
        serde_json::to_string(&all).ok()
    }
}

/// How many columns Delta counts in one: those in an object, of which a list or a map is one.
fn leaves(kind: &Value) -> usize {
    match kind["fields"].as_array() {
        Some(fields) => fields.iter().map(|field| leaves(&field["type"])).sum(),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(fields: &[(&str, Value)]) -> String {
        let fields: Vec<_> = fields.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        json!({"type": "struct", "fields": fields}).to_string()
    }

    fn object() -> Value {
        json!({"type": "struct", "fields": [{"name": "x", "type": "long"}, {"name": "y", "type": "long"}]})
    }

    #[test]
    fn columns_that_a_file_does_not_have_are_null_in_all_rows() {
        let held = [("a", json!("decimal(38,2)")), ("day", json!("date"))];
        let list = json!({"type": "array", "elementType": "long", "containsNull": true});
        let more = [("b", json!("boolean")), ("l", list), ("o", object())];
        let table = WiderTable::new(&schema(&[&held[..], &more].concat()), &schema(&held)).unwrap();
        let a = "123456789012345678901234567890123456.78";
        let statistics = format!(
            r#"{{"numRecords":7,"minValues":{{"a":{a}}},"maxValues":{{"a":{a}}},"nullCount":{{"a":6}},"other":1.0}}"#
        );
        let partition = ["day".to_owned()];
        let completed = table.statistics(&statistics, &partition).unwrap();
        assert_eq!(
            completed,
            format!(
                r#"{{"maxValues":{{"a":{a},"o":{{}}}},"minValues":{{"a":{a},"o":{{}}}},"nullCount":{{"a":6,"b":7,"o":{{}}}},"numRecords":7,"other":1.0}}"#
            )
        );
        assert_eq!(table.statistics(&completed, &partition), None, "they are complete");
        assert_eq!(table.statistics(r#"{"numRecords":7}"#, &partition), None);
        assert!(WiderTable::new(&schema(&held), &schema(&held)).is_none());
    }

    #[test]
    fn a_column_of_unknown_bounds_among_the_first_of_the_table_leaves_the_number_of_rows() {
        let name = |number: usize| format!("c{number}");
        let names: Vec<_> = (0..40).map(name).collect();
        let of = |names: &mut dyn Iterator<Item = &String>| {
            schema(&names.map(|name| (name.as_str(), json!("long"))).collect::<Vec<_>>())
        };
        let known = |names: &mut dyn Iterator<Item = &String>| {
            let all: serde_json::Map<_, _> = names.map(|name| (name.clone(), json!(0))).collect();
            json!({"numRecords": 2, "minValues": all, "maxValues": all, "nullCount": all}).to_string()
        };
        let table = WiderTable::new(&of(&mut names.iter()), &of(&mut names.iter().rev())).unwrap();
        let of_file = known(&mut names.iter().rev().take(32));
        assert_eq!(table.statistics(&of_file, &[]).as_deref(), Some(r#"{"numRecords":2}"#));
        assert_eq!(table.statistics(&known(&mut names.iter().take(32)), &[]), None);
    }
}
