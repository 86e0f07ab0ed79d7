//! Changes: exactly as many as were asked for, each at an event that shows it, and nothing else changes.
//!
//! The changes log is read as a user would, and each line is compared with what the log says by then.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::{command, failure, sha256, stdout, write_failure};

const CHANGES: &str = "add=9,drop=5,widen=24,nest=5,split=4";
const COUNTS: [(&str, usize); 5] = [("add", 9), ("drop", 5), ("nest", 5), ("split", 4), ("widen", 24)];

/// A line of the log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logged {
    event: usize,
    timestamp: String,
    change: String,
    domain: String,
    event_type: String,
    field: Option<String>,
    from: Option<String>,
    to: Option<String>,
    into: Option<[String; 2]>,
}

/// A stream with its log.
struct Changed {
    lines: Vec<String>,
    log: Vec<Logged>,
    log_text: String,
    manifest: String,
}

impl Changed {
    fn of(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [log, manifest]: [PathBuf; 2] = ["log", "manifest"].map(|name| dir.path().join(name));
        let mut command = command(arguments);
        let output =
            command.arg("--changes-log").arg(&log).arg("--manifest").arg(&manifest).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        let log_text = fs_err::read_to_string(log).unwrap();
        Self {
            lines: String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect(),
            log: log_text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            log_text,
            manifest: fs_err::read_to_string(manifest).unwrap(),
        }
    }
}

