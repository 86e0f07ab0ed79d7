//! Random catalogs that grow from load to load, random pieces, repetitions and kills: in the end, each
//! partition that was written last is what one backfill with the last catalog leaves.
//!
//! Values are written as they are stored, so that it makes no difference when they became texts.

use super::{is_well, merging, partitions, sale};
use crate::support::{
    events::{Die, file_of},
    files::assert_same_tree,
    workdir::Workdir,
};

/// Types, each wider than the one before, with a value that is written alike in this and all that follow.
type Chain = &'static [(&'static str, fn(&mut Die) -> String)];

const CHAINS: [Chain; 12] = [
    &[("int32", small), ("int64", large), ("decimal(25,0)", huge), ("string", text)],
    &[("int32", small), ("decimal(12,2)", cents), ("decimal(24,5)", cents)],
    &[("int32", small), ("float64", real), ("string", text)],
    &[("decimal(9,2)", cents), ("decimal(30,2)", cents), ("string", text)],
    &[("date", day), ("timestamp", instant)],
    &[("date", day), ("string", text)],
    &[("timestamp", instant), ("string", text)],
    &[("boolean", |die| (*die.pick(&["true", "false"])).to_owned()), ("string", text)],
    &[("list(int32)", |die| list(die, small)), ("list(int64)", |die| list(die, large)), ("string", text)],
    &[("map(date)", |die| map(die, day)), ("map(timestamp)", |die| map(die, instant))],
    &[
        ("list(map(int32))", |die| list(die, |die| map(die, small))),
        ("list(map(string))", |die| list(die, |die| map(die, text))),
    ],
    &[("json", |die| list(die, cents)), ("string", text)],
];

fn small(die: &mut Die) -> String {
    (*die.pick(&["0", "-7", "2147483647", "-2147483648", "12"])).to_owned()
}

fn large(die: &mut Die) -> String {
    (*die.pick(&["3000000000", "-9223372036854775808", "9223372036854775807"])).to_owned()
}

fn huge(die: &mut Die) -> String {
    format!("{}0000000000000000000", 1 + die.roll(900_000))
}

fn cents(die: &mut Die) -> String {
    format!("{}.{:02}", die.roll(9_999_999), die.roll(100))
}

fn real(die: &mut Die) -> String {
    (*die.pick(&["0.5", "-1e-9", "1e21", "123456.789"])).to_owned()
}

fn day(die: &mut Die) -> String {
    format!("\"20{}-02-2{}\"", 10 + die.roll(90), die.roll(9))
}

fn instant(die: &mut Die) -> String {
    let fraction = die.pick(&["", ".001", ".000001"]);
    format!("\"2024-10-10T0{}:00:07{fraction}Z\"", die.roll(10))
}

fn text(die: &mut Die) -> String {
    format!("\"text {} \\\"ü\"", die.roll(1_000))
}

fn list(die: &mut Die, element: fn(&mut Die) -> String) -> String {
    let elements: Vec<_> =
        (0..die.roll(4)).map(|_| if die.one_in(6) { "null".to_owned() } else { element(die) }).collect();
    format!("[{}]", elements.join(","))
}

fn map(die: &mut Die, value: fn(&mut Die) -> String) -> String {
    let entries: Vec<_> = (0..die.roll(4)).map(|key| format!("\"k{key}\":{}", value(die))).collect();
    format!("{{{}}}", entries.join(","))
}

/// A field that is in catalogs from some stage on, and has wider types in later ones.
struct Field {
    name: String,
    chain: Chain,
    /// By stage: the index of its type, if the catalog has it.
    types: Vec<Option<usize>>,
    is_inner: bool,
}

impl Field {
    fn random(die: &mut Die, number: usize, stages: usize) -> Self {
        let chain = *die.pick(&CHAINS);
        let first = if die.one_in(3) { die.index(stages) } else { 0 };
        let mut at = die.index(chain.len());
        let types = (0..stages).map(|stage| {
            if stage > first && die.one_in(2) {
                at = (at + 1 + die.index(2)).min(chain.len() - 1);
            }
            (stage >= first).then_some(at)
        });
        Self { name: format!("f{number}"), chain, types: types.collect(), is_inner: die.one_in(3) }
    }

    fn of_catalog(&self, stage: usize) -> Option<String> {
        let (name, _) = self.chain[self.types[stage]?];
        Some(format!("{} = '{name}'", self.name))
    }

    /// Of its type then, or of one that was before.
    fn member(&self, stage: usize, die: &mut Die) -> Option<String> {
        let (_, value) = self.chain[die.index(self.types[stage]? + 1)];
        let value = if die.one_in(8) { "null".to_owned() } else { value(die) };
        Some(format!("\"{}\": {value}", self.name))
    }
}

