//! Targets as wrong loaders would leave them: each is found out every time, by the message that
//! docs/manifest.md names, at the partitions that are wrong.
//!
//! There is no wrong loader. The right one reads what a wrong one would have made of its input
//! (`wrong_input.rs`), or its rows are replaced by those that a wrong one would have left
//! (`wrong_target.rs`). The mistakes that a load itself finds before it commits are tested beside the
//! equations that find them: `a_wrong_loader_does_not_balance`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use naive_model::Row;

use super::{
    combination::{Combination, Way},
    recorded, wrong_input,
    wrong_target::{self, Load, Partitions, partitions_of},
};
use crate::support::{
    readback::{quarantine, rows_of_batch},
    workdir::Workdir,
};

/// A loader that does one thing wrong, as docs/manifest.md calls it.
struct WrongLoader {
    name: &'static str,
    leaves: Leaves,
    told: Told,
    /// Combinations in which it leaves something wrong.
    combinations: Vec<Combination>,
}

/// What a wrong loader leaves.
enum Leaves {
    /// What a right one leaves of this other text.
    AllOf(fn(&str) -> String),
    /// These rows instead.
    ChangedTo(fn(&Load<'_>, &mut Partitions)),
    /// No bad lines.
    NoQuarantine,
}

/// Who tells, and all that one of the lines says.
enum Told {
    /// `verify`, which needs no manifest for it.
    Alone(&'static [&'static str]),
    /// `verify`, but only because it has a manifest.
    Against(&'static [&'static str]),
}

const OTHER_ROWS: Told = Told::Against(&[": has ", " rows, the manifest has "]);
const OTHER_CONTENT: Told = Told::Against(&["same number, other content"]);
const OTHER_SUMS: Told = Told::Against(&[": has ", " rows, the manifest has ", "data_amount adds up to "]);
const TWICE: Told = Told::Alone(&["event ", "occurs 2 times"]);

fn wrong_loaders() -> Vec<WrongLoader> {
    use Leaves::{AllOf, ChangedTo, NoQuarantine};
    let loader = |name, leaves, told, combinations| WrongLoader { name, leaves, told, combinations };
    let wrong_partition = Told::Alone(&["in the wrong partition"]);
    let too_few_bad_lines =
        Told::Against(&["_quarantine: has 0 bad lines with malformed_json, the manifest has 4"]);
    let other_decimals = Told::Against(&["same number, other content", "data_amount adds up to "]);
    let missing = Told::Against(&["is missing: the manifest has "]);
    vec![
        loader("ties-to-first", AllOf(wrong_input::ties_to_first), OTHER_CONTENT, with("ties=40,late=100")),
        loader("oldest-wins", AllOf(wrong_input::oldest_wins), OTHER_ROWS, with("corrections=60")),
        loader("last-line-wins", AllOf(wrong_input::last_line_wins), OTHER_ROWS, with("stale=50")),
        loader("duplicates-kept", ChangedTo(wrong_target::duplicates_kept), TWICE, with("duplicates=60")),
        loader("later-days-ignored", ChangedTo(wrong_target::later_days_ignored), TWICE, day_by_day()),
        loader("held-ignored", ChangedTo(wrong_target::held_ignored), TWICE, merges()),
        loader("offsets-ignored", AllOf(wrong_input::offsets_ignored), OTHER_ROWS, with("offsets=80")),
        loader("local-days", ChangedTo(wrong_target::local_days), wrong_partition, with("blank=1")),
        loader("unended-line-lost", AllOf(wrong_input::unended_line_lost), OTHER_SUMS, unended()),
        loader("block-edge-lost", AllOf(wrong_input::block_edge_lost), OTHER_SUMS, of_two_blocks()),
        loader("bad-lines-not-kept", NoQuarantine, too_few_bad_lines, with("malformed=30")),
        loader(
            "decimals-as-floats",
            ChangedTo(wrong_target::decimals_as_floats),
            other_decimals,
            with("late=10"),
        ),
        loader("nulls-as-empty", ChangedTo(wrong_target::nulls_as_empty), OTHER_CONTENT, with("blank=1")),
        loader("partition-lost", ChangedTo(wrong_target::partition_lost), missing, by_days("blank=1")),
        // A manifest has days: an hour that is missing is rows that are missing.
        loader("partition-lost", ChangedTo(wrong_target::partition_lost), OTHER_SUMS, by_hours("blank=1")),
    ]
}