/// Whether the value of a field of a line has its place in a column of a type, as what it is.
fn fits(line: &str, field: &str, name: &str) -> bool {
    let value = own(line).1.remove(field).unwrap();
    // A number as it is written: a float would not have all of its digits.
    let text = line.split_once(&format!("\"{field}\": ")).unwrap().1;
    let digits = &text[..text.find([',', '}']).unwrap()];
    let behind_point = digits.split_once('.').map_or(0, |(_, digits)| digits.len());
    match name {
        "int32" => digits.parse::<i32>().is_ok(),
        "int64" => digits.parse::<i64>().is_ok(),
        "decimal(38,0)" => digits.parse::<i128>().is_ok(),
        "decimal(10,2)" => value.is_number() && behind_point <= 2,
        "decimal(12,4)" => value.is_number() && behind_point <= 4,
        "date" => value.as_str().is_some_and(|text| text.parse::<chrono::NaiveDate>().is_ok()),
        "timestamp" => {
            value.as_str().is_some_and(|text| text.parse::<chrono::DateTime<chrono::Utc>>().is_ok())
        }
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "list(string)" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

/// The fields of a type that are not those of the world, with their types.
type Fields = BTreeMap<String, String>;

fn own(line: &str) -> (String, Map<String, Value>) {
    let Value::Object(mut event) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
    let Some(Value::Object(data)) = event.remove("data") else { panic!("{line}") };
    let fields = data.into_iter().filter(|(name, _)| name.starts_with("field_")).collect();
    (event["event_type"].as_str().unwrap().to_owned(), fields)
}

/// The fields that each type has at first: those that are changed later without having been added.
fn first_fields(log: &[Logged], types: &BTreeMap<String, String>) -> BTreeMap<String, Fields> {
    let mut added = BTreeSet::new();
    let mut first = BTreeMap::<String, Fields>::new();
    for logged in log {
        let Some(field) = logged.field.clone() else { continue };
        if logged.change == "add" {
            added.insert(field);
        } else if !added.contains(&field) {
            let fields = first.entry(types[&logged.event_type].clone()).or_default();
            // A field that is dropped has no type in the log, unless another type of events has it, too.
            let first = fields.entry(field).or_default();
            if first.is_empty() {
                first.push_str(logged.from.as_deref().unwrap_or_default());
            }
        }
    }
    first
}

/// Each type, with the type of the world that it was.
fn types(log: &[Logged]) -> BTreeMap<String, String> {
    let names = ["account-open", "account-close", "status-change", "payment-to", "payment-from"];
    let mut types: BTreeMap<_, _> = names.iter().map(|name| (name.to_string(), name.to_string())).collect();
    for logged in log {
        let was = types[&logged.event_type].clone();
        types.extend(logged.into.iter().flatten().map(|name| (name.clone(), was.clone())));
    }
    types
}

#[test]
fn each_change_is_there_once_and_from_its_event_on() {
    for world in ["simple", "ledger"] {
        for seed in ["1", "2", "3"] {
            let changed = Changed::of(&["--world", world, "-n", "3000", "-s", seed, "--changes", CHANGES]);
            let mut counts = BTreeMap::<&str, usize>::new();
            for logged in &changed.log {
                *counts.entry(&logged.change).or_default() += 1;
            }
            assert_eq!(counts.into_iter().collect::<Vec<_>>(), COUNTS, "{world}, {seed}");
            follow(&changed);
        }
    }
}

/// Goes through the lines, and applies the log where it says.
fn follow(Changed { lines, log, .. }: &Changed) {
    let types = types(log);
    let of_world = first_fields(log, &types);
    let mut now: BTreeMap<_, _> = types
        .iter()
        .filter(|(name, was)| name == was)
        .map(|(name, _)| (name.clone(), of_world.get(name).cloned().unwrap_or_default()))
        .collect();
    let (mut log, mut seen) = (log.iter().peekable(), BTreeSet::new());
    for (event, line) in lines.iter().enumerate() {
        let (event_type, fields) = own(line);
        let logged = log.next_if(|logged| logged.event == event);
        if let Some(logged) = logged {
            assert!(seen.contains(&logged.event_type), "nobody saw what {logged:?} changes");
            assert!(
                line.contains(logged.timestamp.trim_end_matches('Z').trim_end_matches(".000000")),
                "{line}"
            );
            assert!(line.contains(&format!("\"domain\": \"{}\"", logged.domain)), "{line}");
            if let Some(into) = &logged.into {
                let fields = now.remove(&logged.event_type).unwrap();
                assert!(into.contains(&event_type), "{event_type} of {logged:?}");
                now.extend(into.iter().map(|name| (name.clone(), fields.clone())));
            } else {
                apply(logged, &event_type, now.get_mut(&event_type).unwrap(), line);
            }
        }
        seen.insert(event_type.clone());
        let expected = &now[&event_type];
        assert!(fields.keys().eq(expected.keys()), "event {event} has {fields:?}, expected {expected:?}");
        for (name, kind) in expected.iter().filter(|(_, kind)| !kind.is_empty()) {
            assert!(fits(line, name, kind), "{name} of event {event} is no {kind}: {line}");
        }
    }
    assert!(log.next().is_none(), "all changes are at events of the run");
}

/// Applies a change of a field, which its first event shows.
fn apply(logged: &Logged, event_type: &str, now: &mut Fields, line: &str) {
    assert_eq!(logged.event_type, event_type, "{logged:?}");
    let field = logged.field.clone().unwrap();
    match (&*logged.change, &logged.from, &logged.to) {
        ("drop", None, None) => assert!(now.remove(&field).is_some(), "{logged:?}: {now:?}"),
        ("add", None, Some(to)) => assert_eq!(now.insert(field, to.clone()), None, "{logged:?}"),
        ("widen" | "nest", Some(from), Some(to)) => {
            assert_eq!(now.insert(field.clone(), to.clone()).as_ref(), Some(from), "{logged:?}");
            assert!(!fits(line, &field, from), "{logged:?}: {line}");
        }
        other => panic!("{other:?}"),
    }
}

/// Fields are more fields behind those of the world, and names of types longer: nothing else is different.
#[test]
fn without_its_changes_a_stream_is_the_clean_one() {
    for (world, seed) in [("simple", "5"), ("ledger", "6")] {
        let arguments = ["--world", world, "-n", "2500", "-s", seed];
        let changed = Changed::of(&[&arguments[..], &["--changes", CHANGES]].concat());
        let types = types(&changed.log);
        for (line, clean) in changed.lines.iter().zip(stdout(&arguments).lines()) {
            let (event_type, fields) = own(line);
            let fields_begin = line.find(", \"field_").filter(|_| !fields.is_empty());
            let end = fields_begin.unwrap_or(line.len() - 2);
            let kept =
                line[..end].replacen(&format!("\"{event_type}\""), &format!("\"{}\"", types[&event_type]), 1);
            assert_eq!(format!("{kept}}}}}"), clean);
        }
    }
}

/// Lines that arrive late, and other versions, look as they would in their place.
#[test]
fn faults_are_on_top_of_changes() {
    let arguments = ["--world", "ledger", "-n", "3000", "-s", "8", "--changes", CHANGES];
    let clean = stdout(&arguments);
    let faults = "duplicates=100,late=150,corrections=90,stale=20,ties=30,offsets=60,unknown-fields=70,malformed=80,blank=9";
    let recorded = super::faults::Recorded::of(&[&arguments[..], &["--faults", faults]].concat());
    assert!(recorded.undone().iter().map(Vec::as_slice).eq(clean.lines().map(str::as_bytes)));
}

#[test]
fn threads_do_not_matter() {
    let of = |threads| {
        let arguments = ["--world", "ledger", "-n", "9000", "--changes", CHANGES, "--threads", threads];
        let Changed { lines, log_text, manifest, .. } = Changed::of(&arguments);
        (lines, log_text, manifest)
    };
    let of_one = of("1");
    for threads in ["2", "3", "7"] {
        assert!(of(threads) == of_one, "with {threads} threads");
    }
}

/// Taken from stream version 1: lines, log, manifest and catalog.
#[test]
fn golden_hashes() {
    for (world, expected) in [
        (
            "simple",
            [
                "ea8e9bf708a18434f2278dc49ae67ae43e068448686e6bec0bb866ee49b6aeae",
                "54da32930f146dee8cd5afa3e76b66d0e1cfc7ddc2796b7c7d1a0db50d61886c",
                "34703c1b53d0d064b948d2fd0284e86f07f98260fb12595a2fe381636a128be9",
                "5255bde745525a60b96ec4e960a8304fedf12413dbd3a6e79978c99e972d663d",
            ],
        ),
        (
            "ledger",
            [
                "1aa75f5355b8b1c39ce1f77547306a9c71d39661b2dc6bd1900e18e84421f13b",
                "e0bae7376dc61539d35c793b9711c504ae212af59ac50aa658004107cbcfd35d",
                "076d18e19a301a41d58e0609241af72cf07844cf8916a4508ed88e7219e2c702",
                "fae843dd71df2a677a3ee80ad475bbffcdca188d46700c910726f6f2c73680b9",
            ],
        ),
    ] {
        let arguments = ["--world", world, "-n", "5000", "-s", "7", "--changes", CHANGES];
        let Changed { lines, log_text, manifest, .. } = Changed::of(&arguments);
        // The program's version is in the manifest, but is not part of the stream's version.
        let manifest = manifest.replacen(env!("CARGO_PKG_VERSION"), "", 1);
        let catalog = stdout(&[&["catalog"], &arguments[..]].concat());
        let found = [lines.join("\n"), log_text, manifest, catalog].map(sha256);
        assert_eq!(found, expected, "{world}");
    }
}

#[test]
fn changes_that_can_not_be_are_refused() {
    for (arguments, expected) in [
        (
            &["--changes", "rename=1"][..],
            "unknown change \"rename\"; the changes are add, drop, widen, nest, split",
        ),
        (
            &["--changes", "add=10"],
            "--changes: 10 changes for 10 events: each has an event of its own, and the first has none: ask for fewer",
        ),
        (&["--changes", "add=1", "--bytes", "1MB"], "cannot be used with"),
        (&["catalog", "--changes", "add=10"], "--changes: 10 changes for 10 events"),
    ] {
        let (code, said) = failure(arguments);
        assert!(code == 2 && said.contains(expected), "{arguments:?}: {said}");
    }
    let dir = tempfile::tempdir().unwrap();
    for if_exists in ["append", "new-file"] {
        let (code, said) = write_failure(dir.path(), &["--changes", "add=1", "--if-exists", if_exists]);
        assert!(code == 2 && said.contains("--if-exists: changes are those of one run"), "{said}");
    }
    let log = dir.path().join("log").display().to_string();
    let (code, said) = failure(&["--changes", "add=1", "--changes-log", &log, "--faults-log", &log]);
    assert!(code == 2 && said.contains("would be the same file"), "{said}");
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 0);
}

/// A run without changes is as it is without the flag; its log is empty.
#[test]
fn no_changes_are_no_changes() {
    let Changed { lines, log_text, manifest, .. } = Changed::of(&["-n", "100", "--changes", "add=0"]);
    assert_eq!(lines, stdout(&["-n", "100"]).lines().collect::<Vec<_>>());
    assert!(log_text.is_empty() && !manifest.contains("\"changes\""), "{log_text}{manifest}");
}
