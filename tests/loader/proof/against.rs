//! `eventloader verify --against`: does a target that meets its manifest pass, whatever its layout, and is
//! each difference reported?
//!
//! A naive model makes the manifests from the lines, by docs/manifest.md and without `events_core::truth`.

mod model;
mod other_tables;
mod worlds;

use std::sync::Arc;

use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use self::{
    model::Truth,
    worlds::{LEDGER, OPEN, OWN, SIMPLE, World},
};
use crate::support::{
    events::{file_of, plain_events},
    files::tree,
    readback::batches_of,
    workdir::{Outcome, Workdir},
};

const DAY_1: &str = "2024/10/10/payment-to";
const MANIFEST: &str = "truth.json";

/// Every layout of a target.
const FLAGS: [&[&str]; 5] = [
    &[],
    &["--layout", "hive", "--flatten", "false"],
    &["--partition-by", "hour", "--compression", "none"],
    &["--partition-by", "hour", "--layout", "hive", "--threads", "3"],
    &["--flatten", "false", "--memory", "64MiB", "--dedupe-scope", "day"],
];

/// Some days of built-in events, some twice, one corrected; bad lines of three reasons.
fn simple() -> (Vec<String>, Truth) {
    let rows = plain_events(7, 400, 600);
    let mut lines = rows.clone();
    lines.extend(rows[100..120].iter().cloned());
    lines.insert(0, rows[200].replace("\"data\": {\"id\": ", "\"data\": {\"id\": 7"));
    lines.extend(["a bad line".to_owned(), "  ".to_owned(), "another".to_owned()]);
    lines.push(rows[0].replace("account", "no-such").replace("transaction", "no-such"));
    lines.push("x".repeat(17 << 20));
    let bad = [("malformed_json", 2), ("unknown_event", 1), ("line_too_long", 1)];
    let truth = Truth { world: &SIMPLE, rows, redelivered: 20, corrected: 1, blank: 1, bad: bad.into() };
    (lines, truth)
}

/// Loads lines with the catalog of a world, into `target`.
fn load(dir: &Workdir, world: &World, lines: &[String], flags: &[&str]) {
    let mut loader = dir.loader().args(["--backfill", "--max-bad-lines=100%"]).args(flags);
    if let Some(catalog) = world.catalog {
        loader = loader.arg("--catalog").arg(dir.write("catalog.toml", catalog));
    }
    dir.write("in.json", file_of(lines));
    loader.source("in.json").succeeds();
}

fn verify(dir: &Workdir, code: i32) -> Outcome {
    let before = tree(&dir.target());
    let outcome = dir.bare_loader().arg("verify").arg(dir.target()).args(["--against", MANIFEST]).exits(code);
    assert!(before == tree(&dir.target()), "verify changes nothing: {outcome}");
    outcome
}

/// Loads `lines`, and expects them to meet the truth.
#[track_caller]
fn is_well(lines: &[String], truth: &Truth, flags: &[&str]) {
    let dir = Workdir::new();
    load(&dir, truth.world, lines, flags);
    let manifest = truth.manifest();
    dir.write(MANIFEST, manifest.to_string());
    let outcome = verify(&dir, 0);
    assert_eq!(outcome.stdout, "", "{flags:?}: {outcome}");
    let partitions = manifest["partitions"].as_array().unwrap().len();
    let counts = [(partitions, "partition"), (truth.rows.len(), "row"), (truth.bad_lines(), "bad line")];
    let counts = counts.map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }));
    let expected = format!("no problems; they match {MANIFEST}: {}\n", counts.join(", "));
    assert!(outcome.stderr.ends_with(&expected), "{flags:?}: expected {expected:?} of {outcome}");
}

