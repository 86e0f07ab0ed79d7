//! Faults: exactly as many as were asked for, each in the log; without them, the clean stream is left.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use crate::support::{command, failure, sha256, stdout};

const FAULTS: &str = "duplicates=300,corrections=1%,stale=60,ties=70,late=200,offsets=80,unknown-fields=90,malformed=140,\
                      unknown-events=40,blank=10,too-long=1";
const COUNTS: [(&str, usize); 11] = [
    ("duplicates", 300),
    ("corrections", 100),
    ("stale", 120), // two lines each
    ("ties", 70),
    ("late", 200),
    ("offsets", 80),
    ("unknown-fields", 90),
    ("malformed", 140),
    ("unknown-events", 40),
    ("blank", 10),
    ("too-long", 1),
];
const LATENESS_MAX: usize = 1_000;

/// A line of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logged {
    line: usize,
    fault: String,
    action: String,
    event: usize,
    reason: Option<String>,
    clean: Option<String>,
}

/// A stream with its records.
pub(crate) struct Recorded {
    lines: Vec<Vec<u8>>,
    log: Vec<Logged>,
    log_text: String,
    manifest: String,
}

impl Recorded {
    pub(crate) fn of(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [manifest, log]: [PathBuf; 2] =
            ["manifest.json", "faults.jsonl"].map(|name| dir.path().join(name));
        let output =
            command(arguments).arg("--manifest").arg(&manifest).arg("--faults-log").arg(&log).output();
        let output = output.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        let log_text = fs_err::read_to_string(log).unwrap();
        assert!(output.stdout.is_empty() || output.stdout.ends_with(b"\n"));
        let mut lines: Vec<_> = output.stdout.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.pop();
        let log = log_text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { lines, log, log_text, manifest: fs_err::read_to_string(manifest).unwrap() }
    }

    /// The lines with all faults undone according to the log.
    pub(crate) fn undone(&self) -> Vec<Vec<u8>> {
        let log: BTreeMap<_, _> = self.log.iter().map(|logged| (logged.line, logged)).collect();
        let (mut undone, mut moved) = (Vec::new(), BTreeMap::new());
        for (line, number) in self.lines.iter().zip(1..) {
            match log.get(&number).map(|logged| (logged.action.as_str(), logged)) {
                None => undone.push(line.clone()),
                Some(("inserted", _)) => {}
                Some(("altered", logged)) => undone.push(logged.clean.clone().unwrap().into_bytes()),
                Some(("moved", logged)) => drop(moved.insert(logged.event, line.clone())),
                Some((action, _)) => panic!("{action} is no action"),
            }
        }
        for (event, line) in moved {
            undone.insert(event, line);
        }
        undone
    }
}

fn clean(world: &str, events: &str, seed: &str) -> Vec<Vec<u8>> {
    let clean = stdout(&["--world", world, "-n", events, "-s", seed]);
    clean.lines().map(|line| line.as_bytes().to_vec()).collect()
}

#[test]
fn without_its_faults_a_stream_is_the_clean_one() {
    for world in ["simple", "ledger"] {
        for (events, seed) in [("10000", "1"), ("2049", "2"), ("2000", "18446744073709551615")] {
            let recorded = Recorded::of(&["--world", world, "-n", events, "-s", seed, "--faults", FAULTS]);
            let (undone, clean) = (recorded.undone(), clean(world, events, seed));
            assert_eq!(undone.len(), clean.len(), "{world}, {events} events, seed {seed}");
            let differs = undone.iter().zip(&clean).position(|(undone, clean)| undone != clean);
            assert_eq!(differs, None, "{world}, {events} events, seed {seed}");
        }
    }
}

#[test]
fn there_are_exactly_as_many_faults_as_were_asked_for() {
    for world in ["simple", "ledger"] {
        let recorded = Recorded::of(&["--world", world, "-n", "10000", "--faults", FAULTS]);
        let mut counts = BTreeMap::new();
        for logged in &recorded.log {
            *counts.entry(logged.fault.as_str()).or_insert(0) += 1;
        }
        assert_eq!(counts, COUNTS.into_iter().collect(), "{world}");
        let added = recorded.log.iter().filter(|logged| logged.action == "inserted").count();
        assert_eq!(recorded.lines.len(), 10_000 + added);
        let bad: usize = recorded.log.iter().filter(|logged| logged.reason.is_some()).count();
        assert_eq!(bad, 140 + 40 + 1);
    }
}

