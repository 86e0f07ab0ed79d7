//! The statistics in the logs of tables: complete for each column that readers expect them of, also where
//! files have other columns than their table? By what is missing, some readers find no rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{
    events::file_of,
    workdir::{Loader, Workdir},
};

/// A load of one event of a day into `lake`, with these fields in its catalog.
fn load(dir: &Workdir, day: u32, fields: &str, data: &str, flags: &[&str]) -> Loader {
    let event = format!(
        r#"{{"event_id": "{day}", "timestamp": "2024-10-{day}T00:00:00", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    );
    dir.write("in.json", file_of([event]));
    dir.write("shop.toml", format!("[domain.shop.events.sale.fields]\n{fields}"));
    let to = ["-t", "lake", "--table", "delta", "--mode", "merge", "--catalog", "shop.toml"];
    dir.bare_loader().args(["-s", "in.json", "-b"]).args(to).args(flags)
}

/// The table after its last commit: its columns, and the statistics of its files by their day.
fn table(dir: &Workdir) -> (Vec<Value>, BTreeMap<String, Value>) {
    let (mut schema, mut files) = (Value::Null, BTreeMap::new());
    let parse = |text: &Value| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
    for version in 0.. {
        let Ok(commit) =
            fs_err::read_to_string(dir.path(&format!("lake/sale/_delta_log/{version:020}.json")))
        else {
            break;
        };
        for action in commit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if let Some(metadata) = action.get("metaData") {
                schema = parse(&metadata["schemaString"]);
            }
            if let Some(add) = action.get("add") {
                let day = add["partitionValues"]["day"].as_str().unwrap();
                files.insert(day.to_owned(), parse(&add["stats"]));
            }
        }
    }
    (schema["fields"].as_array().unwrap().clone(), files)
}

/// Every file says of every column of its table, but for lists and the day, how many nulls there are and,
/// unless all are, between which bounds its values are. Objects are there, whatever is in them.
fn is_complete(dir: &Workdir) {
    let (columns, files) = table(dir);
    for statistics in files.values() {
        for column in columns.iter().filter(|column| column["name"] != "day") {
            let of_column = |part: &str| &statistics[part][column["name"].as_str().unwrap()];
            let [min, max, nulls] = ["minValues", "maxValues", "nullCount"].map(of_column);
            let is_good = match column["type"]["type"].as_str() {
                None => {
                    *nulls == statistics["numRecords"] || !(min.is_null() || max.is_null() || nulls.is_null())
                }
                Some("struct") => [min, max, nulls].into_iter().all(Value::is_object),
                Some(_) => true,
            };
            assert!(is_good, "{column} in {statistics}");
        }
    }
    dir.bare_loader().args(["verify", "lake"]).succeeds();
}

#[test]
fn files_say_of_columns_that_others_have_that_they_are_null() {
    let dir = Workdir::new();
    load(&dir, 10, "a = 'boolean'\nlost = 'timestamp'", r#"{"a": true, "lost": "2024-10-10"}"#, &[])
        .succeeds();
    is_complete(&dir);
    let more = "b = 'string'\na = 'boolean'\nl = 'list(date)'\nlost = 'timestamp'\nc = 'decimal(38,2)'";
    load(&dir, 11, more, r#"{"b": "x", "c": 123456789012345678901234567890.12}"#, &[]).succeeds();
    is_complete(&dir);
    load(&dir, 12, "a = 'boolean'", r#"{"a": false}"#, &[]).succeeds();
    is_complete(&dir);
    let (columns, files) = table(&dir);
    let names: BTreeSet<_> = columns[4..].iter().map(|column| column["name"].as_str().unwrap()).collect();
    let expected = ["data_a", "data_b", "data_c", "data_l", "data_lost", "day"];
    assert_eq!(names, BTreeSet::from(expected));
    let nulls = |day: &str, column: &str| files[day]["nullCount"][column].as_u64();
    assert_eq!(
        ["data_b", "data_c", "data_lost"].map(|column| nulls("2024-10-10", column)),
        [Some(1), Some(1), Some(0)]
    );
    assert_eq!(["data_b", "data_c", "data_lost"].map(|column| nulls("2024-10-12", column)), [Some(1); 3]);
}

#[test]
fn an_object_that_is_new_is_there_in_all_files() {
    let dir = Workdir::new();
    let nested = ["-f", "false"];
    load(&dir, 10, "", "{}", &nested).succeeds();
    load(&dir, 11, "n = 'float64'\no = { fields = { x = 'date' } }", r#"{"n": 1.5}"#, &nested).succeeds();
    is_complete(&dir);
    let (_, files) = table(&dir);
    assert_eq!(files["2024-10-10"]["minValues"]["data"], serde_json::json!({}));
}