/// Loads one day after the other, the first of them with a catalog that has narrower types and fewer columns:
/// its files keep these, and have the values that the manifest wants of the last catalog.
#[test]
fn files_of_older_types_meet_the_manifest_of_the_last_ones() {
    let narrower = |world: &World, changes: &[(&str, &str)]| {
        let catalog = world.catalog.unwrap().to_owned();
        changes.iter().fold(catalog, |catalog, (from, to)| {
            assert!(catalog.contains(from), "{from} in {catalog}");
            catalog.replace(from, to)
        })
    };
    let inner = "inner = { fields = { yes = 'boolean', day = 'date', deep = { fields = { at = 'timestamp', any = 'json' } } } }";
    for (world, days, changes) in [
        (&LEDGER, ["2024-10-10", "2024-10-11", "2024-10-12"], &[("decimal(18,3)", "decimal(14,2)")][..]),
        (&OWN, ["2024-10-12", "2024-10-10", "2024-10-11"], &[("'int64'", "'int32'"), (inner, "")]),
    ] {
        let mut truth = Truth::of(world);
        // The same of other events a day later: the target knows the last types of an event type by its rows.
        let later = |line: &String| {
            let later = line.replace("2024-10-11", "2024-10-12").replace("2024-10-10", "2024-10-11");
            later.replacen("\"event_id\": \"", "\"event_id\": \"later ", 1)
        };
        truth.rows.extend(world.lines().iter().map(later));
        for flags in FLAGS {
            let dir = Workdir::new();
            dir.write("in.json", file_of(&truth.rows));
            dir.write(MANIFEST, truth.manifest().to_string());
            dir.write("narrow.toml", narrower(world, changes));
            dir.write("last.toml", world.catalog.unwrap());
            for (day, catalog) in days.iter().zip(["narrow.toml", "last.toml", "last.toml"]) {
                let merge = ["--mode", "merge", "--date", day, "--catalog", catalog];
                dir.loader().source("in.json").args(merge).args(flags).succeeds();
            }
            assert_eq!(verify(&dir, 0).stdout, "", "{flags:?} {changes:?}");
        }
    }
}

/// Loads what `change` makes of the lines, and expects these problems in this order: path and description.
#[track_caller]
fn tells(flags: &[&str], change: impl Fn(&mut Vec<String>), expected: &[(&str, &str)]) {
    let dir = Workdir::new();
    let (mut lines, truth) = simple();
    change(&mut lines);
    load(&dir, truth.world, &lines, flags);
    dir.write(MANIFEST, truth.manifest().to_string());
    assert_told(&verify(&dir, 1), expected);
}

#[track_caller]
fn assert_told(outcome: &Outcome, expected: &[(&str, &str)]) {
    let told: Vec<_> = outcome.stdout.lines().collect();
    let expected: Vec<_> = expected.iter().map(|(path, problem)| format!("{path}: {problem}")).collect();
    assert_eq!(told, expected, "the problems of {outcome}");
    assert!(outcome.stderr.contains("problem") && !outcome.stderr.contains("no problems"), "{outcome}");
}

/// How many rows the truth has of a partition, and the sum of its amounts in cents.
fn partition(truth: &Truth, day: &str, event_type: &str) -> (u64, i64) {
    let manifest = truth.manifest();
    let is_it = |partition: &&Value| partition["day"] == day && partition["event_type"] == event_type;
    let found = manifest["partitions"].as_array().unwrap().iter().find(is_it).unwrap();
    let cents = found["sums"][0].as_str().map_or(0, |sum| sum.replace('.', "").parse().unwrap());
    (found["rows"].as_u64().unwrap(), cents)
}

/// The index of the first line of an event type and day.
fn first(lines: &[String], day: &str, event_type: &str) -> usize {
    let is_it = |line: &String| {
        line.contains(&format!("\"timestamp\": \"{day}T")) && line.contains(&format!("\"{event_type}\""))
    };
    lines.iter().position(is_it).unwrap()
}