fn catalog(fields: &[Field], stage: usize) -> String {
    let of = |is_inner: bool| {
        let fields = fields.iter().filter(move |field| field.is_inner == is_inner);
        fields.filter_map(|field| field.of_catalog(stage)).collect::<Vec<_>>()
    };
    let inner = of(true).join(", ");
    let inner =
        if inner.is_empty() { inner } else { format!("inner = {{ list = {{ fields = {{ {inner} }} }} }}") };
    format!("id = 'int32'\n{}\n{inner}", of(false).join("\n"))
}

/// A version of an event, at a time that no other one has.
fn line(fields: &[Field], stage: usize, second: usize, die: &mut Die) -> String {
    let members = |is_inner: bool, die: &mut Die| {
        let fields = fields.iter().filter(|field| field.is_inner == is_inner);
        fields.filter_map(|field| field.member(stage, die)).collect::<Vec<_>>()
    };
    let mut data = vec![format!("\"id\": {}", die.roll(1_000))];
    data.extend(members(false, die));
    let elements: Vec<_> =
        (0..die.roll(3)).map(|_| format!("{{{}}}", members(true, die).join(", "))).collect();
    if fields.iter().any(|field| field.is_inner && field.types[stage].is_some()) {
        data.push(format!("\"inner\": [{}]", elements.join(", ")));
    }
    let timestamp = format!("2024-10-{:02}T{:02}:00:{second:02}", 10 + die.roll(4), die.roll(2));
    sale(&format!("event {}", die.roll(60)), &timestamp, &format!("{{{}}}", data.join(", ")))
}

#[test]
fn any_sequence_of_catalogs_that_widen_leaves_what_the_last_one_would_have_left() {
    const FLAGS: [&[&str]; 4] = [
        &[],
        &["--partition-by", "hour", "--layout", "hive", "--threads", "3"],
        &["--flatten", "false"],
        &["--memory", "64MiB", "--dedupe-scope", "day"],
    ];
    for seed in 0..12 {
        let mut die = Die::new(seed);
        let flags = *die.pick(&FLAGS);
        let (dir, stages) = (Workdir::new(), 2 + die.index(3));
        let fields: Vec<_> =
            (0..=die.index(6)).map(|number| Field::random(&mut die, number, stages)).collect();
        let (mut all, mut second) = (Vec::new(), 0);
        for stage in 0..stages {
            let catalog = catalog(&fields, stage);
            let what = format!("seed {seed}, {flags:?}, stage {stage}: {catalog}");
            let mut lines = Vec::new();
            for _ in 0..14 {
                lines.push(line(&fields, stage, second, &mut die));
                second += 1;
            }
            all.extend(lines.clone());
            // Lines of earlier catalogs come again.
            for _ in 0..4 {
                lines.push(die.pick(&all).clone());
            }
            die.shuffle(&mut lines);
            let piece_lines = 5 + die.index(14);
            for piece in lines.chunks(piece_lines) {
                if die.one_in(3) {
                    let (operation, fault) =
                        (1 + die.roll(150), die.pick(&["stop", "power", "names", "torn"]));
                    let fault = format!("{operation}:{fault}");
                    merging(&dir, &catalog, piece).args(flags).env("EVENTLOADER_FAULT", &fault).run();
                }
                let merged = merging(&dir, &catalog, piece).args(flags).succeeds();
                assert_eq!(merged.count("quarantined.total"), 0, "{what}");
                if die.one_in(4) {
                    let again = merging(&dir, &catalog, piece).args(flags).succeeds();
                    assert_eq!(again.count("written"), 0, "{what}: a piece that was merged before");
                }
            }
        }
        let last = catalog(&fields, stages - 1);
        let what = format!("seed {seed}, {flags:?}: {last}");
        is_well(&dir);
        let again = merging(&dir, &last, &all).args(flags).succeeds();
        assert_eq!((again.count("written"), again.partitions().len()), (0, 0), "{what}: everything again");
        // Each partition gets a row, so that all of them are written in the last types.
        let touch = |place: usize| {
            let timestamp = format!("2024-10-{}T{:02}:59:59", 10 + place / 2, place % 2);
            sale(&format!("touch {place}"), &timestamp, "{}")
        };
        all.extend((0..8).map(touch));
        merging(&dir, &last, &all[all.len() - 8..]).args(flags).succeeds();
        dir.write("in.json", file_of(&all));
        let backfill = ["--backfill", "--catalog", "catalog.toml"];
        dir.loader_into("one").source("in.json").args(backfill).args(flags).succeeds();
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), &what);
        is_well(&dir);
    }
}