/// Events of both worlds with these faults.
fn with(faults: &str) -> Vec<Combination> {
    [by_days(faults), by_hours(faults)].concat()
}

/// Flat and nested.
fn by_days(faults: &str) -> Vec<Combination> {
    let flat = Combination::new("simple", &["-n", "3000", "-s", "1", "--faults", faults]);
    let mut nested = flat.clone();
    nested.flags = ["--flatten", "false", "--threads", "2"].map(str::to_owned).to_vec();
    vec![flat, nested]
}

fn by_hours(faults: &str) -> Vec<Combination> {
    let events = ["-n", "2500", "-s", "2", "--events-per-day", "500", "--faults", faults];
    let mut made = Combination::new("ledger", &events);
    made.flags = ["--partition-by", "hour"].map(str::to_owned).to_vec();
    vec![made]
}

fn changed(mut combinations: Vec<Combination>, change: impl FnMut(&mut Combination)) -> Vec<Combination> {
    combinations.iter_mut().for_each(change);
    combinations
}

fn day_by_day() -> Vec<Combination> {
    changed(with("corrections=100"), |made| made.way = Way::DayByDay)
}

fn merges() -> Vec<Combination> {
    changed(with("corrections=150,late=100"), |made| {
        made.way = Way::Merges;
        made.generate.extend(["--files", "4"].map(str::to_owned));
    })
}

fn unended() -> Vec<Combination> {
    changed(with("late=10"), |made| made.ends_without_newline = true)
}

/// A block has 1 MiB with so little memory.
fn of_two_blocks() -> Vec<Combination> {
    let simple = Combination::new("simple", &["-n", "9000"]);
    let ledger = Combination::new("ledger", &["-n", "6000", "-s", "3"]);
    changed(vec![simple, ledger], |made| {
        made.flags = ["--memory", "64MiB", "--threads", "2"].map(str::to_owned).to_vec();
    })
}

impl WrongLoader {
    /// Turns what a right load has left into what this loader would have left.
    fn spoil(&self, load: &Load<'_>, right: &Contents) {
        let target = load.dir.target();
        match self.leaves {
            Leaves::AllOf(read) => {
                for file in &load.generated.files {
                    fs_err::write(file, read(&fs_err::read_to_string(file).unwrap())).unwrap();
                }
                fs_err::remove_dir_all(&target).unwrap();
                let loaded = load.combination.load(load.dir, load.generated);
                assert!(loaded.is_loaded(), "{}: {loaded}", self.name);
            }
            Leaves::ChangedTo(spoil) => {
                let mut partitions = right.partitions.clone();
                spoil(load, &mut partitions);
                recorded::put(&target, &right.partitions, &partitions);
            }
            Leaves::NoQuarantine => recorded::empty_quarantine(&target),
        }
    }
}

/// What a target holds.
struct Contents {
    partitions: Partitions,
    /// By reason.
    bad_lines: BTreeMap<String, usize>,
}

impl Contents {
    fn of(target: &Path) -> Self {
        let mut bad_lines = BTreeMap::new();
        for bad in quarantine(target) {
            *bad_lines.entry(bad.reason).or_default() += 1;
        }
        Self { partitions: partitions_of(target), bad_lines }
    }

