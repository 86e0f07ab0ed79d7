//! What other programs leave in a log.

use std::sync::{Arc, atomic::Ordering};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::*;
use crate::checkpoint::{self, rows, write::CheckpointWriter};

/// A table of five versions, with one file each but for the first.
fn five(store: &MemoryStore) -> Snapshot {
    let table = Table::new(store, ROOT);
    commit(&table, 1, &[]);
    for number in 1..4 {
        commit(&table, 1, &[Action::Add(file(&number.to_string(), number))]);
    }
    commit(&table, 1, &[Action::Add(file("4", 4)), Action::Remove(file("1", 1).removed(9, true))])
}

#[test]
fn names_that_are_not_the_protocol_s_are_skipped() {
    let store = MemoryStore::default();
    let expected = five(&store);
    for name in [
        "00000000000000000005.json.tmp",
        ".00000000000000000005.json",
        "0000000000000000005.json",
        "000000000000000000005.json",
        "+0000000000000000005.json",
        "0000000000000000000x.json",
        "99999999999999999999.json",
        "00000000000000000002.00000000000000000004.compacted.json",
        "00000000000000000004.crc",
        "00000000000000000004.checkpoint.parquet.tmp",
        "00000000000000000004.checkpoint.0000000003.0000000002.parquet",
        "00000000000000000004.checkpoint.0000000000.0000000000.parquet",
        "00000000000000000004.checkpoint.1.1.parquet",
        "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
        "_staged_commits/00000000000000000005.json",
        "_sidecars/x.parquet",
        "5/00000000000000000005.json",
        "\u{e4}",
    ] {
        store.put(&key(name), b"?").unwrap();
    }
    assert_eq!(Table::new(&store, ROOT).snapshot().unwrap().unwrap(), expected);
    assert_eq!(Table::new(&store, "shop/sale/").snapshot().unwrap().unwrap(), expected);
    assert_eq!(Table::new(&store, "shop").snapshot().unwrap(), None);
    assert_eq!(Table::new(&store, "").snapshot().unwrap(), None);
    store.put("new/_delta_log/00000000000000000000.json.tmp", b"{").unwrap();
    assert_eq!(Table::new(&store, "new").snapshot().unwrap(), None);
}

#[test]
fn the_hint_is_only_a_hint() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let expected = five(&store);
    // Older ones beside it; from none of them a wrong snapshot is read.
    store.put(&checkpoint_key(2), &checkpoint(&beginning())).unwrap();
    table.checkpoint(&expected, 1).unwrap();
    for hint in ["", "{", "[]", "{\"version\":-1}", "{\"version\":1}", "{\"version\":4}", "{\"version\":77}"]
    {
        store.put(&key("_last_checkpoint"), hint.as_bytes()).unwrap();
        assert_eq!(table.snapshot().unwrap().unwrap(), expected, "{hint}");
    }
    store.delete(&checkpoint_key(4)).unwrap();
    store.delete(&checkpoint_key(2)).unwrap();
    assert_eq!(table.snapshot().unwrap().unwrap(), expected);
}

/// Nobody ever wrote a checkpoint.
#[test]
fn a_log_may_have_any_number_of_commits() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let mut snapshot = None;
    for number in 0..300 {
        let begin = if number == 0 { beginning() } else { Vec::new() };
        let actions = [begin, vec![Action::Add(file(&number.to_string(), number))]].concat();
        table.commit::<LogError>(&mut snapshot, 1, |_| Ok(Some(actions.clone()))).unwrap();
    }
    assert_eq!(table.snapshot().unwrap(), snapshot);
    assert_eq!(snapshot.unwrap().files.len(), 300);
}

/// One listing, and one request for each commit behind the checkpoint.
#[test]
fn a_long_log_costs_one_listing() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    for number in 0..30 {
        let snapshot = commit(&table, 1, &[transaction("x", number)]);
        if snapshot.version == 20 {
            table.checkpoint(&snapshot, 1).unwrap();
        }
    }
    store.listings.store(0, Ordering::Relaxed);
    store.reads.store(0, Ordering::Relaxed);
    let mut snapshot = table.snapshot().unwrap().unwrap();
    assert_eq!(snapshot.transaction("x"), Some(29));
    // The hint, the checkpoint, 21 to 29.
    assert_eq!((store.listings.load(Ordering::Relaxed), store.reads.load(Ordering::Relaxed)), (1, 11));
    table.refresh(&mut snapshot).unwrap();
    assert_eq!((store.listings.load(Ordering::Relaxed), store.reads.load(Ordering::Relaxed)), (2, 11));
}

