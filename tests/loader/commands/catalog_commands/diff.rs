//! `catalog diff`: does it say what a change of catalog means for a target, and what a merge then does?

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::catalog;
use crate::support::{
    events::{Die, file_of},
    workdir::{Outcome, Workdir},
};

const TYPES: [&str; 3] = ["x", "y", "z"];

/// The names of types, and a value of each.
const KINDS: [(&str, &str); 14] = [
    ("int32", "7"),
    ("int64", "7"),
    ("decimal(12,2)", "7"),
    ("decimal(14,2)", "7"),
    ("float64", "7"),
    ("date", "\"2024-10-10\""),
    ("timestamp", "\"2024-10-10\""),
    ("timestamp(s)", "7"),
    ("string", "\"7\""),
    ("json", "7"),
    ("list(int32)", "[7]"),
    ("list(int64)", "[7]"),
    ("map(date)", "{\"k\": \"2024-10-10\"}"),
    ("map(string)", "{\"k\": \"2024-10-10\"}"),
];

/// What decides the latest version of an event has one of these.
const ORDERED: usize = 4;

/// A random catalog of one domain.
struct World {
    types: BTreeMap<&'static str, Type>,
    /// Whether it has a `"*"` for all other types.
    is_open: bool,
}

struct Type {
    directory: Option<String>,
    has_version: bool,
    /// Name → index of its type.
    fields: BTreeMap<&'static str, usize>,
    /// The types of an object's members.
    object: Option<[usize; 2]>,
}

impl World {
    fn random(die: &mut Die) -> Self {
        let mut types = BTreeMap::new();
        for name in TYPES {
            if die.one_in(4) {
                continue;
            }
            let has_version = die.one_in(6);
            let kind = |die: &mut Die| die.index(KINDS.len());
            let mut fields =
                BTreeMap::from([("n", if has_version { die.index(ORDERED) } else { kind(die) })]);
            if die.one_in(2) {
                fields.insert("o", kind(die));
            }
            let object = die.one_in(3).then(|| [kind(die), kind(die)]);
            types.insert(name, Type { directory: None, has_version, fields, object });
        }
        let with_directory = *die.pick(&TYPES);
        if let Some(known) = types.get_mut(with_directory).filter(|_| die.one_in(5)) {
            known.directory = Some("w".to_owned());
        }
        Self { types, is_open: die.one_in(5) }
    }

    /// The same with a few changes, most of which are allowed.
    fn changed(&self, die: &mut Die) -> Self {
        let mut types = BTreeMap::new();
        for (name, known) in &self.types {
            let mut known =
                Type { fields: known.fields.clone(), directory: known.directory.clone(), ..*known };
            match die.roll(12) {
                0 => continue,
                1 => drop(known.fields.insert("n", die.index(KINDS.len()))),
                2 => drop(known.fields.insert("p", die.index(KINDS.len()))),
                3 => drop(known.fields.remove("o")),
                4 => {
                    known.directory =
                        if known.directory.is_some() { None } else { Some(format!("other-{name}")) }
                }
                5 => known.has_version ^= true,
                6 => known.object = known.object.map(|[one, _]| [one, die.index(KINDS.len())]),
                _ => {}
            }
            known.has_version &=
                known.fields.get("n").is_some_and(|kind| *kind < ORDERED || KINDS[*kind].0 == "string");
            types.insert(*name, known);
        }
        Self { types, is_open: self.is_open ^ die.one_in(10) }
    }

    fn toml(&self) -> String {
        let mut text = "[domain.d]\n".to_owned();
        for (name, Type { directory, has_version, fields, object }) in &self.types {
            writeln!(text, "[domain.d.events.{name}]").unwrap();
            if let Some(directory) = directory {
                writeln!(text, "directory = '{directory}'").unwrap();
            }
            if *has_version {
                writeln!(text, "version = 'n'").unwrap();
            }
            for (field, kind) in fields {
                writeln!(text, "fields.{field} = '{}'", KINDS[*kind].0).unwrap();
            }
            if let Some([one, other]) = object {
                let [one, other] = [one, other].map(|kind| KINDS[*kind].0);
                writeln!(text, "fields.q = {{ fields = {{ r = '{one}', s = '{other}' }} }}").unwrap();
            }
        }
        if self.is_open || self.types.is_empty() {
            text += "[domain.d.events.'*']\n";
        }
        text
    }