fn cents(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[test]
fn the_built_in_events_are_what_their_manifest_says_in_every_layout() {
    let (lines, truth) = simple();
    for flags in FLAGS {
        is_well(&lines, &truth, flags);
    }
}

#[test]
fn types_that_no_catalog_names_are_what_their_manifest_says() {
    for flags in FLAGS {
        is_well(&OPEN.lines(), &Truth::of(&OPEN), flags);
    }
    // As JSON text, their rows are counted; the columns are others.
    let dir = Workdir::new();
    let as_text = World { catalog: Some("[domain.'*']"), ..OPEN };
    load(&dir, &as_text, &OPEN.lines(), &["--layout", "hive"]);
    dir.write(MANIFEST, Truth::of(&OPEN).manifest().to_string());
    let day =
        |day: &str, event_type: &str| format!("year=2024/month=10/day={day}/event_type=found.{event_type}");
    let (sale, order) = (day("10", "sale"), day("11", "order%20placed%2FEU"));
    let differs = |event_type: &str| {
        format!(
            "the columns of found/{event_type} differ from the manifest: data_n, data_text are missing, data is not in \
             the manifest; load the events with the catalog of the manifest's world"
        )
    };
    assert_told(&verify(&dir, 1), &[(&*sale, &*differs("sale")), (&*order, &*differs("order placed/EU"))]);
    fs_err::remove_dir_all(dir.target().join(&order)).unwrap();
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    let missing = "is missing: the manifest has 1 row for it";
    let problems = verify(&dir, 1).stdout;
    assert!(problems.contains(&format!("{missing}\n")) && problems.contains(&differs("sale")), "{problems}");
}

#[test]
fn the_ledger_s_events_are_what_their_manifest_says_in_every_layout() {
    for flags in FLAGS {
        is_well(&LEDGER.lines(), &Truth::of(&LEDGER), flags);
    }
}

/// Booleans, dates, times, wide integers, json; objects that are null; a type without fields.
#[test]
fn values_of_every_type_that_has_a_digest_are_compared() {
    for flags in FLAGS {
        is_well(&OWN.lines(), &Truth::of(&OWN), flags);
    }
}

#[test]
fn an_empty_world_is_an_empty_target() {
    let lines = ["nothing".to_owned()];
    let truth = Truth { rows: Vec::new(), bad: [("malformed_json", 1)].into(), ..Truth::of(&SIMPLE) };
    is_well(&lines, &truth, &[]);
}

#[test]
fn a_missing_partition_is_told() {
    let (_, truth) = simple();
    let (rows, _) = partition(&truth, "2024-10-10", "payment-to");
    let without = |lines: &mut Vec<String>| {
        lines.retain(|line| !(line.contains("\"2024-10-10T") && line.contains("\"payment-to\"")));
    };
    let problem = format!("is missing: the manifest has {rows} rows for it");
    tells(&[], without, &[(DAY_1, &problem)]);
    tells(&["--partition-by", "hour"], without, &[("2024/10/10/*/payment-to", &problem)]);
    let hive = "year=2024/month=10/day=10/hour=*/event_type=payment-to";
    tells(&["--partition-by", "hour", "--layout", "hive"], without, &[(hive, &problem)]);
}

#[test]
fn a_partition_that_is_not_in_the_manifest_is_told() {
    let add = |lines: &mut Vec<String>| {
        let of_later = lines[first(lines, "2024-10-10", "payment-to")].replace("2024-10-10T", "2024-11-30T");
        lines.push(of_later.replace("\"event_id\": \"", "\"event_id\": \"new-"));
    };
    tells(&[], add, &[("2024/11/30/payment-to", "is not in the manifest: 1 row")]);
}

#[test]
fn a_row_that_was_lost_is_told_with_the_sums() {
    let (lines, truth) = simple();
    let lost = lines[first(&lines, "2024-10-10", "payment-to")].clone();
    let (rows, sum) = partition(&truth, "2024-10-10", "payment-to");
    let amount: f64 = serde_json::from_str::<Value>(&lost).unwrap()["data"]["amount"].as_f64().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "cents of a small amount")]
    let left = sum - (amount * 100.0).round() as i64;
    let problem = format!(
        "has {} rows, the manifest has {rows}; data_amount adds up to {}, the manifest has {}",
        rows - 1,
        cents(left),
        cents(sum)
    );
    tells(
        &["--partition-by", "hour"],
        |lines| lines.retain(|line| *line != lost),
        &[("2024/10/10/*/payment-to", &problem)],
    );
}