fn missing(version: u64) -> String {
    format!(
        "memory://{} is missing: the log has more behind it, and no checkpoint that holds what it did",
        commit_key(version)
    )
}

#[test]
fn a_gap_is_named() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let snapshot = five(&store);
    let commits = [2, 3].map(|version| store.read(&commit_key(version)).unwrap().unwrap());
    store.delete(&commit_key(2)).unwrap();
    assert_eq!(table.snapshot().unwrap_err().to_string(), missing(2));
    store.delete(&commit_key(3)).unwrap();
    let mut first = Snapshot { version: 1, ..snapshot.clone() };
    assert_eq!(table.refresh(&mut first).unwrap_err().to_string(), missing(2));
    store.put(&commit_key(2), &commits[0]).unwrap();
    assert_eq!(table.snapshot().unwrap_err().to_string(), missing(3));
    store.put(&commit_key(3), &commits[1]).unwrap();
    assert_eq!(table.snapshot().unwrap().unwrap(), snapshot);
    store.delete(&commit_key(0)).unwrap();
    assert_eq!(table.snapshot().unwrap_err().to_string(), missing(0));
    // A checkpoint has what it did.
    table.checkpoint(&snapshot, 1).unwrap();
    assert_eq!(table.snapshot().unwrap().unwrap(), snapshot);
    // And behind that one there is a gap again.
    store.put(&commit_key(6), b"{}").unwrap();
    assert_eq!(table.snapshot().unwrap_err().to_string(), missing(5));
}

#[test]
fn what_this_crate_need_not_know_is_tolerated_and_metadata_is_kept() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let text = r#"
{"commitInfo":{"timestamp":1,"operation":"CREATE TABLE","x":{"y":[1.5,null]}}}
{"protocol":{"minReaderVersion":1,"minWriterVersion":2,"x":1}}
{"metaData":{"id":"i","name":"Sales","description":"All of them","format":{"provider":"parquet","options":{}},"schemaString":"{}","partitionColumns":[],"configuration":{"delta.logRetentionDuration":"interval 9 days","owner":null},"createdTime":1,"x":null}}
{"domainMetadata":{"domain":"d","configuration":"","removed":false}}
{"cdc":{"path":"_change_data/a","partitionValues":{},"size":1,"dataChange":false}}
{"somethingNew":[1]}

{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":-5,"dataChange":true,"stats":null,"tags":null,"baseRowId":1,"clusteringProvider":"liquid"}}
{"add":null,"remove":{"path":"b","dataChange":true}}
{"txn":{"appId":"spark","version":-3,"lastUpdated":8}}
"#;
    store.put(&commit_key(0), text.replace('\n', "\r\n").as_bytes()).unwrap();
    let snapshot = table.snapshot().unwrap().unwrap();
    let Metadata { name, description, configuration, .. } = &snapshot.metadata;
    assert_eq!((name.as_deref(), description.as_deref()), (Some("Sales"), Some("All of them")));
    assert_eq!(configuration["delta.logRetentionDuration"].as_deref(), Some("interval 9 days"));
    assert_eq!(configuration["owner"], None);
    assert_eq!(snapshot.transactions["spark"].updated_ms, Some(8));
    assert_eq!((paths(&snapshot), snapshot.removed.len()), (vec!["a"], 1));
    table.checkpoint(&snapshot, 8 * DAY_MS).unwrap();
    store.delete(&commit_key(0)).unwrap();
    // Nobody knows when it was removed: its time is over.
    let expected = Snapshot { removed: std::collections::BTreeMap::new(), ..snapshot };
    assert_eq!(table.snapshot().unwrap().unwrap(), expected);
}

/// A checkpoint of these actions.
fn checkpoint(actions: &[Action]) -> Vec<u8> {
    let mut writer = CheckpointWriter::new().unwrap();
    for action in actions {
        writer.push(action).unwrap();
    }
    writer.finish().unwrap().0
}

