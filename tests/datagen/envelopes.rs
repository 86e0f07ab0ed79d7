//! `--envelope`: the events as the records of other producers. What the presets make of the records, read
//! plainly (`preset.rs`), must be what the manifest says.

mod preset;

use std::collections::BTreeMap;

use events_core::{
    catalog::Catalog,
    envelope::PRESETS,
    truth::{Checksum, Manifest},
};
use tempfile::TempDir;

use self::preset::{Loaded, load};
use crate::{
    faults::Recorded,
    support::{all_text, failure, names, run, sha256, stdout, write, write_failure},
};

const WORLDS: [&str; 2] = ["simple", "ledger"];

/// Taken from stream version 1, like those in `stream.rs`: 2,500 events of each world, one after the other.
const GOLDEN: [(&str, &str); 12] = [
    ("cloudevents", "026d4c6e11cc9b8fa08f304f34b8f72d5ab6e26cb07087d67877a62350739917"),
    ("segment", "4688c8f75747578a2a0e767607d589a7481a7c4f857a4501d5f097550135595c"),
    ("stripe", "5d195f9c6816232e60e270cfd352a10e9257d02655d61822b4e2d635a6442c1f"),
    ("github-archive", "95ca494b24cbb2dda10beb12f0abb6838e1053ea219b449ab9501f512c8610b9"),
    ("cloudtrail", "829a34350dc95c5234350fe08c8f2663ef8fdcf9a1bba3bda1cfd5a8bd9d4b05"),
    ("eventbridge", "a6e27818893db9ef41b33cd8af99b9d6208cd56e5468ad03f8e30b6469f8a40d"),
    ("debezium", "59972b5c9b59a148584b13aa3e87bcc6e9e0cb14bfba4b13f9d327f8684b0891"),
    ("otlp-logs", "83e3ae41a740ca068692a79f4ce6559dd4548404bf071aa17207d4793ae89727"),
    ("kubernetes-audit", "9eb377fee87d3316ce8f71801f6db34cd0e4ca2711117dedf553b84a89475a3c"),
    ("kafka", "98321de981f0caa3554e583b544a597f57aa53117ed3822dc9932d485d498679"),
    ("docker", "48fb0ddf9eecb5966f698348ed3c07c7e37f2c277d242d7a343e28f20afd5a0e"),
    ("journald", "da2c7c5fc4dc0544def26aa8e1d21ae65402975679abcd0f1b3ce6043231215c"),
];

fn envelopes() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// All faults that an envelope can have.
fn faults(envelope: &str, each: u32) -> String {
    const ALL: [&str; 11] = [
        "duplicates",
        "corrections",
        "stale",
        "ties",
        "late",
        "offsets",
        "unknown-fields",
        "malformed",
        "unknown-events",
        "blank",
        "too-long",
    ];
    let is_refused = |fault: &str| {
        let arguments = ["--envelope", envelope, "-n", "5", "--faults", &format!("{fault}=1")];
        !run(&arguments).status.success()
    };
    let faults = ALL.into_iter().filter(|fault| !is_refused(fault));
    let counts = faults
        .map(|fault| if fault == "too-long" { format!("{fault}=1") } else { format!("{fault}={each}") });
    counts.collect::<Vec<_>>().join(",")
}

#[test]
fn golden_hashes() {
    let hash = |envelope, threads| {
        let lines = WORLDS.map(|world| {
            stdout(&[
                "--envelope",
                envelope,
                "--world",
                world,
                "-s",
                "42",
                "-n",
                "3000",
                "--threads",
                threads,
            ])
        });
        sha256(lines.concat())
    };
    let found: Vec<_> = envelopes().map(|envelope| (envelope, hash(envelope, "1"))).collect();
    let found: Vec<_> = found.iter().map(|(envelope, hash)| (*envelope, hash.as_str())).collect();
    assert_eq!(found, GOLDEN);
    for threads in ["3"] {
        for (envelope, expected) in GOLDEN {
            assert_eq!(hash(envelope, threads), expected, "{envelope}, {threads} threads");
        }
    }
}

