//! Are the events of a public source loaded by the catalog that is drafted from them: deep, wide, lists of
//! objects, keys that vary?
//!
//! `data/github_events.json` has the shape of GitHub's public event stream, as its API documents it and GH
//! Archive keeps it, brought into the envelope as docs/catalog.md shows; all values are invented. Ids beyond
//! 2^53 and `score` are there to try what GitHub's own ids don't yet. Some events come twice, some corrected,
//! some in an older version, two at the same instant.
//!
//! What a file holds is compared with the JSON itself, read by `serde_json` and led by the file's own schema:
//! no catalog, no names from the loader. Every value of the JSON must be in a column, and every column must
//! hold what the JSON says.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array, AsArray, RecordBatch, StructArray},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::support::{
    files::{assert_same_lines, tree},
    forms::{Form, each_form},
    readback::{batches_of, parquet_files, rows, text_of},
    workdir::{Outcome, Workdir},
};

/// Partition → its events in the order in which their rows must stand.
type Partitions = BTreeMap<String, Vec<Map<String, Value>>>;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/github_events.json")
}

fn lines() -> Vec<String> {
    fs_err::read_to_string(sample()).unwrap().lines().map(str::to_owned).collect()
}

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_utc()
}

/// The latest version of every event, by partition.
fn latest() -> Partitions {
    let mut latest = HashMap::new();
    for line in lines() {
        let Value::Object(event) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        let version = instant(&text("timestamp"));
        let known = latest.entry((text("event_type"), text("event_id"))).or_insert((version, Map::new()));
        if version >= known.0 {
            *known = (version, event);
        }
    }
    let mut latest: Vec<_> = latest.into_iter().collect();
    latest.sort_by(|((_, id), (at, _)), ((_, other_id), (other_at, _))| (at, id).cmp(&(other_at, other_id)));
    let mut partitions = Partitions::new();
    for ((event_type, _), (at, event)) in latest {
        partitions.entry(format!("{}/{event_type}", at.format("%Y/%m/%d"))).or_default().push(event);
    }
    partitions
}

/// Drafts a catalog from the events in this form, and loads them with it.
fn draft_and_load(form: Form, flags: &[&str]) -> (Workdir, Outcome) {
    let dir = Workdir::in_form(form);
    dir.write_lines("events", lines());
    let draft = dir.bare_loader().args(["catalog", "infer", "events"]).succeeds();
    dir.write("github.toml", draft.stdout);
    let args = ["--backfill", "--catalog", "github.toml"];
    let outcome = dir.loader().source("events").args(args).args(flags).succeeds();
    (dir, outcome)
}

#[test]
fn every_event_is_a_row_in_its_latest_version_whatever_the_form() {
    let partitions = latest();
    let written = partitions.values().map(|events| events.len() as u64).sum::<u64>();
    let expected: Vec<_> =
        partitions.iter().map(|(path, events)| format!("{path} {} created", events.len())).collect();
    let (first, _) = draft_and_load(Form::Lines, &[]);
    let first = text_of(&rows(&first.target()));
    each_form(|form| {
        let (dir, outcome) = draft_and_load(form, &[]);
        let counts = ["lines", "quarantined.total", "filtered", "blank", "superseded", "written"];
        let superseded = lines().len() as u64 - written;
        assert_eq!(
            counts.map(|name| outcome.count(name)),
            [written + superseded, 0, 0, 0, superseded, written],
            "{outcome}"
        );
        assert_eq!(outcome.report()["unknown_fields"], serde_json::json!({}), "{outcome}");
        assert_same_lines(&expected, &outcome.partitions(), &outcome.to_string());
        assert_same_lines(&first, &text_of(&rows(&dir.target())), &outcome.to_string());
    });
}

#[test]
fn every_value_is_what_the_json_says_flat() {
    let (dir, _) = draft_and_load(Form::Lines, &[]);
    compare_files(&dir.target(), |batch, row, event| {
        let names: HashSet<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut cells = BTreeMap::new();
        for (key, value) in event {
            flatten(key, value, &names, &mut cells);
        }
        for (name, column) in names.iter().map(|name| (name, batch.column_by_name(name).unwrap())) {
            compare(column, row, cells.get(name.as_str()).copied().unwrap_or(&Value::Null), name);
        }
    });
}

#[test]
fn every_value_is_what_the_json_says_nested() {
    let (dir, _) = draft_and_load(Form::Lines, &["--flatten", "false"]);
    compare_files(&dir.target(), |batch, row, event| {
        compare_members(&StructArray::from(batch.clone()), row, event, "event");
    });
}