#[test]
fn a_checkpoint_in_parts_counts_when_all_parts_are_there() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let part = |part: u32| key(&format!("00000000000000000004.checkpoint.{part:010}.0000000003.parquet"));
    let snapshot = five(&store);
    let files: Vec<_> = snapshot.files.values().cloned().map(Action::Add).collect();
    store.put(&part(1), &checkpoint(&files[..1])).unwrap();
    store.put(&part(3), &checkpoint(&beginning())).unwrap();
    assert_eq!(table.snapshot().unwrap().unwrap(), snapshot);
    for version in 0..5 {
        store.delete(&commit_key(version)).unwrap();
    }
    // Its beginning is nowhere. That is another thing than no log.
    assert_eq!(table.snapshot().unwrap_err().to_string(), missing(0));
    store.put(&part(2), &checkpoint(&files[1..])).unwrap();
    store.put(&key("_last_checkpoint"), b"{\"version\":4,\"size\":5,\"parts\":3}").unwrap();
    let expected = Snapshot { removed: std::collections::BTreeMap::new(), ..snapshot };
    assert_eq!(table.snapshot().unwrap().unwrap(), expected);
}

/// The same of any columns, with values as JSON.
fn parquet(columns: &[(&str, &[(&str, DataType)])], rows: &[Value]) -> Vec<u8> {
    let member = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), true);
    let column = |(name, members): &(&str, &[(&str, DataType)])| {
        Field::new(*name, DataType::Struct(members.iter().map(member).collect()), true)
    };
    let schema = Arc::new(Schema::new(columns.iter().map(column).collect::<Vec<_>>()));
    let values = |name: &str| rows.iter().map(|row| row.get(name)).collect::<Vec<_>>();
    let arrays = schema.fields().iter().map(|field| rows::array(field.data_type(), &values(field.name())));
    let batch = RecordBatch::try_new(schema.clone(), arrays.collect::<Result<_, _>>().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn member(name: &str) -> (&str, DataType) {
    (name, DataType::Utf8)
}

#[test]
fn a_checkpoint_of_version_2_is_refused_wherever_its_files_are() {
    let expected = "the table memory://shop/sale needs v2Checkpoint: it begins with a checkpoint of version 2; \
                    nothing was changed";
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    for name in ["json", "parquet"] {
        let name =
            key(&format!("00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.{name}"));
        store.put(&name, b"?").unwrap();
        assert_eq!(table.snapshot().unwrap_err().to_string(), expected);
        store.put(&commit_key(5), b"{}").unwrap();
        assert_eq!(table.snapshot().unwrap_err().to_string(), expected);
        store.delete(&name).unwrap();
        store.delete(&commit_key(5)).unwrap();
    }
    let columns: &[(&str, &[_])] =
        &[("sidecar", &[member("path")]), ("checkpointMetadata", &[("version", DataType::Int64)])];
    for row in [json!({ "sidecar": { "path": "a" } }), json!({ "checkpointMetadata": { "version": 4 } })] {
        store.put(&checkpoint_key(4), &parquet(columns, &[row])).unwrap();
        assert_eq!(table.snapshot().unwrap_err().to_string(), expected);
    }
}

/// Columns that are missing, that nobody needs, and that are null.
#[test]
fn a_checkpoint_may_have_fewer_columns_and_more() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let texts = || metadata_type("configuration");
    let statistics = DataType::Struct(vec![Field::new("numRecords", DataType::Int64, true)].into());
    let columns: &[(&str, &[_])] = &[
        ("sidecar", &[member("path")]),
        ("commitInfo", &[member("operation")]),
        (
            "protocol",
            &[
                ("minReaderVersion", DataType::Int32),
                ("minWriterVersion", DataType::Int64),
                ("writerFeatures", metadata_type("partitionColumns")),
            ],
        ),
        (
            "metaData",
            &[
                member("id"),
                ("format", DataType::Struct(vec![Field::new("provider", DataType::Utf8, true)].into())),
                member("schemaString"),
                ("partitionColumns", metadata_type("partitionColumns")),
            ],
        ),
        (
            "add",
            &[
                member("path"),
                ("size", DataType::Int64),
                ("modificationTime", DataType::Int64),
                ("partitionValues", texts()),
                ("stats_parsed", statistics),
                ("dataChange", DataType::Boolean),
            ],
        ),
        ("remove", &[member("path"), ("deletionTimestamp", DataType::Int64)]),
    ];
    let rows = [
        json!({ "remove": { "path": "b%20", "deletionTimestamp": 5 } }),
        json!({ "add": {
            "path": "a%20", "size": 3, "modificationTime": 4, "partitionValues": { "p": null, "q": "" },
            "stats_parsed": { "numRecords": 1 }, "dataChange": true,
        } }),
        json!({ "commitInfo": { "operation": "x" } }),
        json!({ "metaData": {
            "id": "i", "format": { "provider": "parquet" }, "schemaString": "{}", "partitionColumns": ["p", "q"],
        } }),
        json!({}),
        json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } }),
    ];
    store.put(&checkpoint_key(7), &parquet(columns, &rows)).unwrap();
    let snapshot = table.snapshot().unwrap().unwrap();
    assert_eq!((snapshot.version, snapshot.protocol), (7, Protocol::OWN));
    assert_eq!(snapshot.metadata.partition_columns, ["p", "q"]);
    let AddFile { partition_values, size_bytes, data_change, statistics, .. } = &snapshot.files["a "];
    let values = [("p".to_owned(), None), ("q".to_owned(), Some(String::new()))];
    assert_eq!((partition_values, size_bytes, data_change), (&values.into(), &3, &false));
    assert_eq!(*statistics, None);
    assert_eq!(snapshot.removed["b "].deletion_time_ms, Some(5));
}