/// What a plain reading of the preset leaves of a stream is what the manifest says: ids, times, domains,
/// types and payloads.
#[test]
fn a_plain_reading_of_each_preset_meets_the_manifest() {
    for envelope in envelopes() {
        for world in WORLDS {
            let dir = TempDir::new().unwrap();
            let [manifest, log] = ["truth", "log"].map(|name| dir.path().join(name));
            // 16 MiB are read slowly.
            let faults = faults(envelope, 30)
                .replace(",too-long=1", if world == "simple" { "" } else { ",too-long=1" });
            let arguments = ["--envelope", envelope, "--world", world, "-n", "1300", "-s", "3"];
            let records = ["--manifest", manifest.to_str().unwrap(), "--faults-log", log.to_str().unwrap()];
            let lines = crate::support::command(&[&arguments[..], &["--faults", &faults], &records].concat())
                .output()
                .unwrap();
            assert!(lines.status.success(), "{}", String::from_utf8_lossy(&lines.stderr));
            let catalog = stdout(&["catalog", "--envelope", envelope, "--world", world]);
            let catalog = Catalog::from_toml(&[("catalog.toml", &catalog)]).unwrap();
            let log = fs_err::read_to_string(log).unwrap();
            let loaded = load(&lines.stdout, &log, &catalog);
            let manifest = Manifest::read(fs_err::read(manifest).unwrap().as_slice()).unwrap();
            assert_eq!(manifest.generator.envelope.as_deref(), Some(envelope));
            assert_met(&manifest, &loaded, &format!("{envelope}, {world}, {faults}"));
        }
    }
}

fn assert_met(manifest: &Manifest, loaded: &Loaded, what: &str) {
    let mut found = BTreeMap::<_, (u64, Checksum)>::new();
    for row in loaded.rows.values() {
        let partition = (row.day.clone(), row.domain.clone(), row.event_type.clone());
        let (rows, checksum) = found.entry(partition).or_default();
        *rows += 1;
        checksum.add(row.digest);
    }
    let expected: BTreeMap<_, _> = manifest
        .partitions
        .iter()
        .map(|it| {
            let partition = (it.day.to_string(), it.domain.clone(), it.event_type.clone());
            (partition, (it.rows, it.checksum))
        })
        .collect();
    let difference = expected.iter().find(|(partition, it)| found.get(partition) != Some(it));
    assert_eq!(difference, None, "{what}: found {:?}", difference.map(|(partition, _)| found.get(partition)));
    assert_eq!(found.len(), expected.len(), "{what}");
    assert_eq!(manifest.report.lines, loaded.lines, "{what}");
    assert_eq!(manifest.report.superseded, loaded.superseded, "{what}");
    assert_eq!(manifest.report.quarantined.total, loaded.bad, "{what}");
}

/// Records that no faults touch have the keys of the producer.
#[test]
fn a_record_has_the_keys_that_its_producer_documents() {
    for (envelope, keys) in [
        ("cloudevents", &["specversion", "id", "source", "type"][..]),
        ("segment", &["messageId", "timestamp", "type", "event", "context", "anonymousId", "properties"]),
        (
            "stripe",
            &["id", "object", "created", "data", "livemode", "pending_webhooks", "type", "api_version"],
        ),
        ("github-archive", &["id", "type", "actor", "repo", "payload", "public", "created_at"]),
        ("cloudtrail", &["Records"]),
        ("eventbridge", &["version", "id", "detail-type", "source", "account", "time", "region", "detail"]),
        ("debezium", &["schema", "payload"]),
        ("otlp-logs", &["resourceLogs"]),
        (
            "kubernetes-audit",
            &["kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user"],
        ),
        ("kafka", &["topic", "partition", "offset", "timestamp", "timestampType", "key", "headers", "value"]),
        ("docker", &["log", "stream", "time"]),
        ("journald", &["__CURSOR", "__REALTIME_TIMESTAMP", "MESSAGE", "PRIORITY", "_SYSTEMD_UNIT"]),
    ] {
        let line = stdout(&["--envelope", envelope, "-n", "1"]);
        let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).unwrap();
        for key in keys {
            assert!(record.contains_key(*key), "{envelope} has no {key}");
        }
    }
}

#[test]
fn a_file_of_cloudtrail_is_one_line_and_whole() {
    for flags in [&["--rotate", "hour"][..], &["--files", "3"], &["--compress", "gzip", "--rotate", "day"]] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), &[&["--envelope", "cloudtrail", "-n", "5000"], flags].concat());
        let mut records = 0;
        for name in names(dir.path()) {
            let text = crate::support::text(dir.path(), &name);
            assert_eq!(text.lines().count(), 1, "{name}");
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            records += document["Records"].as_array().unwrap().len();
        }
        assert_eq!(records, 5000, "{flags:?}");
    }
}

