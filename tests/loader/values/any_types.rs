//! Whatever a catalog says and its events hold: does the loader do what the naive model says, in one load and
//! in two merges?
//!
//! `TYPES_SEEDS=2000 cargo test …` tries more seeds, `TYPES_SEED=17` one of them.

use std::{collections::BTreeMap, env};

use events_core::catalog::Catalog;
use naive_model::{Expected, Flags, event_types};

use crate::support::{
    events::Die,
    files::{assert_same_lines, assert_same_tree, published},
    hostile::RandomTypes,
    readback::{quarantine, rows, text_of, text_of_bad_line},
    workdir::{Outcome, Workdir},
};

const SEEDS: u64 = 40;

/// A catalog, two files of events of it, and the flags that change no value.
struct Case {
    catalog: String,
    files: [String; 2],
    nested: bool,
    args: Vec<&'static str>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut die = Die::new(seed);
        let types = RandomTypes::new(&mut die);
        let mut lines: Vec<String> = Vec::new();
        let files = [(); 2].map(|()| {
            let first = lines.len();
            for _ in 0..die.roll(40) {
                // Some events are delivered again.
                let again = (!lines.is_empty() && die.one_in(8)).then(|| die.pick(&lines).clone());
                lines.push(again.unwrap_or_else(|| line(&mut die, &types)));
            }
            lines[first..].concat()
        });
        let nested = die.one_in(3);
        let optional = [
            (nested, "--flatten=false"),
            (die.one_in(3), "--memory=64MiB"),
            (die.one_in(3), "--encodings=basic"),
            (die.one_in(2), "--threads=3"),
        ];
        let args = optional.into_iter().filter(|(chosen, _)| *chosen).map(|(_, arg)| arg).collect();
        Self { catalog: types.catalog, files, nested, args }
    }

    /// With the files in `dir`.
    fn expected(&self, dir: &str) -> Expected {
        let catalog = Catalog::from_toml(&[("d.toml", &self.catalog)]);
        let types =
            event_types::declared_in(&catalog.unwrap_or_else(|error| panic!("{error}\n{}", self.catalog)));
        let sources =
            [0, 1].map(|file| (format!("{dir}/{file}.json"), self.files[file].clone().into_bytes()));
        let flags = Flags { nested: self.nested, ..Flags::default() };
        naive_model::load_as(&sources, &flags, &types)
    }
}

/// An event, of few ids and times, so that some are versions of others.
fn line(die: &mut Die, types: &RandomTypes) -> String {
    let (id, day, second) = (die.roll(60), 10 + die.roll(2), die.roll(3));
    let data = types.payload(die);
    format!(
        r#"{{"event_id": "e{id}", "timestamp": "2024-10-{day}T00:00:0{second}", "domain": "d", "event_type": "e", "data": {data}}}"#
    ) + "\n"
}

#[test]
fn any_types_load_as_the_model_says() {
    let number =
        |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("TYPES_SEED(S) is a number"));
    let seeds = match (number("TYPES_SEED"), number("TYPES_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => 0..count,
        (None, None) => 0..SEEDS,
    };
    for seed in seeds {
        let case = Case::new(seed);
        let text = format!("seed {seed} {:?}\n{}", case.args, case.catalog);
        check(&case, &text);
    }
}

fn check(case: &Case, text: &str) {
    let dir = Workdir::new();
    dir.write("d.toml", &case.catalog);
    for (number, text) in case.files.iter().enumerate() {
        dir.write(&format!("in/{number}.json"), text);
    }
    let load = |target: &str, source: &str, flags: &[&str]| {
        let loader = dir.loader_into(target).source(source).args(&case.args).args(flags);
        loader.args(["-b", "--catalog", "d.toml", "--max-bad-lines=100%"]).succeeds()
    };
    let expected = case.expected(&dir.path("in").display().to_string());
    let outcome = load("one", "in", &[]);
    compare(&dir, &expected, &outcome, text);
    dir.bare_loader().arg("verify").arg(dir.path("one")).succeeds();
    load("two", "in/0.json", &["--mode=merge"]);
    load("two", "in/1.json", &["--mode=merge"]);
    assert_same_tree(&partitions(&dir, "one"), &partitions(&dir, "two"), &format!("in two merges of {text}"));
}

/// The files with rows; reports and quarantine tell two loads from one.
fn partitions(dir: &Workdir, target: &str) -> BTreeMap<String, Vec<u8>> {
    published(&dir.path(target)).into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
}

fn compare(dir: &Workdir, expected: &Expected, outcome: &Outcome, text: &str) {
    let target = dir.path("one");
    assert_same_lines(
        &text_of(&expected.rows),
        &text_of(&rows(&target)),
        &format!("rows after {outcome}, of {text}"),
    );
    let bad: Vec<_> = expected.bad_lines.iter().map(text_of_bad_line).collect();
    let found: Vec<_> = quarantine(&target).iter().map(text_of_bad_line).collect();
    assert_same_lines(&bad, &found, &format!("bad lines after {outcome}, of {text}"));
    for (name, counts) in [
        ("unknown_fields", &expected.unknown_fields),
        ("coerced", &expected.coerced),
        ("rounded", &expected.rounded),
    ] {
        assert_eq!(outcome.report()[name], serde_json::json!(counts), "{name} of {text}");
    }
    for (name, count) in [("redelivered", expected.redelivered), ("corrected", expected.corrected)] {
        assert_eq!(outcome.count(name), count, "{name} of {text}");
    }
}

/// Seeds prove nothing about what they don't reach.
#[test]
fn random_types_reach_rows_and_reasons() {
    let (mut reached, mut rows) = (BTreeMap::<String, u64>::new(), 0);
    for seed in 0..SEEDS {
        let case = Case::new(seed);
        for part in ["[types.", "map(", "map =", "timestamp(s)", "timestamp(ns)", "list("] {
            *reached.entry(part.to_owned()).or_default() += u64::from(case.catalog.contains(part));
        }
        let expected = case.expected("in");
        rows += expected.written;
        for bad in expected.bad_lines {
            *reached.entry(bad.reason).or_default() += 1;
        }
        let entries =
            expected.rows.values().flatten().flatten().filter(|value| value.contains("map(\"")).count();
        *reached.entry("maps with entries".to_owned()).or_default() += entries as u64;
        *reached.entry("redelivered".to_owned()).or_default() += expected.redelivered;
        *reached.entry("corrected".to_owned()).or_default() += expected.corrected;
        *reached.entry("rounded".to_owned()).or_default() += expected.rounded.values().sum::<u64>();
    }
    assert!(rows > 500 && reached.values().all(|times| *times >= 5), "{rows} rows, {reached:#?}");
    assert!(
        ["type_mismatch", "duplicate_key"].iter().all(|reason| reached.contains_key(*reason)),
        "{reached:#?}"
    );
}