    /// How often a partition has each of its rows.
    fn rows_of(&self, directory: &str) -> BTreeMap<Row, usize> {
        let mut counts = BTreeMap::new();
        for row in self.partitions.get(directory).into_iter().flat_map(rows_of_batch) {
            *counts.entry(row).or_default() += 1;
        }
        counts
    }

    /// Where the wrong target holds something else than the right one.
    fn differs_at(&self, right: &Self) -> BTreeSet<String> {
        let directories = self.partitions.keys().chain(right.partitions.keys());
        let differs = |name: &&String| self.partitions.get(*name) != right.partitions.get(*name);
        let mut places: BTreeSet<_> = directories.filter(differs).map(|name| place_of(name)).collect();
        places.extend((self.bad_lines != right.bad_lines).then(|| "_quarantine".to_owned()));
        places
    }

    /// The partitions in which the wrong target has a row more often than the right one.
    fn has_too_many_rows_at(&self, right: &Self) -> BTreeSet<String> {
        let has_too_many = |directory: &&String| {
            let of_right = right.rows_of(directory);
            let mut rows = self.rows_of(directory).into_iter();
            rows.any(|(row, count)| count > of_right.get(&row).copied().unwrap_or(0))
        };
        self.partitions.keys().filter(has_too_many).map(|name| place_of(name)).collect()
    }
}

/// The partition of a directory or file; of hours, those of the day.
fn place_of(path: &str) -> String {
    let directory = if is_file(path) { path.rsplit_once('/').unwrap().0 } else { path };
    match directory.split('/').collect::<Vec<_>>()[..] {
        [year, month, day, _, event_type] => format!("{year}/{month}/{day}/*/{event_type}"),
        _ => directory.to_owned(),
    }
}

fn is_file(place: &str) -> bool {
    Path::new(place).extension().is_some_and(|extension| extension == "parquet")
}

#[test]
#[expect(clippy::print_stdout, reason = "what found it out is the result")]
fn each_wrong_loader_is_found_out_every_time() {
    for wrong in wrong_loaders() {
        for combination in &wrong.combinations {
            let told = wrong.is_found_out(combination);
            println!("{}: {told}", wrong.name);
        }
    }
}

impl WrongLoader {
    /// What `verify` says of the target that it would leave.
    fn is_found_out(&self, combination: &Combination) -> String {
        let dir = Workdir::new();
        let generated = combination.generate(&dir);
        let mut proof = combination.load(&dir, &generated);
        proof.verified = Some(Combination::verify(&dir));
        assert!(proof.is_proved(), "{}: loaded rightly, {combination}\n{proof}", self.name);
        let right = Contents::of(&dir.target());
        self.spoil(&Load { combination, dir: &dir, generated: &generated }, &right);
        let wrong = Contents::of(&dir.target());

        let verified = Combination::verify(&dir);
        let context = format!("{}: {combination}\n{verified}", self.name);
        assert_eq!(verified.status.code(), Some(1), "{context}");
        let lines: Vec<_> = verified.stdout.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let (parts, needs_manifest, expected_places) = match self.told {
            Told::Alone(parts) => (parts, false, wrong.has_too_many_rows_at(&right)),
            Told::Against(parts) => (parts, true, wrong.differs_at(&right)),
        };
        let says_all = |line: &&str| parts.iter().all(|part| line.contains(part));
        let told = verified.stdout.lines().find(says_all).unwrap_or_else(|| panic!("{parts:?}: {context}"));
        assert_eq!(is_file(told.split_once(": ").unwrap().0), !needs_manifest, "who told: {context}");
        if needs_manifest {
            assert!(lines.iter().all(|(place, _)| !is_file(place)), "a manifest was not needed: {context}");
        }
        let named = lines.iter().map(|(place, _)| place_of(place)).filter(|place| place != "(all files)");
        let places: BTreeSet<_> = named.collect();
        assert_eq!(expected_places, places, "where it is (left), where it was told (right): {context}");
        told.to_owned()
    }
}
