//! The workspace's manifest and lock file against those of `crates/python`, which is a workspace of its own.
//!
//! In: the manifests and lock files. Out: each thing that both say, and not alike.
//!
//! Invariant: the Python package has the version, the licence and the lints of the programs, and is built of
//! the same crates, so that it writes the same bytes.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]
#![allow(clippy::disallowed_methods, reason = "a test reads the sources of the project")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::de::{DeTable, DeValue};

/// What a table of TOML says: by the names that lead to it, each value as text.
type Facts = BTreeMap<String, String>;

fn facts_of(path: &str) -> Facts {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path));
    let text = text.unwrap_or_else(|error| panic!("{path}: {error}"));
    let table = DeTable::parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut facts = Facts::new();
    for (key, value) in table.get_ref() {
        enter(key.get_ref(), value.get_ref(), &mut facts);
    }
    facts
}

fn enter(name: &str, value: &DeValue<'_>, facts: &mut Facts) {
    let below = |key: &dyn std::fmt::Display| format!("{name}/{key}");
    match value {
        DeValue::Table(table) => {
            table.iter().for_each(|(key, value)| enter(&below(key.get_ref()), value.get_ref(), facts));
        }
        DeValue::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| enter(&below(&at), value.get_ref(), facts));
        }
        DeValue::Boolean(is_so) => drop(facts.insert(name.to_owned(), is_so.to_string())),
        DeValue::Integer(number) => drop(facts.insert(name.to_owned(), number.as_str().to_owned())),
        _ => drop(facts.insert(name.to_owned(), value.as_str().unwrap().to_owned())),
    }
}

/// Those below a name, without it.
fn below(facts: &Facts, name: &str) -> Facts {
    let below = |(key, fact): (&String, &String)| Some((key.strip_prefix(name)?.to_owned(), fact.clone()));
    facts.iter().filter_map(below).collect()
}

/// By the name of a crate: its versions in a lock file.
fn versions(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let facts = facts_of(lock);
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for (key, name) in &facts {
        if let Some(package) = key.strip_suffix("/name") {
            let version = facts[&format!("{package}/version")].clone();
            versions.entry(name.clone()).or_default().insert(version);
        }
    }
    versions
}

#[test]
fn the_python_package_says_of_itself_what_the_workspace_says() {
    let (root, python) = (facts_of("Cargo.toml"), facts_of("crates/python/Cargo.toml"));
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        let (ours, theirs) = (&root[&format!("workspace/package/{key}")], &python[&format!("package/{key}")]);
        assert_eq!(ours, theirs, "{key} of Cargo.toml (left) and of crates/python/Cargo.toml (right)");
    }
    let (ours, theirs) = (below(&root, "workspace/lints/"), below(&python, "lints/"));
    assert!(ours.len() > 10, "the lints of Cargo.toml: {ours:?}");
    assert_eq!(ours, theirs, "the lints of Cargo.toml (left) and of crates/python/Cargo.toml (right)");
    // Else each crate would be compiled once more for a wheel that is only checked.
    let (ours, theirs) = (below(&root, "profile/dev/"), below(&python, "profile/dev/"));
    assert_eq!(ours, theirs, "the profile dev of Cargo.toml (left) and of crates/python/Cargo.toml (right)");
    let loader = facts_of("crates/eventloader/Cargo.toml");
    assert_eq!(loader["package/description"], python["package/description"], "what eventloader is");
}

#[test]
fn the_python_package_is_built_of_the_crates_of_the_programs() {
    let (root, python) = (versions("Cargo.lock"), versions("crates/python/Cargo.lock"));
    let shared: Vec<_> = python.keys().filter(|name| root.contains_key(*name)).collect();
    assert!(shared.len() > 100, "only {} crates are in both lock files", shared.len());
    let differing: Vec<_> = shared
        .into_iter()
        .filter(|name| !python[*name].is_subset(&root[*name]))
        .map(|name| format!("{name}: {:?}, and {:?} in the workspace", python[name], root[name]))
        .collect();
    assert!(
        differing.is_empty(),
        "crates/python/Cargo.lock has other versions than Cargo.lock; in crates/python, run \
         `cargo update NAME --precise VERSION`:\n{}",
        differing.join("\n")
    );
}
