//! Does the report say what became of each line, by source and by partition, and which values were changed?
//!
//! `model` compares all of these counts with the report over random files; the expectations here are written
//! by hand, or for spilled rows.

use naive_model::{Flags, Wanted};
use serde_json::{Value, json};

use crate::support::{
    events::{Die, account_open, event, file_of},
    workdir::{Outcome, Workdir},
};

/// `[redelivered, corrected]`, which together are all that is superseded.
#[track_caller]
fn kinds(outcome: &Outcome) -> [u64; 2] {
    let kinds = ["redelivered", "corrected"].map(|name| outcome.count(name));
    assert_eq!(outcome.count("superseded"), kinds.iter().sum::<u64>(), "{outcome}");
    kinds
}

/// An event of the only id and instant.
fn version(data: &str) -> String {
    event("e", "2024-10-10T08:00:00", "payment-to", data)
}

fn load(lines: impl IntoIterator<Item = String>, args: &[&str]) -> Outcome {
    let dir = Workdir::new();
    dir.loader().source(dir.write("in.json", file_of(lines))).args(args).succeeds()
}

#[test]
fn the_same_content_is_redelivered_however_it_is_written() {
    let lines = [
        version(r#"{"id": 1, "to": "x/é", "amount": 2.5}"#),
        version(r#"{"amount":2.50,"to":"x\/\u00e9","id":"1","unknown":[]}"#),
        version(r#"{"id": 1, "to": "x/é", "from": null, "amount": "25e-1"}"#)
            .replace("08:00:00", "10:00:00.0000009+02:00"),
    ];
    assert_eq!(kinds(&load(lines, &["-b"])), [2, 0]);
}

#[test]
fn another_content_is_corrected() {
    for (data, other) in [
        (r#"{"id": 1}"#, r#"{"id": 2}"#),
        (r#"{"id": 1}"#, r#"{"id": null}"#),
        (r#"{"id": "a", "to": "b"}"#, r#"{"id": "b", "to": "a"}"#),
        (r#"{"id": "ab", "to": "c"}"#, r#"{"id": "a", "to": "bc"}"#),
        (r#"{"id": "", "to": "a"}"#, r#"{"id": "a", "to": ""}"#),
        (r#"{"id": ""}"#, r#"{"id": null}"#),
        (r#"{"id": 1.0}"#, r#"{"id": 1}"#),
        (r#"{"amount": 1}"#, r#"{"amount": -1}"#),
        (r#"{"amount": 0}"#, "{}"),
    ] {
        for nested in ["true", "false"] {
            let outcome = load([version(data), version(other)], &["-b", "-f", nested]);
            assert_eq!(kinds(&outcome), [0, 1], "{data} and {other}, --flatten {nested}");
        }
    }
    // Another time is another content, too.
    let lines = [version("null"), version("null").replace("08:00:00", "08:00:01")];
    assert_eq!(kinds(&load(lines, &["-b"])), [0, 1]);
}

/// As columns, null and an object without anything are the same; as one struct they are two.
#[test]
fn what_is_the_same_is_a_matter_of_the_table() {
    let lines = || [version("null"), version("{}"), version(r#"{"id": null}"#)];
    assert_eq!(kinds(&load(lines(), &["-b"])), [2, 0]);
    assert_eq!(kinds(&load(lines(), &["-b", "-f", "false"])), [1, 1]);
}

#[test]
fn lists_and_their_elements_are_content() {
    let dir = Workdir::new();
    let catalog = "[domain.account.events.account-open.fields]\nn = 'list(list(int32))'\n\
         o = { list = { fields = { a = 'string', f = 'float64', b = 'boolean', d = 'date', t = 'timestamp', l = 'int64' } } }\n";
    dir.write("catalog.toml", catalog);
    let contents = [
        "null",
        r#"{"n": []}"#,
        r#"{"n": [[]]}"#,
        r#"{"n": [[], []]}"#,
        r#"{"n": [null]}"#,
        r#"{"n": [[null]]}"#,
        r#"{"n": [[1, 2]]}"#,
        r#"{"n": [[1], [2]]}"#,
        r#"{"n": [[2], [1]]}"#,
        r#"{"o": []}"#,
        r#"{"o": [null]}"#,
        r#"{"o": [{}]}"#,
        r#"{"o": [{"a": ""}]}"#,
        r#"{"o": [{"a": "x"}, {}]}"#,
        r#"{"o": [{}, {"a": "x"}]}"#,
        r#"{"o": [{"f": 0}]}"#,
        r#"{"o": [{"f": -0.0}]}"#,
        r#"{"o": [{"b": false}]}"#,
        r#"{"o": [{"b": true}]}"#,
        r#"{"o": [{"d": "1970-01-01"}]}"#,
        r#"{"o": [{"t": "1970-01-01"}]}"#,
        r#"{"o": [{"l": 0}]}"#,
    ];
    let lines = || contents.iter().map(|data| event("e", "2024-10-10T08:00:00", "account-open", data));
    let source = dir.write("in.json", file_of(lines().chain(lines())));
    let outcome = dir.loader().source(source).args(["-b", "--catalog", "catalog.toml"]).succeeds();
    let count = contents.len() as u64;
    assert_eq!(kinds(&outcome), [count, count - 1], "{outcome}");
}

/// n different contents are n - 1 corrections, whichever of them wins.
#[test]
fn the_order_of_the_input_changes_no_count() {
    let mut lines: Vec<_> = [1, 1, 2, 3, 3, 3].map(|id| version(&format!(r#"{{"id": {id}}}"#))).into();
    lines.push(version("null").replace("08:00:00", "07:00:00"));
    lines.push(lines[6].clone());
    for seed in 0..20 {
        Die::new(seed).shuffle(&mut lines);
        let outcome = load(lines.clone(), &["-b"]);
        assert_eq!(kinds(&outcome), [4, 3], "{lines:#?}");
    }
}

/// A later day's version wins without being loaded: what it supersedes is corrected, except for copies of it.
#[test]
fn a_version_of_a_later_day_corrects_those_of_the_day_that_is_loaded() {
    let lines = || {
        let at = |time: &str, id| account_open("e", time, id);
        [
            at("2024-10-10T08:00:00", 1),
            at("2024-10-10T08:00:00", 1),
            at("2024-10-10T09:00:00", 2),
            at("2024-10-11T09:00:00", 2),
            at("2024-10-11T09:00:00", 2),
        ]
    };
    let outcome = load(lines(), &["-d", "2024-10-10"]);
    assert_eq!((kinds(&outcome), outcome.count("filtered"), outcome.count("written")), ([1, 2], 2, 0));
    let expected = json!([{"path": "2024/10/10/account-open", "superseded": 3}]);
    assert_eq!(outcome.report()["superseded_partitions"], expected, "{outcome}");
    let outcome = load(lines(), &["-d", "2024-10-10", "--dedupe-scope=day"]);
    assert_eq!((kinds(&outcome), outcome.count("written")), ([1, 1], 1));
    let outcome = load(lines(), &["-b"]);
    assert_eq!((kinds(&outcome), outcome.count("written")), ([2, 2], 1));
}

#[test]
fn each_source_and_each_partition_has_its_own_equation() {
    let dir = Workdir::new();
    let at = |id: &str, time: &str| account_open(id, time, 1);
    let a = [at("1", "2024-10-10T08:00:00"), at("2", "2024-10-10T08:00:00"), String::new(), "{".to_owned()];
    let b = [at("1", "2024-10-11T08:00:00"), at("3", "2024-10-09T08:00:00"), at("2", "2024-10-10T08:00:00")];
    let c = [at("4", "2024-10-09T08:00:00"), at("4", "2024-10-12T08:00:00"), at("2", "2024-10-10T07:00:00")];
    for (name, lines) in [("a", a.as_slice()), ("b", &b), ("c", &c)] {
        dir.write(&format!("in/{name}.json"), file_of(lines));
    }
    let outcome = dir.loader().source("in").arg("--since=2024-10-10").succeeds();
    let sources: Vec<_> = outcome.report()["sources"].as_array().unwrap().iter().map(fates).collect();
    assert_eq!(sources, [[4, 1, 1, 0, 2, 0], [3, 0, 0, 1, 0, 2], [3, 0, 0, 1, 1, 1]], "{outcome}");
    let partitions: Vec<_> = outcome.report()["partitions"].as_array().unwrap().iter().collect();
    let superseded: Vec<_> = partitions.iter().map(|p| (&p["path"], &p["rows"], &p["superseded"])).collect();
    let expected = [("10", 1, 3), ("11", 1, 0), ("12", 1, 0)]
        .map(|(day, rows, superseded)| (format!("2024/10/{day}/account-open"), rows, superseded));
    assert_eq!(json!(superseded), json!(expected), "{outcome}");
}

/// The numbers of a source: lines, and what became of them.
fn fates(source: &Value) -> [u64; 6] {
    ["lines", "blank", "quarantined", "filtered", "superseded", "written"]
        .map(|name| source[name].as_u64().unwrap())
}

const TYPES: &str = "[domain.account.events.account-open.fields]
s = 'string'\ni = 'int32'\nl = 'int64'\nf = 'float64'\nb = 'boolean'\nm = 'decimal(5,2)'\nt = 'timestamp'\nd = 'date'\nj = 'json'
n = 'list(decimal(5,2))'
o = { list = { fields = { s = 'string', x = { fields = { t = 'list(timestamp)' } } } } }
p = { fields = { i = 'int32' } }
";

/// Loads payloads of a type with a field for each type of value.
fn load_payloads(payloads: &[&str]) -> Outcome {
    let dir = Workdir::new();
    dir.write("catalog.toml", TYPES);
    let line = |(index, data): (usize, &&str)| {
        event(&format!("e{index}"), "2024-10-10T08:00:00", "account-open", data)
    };
    let source = dir.write("in.json", file_of(payloads.iter().enumerate().map(line)));
    dir.loader().source(source).args(["-b", "-v", "--catalog", "catalog.toml"]).succeeds()
}

#[test]
fn values_of_another_kind_are_counted_by_path() {
    let outcome = load_payloads(&[
        // What the columns are meant for.
        r#"{"s": "1", "i": 1.0, "l": 1, "f": 1, "b": true, "m": 1, "t": "2024-10-10", "d": "2024-10-10", "n": [1, null]}"#,
        r#"{"s": null, "i": null, "b": null, "j": 1, "n": [], "o": [{"s": "\u0031", "x": null}, null], "p": {}}"#,
        r#"{"j": "1"}"#,
        r#"{"j": {}}"#,
        // What they accept as well.
        r#"{"s": 1, "i": "1", "l": "\u0031", "f": "1e0", "b": "true", "m": "1"}"#,
        r#"{"s": true, "b": "false"}"#,
        r#"{"s": [1]}"#,
        r#"{"s": {}}"#,
        // A row counts once.
        r#"{"n": ["1", 2, "3"], "o": [{"s": 1}, {"s": "2"}, null, {"s": false}], "p": {"i": "7"}}"#,
        r#"{"n": []}"#,
        r#"{"n": [1, "3"], "o": [{"s": 1}]}"#,
        // Bad, although some of it was converted first.
        r#"{"s": 1, "n": ["1", "x"]}"#,
        r#"{"s": 1, "o": [{"s": 1}, {"s": 1, "x": {"t": [1]}}]}"#,
        r#"{"i": "1", "l": "x"}"#,
    ]);
    let expected = json!({
        "data.s": 4, "data.i": 1, "data.l": 1, "data.f": 1, "data.b": 2, "data.m": 1,
        "data.n": 2, "data.o.s": 2, "data.p.i": 1,
    });
    assert_eq!((outcome.count("written"), &outcome.report()["coerced"]), (11, &expected), "{outcome}");
    assert_eq!(outcome.report()["rounded"], json!({}), "{outcome}");
    assert!(
        outcome.stderr.contains("converted to the column's type: data.s in 4 rows, data.b in 2 rows"),
        "{outcome}"
    );
}

#[test]
fn roundings_are_counted_by_path() {
    let outcome = load_payloads(&[
        r#"{"m": 1.250, "t": "2024-10-10T00:00:00.123456000Z", "f": 0.12345678901234567890123, "i": 12.000, "n": [1.0000]}"#,
        r#"{"m": 1.251, "t": "2024-10-10T00:00:00.1234567Z"}"#,
        r#"{"m": "0.001", "t": "2024-10-10T00:00:00.0000000001+05:30"}"#,
        r#"{"n": [1, 0.005, 0.004], "o": [{}, {"x": {"t": ["2024-10-10T00:00:00.0000001", "2024-10-10"]}}]}"#,
        r#"{"m": 0.001, "i": 2.5}"#,
        r#"{"m": 999.999}"#,
        r#"{"t": "2024-10-10T00:00:00.1234567X"}"#,
    ]);
    let expected = json!({"data.m": 2, "data.t": 2, "data.n": 1, "data.o.x.t": 1, "data.f": 1});
    assert_eq!((outcome.count("written"), &outcome.report()["rounded"]), (4, &expected), "{outcome}");
    assert!(outcome.stderr.contains("rounded to fit the column: data.m in 2 rows"), "{outcome}");
}

/// Counted for all rows, superseded or not, but not for those of other days.
#[test]
fn the_event_s_own_timestamp_is_rounded_too() {
    let at = |id: &str, time: &str| event(id, time, "payment-to", r#"{"id": 1}"#);
    let lines = [
        at("a", "2024-10-10T08:00:00.1234567"),
        at("a", "2024-10-10T08:00:00.1234567Z"),
        at("b", "2024-10-10T08:00:00.123456"),
        at("c", "2024-10-10T08:00:00.12345600001+01:00"),
        at("c", "2024-10-11T08:00:00.1234567"),
        at("", "2024-10-10T08:00:00.1234567"),
    ];
    let outcome = load(lines, &["-d", "2024-10-10"]);
    let found = (outcome.count("superseded"), &outcome.report()["rounded"], &outcome.report()["coerced"]);
    assert_eq!(found, (2, &json!({"timestamp": 3}), &json!({"data.id": 4})), "{outcome}");
}

/// Versions of 6,000 events with 2 KiB of text each; instants and contents are few, so that many versions are
/// equal.
fn many_versions() -> String {
    let mut die = Die::new(7);
    let lines = (0..16_000).map(|_| {
        let number = die.roll(6_000);
        let id = match number % 3 {
            0 => format!("order-{number}"),
            _ => format!("{number:08x}-0000-4000-8000-000000000000"),
        };
        let timestamp = format!("2024-10-{}T08:00:0{}", 10 + die.roll(2), die.roll(3));
        let reason = format!("{number:016x}").repeat(128);
        let data = format!(r#"{{"id": {}, "reason": "{reason}"}}"#, die.roll(2));
        event(&id, &timestamp, "account-open", &data)
    });
    file_of(lines)
}

#[test]
fn spilled_or_not_the_report_is_the_model_s() {
    let dir = Workdir::new();
    let text = many_versions();
    let source = dir.write("in.json", &text);
    let sources = [(source.display().to_string(), text.into_bytes())];
    let day = chrono::NaiveDate::from_ymd_opt(2024, 10, 10);
    for (args, flags) in [
        (["-b", "--dedupe-scope=input"], Flags::default()),
        (["-b", "--dedupe-scope=day"], Flags { by_day: true, ..Flags::default() }),
        (
            ["-d=2024-10-10", "--dedupe-scope=input"],
            Flags { wanted: Wanted { since: day, until: day, ..Wanted::default() }, ..Flags::default() },
        ),
    ] {
        let expected = naive_model::load(&sources, &flags);
        assert!(expected.redelivered > 500 && expected.corrected > 500, "{expected:?}");
        for (run, samples_max) in [
            (["--memory=4GiB", "--threads=1"], 10_000),
            (["--memory=4GiB", "--threads=2"], 300),
            (["--memory=64MiB", "--threads=3"], 10_000),
            (["--memory=64MiB", "--threads=7"], 300),
        ] {
            let dir = Workdir::new();
            let loader = dir.loader().source(&source).args(args).args(run);
            let outcome = loader.arg(format!("--superseded-samples={samples_max}")).succeeds();
            assert_eq!(kinds(&outcome), [expected.redelivered, expected.corrected], "{outcome}");
            assert_eq!(outcome.count("written"), expected.written, "{outcome}");
            let samples = &expected.superseded_rows[..samples_max.min(expected.superseded_rows.len())];
            assert!(outcome.report()["superseded_samples"] == json!(samples), "samples of {outcome}");
            let [of_source] = expected.sources.as_slice() else { panic!("one source") };
            let found = fates(&outcome.report()["sources"][0]);
            assert_eq!((found[4], found[5]), (of_source.superseded, of_source.written), "{outcome}");
            let lost = |list: &str| -> Vec<(String, u64)> {
                let list = outcome.report()[list].as_array().unwrap();
                let text = |partition: &Value| partition["path"].as_str().unwrap().to_owned();
                list.iter().map(|of| (text(of), of["superseded"].as_u64().unwrap())).collect()
            };
            let lost = [lost("partitions"), lost("superseded_partitions")].concat();
            assert_eq!(lost, expected.superseded_in.clone().into_iter().collect::<Vec<_>>(), "{outcome}");
        }
    }
}
