//! Are the generator's faulty lines what it says they are: bad for this reason, or the same row in other
//! words?
//!
//! The generator shares no code with the loader's parser, so each tests the other, in both worlds.

use std::collections::BTreeMap;

use datagen::{
    Config, WorldName,
    faults::{
        altered::{OFFSET_FORMS, UNKNOWN_FIELD_KINDS, with_offset, with_unknown_field},
        malformed::{ID_BYTES, MALFORMED_KINDS, malformed_line, unknown_event_line, write_too_long_line},
    },
};
use events_core::catalog::LEDGER;
use serde_json::json;

use crate::support::{
    files::{Tree, assert_same_tree, tree, visible},
    readback::quarantine,
    workdir::{Outcome, Workdir},
};

/// Clean lines, and the catalog that they need.
struct World {
    name: &'static str,
    catalog: &'static str,
    lines: Vec<Vec<u8>>,
}

/// Some days of each world.
fn worlds() -> [World; 2] {
    [("simple", "", WorldName::Simple), ("ledger", LEDGER, WorldName::Ledger)].map(
        |(name, catalog, world)| {
            let config = Config { world, seed: 5, num_events: 2_000, ..Config::default() };
            let mut text = Vec::new();
            datagen::generate(&config, &mut text).unwrap();
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            World { name, catalog, lines: lines.map(Vec::from).collect() }
        },
    )
}

impl World {
    /// Loads lines; the outcome, and the directory.
    fn load(&self, lines: &[Vec<u8>]) -> (Workdir, Outcome) {
        let dir = Workdir::new();
        let source = dir.write("in.json", lines.join(&b'\n'));
        let loader = dir.loader().source(source).arg("--backfill");
        let catalog = dir.write("ledger.toml", self.catalog);
        let loader = if self.catalog.is_empty() { loader } else { loader.arg("--catalog").arg(catalog) };
        let outcome = loader.succeeds();
        (dir, outcome)
    }

    /// A line of each event type, and of each shape that its payload has.
    fn kinds(&self) -> Vec<Vec<u8>> {
        let mut kinds = BTreeMap::new();
        for line in &self.lines {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap();
            let has_merchant = event["data"]["merchant"].is_object();
            kinds.entry((event["event_type"].to_string(), has_merchant)).or_insert_with(|| line.clone());
        }
        assert!(kinds.len() >= 5, "all event types of the {} world are there", self.name);
        kinds.into_values().collect()
    }
}

/// Ids that no clean event has.
fn id(number: usize) -> [u8; ID_BYTES] {
    format!("ffffffff-ffff-4fff-bfff-{number:012x}").into_bytes().try_into().unwrap()
}

fn parquet_of(dir: &Workdir) -> Tree {
    tree(&dir.target()).into_iter().filter(|(name, _)| name.ends_with(".parquet")).collect()
}

#[test]
fn a_bad_line_is_bad_for_the_reason_that_the_generator_names() {
    for world in worlds() {
        let kinds = world.kinds();
        let mut bad_lines = Vec::new();
        for clean in &kinds {
            for ordinal in 0..MALFORMED_KINDS {
                bad_lines.push(malformed_line(clean, &id(bad_lines.len()), ordinal));
            }
        }
        let bytes = bad_lines.iter().map(|line| line.bytes.clone());
        let lines: Vec<_> = kinds.iter().cloned().chain(bytes).collect();
        let (dir, outcome) = world.load(&lines);

        let found: BTreeMap<_, _> =
            quarantine(&dir.target()).into_iter().map(|bad| (bad.line, (bad.reason, bad.raw))).collect();
        let mut wrong = Vec::new();
        for (line, expected) in (kinds.len() as u64 + 1..).zip(&bad_lines) {
            let (reason, raw) = found.get(&line).cloned().unwrap_or_else(|| ("a row".to_owned(), vec![]));
            if reason != expected.reason || raw != expected.bytes {
                wrong.push(format!("{} is {reason}: {}", expected.reason, visible(&expected.bytes)));
            }
        }
        assert!(
            wrong.is_empty(),
            "in the {} world these are other lines than the generator says:\n  {}\n{outcome}",
            world.name,
            wrong.join("\n  ")
        );
        assert_eq!(outcome.count("written"), kinds.len() as u64, "only clean lines are rows: {outcome}");
        assert_eq!(outcome.count("quarantined.total"), bad_lines.len() as u64, "{outcome}");
    }
}

#[test]
fn lines_of_unknown_types_are_counted_by_the_name_that_the_generator_gives() {
    for world in worlds() {
        let mut lines = world.kinds();
        let rows = lines.len();
        let mut expected = BTreeMap::<String, u64>::new();
        for ordinal in 0..100 {
            let unknown = unknown_event_line(&lines[lines.len() % rows], &id(lines.len()), ordinal);
            *expected.entry(unknown.name).or_default() += 1;
            lines.push(unknown.bytes);
        }
        let (_dir, outcome) = world.load(&lines);
        assert_eq!(outcome.report()["unknown_events"], json!(expected), "{outcome}");
        assert_eq!(outcome.reasons(), [("unknown_event".to_owned(), 100)].into(), "{outcome}");
        assert_eq!(outcome.count("written"), rows as u64, "{outcome}");
    }
}

#[test]
fn a_line_that_is_too_long_is_one_bad_line() {
    for world in worlds() {
        let mut lines = world.kinds();
        let rows = lines.len() as u64;
        let mut long = Vec::new();
        write_too_long_line(&lines[0], &id(0), &mut long).unwrap();
        lines.insert(1, long.clone());
        let (dir, outcome) = world.load(&lines);
        assert_eq!(outcome.reasons(), [("line_too_long".to_owned(), 1)].into(), "{outcome}");
        assert_eq!((outcome.count("lines"), outcome.count("written")), (rows + 1, rows), "{outcome}");
        assert!(quarantine(&dir.target())[0].raw == long, "the long line is kept whole");

        long.remove(long.len() - "x\"}}".len());
        lines[1] = long;
        let (_dir, outcome) = world.load(&lines);
        assert_eq!(outcome.count("written"), rows + 1, "one byte less, and it is a row: {outcome}");
    }
}

#[test]
fn an_offset_changes_no_byte_of_the_target() {
    for world in worlds() {
        let (clean, _) = world.load(&world.lines);
        // All lines in each form.
        for shift in 0..OFFSET_FORMS {
            let altered = world.lines.iter().zip(shift..).map(|(line, ordinal)| with_offset(line, ordinal));
            let (dir, outcome) = world.load(&altered.collect::<Vec<_>>());
            assert_same_tree(&parquet_of(&clean), &parquet_of(&dir), &outcome.to_string());
        }
    }
}

#[test]
fn an_unknown_field_is_counted_by_its_path_and_changes_no_byte_of_the_target() {
    for world in worlds() {
        let (clean, _) = world.load(&world.lines);
        for shift in 0..UNKNOWN_FIELD_KINDS {
            let mut expected = BTreeMap::<String, u64>::new();
            let mut altered = Vec::new();
            for (line, ordinal) in world.lines.iter().zip(shift..) {
                let (line, path) = with_unknown_field(line, ordinal);
                *expected.entry(path).or_default() += 1;
                altered.push(line);
            }
            let (dir, outcome) = world.load(&altered);
            assert_eq!(outcome.report()["unknown_fields"], json!(expected), "{outcome}");
            assert_same_tree(&parquet_of(&clean), &parquet_of(&dir), &outcome.to_string());
        }
    }
}