/// Calls `compare` with every row of every file, and with the event that it must be.
fn compare_files(target: &Path, compare: impl Fn(&RecordBatch, usize, &Map<String, Value>)) {
    let partitions = latest();
    let files = parquet_files(&tree(target));
    assert_eq!(files.len(), partitions.len(), "{files:?}");
    let mut compared = 0;
    for (path, events) in partitions {
        let batches = batches_of(&target.join(&path).join("part-00000.zstd.parquet"));
        let found = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), events.len(), "rows in {path}");
        for ((batch, row), event) in found.into_iter().zip(&events) {
            compare(batch, row, event);
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} rows");
}

/// A key as a column may be called: what no engine takes in a name is `_`.
fn safe(name: &str) -> String {
    name.replace(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'), "_")
}

/// The values of a JSON object by the columns that they must be in; each must have one, or be null.
fn flatten<'v>(
    name: &str,
    value: &'v Value,
    columns: &HashSet<String>,
    cells: &mut BTreeMap<String, &'v Value>,
) {
    match value {
        _ if columns.contains(name) => assert!(cells.insert(name.to_owned(), value).is_none(), "{name}"),
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| {
                flatten(&format!("{name}_{}", safe(key)), value, columns, cells);
            });
        }
        _ => assert!(value.is_null(), "no column holds {name}: {value}"),
    }
}

/// Asserts that a value of a file is what the JSON says.
fn compare(column: &dyn Array, row: usize, json: &Value, place: &str) {
    let cell = || column.slice(row, 1);
    assert_eq!(column.is_null(row), json.is_null(), "{place} is null: {:?}, in the JSON {json}", cell());
    if json.is_null() {
        return;
    }
    let is_same = match (column.data_type(), json) {
        (DataType::Utf8, Value::String(text)) => column.as_string::<i32>().value(row) == text,
        (DataType::Utf8, _) => {
            serde_json::from_str(column.as_string::<i32>().value(row)).ok().as_ref() == Some(json)
        }
        (DataType::Boolean, _) => json.as_bool() == Some(column.as_boolean().value(row)),
        (DataType::Int32, _) => json.as_i64() == Some(column.as_primitive::<Int32Type>().value(row).into()),
        (DataType::Int64, _) => json.as_i64() == Some(column.as_primitive::<Int64Type>().value(row)),
        (DataType::Float64, _) => json.as_f64() == Some(column.as_primitive::<Float64Type>().value(row)),
        (DataType::Decimal128(..), _) => {
            let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{place}: {text}"));
            let found = column.as_primitive::<Decimal128Type>().value_as_string(row);
            number(&found).total_cmp(&number(&text)).is_eq()
        }
        (DataType::Date32, Value::String(text)) => {
            column.as_primitive::<Date32Type>().value_as_date(row).map(|day| day.to_string()).as_ref()
                == Some(text)
        }
        (DataType::Timestamp(..), Value::String(text)) => {
            column.as_primitive::<TimestampMicrosecondType>().value(row) == instant(text).timestamp_micros()
        }
        (DataType::List(_), Value::Array(expected)) => {
            let elements = column.as_list::<i32>().value(row);
            for (index, json) in expected.iter().enumerate().take(elements.len()) {
                compare(&elements, index, json, &format!("{place}[{index}]"));
            }
            elements.len() == expected.len()
        }
        (DataType::Struct(_), Value::Object(members)) => {
            compare_members(column.as_struct(), row, members, place);
            true
        }
        _ => false,
    };
    assert!(is_same, "{place} is {:?}, in the JSON {json}", cell());
}

/// Asserts that an object holds what the JSON says, and nothing of the JSON is left out.
fn compare_members(object: &StructArray, row: usize, json: &Map<String, Value>, place: &str) {
    let named = |key: &str| {
        // One whose key can't be a name is called by its whole path.
        let end = format!("_{}", safe(key));
        let is_it = |name: &&&str| **name == key || (safe(key) != key && name.ends_with(&end));
        object.column_names().iter().find(is_it).map(|name| (*name).to_owned())
    };
    let mut seen = HashSet::new();
    for (key, value) in json {
        let name = named(key).unwrap_or_else(|| panic!("nothing in {place} holds {key}: {value}"));
        compare(object.column_by_name(&name).unwrap(), row, value, &format!("{place}.{key}"));
        assert!(seen.insert(name), "{place}: two keys of the JSON in one place, the second {key}");
    }
    for name in object.column_names().into_iter().filter(|name| !seen.contains(*name)) {
        compare(object.column_by_name(name).unwrap(), row, &Value::Null, &format!("{place}.{name}"));
    }
}
