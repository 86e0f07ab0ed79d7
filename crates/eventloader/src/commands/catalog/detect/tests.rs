//! Small files of many producers → what each is taken for.
#![expect(clippy::disallowed_methods, reason = "a test reads the files of the project")]

use std::path::PathBuf;

use super::*;

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/loader/data/envelopes"))
}

fn detected(file: &str) -> Detected {
    detect(&Sample::of_text(&fs_err::read(directory().join(file)).unwrap()))
}

fn of(text: &str) -> Detected {
    detect(&Sample::of_text(text.as_bytes()))
}

#[test]
fn each_kind_is_taken_for_what_it_is_by_all_of_its_records() {
    for (file, preset, evidence) in [
        ("cloudevents-batch.json", "cloudevents", "7 of 7 records have specversion, id, source, type"),
        ("cloudtrail.json", "cloudtrail", "6 of 6 records at Records[] have eventID, eventTime,"),
        ("debezium.jsonl", "debezium", "14 of 14 records at payload have op, source.connector,"),
        ("docker.jsonl", "docker", "6 of 6 records have log, stream, time"),
        ("eventbridge.jsonl", "eventbridge", "6 of 6 records have id, detail-type,"),
        ("gharchive.jsonl", "github-archive", "6 of 6 records have id, type, actor.login,"),
        ("journald.jsonl", "journald", "6 of 6 records have __CURSOR,"),
        ("k8s-audit.jsonl", "kubernetes-audit", "6 of 6 records have auditID,"),
        ("kafka.jsonl", "kafka", "6 of 6 records have topic, partition, offset,"),
        ("otlp-logs.jsonl", "otlp-logs", "6 of 6 records at resourceLogs[].scopeLogs[].logRecords[] have"),
        ("segment.jsonl", "segment", "8 of 8 records have messageId,"),
        ("stripe.jsonl", "stripe", "9 of 9 records have object = event,"),
        ("stripe-list.json", "stripe", "6 of 6 records at data[] have object = event,"),
    ] {
        let Detected::Known(recognised) = detected(file) else { panic!("{file}: {:?}", detected(file)) };
        assert_eq!((recognised.preset, recognised.records.as_deref()), (Some(preset), None), "{file}");
        assert!(recognised.evidence.starts_with(evidence), "{file}: {}", recognised.evidence);
    }
    assert!(matches!(detected("firehose-concat.json"), Detected::Base));
    for other in fs_err::read_dir(directory().join("other")).unwrap() {
        let other = other.unwrap().path();
        let detected = detect(&Sample::of_text(&fs_err::read(&other).unwrap()));
        assert!(matches!(detected, Detected::Unknown(_)), "{}: {detected:?}", other.display());
    }
}

#[test]
fn a_text_may_end_within_a_record_and_begin_with_bad_lines() {
    for file in ["cloudtrail.json", "otlp-logs.jsonl", "stripe-list.json", "cloudevents-batch.json"] {
        let text = fs_err::read(directory().join(file)).unwrap();
        let Detected::Known(whole) = detect(&Sample::of_text(&text)) else { panic!("{file}") };
        let Detected::Known(cut) = detect(&Sample::of_text(&text[..text.len() * 2 / 3])) else {
            panic!("{file}")
        };
        assert_eq!((cut.preset, cut.records), (whole.preset, whole.records), "{file}");
    }
    let text = fs_err::read_to_string(directory().join("docker.jsonl")).unwrap();
    assert!(matches!(of(&format!("\u{feff}{{bad\n\n[1,{{\n\u{1e}{text}")), Detected::Known(_)));
}