#[test]
fn a_value_that_is_another_is_told() {
    let (lines, truth) = simple();
    let (_, sum) = partition(&truth, "2024-10-10", "payment-to");
    let changed = first(&lines, "2024-10-10", "payment-to");
    let by_a_cent = |lines: &mut Vec<String>| {
        let (front, amount) = lines[changed].rsplit_once(' ').unwrap();
        let amount: i64 = amount.trim_end_matches('}').replace('.', "").parse().unwrap();
        lines[changed] = format!("{front} {}}}}}", cents(amount + 1));
    };
    let other = "its rows differ from the manifest: same number, other content";
    let sums = format!("{other}; data_amount adds up to {}, the manifest has {}", cents(sum + 1), cents(sum));
    tells(&[], by_a_cent, &[(DAY_1, &sums)]);
    let payee = |lines: &mut Vec<String>| lines[changed] = lines[changed].replace("\"to\": ", "\"to\": 1");
    tells(&["--flatten", "false"], payee, &[(DAY_1, other)]);
    let second = |lines: &mut Vec<String>| {
        lines[changed] = lines[changed].replacen("\", \"domain\"", ".000001\", \"domain\"", 1);
    };
    tells(&[], second, &[(DAY_1, other)]);
}

#[test]
fn a_row_in_another_day_is_told_twice() {
    let (lines, truth) = simple();
    let moved = first(&lines, "2024-10-10", "account-open");
    let move_it = |lines: &mut Vec<String>| lines[moved] = lines[moved].replace("2024-10-10T", "2024-10-11T");
    let [from, to] = ["2024-10-10", "2024-10-11"].map(|day| partition(&truth, day, "account-open").0);
    tells(
        &[],
        move_it,
        &[
            ("2024/10/10/account-open", &format!("has {} rows, the manifest has {from}", from - 1)),
            ("2024/10/11/account-open", &format!("has {} rows, the manifest has {to}", to + 1)),
        ],
    );
}

/// No load writes a row twice, so the test changes the file: that is reported first, then its consequences.
#[test]
fn a_row_that_is_there_twice_is_told() {
    let dir = Workdir::new();
    let (lines, truth) = simple();
    load(&dir, truth.world, &lines, &[]);
    dir.write(MANIFEST, truth.manifest().to_string());
    let (rows, _) = partition(&truth, "2024-10-10", "account-open");
    let directory = "2024/10/10/account-open";
    let file = format!("{directory}/part-00000.zstd.parquet");
    let batches = batches_of(&dir.target().join(&file));
    let schema = batches[0].schema();
    let (last, batches) = (batches[0].slice(batches[0].num_rows() - 1, 1), concat_batches(&schema, &batches));
    let twice = concat_batches(&schema, &[batches.unwrap(), last]).unwrap();
    let output = fs_err::File::create(dir.target().join(&file)).unwrap();
    let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), None).unwrap();
    writer.write(&twice).unwrap();
    writer.close().unwrap();
    let outcome = verify(&dir, 1);
    let last = outcome.stdout.lines().last().unwrap_or_default();
    assert_eq!(last, format!("{directory}: has {} rows, the manifest has {rows}", rows + 1), "{outcome}");
    let of_file = outcome.stdout.lines().filter(|line| line.starts_with(&format!("{file}: "))).count();
    assert_eq!((of_file, outcome.stdout.lines().count()), (3, 4), "{outcome}");
    assert!(outcome.stdout.starts_with(&format!("{file}: its bytes differ from those")), "{outcome}");
}

#[test]
fn bad_lines_that_are_lost_or_too_many_are_told_by_reason() {
    let quarantine = "_quarantine";
    tells(
        &[],
        |lines| lines.retain(|line| line != "another"),
        &[(quarantine, "has 1 bad line with malformed_json, the manifest has 2")],
    );
    let others = |lines: &mut Vec<String>| {
        lines.pop();
        lines.push("[]".to_owned());
    };
    tells(
        &[],
        others,
        &[
            (quarantine, "has 0 bad lines with line_too_long, the manifest has 1"),
            (quarantine, "has 1 bad line with not_an_event, the manifest has 0"),
        ],
    );
}

#[test]
fn a_quarantine_that_was_damaged_is_told_with_what_can_be_counted() {
    let dir = Workdir::new();
    let (lines, truth) = simple();
    load(&dir, truth.world, &lines, &[]);
    dir.write(MANIFEST, truth.manifest().to_string());
    let name = tree(&dir.target()).into_keys().find(|name| name.starts_with("_quarantine/")).unwrap();
    let text = fs_err::read_to_string(dir.target().join(&name)).unwrap();
    let mut records: Vec<_> = text.lines().collect();
    records[1] = "{";
    fs_err::write(dir.target().join(&name), records.join("\n")).unwrap();
    let outcome = verify(&dir, 1);
    for part in [
        format!("{name}: its bytes differ from those"),
        format!("{name}: has a line that is not a quarantine record: "),
        "_quarantine: has 1 bad line with malformed_json, the manifest has 2".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&part), "expected {part:?} of {outcome}");
    }
}