    /// One event that comes with each catalog, and one that comes with this one only, of each type; of those
    /// that it does not name if it takes any.
    fn events(&self, own: &str, others: &World) -> Vec<String> {
        let mut lines = Vec::new();
        for name in TYPES {
            let data = match self.types.get(name) {
                Some(known) => known.data(),
                None if self.is_open && others.types.contains_key(name) => "{}".to_owned(),
                None => continue,
            };
            for id in ["both", own] {
                lines.push(format!(
                    r#"{{"event_id": "{id}", "timestamp": "2024-10-10T00:00:0{}Z", "domain": "d", "event_type": "{name}", "data": {data}}}"#,
                    id.len()
                ));
            }
        }
        lines
    }
}

impl Type {
    fn data(&self) -> String {
        let mut members: Vec<_> =
            self.fields.iter().map(|(name, kind)| format!("\"{name}\": {}", KINDS[*kind].1)).collect();
        if let Some([one, other]) = self.object {
            members.push(format!(r#""q": {{"r": {}, "s": {}}}"#, KINDS[one].1, KINDS[other].1));
        }
        format!("{{{}}}", members.join(", "))
    }
}

fn merge(dir: &Workdir, name: &str, flags: &[&str]) -> Outcome {
    let files = [format!("{name}.json"), format!("{name}.toml")];
    let args = ["-b", "--mode", "merge", "--catalog", &files[1]];
    dir.loader().source(&files[0]).args(args).args(flags).run()
}

/// Whether it says that a merge is accepted; in its exit code, and in its document.
#[track_caller]
fn is_fine(dir: &Workdir, before: &str, after: &str) -> bool {
    let outcome = catalog(dir, ["diff", before, after, "--json"]).run();
    let document: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let changes = document["changes"].as_array().unwrap();
    let refused = changes.iter().filter(|change| change["refused"] == true).count();
    assert_eq!(document["refused"], refused, "{outcome}");
    assert_eq!(outcome.status.code(), Some(i32::from(refused > 0)), "{outcome}");
    refused == 0
}

/// Random pairs of catalogs: a target that was loaded with the one, merged with the other, in every layout.
#[test]
fn it_is_fine_if_and_only_if_the_merge_is_accepted() {
    let layouts: [&[&str]; 4] = [
        &[],
        &["--flatten", "false"],
        &["--layout", "hive", "--partition-by", "hour"],
        &["--encodings", "basic"],
    ];
    let (mut fine, mut refused) = (0, 0);
    for seed in 0..36 {
        let mut die = Die::new(seed);
        let flags = *die.pick(&layouts);
        let old = World::random(&mut die);
        let new = if die.one_in(4) { World::random(&mut die) } else { old.changed(&mut die) };
        let dir = Workdir::new();
        for (name, world, other) in [("old", &old, &new), ("new", &new, &old)] {
            dir.write(&format!("{name}.toml"), world.toml());
            dir.write(&format!("{name}.json"), file_of(world.events(name, other)));
        }
        let events = [old.events("old", &new), new.events("new", &old)];
        if events.iter().any(Vec::is_empty) || !merge(&dir, "old", flags).status.success() {
            continue;
        }
        let says_fine = is_fine(&dir, "target", "new.toml");
        let merged = merge(&dir, "new", flags);
        assert_eq!(
            merged.status.success(),
            says_fine,
            "seed {seed}, {flags:?}\n{}---\n{}---\n{}\n{merged}",
            old.toml(),
            new.toml(),
            catalog(&dir, ["diff", "target", "new.toml"]).run()
        );
        if merged.status.success() {
            fine += 1;
            assert!(is_fine(&dir, "target", "new.toml"), "seed {seed}: after the merge");
        } else {
            refused += 1;
        }
        // Where a type came through "*", its table is another one than its catalog's.
        if !flags.contains(&"hive") && !old.is_open {
            let of_catalogs = is_fine(&dir, "old.toml", "new.toml");
            assert!(of_catalogs == says_fine, "seed {seed}\n{}---\n{}", old.toml(), new.toml());
        }
    }
    assert!(fine > 6 && refused > 6, "{fine} were accepted, {refused} refused");
}

#[test]
fn it_names_each_change_and_what_follows() {
    let dir = Workdir::new();
    let old = "[domain.shop.events.sale]\nversion = 'seq'\nfields = { id = 'int32', seq = 'int64', at = 'timestamp', note = 'string', price = 'decimal(9,2)' }\n\
               [domain.shop.events.gone.fields]\nid = 'int32'\n[domain.shop.events.moved.fields]\nid = 'int32'\n";
    let new = "[domain.shop.events.sale]\nversion = 'seq'\nfields = { id = 'int64', seq = 'int64', at = 'date', price = 'decimal(12,2)', coupon = 'list(string)' }\n\
               [domain.shop.events.moved]\ndirectory = 'gone'\nfields = { id = 'int32' }\n[domain.shop.events.fresh.fields]\nid = 'int32'\n";
    dir.write("old.toml", old);
    dir.write("new.toml", new);
    let sale = |name: &str| {
        format!(
            r#"{{"event_id": "{name}", "timestamp": "2024-10-10", "domain": "shop", "event_type": "{name}", "data": {{"id": 1, "seq": 1}}}}"#
        )
    };
    dir.write("old.json", file_of(["sale", "gone", "moved"].map(sale)));
    assert!(merge(&dir, "old", &[]).status.success());
    insta::assert_snapshot!(catalog(&dir, ["diff", "target", "new.toml"]).exits(1).stdout, @r"
    shop/fresh
      added    event type   fresh
    shop/gone
      lost     event type   its later events would be bad lines; what is held stays
    shop/moved
      refused  directory    moved → gone: readers would see two tables, and an event that is in both twice
      refused  directory    gone: it has events of shop/gone
    shop/sale
      widened  data_id      int32 → int64, in 1 file
      refused  data_at      timestamp → date, in 1 file: date does not have all of its values
      widened  data_price   decimal(9,2) → decimal(12,2), in 1 file
      added    data_coupon  list(string)
      lost     data_note    string, in 1 file: a merge that reads a file with it is refused, because its values would be lost
    9 changes: a merge refuses 4 of them
    ");
    insta::assert_snapshot!(catalog(&dir, ["diff", "target", "old.toml"]).succeeds().stdout, @"no change");
    dir.write("required.toml", old.replace("note = 'string'", "note = { type = 'string', required = true }"));
    insta::assert_snapshot!(catalog(&dir, ["diff", "old.toml", "required.toml"]).succeeds().stdout, @r#"no change of columns, but lines are read otherwise: what is required, keys, units of epochs, the envelope or the selection of types by "*" differ"#);
    let document = catalog(&dir, ["diff", "target", "new.toml", "--json"]).exits(1).stdout;
    let document: Value = serde_json::from_str(&document).unwrap();
    let why = "date does not have all of its values";
    let expected = json!({
        "domain": "shop", "event_type": "sale", "change": "refused", "of": "data_at", "from": "timestamp", "to": "date",
        "files": 1, "refused": true, "why": why,
    });
    assert_eq!(document["changes"][5], expected);
}

/// Files that were written before targets remembered their columns are read.
#[test]
fn the_columns_of_a_target_are_those_of_its_files() {
    let dir = Workdir::new();
    dir.write("old.toml", "[domain.d.events.x.fields]\nn = 'int32'\n");
    dir.write("new.toml", "[domain.d.events.x.fields]\nn = 'int64'\nm = 'string'\n");
    let event = |day: u32| {
        format!(
            r#"{{"event_id": "{day}", "timestamp": "2024-10-{day}", "domain": "d", "event_type": "x", "data": {{"n": 1}}}}"#
        )
    };
    dir.write("old.json", file_of([10, 11].map(event)));
    dir.write("new.json", file_of([event(12)]));
    for name in ["old", "new"] {
        assert!(merge(&dir, name, &[]).status.success());
    }
    let expected = catalog(&dir, ["diff", "target", "new.toml"]).succeeds().stdout;
    assert_eq!(
        expected,
        "d/x\n  widened  data_n  int32 → int64, in 2 files\n1 change: a merge is accepted\n"
    );
    for number in 1..=2 {
        let path = dir.path(&format!("target/_eventloader/commit-{number:06}.json"));
        let mut commit: Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        for change in commit["changes"].as_array_mut().unwrap() {
            assert!(change.as_object_mut().unwrap().remove("table").is_some(), "{change}");
        }
        fs_err::write(&path, commit.to_string()).unwrap();
    }
    assert_eq!(catalog(&dir, ["diff", "target", "new.toml"]).succeeds().stdout, expected);
}
