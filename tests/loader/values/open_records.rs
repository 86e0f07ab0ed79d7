//! Records of known producers, with nothing but a preset and `"*"`: is `data` what the producer wrote, whole?
//!
//! What is expected is taken from `serde_json`'s tree of each record, by hand for each producer.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Deserializer, Value, json};

use crate::support::{
    files::{assert_same_tree, published},
    readback::rows,
    workdir::Workdir,
};

/// A preset, its file, where the records are in a document, and the payload of a record. It is `null` for a
/// record that is not loaded.
struct Producer {
    preset: &'static str,
    file: &'static str,
    records: &'static [&'static str],
    data: fn(&Value) -> Value,
}

/// A record without these keys.
fn rest(record: &Value, taken: &[&str]) -> Value {
    let mut rest = record.clone();
    rest.as_object_mut().unwrap().retain(|key, _| !taken.contains(&key.as_str()));
    rest
}

const PRODUCERS: [Producer; 13] = [
    Producer {
        preset: "cloudevents",
        file: "cloudevents-batch.json",
        records: &[],
        // An event may be without a payload, and without a time; then it has no day.
        data: |record| match (&record["time"], &record["data"]) {
            (Value::Null, _) => Value::Null,
            (_, Value::Null) => json!({}),
            (_, data) => data.clone(),
        },
    },
    Producer {
        preset: "cloudtrail",
        file: "cloudtrail.json",
        records: &["Records"],
        data: |record| rest(record, &["eventID", "eventTime", "eventSource", "eventName"]),
    },
    Producer {
        preset: "debezium",
        file: "debezium.jsonl",
        records: &[],
        data: |record| match &record["payload"]["after"] {
            Value::Null => record["payload"]["before"].clone(),
            after => after.clone(),
        },
    },
    Producer {
        preset: "docker",
        file: "docker.jsonl",
        records: &[],
        data: |record| rest(record, &["time", "stream"]),
    },
    Producer {
        preset: "eventbridge",
        file: "eventbridge.jsonl",
        records: &[],
        data: |record| record["detail"].clone(),
    },
    Producer {
        preset: "github-archive",
        file: "gharchive.jsonl",
        records: &[],
        data: |record| rest(record, &["id", "created_at", "type"]),
    },
    Producer {
        preset: "journald",
        file: "journald.jsonl",
        records: &[],
        data: |record| {
            let names = ["_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_TRANSPORT"];
            let event_type = names.into_iter().find(|name| !record[name].is_null()).unwrap();
            rest(record, &["__CURSOR", "__REALTIME_TIMESTAMP", event_type])
        },
    },
    Producer {
        preset: "kubernetes-audit",
        file: "k8s-audit.jsonl",
        records: &[],
        data: |record| {
            let verb: &[&str] = if record["objectRef"]["resource"].is_null() { &["verb"] } else { &[] };
            rest(record, &[&["auditID", "stage", "requestReceivedTimestamp"], verb].concat())
        },
    },
    Producer { preset: "kafka", file: "kafka.jsonl", records: &[], data: |record| record["value"].clone() },
    Producer {
        preset: "otlp-logs",
        file: "otlp-logs.jsonl",
        records: &["resourceLogs", "scopeLogs", "logRecords"],
        data: |record| rest(record, &["timeUnixNano", "eventName"]),
    },
    Producer {
        preset: "segment",
        file: "segment.jsonl",
        records: &[],
        data: |record| {
            let event_type = if record["event"].is_null() { "type" } else { "event" };
            rest(record, &["messageId", "timestamp", event_type])
        },
    },
    Producer {
        preset: "stripe",
        file: "stripe.jsonl",
        records: &[],
        data: |record| record["data"]["object"].clone(),
    },
    Producer {
        preset: "stripe",
        file: "stripe-list.json",
        records: &["data"],
        data: |record| record["data"]["object"].clone(),
    },
];

impl Producer {
    fn records(&self) -> Vec<Value> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/envelopes");
        let text = fs_err::read_to_string(path.join(self.file)).unwrap();
        let documents = Deserializer::from_str(&text).into_iter().map(Result::unwrap);
        let elements = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let mut records: Vec<_> = documents.flat_map(|document| elements(&document)).collect();
        for key in self.records {
            records = records.iter().flat_map(|outer| elements(&outer[key])).collect();
        }
        records.into_iter().filter(Value::is_object).collect()
    }
}

