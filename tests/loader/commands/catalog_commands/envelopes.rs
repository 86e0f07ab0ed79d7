//! Files as their producers write them: does a draft load each event, with the producer's id, time, domain
//! and type?
//!
//! `data/envelopes/` has small files of the shapes that the producers document, with invented values; those
//! in `other/` are in no envelope that is known by name, so one is given. What is expected is read from the
//! JSON by `serde_json`, and written down here per producer.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Deserializer, Value};

use super::catalog;
use crate::support::{
    readback::rows,
    workdir::{Outcome, Workdir},
};

/// Id, time, domain and type of a record; no id: a hash.
type Event = (Option<String>, DateTime<Utc>, String, String);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/loader/data/envelopes").join(name)
}

/// The documents of a file: the elements of arrays, or values one behind the other.
fn documents(name: &str) -> Vec<Value> {
    let text = fs_err::read_to_string(file(name)).unwrap();
    let documents = Deserializer::from_str(&text).into_iter().map(Result::unwrap);
    documents
        .flat_map(|document| if let Value::Array(all) = document { all } else { vec![document] })
        .collect()
}

fn text(record: &Value, path: &str) -> String {
    let value = path.split('.').fold(record, |value, key| &value[key]);
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn key(record: &Value, paths: &[&str]) -> Option<String> {
    let parts: Vec<_> = paths.iter().map(|path| text(record, path)).collect();
    serde_json::to_string(&parts).ok()
}

fn instant(text: &str) -> DateTime<Utc> {
    let with_offset = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    with_offset
        .unwrap_or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc())
}

/// An instant, from a number of so many nanoseconds each.
fn epoch(record: &Value, path: &str, nanoseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(text(record, path).parse::<i64>().unwrap() * nanoseconds)
}

/// What a target must hold: of each event the latest, by type and id.
fn latest(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let (mut latest, mut hashed) = (BTreeMap::new(), Vec::new());
    for (id, at, domain, event_type) in events {
        let micros = at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        match id {
            Some(id) => {
                let last = latest.entry((domain, event_type, id)).or_insert_with(|| micros.clone());
                *last = micros.max(last.clone());
            }
            None => hashed.push(format!("a hash {micros} {domain:?} {event_type:?}")),
        }
    }
    let found = latest.into_iter().map(|((domain, event_type, id), micros)| {
        format!("{} {micros} {domain:?} {event_type:?}", serde_json::to_string(&id).unwrap())
    });
    let mut all: Vec<_> = found.chain(hashed).collect();
    all.sort();
    all
}

/// What a target holds.
fn held(dir: &Workdir, are_hashed: bool) -> Vec<String> {
    let rows = rows(&dir.target());
    let text = |row: &Vec<String>| {
        let id = if are_hashed { "a hash" } else { &row[0] };
        format!("{id} {}", row[1..4].join(" "))
    };
    let mut held: Vec<_> = rows.values().flatten().map(text).collect();
    held.sort();
    held
}

/// Drafts a catalog from a file, with these arguments, and loads the file with it.
#[track_caller]
fn drafted_and_loaded(name: &str, given: &[&str]) -> (Workdir, Outcome, Outcome) {
    let dir = Workdir::new();
    let source = file(name);
    let drafted = catalog(&dir, ["infer"]).arg(&source).args(given).args(["-o", "draft.toml"]).succeeds();
    let loaded = dir.loader().source(&source).args(["-b", "--catalog", "draft.toml"]).args(given).succeeds();
    (dir, drafted, loaded)
}

#[track_caller]
fn assert_loaded(name: &str, given: &[&str], events: impl IntoIterator<Item = Event>) -> Workdir {
    let events: Vec<_> = events.into_iter().collect();
    assert!(!events.is_empty(), "{name}");
    let are_hashed = events[0].0.is_none();
    let (dir, drafted, loaded) = drafted_and_loaded(name, given);
    assert_eq!(held(&dir, are_hashed), latest(events), "{name}: {drafted}{loaded}");
    assert_eq!(loaded.count("quarantined.total"), 0, "{name}: {loaded}");
    dir
}