/// The type of a member of `metaData`.
fn metadata_type(name: &str) -> DataType {
    let schema = checkpoint::write::schema();
    let DataType::Struct(members) = schema.field_with_name("metaData").unwrap().data_type() else { panic!() };
    members.find(name).unwrap().1.data_type().clone()
}

/// Six appends to a table partitioned by `city`, compaction, a delete, an overwrite of one city, a checkpoint
/// behind which all was deleted, another delete, and a vacuum: by the package `deltalake` 1.6.6. Expected is
/// what its `get_add_actions` says.
#[test]
fn a_log_of_deltalake_is_read() {
    let store = MemoryStore::default();
    for (name, bytes) in [
        ("_last_checkpoint", &include_bytes!("data/deltalake-1.6.6/_last_checkpoint")[..]),
        (
            "00000000000000000008.checkpoint.parquet",
            include_bytes!("data/deltalake-1.6.6/00000000000000000008.checkpoint.parquet"),
        ),
        ("00000000000000000009.json", include_bytes!("data/deltalake-1.6.6/00000000000000000009.json")),
        ("00000000000000000010.json", include_bytes!("data/deltalake-1.6.6/00000000000000000010.json")),
        ("00000000000000000011.json", include_bytes!("data/deltalake-1.6.6/00000000000000000011.json")),
    ] {
        store.put(&key(name), bytes).unwrap();
    }
    let table = Table::new(&store, ROOT);
    let snapshot = table.snapshot().unwrap().unwrap();
    assert_eq!(snapshot.version, 11);
    let Metadata { name, description, partition_columns, .. } = &snapshot.metadata;
    assert_eq!((name.as_deref(), description.as_deref()), (Some("cities"), Some("A test")));
    assert_eq!(*partition_columns, ["city"]);
    let of = |file: &AddFile| {
        let statistics: Value = serde_json::from_str(file.statistics.as_deref().unwrap()).unwrap();
        let city = file.partition_values["city"].clone();
        (
            file.path.split('/').next().unwrap().to_owned(),
            city,
            file.size_bytes,
            statistics["numRecords"].clone(),
        )
    };
    let found: Vec<_> = snapshot.files.values().map(of).collect();
    let expected = [
        ("city=K%C3%B6ln", Some("K\u{f6}ln"), 496, 2),
        ("city=__HIVE_DEFAULT_PARTITION__", None, 506, 3),
        ("city=a%20b", Some("a b"), 512, 2),
        ("city=x%2Fy%252F", Some("x/y%2F"), 512, 2),
    ];
    let expected = expected.map(|(directory, city, size_bytes, rows)| {
        (directory.to_owned(), city.map(str::to_owned), size_bytes, Value::from(rows))
    });
    assert_eq!(found, expected);
    assert_eq!(snapshot.removed.len(), 6);
    // It is the same from a checkpoint of ours.
    table.checkpoint(&snapshot, 1_795_840_733_000).unwrap();
    for version in 9..12 {
        store.delete(&commit_key(version)).unwrap();
    }
    assert_eq!(table.snapshot().unwrap().unwrap(), snapshot);
}