/// How often each payload is there, by its text with the keys in order.
fn counted(payloads: impl IntoIterator<Item = Value>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for payload in payloads {
        *counted.entry(payload.to_string()).or_default() += 1;
    }
    counted
}

#[test]
fn two_lines_load_what_a_producer_wrote() {
    for producer in PRODUCERS {
        let Producer { preset, file, data, .. } = producer;
        let dir = Workdir::new();
        dir.write("open.toml", format!("[envelope]\npreset = '{preset}'\n[domain.'*']\n"));
        let source =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/envelopes").join(file);
        for flags in [&[][..], &["--flatten=false", "--layout=hive", "--threads=1"]] {
            let target = format!("target{}", flags.len());
            let load = || {
                dir.loader_into(&target).source(&source).args(["-b", "--catalog", "open.toml"]).args(flags)
            };
            let loaded = load().succeeds();
            let rows = rows(&dir.path(&target));
            let held = rows.values().flatten().map(|row| {
                let text: String = serde_json::from_str(row.last().unwrap()).unwrap();
                serde_json::from_str(&text).unwrap()
            });
            let (held, wrote) =
                (counted(held), counted(producer.records().iter().map(data).filter(|data| !data.is_null())));
            // Of what was delivered again or changed, one version is there.
            let left_out = loaded.count("superseded");
            assert!(
                held.iter().all(|(payload, times)| wrote.get(payload) >= Some(times)),
                "{preset}: {loaded}"
            );
            let total = |counted: &BTreeMap<String, usize>| counted.values().sum::<usize>() as u64;
            assert_eq!(total(&held) + left_out, total(&wrote), "{preset}: {loaded}");
            assert!(rows.keys().all(|path| path.contains('.')), "{:?}", rows.keys());
            let before = published(&dir.path(&target));
            load().args(["--mode", "merge"]).succeeds();
            assert_same_tree(&before, &published(&dir.path(&target)), preset);
            dir.bare_loader().arg("verify").arg(dir.path(&target)).succeeds();
        }
    }
}

/// What `"*"` holds is read in the same way if its types have names that come late, or are never known.
#[test]
fn the_rest_of_a_record_keeps_its_text() {
    let dir = Workdir::new();
    dir.write(
        "open.toml",
        "[envelope]\nevent_id = '{id}'\ntimestamp = '{at}'\ndomain = 'd'\nevent_type = '{kind|type}'\ndata = '.'\n\
         fields = { n = 'int32', o = { fields = { p = 'string' } } }\n[domain.'*']\n",
    );
    let line = |front: &str, behind: &str| format!("{{{front}\"id\":\"a\",\"at\":\"2024-10-10\"{behind}}}");
    for (line, expected) in [
        (line("", ",\"kind\":\"k\""), "{}"),
        (
            line("\"x\" : [ 1.50 , {\"id\":1} ],", ", \"type\":\"t\",\"kind\":\"k\""),
            r#"{"x":[1.50,{"id":1}],"type":"t"}"#,
        ),
        (
            line("\"kind\":null,\"\\u0078\":1,", ",\"type\":\"t\",\"n\":5,\"o\":{\"p\":\"q\"}"),
            r#"{"kind":null,"x":1}"#,
        ),
        (line("\"x\":1,", ",\"x\":2,\"type\":\"t\",\"z\":{\"a\":\"}\"}"), r#"{"x":1,"x":2,"z":{"a":"}"}}"#),
    ] {
        dir.write("in.json", &line);
        for flags in [&[][..], &["--flatten=false"]] {
            let loaded =
                dir.loader().args(["-s", "in.json", "-b", "--catalog", "open.toml"]).args(flags).succeeds();
            assert_eq!(loaded.count("written"), 1, "{line}: {loaded}");
            let rows = rows(&dir.target());
            let found: String =
                serde_json::from_str(rows.values().next().unwrap()[0].last().unwrap()).unwrap();
            assert_eq!(found, expected, "{line}");
            fs_err::remove_dir_all(dir.target()).unwrap();
        }
    }
    // A line that is not JSON behind all that is needed makes neither a row nor a type.
    dir.write("in.json", line("", ",\"kind\":\"k\",\"x\":[1,]") + "\n" + &line("", ",\"kind\":\"other\""));
    let loaded = dir.loader().args(["-s", "in.json", "-b", "--catalog", "open.toml"]).succeeds();
    assert_eq!(loaded.reasons(), [("malformed_json".to_owned(), 1)].into());
    assert_eq!(loaded.partitions(), ["2024/10/10/d.other 1 created"]);
}