#[test]
fn what_was_written_is_said_to_the_byte() {
    for envelope in ["cloudtrail", "stripe"] {
        let dir = TempDir::new().unwrap();
        let said = write(dir.path(), &["--envelope", envelope, "-n", "5000", "--files", "2"]);
        let bytes = all_text(dir.path()).len();
        assert!(said.starts_with(&format!("wrote 5000 events ({bytes} bytes)")), "{said}");
    }
}

#[test]
fn appended_runs_are_one_run() {
    for envelope in envelopes().filter(|envelope| *envelope != "cloudtrail") {
        for world in WORLDS {
            let dir = TempDir::new().unwrap();
            let flags = ["--envelope", envelope, "--world", world, "--if-exists", "append"];
            for count in ["100", "0", "2100"] {
                write(dir.path(), &[&flags[..], &["-n", count]].concat());
            }
            let expected = stdout(&["--envelope", envelope, "--world", world, "-n", "2200"]);
            assert!(all_text(dir.path()) == expected, "{envelope} {world}");
        }
    }
    let dir = TempDir::new().unwrap();
    write(dir.path(), &["--envelope", "stripe"]);
    let (code, said) = write_failure(dir.path(), &["--if-exists", "append"]);
    assert!(code == 1 && said.contains("are not of this stream"), "{said}");
}

#[test]
fn without_its_faults_a_dressed_stream_is_the_clean_one() {
    for envelope in envelopes().filter(|envelope| *envelope != "cloudtrail") {
        let arguments = ["--envelope", envelope, "--world", "ledger", "-n", "2100"];
        let faults = faults(envelope, 40).replace(",too-long=1", "");
        let undone = Recorded::of(&[&arguments[..], &["--faults", &faults]].concat()).undone();
        let clean = stdout(&arguments);
        let difference = undone.iter().zip(clean.lines()).find(|(undone, clean)| *undone != clean.as_bytes());
        assert_eq!(difference, None, "{envelope}");
        assert_eq!(undone.len(), clean.lines().count(), "{envelope}");
    }
}

#[test]
fn as_many_records_as_fit_are_written() {
    for envelope in envelopes().filter(|envelope| *envelope != "cloudtrail") {
        let fitting = stdout(&["--envelope", envelope, "--bytes", "50kB"]);
        let (more, next) = (stdout(&["--envelope", envelope, "-n", "400"]), fitting.len());
        assert!(fitting.len() <= 50_000 && more.starts_with(&fitting), "{envelope}");
        let line = more[next..].split_once('\n').map_or(0, |(line, _)| line.len() + 1);
        assert!(fitting.len() + line > 50_000, "{envelope}");
    }
}

#[test]
fn what_an_envelope_can_not_hold_is_refused() {
    for (arguments, expected) in [
        (
            &["--envelope", "docker", "--faults", "corrections=1"][..],
            "--faults: docker has no corrections: an id is a hash of its record, so no two versions have one id",
        ),
        (&["--envelope", "otlp-logs", "--faults", "offsets=1"], "otlp-logs has no offsets"),
        (
            &["--envelope", "stripe", "--faults", "offsets=1"],
            "--faults: stripe has no offsets: a timestamp is a number, which has no offset",
        ),
        (&["--envelope", "journald", "--faults", "unknown-fields=1"], "the payload is within a text"),
        (
            &["--envelope", "cloudtrail", "--faults", "blank=1"],
            "cloudtrail has no blank: a file has one line",
        ),
        (&["--envelope", "cloudtrail", "--bytes", "1MB"], "--bytes: a file of cloudtrail is one document"),
        (&["--envelope", "xml"], "invalid value 'xml' for '--envelope <NAME>'"),
    ] {
        let (code, said) = failure(arguments);
        assert!(code == 2 && said.contains(expected), "{arguments:?}: {said}");
    }
    let dir = TempDir::new().unwrap();
    let (code, said) = write_failure(dir.path(), &["--envelope", "cloudtrail", "--if-exists", "append"]);
    assert!(code == 2 && said.contains("give --first-event and another --base-path"), "{said}");
}

#[test]
fn a_check_is_not_asked_of_other_envelopes() {
    let dir = TempDir::new().unwrap();
    for envelope in envelopes() {
        write(dir.path(), &["--envelope", envelope]);
        let events = dir.path().join("events.json");
        let (code, said) = failure(&["check", events.to_str().unwrap()]);
        assert!(code == 2 && said.contains("not in the events' own envelope"), "{envelope}: {said}");
    }
}
