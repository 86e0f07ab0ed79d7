//! Are the records of known producers events, with their producer's id, time, type and values?
//!
//! The expectations are taken from `serde_json`'s tree of each record, by hand for each producer.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

use crate::support::{
    files::assert_no_debris,
    readback::{quarantine, rows, schema_of, text_of},
    workdir::{Loader, Outcome, Workdir},
};

/// The values of an event: id, timestamp, domain, event type, and the columns of its type.
type Event = Option<[String; 5]>;

/// A producer: its preset, its file, the types to load with their fields, and what a record comes to. Records
/// of other types are filtered.
struct Producer {
    preset: &'static str,
    file: &'static str,
    catalog: &'static str,
    event: fn(&Value) -> Event,
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// As the file says it: a text, or the text of anything else.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn micros(value: &Value) -> i64 {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().timestamp_micros()
}

fn instant(micros: i64) -> String {
    naive_model::value_text::instant(micros)
}

/// An event with these columns.
#[expect(clippy::unnecessary_wraps, reason = "the functions that end with it have records without an event")]
fn event(id: &str, micros: i64, domain: &str, event_type: &str, columns: &[String]) -> Event {
    Some([json(id), instant(micros), json(domain), json(event_type), columns.join(" ")])
}

/// A value as a column has it, for the kinds of values in these files.
fn column(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

/// A column of JSON text.
fn as_json(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { json(&value.to_string()) }
}

/// A column in which JSON text has its keys in the order of `serde_json`'s tree.
fn in_order(column: &str) -> String {
    let text = serde_json::from_str::<String>(column);
    let tree = text.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    match tree {
        Some(tree @ (Value::Object(_) | Value::Array(_))) => json(&tree.to_string()),
        _ => column.to_owned(),
    }
}

fn key(parts: &[&Value]) -> String {
    Value::from(parts.iter().map(|part| Value::from(text(part))).collect::<Vec<_>>()).to_string()
}

const PRODUCERS: [Producer; 12] = [
    Producer {
        preset: "cloudevents",
        file: include_str!("../data/envelopes/cloudevents.json"),
        catalog: "[domain.cloudevents.events.'com.example.order.placed'.fields]\norder = 'int32'\ntotal = 'string'",
        event: |record| {
            let columns = ["source", "subject", "specversion", "datacontenttype", "dataschema"];
            let mut columns: Vec<_> = columns.iter().map(|name| column(&record[name])).collect();
            columns.extend([column(&record["data"]["order"]), column(&record["data"]["total"])]);
            let id = key(&[&record["source"], &record["id"]]);
            event(&id, micros(&record["time"]), "cloudevents", record["type"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "segment",
        file: include_str!("../data/envelopes/segment.jsonl"),
        catalog: "[domain.segment.fields]\ntype = 'string'\nuserId = 'string'\nname = 'string'\n\
                  context = { fields = { ip = 'string' } }\n\
                  properties = { fields = { order_id = 'string', products = 'json' } }\n\
                  [domain.segment.events.'Order Completed']\n[domain.segment.events.page]\n\
                  [domain.segment.events.identify]",
        event: |record| {
            // A call without an event is of its own type, which then is no part of the payload.
            let is_track = record["event"].is_string();
            let event_type = if is_track { &record["event"] } else { &record["type"] };
            let call = if is_track { &record["type"] } else { &Value::Null };
            let properties = &record["properties"];
            let columns =
                [call, &record["userId"], &record["name"], &record["context"]["ip"], &properties["order_id"]];
            let mut columns: Vec<_> = columns.into_iter().map(column).collect();
            columns.push(as_json(&properties["products"]));
            let id = record["messageId"].as_str()?;
            event(id, micros(&record["timestamp"]), "segment", event_type.as_str()?, &columns)
        },
    },
    Producer {
        preset: "stripe",
        file: include_str!("../data/envelopes/stripe.jsonl"),
        catalog: "[domain.stripe.events.'charge.succeeded'.fields]\nid = 'string'\namount = 'int64'\nmetadata = 'json'\n\
                  [domain.stripe.events.'payment_intent.created'.fields]\nid = 'string'\namount = 'int64'\nmetadata = 'json'",
        event: |record| {
            let object = &record["data"]["object"];
            let columns = [&record["api_version"], &record["livemode"], &object["id"], &object["amount"]];
            let mut columns: Vec<_> = columns.into_iter().map(column).collect();
            columns.push(as_json(&object["metadata"]));
            let seconds = record["created"].as_i64()?;
            event(record["id"].as_str()?, seconds * 1_000_000, "stripe", record["type"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "github-archive",
        file: include_str!("../data/envelopes/gharchive.jsonl"),
        catalog: "[domain.github.fields]\nactor = { fields = { id = 'int64', login = 'string' } }\n\
                  repo = { fields = { id = 'int64' } }\npayload = 'json'\npublic = 'boolean'\n\
                  [domain.github.events.PushEvent]\n[domain.github.events.PullRequestEvent]",
        event: |record| {
            let columns = [
                column(&record["actor"]["id"]),
                column(&record["actor"]["login"]),
                column(&record["repo"]["id"]),
                as_json(&record["payload"]),
                column(&record["public"]),
            ];
            let id = record["id"].as_str()?;
            event(id, micros(&record["created_at"]), "github", record["type"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "cloudtrail",
        file: include_str!("../data/envelopes/cloudtrail.json"),
        catalog: "[domain.'signin.amazonaws.com'.events.ConsoleLogin.fields]\neventVersion = 'string'\nreadOnly = 'boolean'\n\
                  userIdentity = 'json'\n\
                  [domain.'s3.amazonaws.com'.events.PutObject.fields]\neventVersion = 'string'\nreadOnly = 'boolean'\n\
                  userIdentity = 'json'",
        event: |record| {
            let columns = [
                column(&record["eventVersion"]),
                column(&record["readOnly"]),
                as_json(&record["userIdentity"]),
            ];
            let [id, domain, event_type] =
                ["eventID", "eventSource", "eventName"].map(|name| text(&record[name]));
            event(&id, micros(&record["eventTime"]), &domain, &event_type, &columns)
        },
    },
    Producer {
        preset: "eventbridge",
        file: include_str!("../data/envelopes/eventbridge.jsonl"),
        catalog: "[domain.'aws.ec2'.events.'EC2 Instance State-change Notification'.fields]\n\
                  instance-id = 'string'\nstate = 'string'",
        event: |record| {
            let resources: Vec<_> = record["resources"].as_array()?.iter().map(column).collect();
            let columns = [
                column(&record["version"]),
                column(&record["account"]),
                column(&record["region"]),
                format!("[{}]", resources.join(", ")),
                column(&record["detail"]["instance-id"]),
                column(&record["detail"]["state"]),
            ];
            let [id, domain, event_type] = ["id", "source", "detail-type"].map(|name| text(&record[name]));
            event(&id, micros(&record["time"]), &domain, &event_type, &columns)
        },
    },
    Producer {
        preset: "debezium",
        file: include_str!("../data/envelopes/debezium.jsonl"),
        catalog: "[domain.shop.events.customers.fields]\nid = 'int32'\nemail = 'string'",
        event: |record| {
            let change = &record["payload"];
            let row = if change["after"].is_null() { &change["before"] } else { &change["after"] };
            let source = &change["source"];
            let id = key(&[&source["db"], &source["schema"], &source["table"], &row["id"]]);
            let columns = [column(&change["op"]), column(&row["id"]), column(&row["email"])];
            let micros = source["ts_ms"].as_i64()? * 1_000;
            event(&id, micros, source["db"].as_str()?, source["table"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "otlp-logs",
        file: include_str!("../data/envelopes/otlp-logs.jsonl"),
        catalog: "[domain.otlp.events.'cart.add'.fields]\nseverityNumber = 'int32'\ntraceId = 'string'\n\
                  attributes = 'json'\nbody = { fields = { stringValue = 'string' } }",
        event: |record| {
            let columns = [
                column(&record["severityNumber"]),
                column(&record["traceId"]),
                as_json(&record["attributes"]),
                column(&record["body"]["stringValue"]),
            ];
            let nanos: i64 = record["timeUnixNano"].as_str()?.parse().ok()?;
            event("", nanos / 1_000, "otlp", record["eventName"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "kubernetes-audit",
        file: include_str!("../data/envelopes/k8s-audit.jsonl"),
        catalog: "[domain.k8s.events.pods.fields]\nverb = 'string'\nstage = 'string'\n\
                  objectRef = { fields = { resource = 'string', namespace = 'string' } }",
        event: |record| {
            let object = &record["objectRef"];
            // `stage` is a part of the key, and `verb` was not needed for the type.
            let columns =
                [&record["verb"], &Value::Null, &object["resource"], &object["namespace"]].map(column);
            let id = key(&[&record["auditID"], &record["stage"]]);
            let time = micros(&record["requestReceivedTimestamp"]);
            event(&id, time, "k8s", object["resource"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "kafka",
        file: include_str!("../data/envelopes/kafka.jsonl"),
        catalog: "[domain.kafka.events.orders.fields]\norderId = 'int32'\neventType = 'string'",
        event: |record| {
            let id = key(&[&record["topic"], &record["partition"], &record["offset"]]);
            let columns = [
                column(&record["partition"]),
                column(&record["offset"]),
                column(&record["timestampType"]),
                column(&record["key"]),
                as_json(&record["headers"]),
                column(&record["value"]["orderId"]),
                column(&record["value"]["eventType"]),
            ];
            let micros = record["timestamp"].as_i64()? * 1_000;
            event(&id, micros, "kafka", record["topic"].as_str()?, &columns)
        },
    },
    Producer {
        preset: "docker",
        file: include_str!("../data/envelopes/docker.jsonl"),
        catalog: "[domain.docker.events.stdout.fields]\nlog = 'string'",
        event: |record| {
            let (stream, columns) = (record["stream"].as_str()?, [column(&record["log"])]);
            event("", micros(&record["time"]), "docker", stream, &columns)
        },
    },
    Producer {
        preset: "journald",
        file: include_str!("../data/envelopes/journald.jsonl"),
        catalog: "[domain.journald.events.'nginx.service'.fields]\nMESSAGE = 'json'\n_PID = 'string'",
        event: |record| {
            let columns = [as_json(&record["MESSAGE"]), column(&record["_PID"])];
            let micros = text(&record["__REALTIME_TIMESTAMP"]).parse().ok()?;
            let unit = record["_SYSTEMD_UNIT"].as_str()?;
            event(record["__CURSOR"].as_str()?, micros, "journald", unit, &columns)
        },
    },
];

/// The records of a file, as a plain reading finds them.
fn records(file: &str) -> Vec<Value> {
    let documents = serde_json::Deserializer::from_str(file).into_iter::<Value>().map(Result::unwrap);
    let mut records = Vec::new();
    for document in documents {
        match &document {
            Value::Array(elements) => records.extend(elements.iter().cloned()),
            Value::Object(_) if document["Records"].is_array() => {
                records.extend(document["Records"].as_array().unwrap().iter().cloned());
            }
            Value::Object(_) if document["resourceLogs"].is_array() => {
                let lists = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
                for resource in lists(&document, "resourceLogs") {
                    for scope in lists(&resource, "scopeLogs") {
                        records.extend(lists(&scope, "logRecords"));
                    }
                }
            }
            _ => records.push(document),
        }
    }
    records
}

#[test]
fn each_record_of_a_producer_is_an_event_with_the_producer_s_values() {
    for Producer { preset, file, catalog, event } in PRODUCERS {
        let dir = Workdir::new();
        dir.write("in.json", file);
        dir.write("types.toml", catalog);
        let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "types.toml"]);
        let loaded = load.args(["--envelope", preset, "--max-bad-lines", "100%"]).succeeds();
        let has_no_id = matches!(preset, "otlp-logs" | "docker");
        let mut found: Vec<_> = rows(&dir.target()).into_values().flatten().collect();
        for row in &mut found {
            if has_no_id {
                assert_eq!(&row[0][15..16], "8", "{preset}: {} is a UUID of version 8", row[0]);
                row[0] = json("");
            }
        }
        let mut expected = BTreeSet::new();
        for record in records(file) {
            let Some([id, time, domain, event_type, columns]) = event(&record) else {
                assert!(record.is_null(), "{preset}: {record}");
                continue;
            };
            let directory = |name: &str| {
                catalog.contains(&format!("events.{name}")) || catalog.contains(&format!("events.'{name}'"))
            };
            if directory(event_type.trim_matches('"')) && catalog.contains(domain.trim_matches('"')) {
                expected.insert([id, time, domain, event_type, columns].join(" "));
            }
        }
        let in_order =
            |row: &Vec<String>| row.iter().map(|column| in_order(column)).collect::<Vec<_>>().join(" ");
        let found: BTreeSet<_> = found.iter().map(in_order).collect();
        assert!(!expected.is_empty(), "{preset} has no event");
        // Only the latest change of a row is kept.
        if preset == "debezium" {
            assert!(!found.is_empty() && found.is_subset(&expected), "{found:?}\n{expected:?}");
        } else {
            assert_eq!(found, expected, "{preset}");
        }
        let bad = quarantine(&dir.target());
        assert!(bad.iter().all(|bad| bad.reason == "unknown_event"), "{preset}: {bad:?}");
        let nulls = records(file).iter().filter(|record| record.is_null()).count() as u64;
        assert_eq!(loaded.count("blank"), nulls, "{preset}");
        let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
        assert_eq!(verified.stdout, "", "{preset}");
    }
}

#[test]
fn the_page_of_envelopes_has_a_section_for_each_and_its_catalogs_are_some() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/envelopes.md");
    let page = fs_err::read_to_string(path).unwrap();
    for (preset, _) in events_core::envelope::PRESETS {
        assert!(page.contains(&format!("\n## {preset}\n")), "no section {preset}");
        assert!(page.contains(&format!("(#{preset}) | `{preset}` |")), "no row {preset}");
    }
    let blocks: Vec<_> =
        page.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        let dir = Workdir::new();
        dir.write("x.toml", block);
        dir.bare_loader().args(["catalog", "show", "--catalog", "x.toml"]).succeeds();
    }
}

#[test]
fn two_lines_load_all_types_of_any_producer_as_json() {
    for Producer { preset, file, .. } in PRODUCERS {
        let dir = Workdir::new();
        dir.write("in.json", file);
        dir.write("all.toml", "[domain.\"*\"]\n");
        let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "all.toml"]);
        let loaded = load.args(["--envelope", preset]).succeeds();
        assert_eq!(loaded.count("quarantined.total"), 0, "{preset}");
        let rows = rows(&dir.target());
        let rows: Vec<_> = rows.values().flatten().collect();
        assert_eq!(rows.len() as u64, loaded.count("written"), "{preset}");
        // Each payload is a JSON object that the record has, or is the record less some keys.
        let records = records(file);
        for row in rows {
            let payload: Value =
                serde_json::from_str(&serde_json::from_str::<String>(row.last().unwrap()).unwrap()).unwrap();
            let has = |record: &Value| {
                let parts = [&record["data"]["object"], &record["data"], &record["detail"], &record["value"]];
                let change = &record["payload"];
                let parts = parts.into_iter().chain([&change["after"], &change["before"]]);
                parts.into_iter().any(|part| *part == payload)
                    || payload.as_object().unwrap().iter().all(|(key, value)| record.get(key) == Some(value))
            };
            assert!(records.iter().any(has), "{preset}: {payload}");
        }
    }
}

const SHOP: &str = "[domain.stripe.events.paid.fields]\namount = 'int32'\n";

fn paid(id: u32, amount: &str) -> String {
    format!(
        r#"{{"data":{{"object":{{"amount":{amount}}}}},"id":{id},"created":{},"type":"paid","livemode":true}}"#,
        1_728_518_400 + id
    )
}

#[test]
fn a_replay_reads_a_bad_line_with_the_envelope_that_it_was_read_with() {
    let dir = Workdir::new();
    let refunded = paid(2, "7").replace("paid", "refunded");
    dir.write("in.json", [paid(1, "7"), refunded.clone()].join("\n"));
    dir.write("shop.toml", SHOP);
    let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "shop.toml"]);
    let loaded = load.args(["--envelope", "stripe"]).succeeds();
    assert_eq!(["written", "quarantined.total"].map(|name| loaded.count(name)), [1, 1]);
    let bad = &quarantine(&dir.target())[0];
    assert_eq!((bad.reason.as_str(), bad.raw.as_slice()), ("unknown_event", refunded.as_bytes()));
    dir.write("shop.toml", format!("{SHOP}[domain.stripe.events.refunded.fields]\namount = 'int32'\n"));
    let replay =
        || dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "shop.toml"]).reporting();
    let other = replay().args(["--envelope", "segment", "--dry-run"]).succeeds();
    assert_eq!(other.count("written"), 0, "the envelope that is named decides");
    assert_eq!(replay().succeeds().count("written"), 1);
    assert!(quarantine(&dir.target()).is_empty());
    assert_no_debris(&dir.target());
}

/// A target that is fed in several envelopes: each line is read with its own, in a run for each of them.
#[test]
fn a_replay_reads_lines_of_several_envelopes_each_with_its_own() {
    let dir = fed_in_several_envelopes();
    // One report behind the other; those of the base contract first.
    let replayed = replay_all(&dir, &["--catalog", "types.toml"]).succeeds();
    assert_eq!(lines_and_written(&replayed), [[2, 1], [1, 1], [1, 1]], "{replayed}");
    let text = text_of(&rows(&dir.target())).join("\n");
    assert!(text.contains("sale: \"b\"") && text.contains("disputed"), "{text}");
    // The envelope of a catalog is recorded, with the types that it names.
    assert!(text.contains(r#"sale: "o" 2024-10-10T00:00:00.000000Z "shop" "sale" "Ann""#), "{text}");
    let left: Vec<_> = quarantine(&dir.target()).into_iter().map(|bad| bad.raw).collect();
    assert_eq!(left, [b"junk"]);
    assert_eq!(dir.bare_loader().arg("verify").arg(dir.target()).succeeds().stdout, "");
    assert_no_debris(&dir.target());
}

/// A target of which nobody has recorded the envelope of a catalog: its lines are left until that is given.
#[test]
fn lines_of_an_envelope_that_nobody_knows_are_left() {
    let dir = fed_in_several_envelopes();
    for commit in 1..=3 {
        let path = dir.target().join(format!("_eventloader/commit-{commit:06}.json"));
        let mut record: serde_json::Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        let envelopes = record["load"].as_object_mut().unwrap().remove("envelopes");
        assert_eq!(envelopes.is_some(), commit == 3);
        fs_err::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
    }
    let unknown = replay_all(&dir, &["--catalog", "types.toml", "--source", "own.json"]).exits(2);
    unknown.says(&["[envelope] of a catalog", "--envelope"]);
    let replayed = replay_all(&dir, &["--catalog", "types.toml"]).succeeds();
    assert_eq!(lines_and_written(&replayed), [[2, 1], [1, 1]], "{replayed}");
    assert!(replayed.stderr.contains("left the bad lines where they are that were read"), "{replayed}");
    assert_eq!(quarantine(&dir.target()).len(), 2);
    let own = fs_err::read_to_string(dir.path("own.toml")).unwrap().replace(", required = true", "");
    dir.write("own.toml", own);
    assert_eq!(lines_and_written(&replay_all(&dir, &["--catalog", "own.toml"]).succeeds()), [[2, 1]]);
    assert_eq!(dir.bare_loader().arg("verify").arg(dir.target()).succeeds().stdout, "");
}

/// Three loads with bad lines: in the base contract, in a preset, in the envelope of a catalog. By
/// `types.toml`, one line of each is good.
fn fed_in_several_envelopes() -> Workdir {
    let dir = Workdir::new();
    let sale = "[domain.shop.events.sale.fields]\nid = { type = 'int32', required = true }\n";
    let types = "[domain.stripe.events.disputed.fields]\namount = 'int32'\n";
    let own = "[envelope]\nevent_id = '{n}'\ntimestamp = '{at}'\ndomain = 'shop'\nevent_type = 'sale'\n\
               data = '{sold}'\nfields.buyer = { type = 'buyer', required = true }\n\
               [types.buyer.fields]\n'full \"name\"' = { type = 'string', column = 'buyer' }\n";
    dir.write("none.toml", "[domain.shop.events.other]\n");
    dir.write("types.toml", format!("{types}{}", sale.replace(", required = true", "")));
    dir.write("own.toml", format!("{own}{sale}"));
    let base = r#"{"event_id": "b", "timestamp": "2024-10-10T00:00:00", "domain": "shop", "event_type": "sale", "data": {"id": 1}}"#;
    dir.write("base.json", [base, "junk"].join("\n"));
    dir.write("stripe.json", paid(1, "7").replace("paid", "disputed"));
    dir.write(
        "own.json",
        r#"{"n": "o", "at": "2024-10-10T00:00:00", "buyer": {"full \"name\"": "Ann"}, "sold": {}}"#,
    );
    for (source, args) in [
        ("base.json", &["--catalog", "none.toml"][..]),
        ("stripe.json", &["--catalog", "none.toml", "--envelope", "stripe"]),
        ("own.json", &["--catalog", "own.toml"]),
    ] {
        let load =
            dir.loader().source(source).args(["--backfill", "--mode", "merge", "--max-bad-lines", "100%"]);
        load.args(args).succeeds();
    }
    assert_eq!(quarantine(&dir.target()).len(), 4);
    dir
}

fn replay_all(dir: &Workdir, args: &[&str]) -> Loader {
    dir.bare_loader().arg("replay").arg(dir.target()).args(args).args(["--report", "-"])
}

fn lines_and_written(replayed: &Outcome) -> Vec<[u64; 2]> {
    let reports = serde_json::Deserializer::from_str(&replayed.stdout).into_iter::<serde_json::Value>();
    let reports = reports.map(|report| report.unwrap());
    reports.map(|report| ["lines", "written"].map(|name| report[name].as_u64().unwrap())).collect()
}

#[test]
fn a_bad_record_that_came_later_wins_its_tie_once_it_is_good() {
    let dir = Workdir::new();
    let events = r#"{"id":1,"at":1728518401,"v":1,"r":0},{"id":1,"at":1728518401,"v":2}"#;
    // The key of the objects around the records is a part of the id.
    dir.write("in.json", format!(r#"{{"account":"a","events":[{events}]}}"#));
    let catalog = |required: bool| {
        format!(
            "[envelope]\nrecords = 'events[]'\nevent_id = ['{{^account}}', '{{id}}']\ndata = '.'\ndomain = 'd'\n\
             event_type = 't'\ntimestamp = {{ from = '{{at}}', unit = 's' }}\n\
             [domain.d.events.t.fields]\nv = 'int32'\nr = {{ type = 'int32', required = {required} }}"
        )
    };
    dir.write("c.toml", catalog(true));
    let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "c.toml"]);
    assert_eq!(load.succeeds().count("quarantined.total"), 1);
    dir.write("c.toml", catalog(false));
    dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "c.toml"]).succeeds();
    let rows = text_of(&rows(&dir.target()));
    let expected = r#"2024/10/10/t: "[\"a\",\"1\"]" 2024-10-10T00:00:01.000000Z "d" "t" 2 null"#;
    assert_eq!(rows, [expected]);
}

#[test]
fn merges_know_the_columns_of_an_envelope() {
    let dir = Workdir::new();
    dir.write(
        "shop.toml",
        format!("[envelope]\npreset = 'stripe'\nfields = {{ livemode = 'boolean' }}\n{SHOP}"),
    );
    dir.write("1.json", [paid(1, "1"), paid(2, "2")].join("\n"));
    // An event without its column, a correction, and the same event again.
    let later = paid(1, "10").replace("1728518401", "1728518501").replace(",\"livemode\":true", "");
    dir.write("2.json", [later, paid(2, "2"), paid(3, "3").replace("true", "false")].join("\n"));
    for file in ["1.json", "2.json"] {
        let load = dir.loader().source(file).args(["--backfill", "--mode", "merge"]);
        load.args(["--catalog", "shop.toml"]).succeeds();
    }
    let expected = [
        "2024/10/10/paid: \"2\" 2024-10-10T00:00:02.000000Z \"stripe\" \"paid\" true 2",
        "2024/10/10/paid: \"3\" 2024-10-10T00:00:03.000000Z \"stripe\" \"paid\" false 3",
        "2024/10/10/paid: \"1\" 2024-10-10T00:01:41.000000Z \"stripe\" \"paid\" null 10",
    ];
    assert_eq!(text_of(&rows(&dir.target())), expected);
    assert_eq!(dir.bare_loader().arg("verify").arg(dir.target()).succeeds().stdout, "");
    // The payload as one struct: the envelope's fields stay columns.
    dir.loader_into("nested")
        .source("1.json")
        .args(["--backfill", "--flatten", "false", "--catalog", "shop.toml"])
        .succeeds();
    let nested = text_of(&rows(&dir.path("nested")));
    assert_eq!(nested[0], "2024/10/10/paid: \"1\" 2024-10-10T00:00:01.000000Z \"stripe\" \"paid\" true 1");
    let file = dir.path("nested/2024/10/10/paid/part-00000.zstd.parquet");
    let schema = schema_of(&file);
    assert!(
        schema.contains("OPTIONAL BOOLEAN livemode;") && schema.contains("OPTIONAL group data {"),
        "{schema}"
    );
}

#[test]
fn a_fault_names_the_path_in_the_record() {
    for (record, expected) in [
        (paid(1, "2.5"), "data.object.amount: expected int32"),
        (paid(1, "1").replace("1728518401", "\"soon\""), "created: expected a number of seconds since 1970"),
        (paid(1, "1").replace("1728518401", "true"), "created: expected a number of seconds since 1970"),
        (paid(1, "1").replace("\"id\":1", "\"id\":1.5"), "id: expected a text or an integer, found 1.5"),
        (paid(1, "1").replace("\"id\":1", "\"id\":null"), "id: expected the event's id, found null"),
        (paid(1, "1").replace("\"paid\"", "7"), "expected an event type of the catalog, found stripe/7"),
        (paid(1, "1").replace("\"type\"", "\"kind\""), "type: expected a text or an integer, found nothing"),
        (paid(1, "1").replace("{\"amount\":1}", "[]"), "data.object: expected an object or null, found []"),
        (
            paid(1, "1").replace("\"type\":", "\"type\":\"paid\",\"type\":"),
            "type: expected the key once, found it twice",
        ),
        (paid(1, "1").replace("true", "1"), "livemode: expected boolean, found 1"),
        (paid(1, "1") + "}", "expected the end of the line"),
    ] {
        let dir = Workdir::new();
        dir.write("in.json", &record);
        dir.write("shop.toml", SHOP);
        let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "shop.toml"]);
        let failed = load.args(["--envelope", "stripe"]).exits(3);
        assert!(failed.stderr.contains(expected), "{record}\n  gave {}\n  not  {expected}", failed.stderr);
    }
}

#[test]
fn two_envelopes_are_refused_and_a_preset_is_printed_as_a_catalog_has_it() {
    let dir = Workdir::new();
    dir.write("in.json", paid(1, "1"));
    dir.write("shop.toml", format!("[envelope]\npreset = 'segment'\n{SHOP}"));
    let load = |envelope: &str| {
        let load = dir.loader().source("in.json").args(["--backfill", "--catalog", "shop.toml"]);
        load.args(["--envelope", envelope])
    };
    let failed = load("stripe").exits(2);
    assert!(failed.stderr.contains("shop.toml:1: the envelope differs from that of"), "{}", failed.stderr);
    let printed = dir.bare_loader().args(["catalog", "show", "--envelope", "stripe"]).succeeds().stdout;
    dir.write("shop.toml", format!("{printed}{SHOP}"));
    load("stripe").succeeds();
    assert_eq!(text_of(&rows(&dir.target())).len(), 1);
}