#[test]
fn most_records_must_have_the_keys_and_the_base_contract_wins() {
    let event = r#"{"event_id":"1","timestamp":"2024-10-10T00:00:00Z","domain":"a","event_type":"b","log":1,"stream":1,"time":1}"#;
    let docker = r#"{"log":"x","stream":"stdout","time":"2024-10-10T00:00:00Z"}"#;
    let is_docker =
        |detected: &Detected| matches!(detected, Detected::Known(Recognised { preset: Some("docker"), .. }));
    let lines = |dockers: usize, others: &str| format!("{}\n{others}", [docker; 19][..dockers].join("\n"));
    assert!(is_docker(&of(&lines(19, r#"{"log":"x"}"#))));
    assert!(matches!(of(&lines(18, r#"{"log":"x"}"#)), Detected::Unknown(_)));
    let base = event.replace(r#","log":1,"stream":1,"time":1"#, "");
    assert!(is_docker(&of(&lines(19, &base))));
    assert!(matches!(of(&lines(18, &base)), Detected::Base));
    assert!(matches!(of(event), Detected::Base));
    assert!(matches!(of(&format!("[{event}]")), Detected::Base));
    assert!(matches!(
        of(r#"{"log":null,"stream":"stdout","time":"2024-10-10T00:00:00Z"}"#),
        Detected::Unknown(_)
    ));
    // No other records than those in a list that is most of the text.
    let Detected::Known(listed) = of(&format!(r#"{{"n":1,"events":[{event},{event}]}}"#)) else { panic!() };
    assert_eq!(listed.preset, None);
    assert!(
        listed.toml().starts_with("[envelope]\nrecords    = \"events[]\"\nevent_id   = \"{event_id}\"\n")
    );
    let Detected::Known(batch) = of(&format!(r#"{{"batch":[{docker},{docker}]}}"#)) else { panic!() };
    assert_eq!(batch.toml(), "[envelope]\npreset     = \"docker\"\nrecords    = \"batch[]\"\n");
    let aside = format!(r#"{{"id":1,"text":"{}","batch":[{docker}]}}"#, "x".repeat(100));
    assert!(matches!(of(&aside), Detected::Unknown(_)));
}

#[test]
fn what_is_unknown_gets_a_skeleton_with_candidates() {
    let Detected::Unknown(unknown) = detected("other/adyen.jsonl") else { panic!() };
    insta::assert_snapshot!(unknown.skeleton, @r#"
    [envelope]
    records    = "notificationItems[].NotificationRequestItem"  # 5 objects there
    event_id   = ""  # a text, a list of them, or "{@hash}" if there is none; perhaps {merchantReference} (different in each of 5), {pspReference} (different in each of 5)
    timestamp  = ""  # a text, or { from = "{…}", unit = "s" }; perhaps {eventDate} (a time)
    domain     = ""  # a name of yours
    event_type = ""  # a text; perhaps {eventCode} (3 names), {merchantAccountCode} (1 name)
    data       = ""  # an object, or "." for all that is left of the record; perhaps {additionalData} (5 objects)
    "#);
    let Detected::Unknown(unknown) = detected("other/okta.jsonl") else { panic!() };
    insta::assert_snapshot!(unknown.skeleton, @r#"
    [envelope]
    event_id   = ""  # a text, a list of them, or "{@hash}" if there is none; perhaps {uuid} (different in each of 5), {actor.id} (different in each of 5), {actor.alternateId} (different in each of 5)
    timestamp  = ""  # a text, or { from = "{…}", unit = "s" }; perhaps {published} (a time)
    domain     = ""  # a name of yours
    event_type = ""  # a text; perhaps {eventType} (3 names), {actor.type} (1 name), {transaction.type} (1 name)
    data       = ""  # an object, or "." for all that is left of the record; perhaps {debugContext.debugData} (5 objects), {transaction.detail} (5 objects)
    "#);
    assert!(
        unknown.keys.starts_with("actor, client, debugContext, displayMessage, eventType,"),
        "{}",
        unknown.keys
    );
    let Detected::Unknown(unknown) = detected("other/mixpanel.jsonl") else { panic!() };
    insta::assert_snapshot!(unknown.skeleton, @r#"
    [envelope]
    event_id   = ""  # a text, a list of them, or "{@hash}" if there is none; perhaps {properties.$insert_id} (different in each of 5)
    timestamp  = ""  # a text, or { from = "{…}", unit = "s" }; perhaps {properties.time} (unit s)
    domain     = ""  # a name of yours
    event_type = ""  # a text; perhaps {event} (3 names), {properties.mp_country_code} (1 name)
    data       = ""  # an object, or "." for all that is left of the record; perhaps {properties} (5 objects)
    "#);
    assert!(
        matches!(of("1 2 \"x\"\nnull"), Detected::Unknown(Unknown { keys, skeleton }) if keys.is_empty() && skeleton.is_empty())
    );
}