/// The first rows and the others, as two runs would have generated them, each with its bad lines.
fn two_runs(truth: &Truth) -> [Value; 2] {
    let (first, rest) = truth.rows.split_at(250);
    let of = |rows: &[String], redelivered, bad: &[(&'static str, usize)]| {
        let bad = bad.iter().copied().collect();
        Truth { world: truth.world, rows: rows.to_vec(), redelivered, corrected: 0, blank: 0, bad }.manifest()
    };
    let mut second = of(rest, 20, &[("malformed_json", 1), ("unknown_event", 1), ("line_too_long", 1)]);
    second["generator"]["first_event"] = 250.into();
    [of(first, 0, &[("malformed_json", 1)]), second]
}

/// Verifies a target of `lines` against both of these manifests.
fn verify_both(lines: &[String], manifests: &[Value; 2], code: i32) -> Outcome {
    let dir = Workdir::new();
    load(&dir, &SIMPLE, lines, &[]);
    let names = ["truth.json", "truth-1.json"];
    names.iter().zip(manifests).for_each(|(name, manifest)| drop(dir.write(name, manifest.to_string())));
    let loader = dir.bare_loader().arg("verify").arg(dir.target());
    names.iter().fold(loader, |loader, name| loader.args(["--against", name])).exits(code)
}

#[test]
fn the_manifests_of_several_runs_are_the_truth_about_all_of_their_events() {
    let (mut lines, truth) = simple();
    let (manifests, partitions) =
        (two_runs(&truth), truth.manifest()["partitions"].as_array().unwrap().len());
    let outcome = verify_both(&lines, &manifests, 0);
    let expected =
        format!("they match truth.json, truth-1.json: {partitions} partitions, 400 rows, 4 bad lines\n");
    assert!(outcome.stderr.ends_with(&expected), "expected {expected:?} of {outcome}");

    let lost = lines[first(&lines, "2024-10-10", "account-open")].clone();
    lines.retain(|line| *line != lost && line != "another");
    let (rows, _) = partition(&truth, "2024-10-10", "account-open");
    assert_told(
        &verify_both(&lines, &manifests, 1),
        &[
            ("2024/10/10/account-open", &format!("has {} rows, the manifests have {rows}", rows - 1)),
            ("_quarantine", "has 1 bad line with malformed_json, the manifests have 2"),
        ],
    );
}

#[test]
fn manifests_that_contradict_each_other_are_refused() {
    let (lines, truth) = simple();
    let [first, second] = two_runs(&truth);
    let mut overlapping = second.clone();
    overlapping["generator"]["first_event"] = 249.into();
    let mut of_another_world = Truth::of(&LEDGER).manifest();
    of_another_world["generator"]["seed"] = 2.into();
    let mut without_number = second;
    for partition in without_number["partitions"].as_array_mut().unwrap() {
        partition["sums"].as_array_mut().unwrap().iter_mut().for_each(|sum| *sum = "1,5".into());
    }
    for (second, expected) in [
        (overlapping, "both are about the events 249 to 249 of seed 1"),
        (of_another_world, "they have different columns for account/account-open"),
        (without_number, "can't add up "),
    ] {
        let outcome = verify_both(&lines[..9], &[first.clone(), second], 2);
        assert!(outcome.stderr.contains("truth.json and truth-1.json: "), "{outcome}");
        assert!(outcome.stderr.contains(expected), "expected {expected:?} of {outcome}");
    }
}

/// Whatever is not as its loads left it is reported as usual, before the differences from the manifest.
#[test]
fn an_unfinished_commit_is_told_alone() {
    let dir = Workdir::new();
    let (_, truth) = simple();
    load(&dir, truth.world, &truth.rows[..9], &[]);
    dir.write(MANIFEST, truth.manifest().to_string());
    dir.write("target/_eventloader/journal.json", "of a load that was killed");
    let outcome = verify(&dir, 1);
    assert!(outcome.stdout.starts_with("_eventloader/journal.json: "), "{outcome}");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
}