#[test]
fn a_draft_of_each_known_kind_loads_it() {
    let simple =
        |name, id: &'static str, time: &'static str, domain: &'static str, event_type: &'static str| {
            let event = |record: &Value| {
                let domain =
                    domain.strip_prefix('.').map_or_else(|| domain.to_owned(), |path| text(record, path));
                (Some(text(record, id)), instant(&text(record, time)), domain, text(record, event_type))
            };
            assert_loaded(name, &[], documents(name).iter().map(event))
        };
    simple("firehose-concat.json", "event_id", "timestamp", ".domain", "event_type");
    simple("eventbridge.jsonl", "id", "time", ".source", "detail-type");
    simple("gharchive.jsonl", "id", "created_at", "github", "type");
    let records = |name, list: &str| {
        documents(name).iter().flat_map(|all| all[list].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    let of_cloudtrail = |record: &Value| {
        let at = instant(&text(record, "eventTime"));
        (Some(text(record, "eventID")), at, text(record, "eventSource"), text(record, "eventName"))
    };
    assert_loaded("cloudtrail.json", &[], records("cloudtrail.json", "Records").iter().map(of_cloudtrail));
    let of_stripe = |record: &Value| {
        (
            Some(text(record, "id")),
            epoch(record, "created", 1_000_000_000),
            "stripe".to_owned(),
            text(record, "type"),
        )
    };
    assert_loaded("stripe.jsonl", &[], documents("stripe.jsonl").iter().map(of_stripe));
    assert_loaded("stripe-list.json", &[], records("stripe-list.json", "data").iter().map(of_stripe));
    let of_segment = |record: &Value| {
        let event_type = text(record, if record["event"].is_string() { "event" } else { "type" });
        (
            Some(text(record, "messageId")),
            instant(&text(record, "timestamp")),
            "segment".to_owned(),
            event_type,
        )
    };
    assert_loaded("segment.jsonl", &[], documents("segment.jsonl").iter().map(of_segment));
    let of_kafka = |record: &Value| {
        let id = key(record, &["topic", "partition", "offset"]);
        (id, epoch(record, "timestamp", 1_000_000), "kafka".to_owned(), text(record, "topic"))
    };
    assert_loaded("kafka.jsonl", &[], documents("kafka.jsonl").iter().map(of_kafka));
    let of_audit = |record: &Value| {
        let at = instant(&text(record, "requestReceivedTimestamp"));
        (key(record, &["auditID", "stage"]), at, "k8s".to_owned(), text(record, "objectRef.resource"))
    };
    assert_loaded("k8s-audit.jsonl", &[], documents("k8s-audit.jsonl").iter().map(of_audit));
    let of_journal = |record: &Value| {
        let at = epoch(record, "__REALTIME_TIMESTAMP", 1_000);
        (Some(text(record, "__CURSOR")), at, "journald".to_owned(), text(record, "_SYSTEMD_UNIT"))
    };
    assert_loaded("journald.jsonl", &[], documents("journald.jsonl").iter().map(of_journal));
    let of_docker =
        |record: &Value| (None, instant(&text(record, "time")), "docker".to_owned(), text(record, "stream"));
    assert_loaded("docker.jsonl", &[], documents("docker.jsonl").iter().map(of_docker));
    let logs = documents("otlp-logs.jsonl").into_iter().flat_map(|document| {
        document["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap().clone()
    });
    let of_otlp = |record: Value| {
        (None, epoch(&record, "timeUnixNano", 1), "otlp".to_owned(), text(&record, "eventName"))
    };
    assert_loaded("otlp-logs.jsonl", &[], logs.map(of_otlp));
}

/// Tombstones are `null`: there is nothing to load of them, and they are blank.
#[test]
fn a_draft_of_change_events_loads_all_but_tombstones() {
    let of_debezium = |document: &Value| {
        let record = &document["payload"];
        let state = if record["after"].is_null() { "before.id" } else { "after.id" };
        let id = key(record, &["source.db", "source.schema", "source.table", state]);
        (id, epoch(record, "source.ts_ms", 1_000_000), "shop".to_owned(), text(record, "source.table"))
    };
    let documents = documents("debezium.jsonl");
    let (changes, tombstones): (Vec<_>, Vec<_>) = documents.iter().partition(|document| document.is_object());
    let (dir, drafted, loaded) = drafted_and_loaded("debezium.jsonl", &[]);
    assert_eq!(held(&dir, false), latest(changes.into_iter().map(of_debezium)), "{loaded}");
    assert_eq!(loaded.count("quarantined.total"), 0, "{loaded}");
    assert_eq!(loaded.count("blank"), tombstones.len() as u64, "{loaded}");
    assert!(!drafted.stderr.contains("quarantined"), "{drafted}");
}

/// `CloudEvents` may have any data, and need no time: without one, they are no events.
#[test]
fn types_whose_data_is_not_always_an_object_come_through_the_star() {
    let (timely, timeless): (Vec<_>, Vec<_>) =
        documents("cloudevents-batch.json").into_iter().partition(|event| event["time"].is_string());
    let of_cloudevents = |record: &Value| {
        let at = instant(&text(record, "time"));
        (key(record, &["source", "id"]), at, "cloudevents".to_owned(), text(record, "type"))
    };
    let (dir, drafted, loaded) = drafted_and_loaded("cloudevents-batch.json", &[]);
    assert_eq!(held(&dir, false), latest(timely.iter().map(of_cloudevents)), "{loaded}");
    assert_eq!(loaded.count("quarantined.total"), timeless.len() as u64, "{loaded}");
    let told = "Other event types of cloudevents are loaded through \"*\". The payload is no object in \
                com.example.order.placed (1 of 3 events), so it is JSON";
    assert!(drafted.stderr.contains(told), "{drafted}");
    let told = "Beside the payload, and left out, because the envelope has no `fields` for them: comexampleext1 in 5";
    assert!(drafted.stderr.contains(told), "{drafted}");
    let draft = fs_err::read_to_string(dir.path("draft.toml")).unwrap();
    assert!(draft.contains("\n[domain.cloudevents.events.\"*\"]\n"), "{draft}");
    assert!(!draft.contains("order.placed\"]"), "{draft}");
}

#[test]
fn a_draft_of_a_pipe_of_many_files_and_in_files_per_domain_is_the_same() {
    let dir = Workdir::new();
    let whole = catalog(&dir, ["infer"]).arg(file("cloudtrail.json")).succeeds().stdout;
    let text = fs_err::read(file("cloudtrail.json")).unwrap();
    assert_eq!(catalog(&dir, ["infer", "-"]).stdin(text).succeeds().stdout, whole);
    // A file per record, more than are looked at.
    for (index, record) in documents("cloudtrail.json")[0]["Records"].as_array().unwrap().iter().enumerate() {
        for copy in 0..4 {
            dir.write(
                &format!("in/{index}-{copy}.json"),
                serde_json::json!({"Records": [record]}).to_string(),
            );
        }
    }
    let many = catalog(&dir, ["infer", "in"]).succeeds();
    assert!(many.stderr.contains("cloudtrail: 16 of 16 records at Records[] have"), "{many}");
    let types = |draft: &str| draft.matches("\n[domain.").count();
    assert_eq!(types(&many.stdout), types(&whole), "{many}");
    catalog(&dir, ["infer", "in", "-o", "out"]).succeeds();
    let loaded = dir.loader().source("in").args(["-b", "--catalog", "out"]).succeeds();
    assert_eq!((loaded.count("written"), loaded.count("quarantined.total")), (6, 0), "{loaded}");
    let ec2 = fs_err::read_to_string(dir.path("out/ec2_amazonaws_com.toml")).unwrap();
    assert!(ec2.contains("\n[envelope]\npreset     = \"cloudtrail\"\n"), "{ec2}");
}

#[test]
fn kinds_that_have_no_preset_load_with_an_envelope_of_a_few_lines() {
    for (name, section, id, time, domain, event_type) in OTHERS {
        let dir = Workdir::new();
        let given = dir.write("envelope.toml", envelope_of(section));
        let given = given.to_str().unwrap();
        let records = documents(name).into_iter().flat_map(|document| match &document["notificationItems"] {
            Value::Array(items) => items.iter().map(|item| item["NotificationRequestItem"].clone()).collect(),
            _ => vec![document],
        });
        let events = records.map(|record| {
            let id = if let [id] = id { Some(text(&record, id)) } else { key(&record, id) };
            let at = if time == "properties.time" {
                epoch(&record, time, 1_000_000_000)
            } else {
                instant(&text(&record, time))
            };
            let domain =
                domain.strip_prefix('.').map_or_else(|| domain.to_owned(), |path| text(&record, path));
            (id, at, domain, text(&record, event_type))
        });
        assert_loaded(name, &["--catalog", given], events);
        // Without it, a draft says what it has seen, and what an envelope could be.
        let refused = catalog(&dir, ["infer"]).arg(file(name)).exits(1);
        for told in ["; keys seen: ", "\n[envelope]\n", "event_type = \"\"", "perhaps {"] {
            assert!(refused.stderr.contains(told), "{name}: {told}: {refused}");
        }
        assert!(refused.stdout.is_empty(), "{refused}");
    }
}

/// The envelope in a section of docs/envelopes.md.
fn envelope_of(section: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/envelopes.md");
    let page = fs_err::read_to_string(page).unwrap();
    let (_, text) = page.split_once(&format!("\n### {section}\n")).unwrap();
    let (_, text) = text.split_once("\n```toml\n").unwrap();
    text.split_once("\n```").unwrap().0.to_owned()
}

/// File, section of docs/envelopes.md, and where the id, time, domain and type are.
type Other = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str, &'static str);

const OTHERS: [Other; 8] = [
    ("other/okta.jsonl", "Okta", &["uuid"], "published", "okta", "eventType"),
    ("other/auth0.json", "Auth0", &["log_id"], "date", "auth0", "type"),
    (
        "other/gcp-audit.jsonl",
        "Google Cloud audit logs",
        &["logName", "timestamp", "insertId"],
        "timestamp",
        ".protoPayload.serviceName",
        "protoPayload.methodName",
    ),
    ("other/adyen.jsonl", "Adyen", &["pspReference", "eventCode"], "eventDate", "adyen", "eventCode"),
    (
        "other/mixpanel.jsonl",
        "Mixpanel",
        &["event", "properties.distinct_id", "properties.time", "properties.$insert_id"],
        "properties.time",
        "mixpanel",
        "event",
    ),
    ("other/posthog.jsonl", "PostHog", &["uuid"], "timestamp", "posthog", "event"),
    ("other/amplitude.jsonl", "Amplitude", &["uuid"], "event_time", "amplitude", "event_type"),
    ("other/mongodb.jsonl", "MongoDB", &["_id._data"], "wallTime.$date", ".ns.db", "ns.coll"),
];