/// No line arrives more than a thousand events after its position, and none before it.
#[test]
fn lateness_is_bounded() {
    let recorded = Recorded::of(&["-n", "10000", "--faults", "late=2000,duplicates=1000,stale=500"]);
    let log: BTreeMap<_, _> = recorded.log.iter().map(|logged| (logged.line, logged)).collect();
    let index: BTreeMap<_, _> =
        clean("simple", "10000", "0").into_iter().enumerate().map(|(index, line)| (line, index)).collect();
    let index_of = |number: usize| match log.get(&number) {
        None => recorded.lines.get(number - 1).map(|line| index[line]),
        Some(_) => None,
    };
    let mut latest = 0;
    for (number, logged) in &log {
        let last = (1..*number).rev().find_map(index_of).unwrap_or_default();
        let next = (number + 1..=recorded.lines.len()).find_map(index_of).unwrap_or(10_000);
        assert!(logged.event < next, "line {number} arrives before its place: {logged:?}");
        latest = latest.max(last.saturating_sub(logged.event));
    }
    assert!((900..=LATENESS_MAX).contains(&latest), "{latest}");
}

/// There are at most as many lines with one id as its fault requires, and lines that are not copies have
/// unique ids.
#[test]
fn ids_do_not_reveal_faults() {
    let recorded = Recorded::of(&["-n", "5000", "--faults", "malformed=400,unknown-events=400"]);
    let log: BTreeMap<_, _> = recorded.log.iter().map(|logged| (logged.line, logged)).collect();
    let mut ids = std::collections::BTreeSet::new();
    let mut complete = 0;
    for (line, number) in recorded.lines.iter().zip(1..) {
        let Some(Ok(id)) = line.get(14..50).map(uuid::Uuid::try_parse_ascii) else { continue };
        complete += usize::from(log.contains_key(&number));
        assert_eq!(id.get_version_num(), 4, "line {number}");
        assert!(ids.insert(id), "line {number} has the id of another");
    }
    assert!(complete > 600, "{complete}");
}

#[test]
fn threads_and_environment_do_not_matter() {
    for world in ["simple", "ledger"] {
        let arguments = ["--world", world, "-n", "9000", "-s", "4", "--faults", FAULTS];
        let expected = Recorded::of(&[&arguments[..], &["--threads", "1"]].concat());
        for threads in ["2", "3", "7", "16"] {
            let recorded = Recorded::of(&[&arguments[..], &["--threads", threads]].concat());
            assert!(recorded.lines == expected.lines, "{world}, {threads} threads");
            assert_eq!(recorded.log_text, expected.log_text, "{world}, {threads} threads");
            assert_eq!(recorded.manifest, expected.manifest, "{world}, {threads} threads");
        }
    }
}

/// Taken from stream version 1: lines, log and manifest.
#[test]
fn golden_hashes() {
    let faults = "duplicates=2%,corrections=1%,stale=0.5%,ties=9,late=100,offsets=50,unknown-fields=40,malformed=130,\
                  unknown-events=20,blank=5";
    for (world, expected) in [
        (
            "simple",
            [
                "d15fe117529f628f40474a7475b3355148b20389b734f6b5cfcb53d44e3760ac",
                "58e523d8acec521ed3e558af9d879488795e024cd5589416da9ed37957915e68",
                "99941b3d0d497f2d2b6f6055ba742b86601a80e5e1b8d15c48a70c89967340a5",
            ],
        ),
        (
            "ledger",
            [
                "3999cbc07188839456465c7e5211540a3ac3076c3083a348506b269ef823fe98",
                "7fed393290050977ff20d3f0571f0315bb566340fb89a5b8d3781e60a0606cce",
                "4a476f185354881acc46792998a1a4b032b45ec2f725a47faf14635bad1dcfbd",
            ],
        ),
    ] {
        let recorded = Recorded::of(&["--world", world, "-n", "5000", "-s", "42", "--faults", faults]);
        let lines = sha256(recorded.lines.join(&b'\n'));
        // The program's version is in the manifest, but is not part of the stream's version.
        let manifest = recorded.manifest.replacen(env!("CARGO_PKG_VERSION"), "", 1);
        let found = [lines, sha256(recorded.log_text), sha256(manifest)];
        assert_eq!(found, expected, "{world}");
    }
}

#[test]
fn a_wrong_list_is_reported_before_anything_is_written() {
    for (list, expected) in [
        ("late=1,late=2", "late occurs twice"),
        ("later=1", "unknown fault \"later\""),
        ("late=10", "10 faults for 10 events"),
    ] {
        let (code, message) = failure(&["-n", "10", "--faults", list]);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(expected), "{list}: {message}");
    }
}

/// The records next to the stream appear when all of it was written, or not at all.
#[test]
fn a_run_that_fails_leaves_no_records() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = dir.path().join("manifest.json");
    let mut child = command(&["-n", "1000000", "--manifest"]);
    let mut child = child.arg(&manifest).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success(), "a reader that leaves is no failure");
    assert_eq!(crate::support::names(dir.path()), Vec::<String>::new());
    let (code, message) = failure(&["--manifest", "/no/such/directory/manifest.json"]);
    assert_eq!(code, 1);
    assert!(message.contains("cannot write /no/such/directory/manifest.json"), "{message}");
}
