//! The docs against the code: which crate and folder may use which (ARCHITECTURE.md), which tests there are
//! (docs/faults.md), and how wide a comment may be.
//!
//! In: the tables, the manifests and the text of the sources. Out: each use that its table does not allow,
//! each name that is not there, each line that is too long.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]
#![allow(clippy::disallowed_methods, reason = "a test reads the sources of the project")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

/// By name: what it may use.
type Layers = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the table below a heading: the names in backticks of each cell.
fn table(heading: &str) -> Vec<Vec<Vec<String>>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("ARCHITECTURE.md has no section {heading:?}"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(names).collect()).collect()
}

fn layers(heading: &str) -> Layers {
    let layer =
        |mut cells: Vec<Vec<String>>| (cells.remove(0).remove(0), cells.remove(0).into_iter().collect());
    table(heading).into_iter().map(layer).collect()
}

/// What a crate depends on, other than for its tests.
fn dependencies_of(name: &str) -> BTreeSet<String> {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    let manifest = DeTable::parse(&manifest).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let dependencies = manifest.get_ref().get("dependencies").and_then(|value| value.get_ref().as_table());
    dependencies.into_iter().flat_map(|table| table.keys()).map(|key| key.get_ref().to_string()).collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        // What a build has made is none of it.
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code of a file without comments, and without the tests at its end.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = code.split("#[cfg(test)]\n#[expect").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names that follow `crate::` in some code: of a group, all of its first names.
fn names_used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.extend(name_at(rest)),
            Some(group) => names.extend(first_names(group)),
        }
    }
    names
}

/// The first names of the paths of a group, up to its closing brace.
fn first_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut is_first) = (Vec::new(), 0, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_first = true,
            _ if character.is_whitespace() => {}
            _ if is_first => {
                names.extend(name_at(&group[at..]));
                is_first = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The uses of folders that the table does not allow.
fn violations(source: &Path, layers: &Layers) -> Vec<String> {
    let mut violations = Vec::new();
    for path in rust_files(source) {
        let relative = path.strip_prefix(source).unwrap();
        let layer = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if matches!(layer, "lib" | "main") {
            continue;
        }
        let Some(allowed) = layers.get(layer) else {
            violations.push(format!("{layer} has no row in ARCHITECTURE.md"));
            continue;
        };
        let code = code_of(&path);
        for name in names_used(&code) {
            if layers.contains_key(&name) && name != layer && !allowed.contains(&name) {
                violations.push(format!("{} uses {name}, which {layer} may not use", relative.display()));
            }
        }
        // From the file that is the module itself, `super` is the crate.
        let is_module = relative.components().count() == 1 || relative.ends_with(format!("{layer}/mod.rs"));
        if is_module && code.contains("super::") {
            violations.push(format!("{} goes past its folder by `super`: write `crate`", relative.display()));
        }
    }
    violations
}

#[test]
fn folders_use_only_folders_that_come_before_them() {
    for (heading, source) in
        [("Folders of eventloader", "crates/eventloader/src"), ("Folders of datagen", "crates/datagen/src")]
    {
        let layers = layers(heading);
        assert!(layers.len() > 10, "{heading}: {layers:?}");
        let violations = violations(&root().join(source), &layers);
        assert!(violations.is_empty(), "{source}:\n{}", violations.join("\n"));
    }
}

#[test]
fn the_tables_have_no_circle() {
    for heading in ["Crates", "Folders of eventloader", "Folders of datagen"] {
        let mut layers = layers(heading);
        while !layers.is_empty() {
            let free: Vec<_> =
                layers.iter().filter(|(_, uses)| uses.is_empty()).map(|(name, _)| name.clone()).collect();
            assert!(!free.is_empty(), "{heading}: a circle among {:?}", layers.keys());
            layers.retain(|name, _| !free.contains(name));
            for uses in layers.values_mut() {
                uses.retain(|name| !free.contains(name));
            }
        }
    }
}

#[test]
fn crates_depend_only_on_what_their_row_allows() {
    let layers = layers("Crates");
    let directories = fs::read_dir(root().join("crates")).unwrap();
    let crates: BTreeSet<_> =
        directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(layers.keys().cloned().collect::<BTreeSet<_>>(), crates, "the rows of ARCHITECTURE.md");
    for (name, allowed) in &layers {
        let own: BTreeSet<_> = dependencies_of(name).intersection(&crates).cloned().collect();
        assert_eq!(&own, allowed, "the dependencies of {name} (left), its row in ARCHITECTURE.md (right)");
    }
}

#[test]
fn crates_never_use_what_their_row_forbids() {
    for mut cells in table("Crates") {
        let (name, forbidden) = (cells.remove(0).remove(0), cells.pop().unwrap());
        let directory = root().join("crates").join(&name);
        let dependencies = dependencies_of(&name);
        for what in forbidden {
            assert!(!dependencies.contains(&what), "{name} depends on {what}");
            if let Some(module) = what.strip_prefix("std::") {
                let is_used = |path: &PathBuf| {
                    let code = code_of(path);
                    code.contains(&what) || (code.contains("use std::{") && is_imported(&code, module))
                };
                let users: Vec<_> = rust_files(&directory.join("src"))
                    .into_iter()
                    // Only tests and fuzz targets are compiled with these.
                    .filter(|path| !path.iter().any(|part| part == "fuzzing" || part == "tests"))
                    .filter(is_used)
                    .collect();
                assert!(users.is_empty(), "{name} uses {what}: {users:?}");
            }
        }
    }
}

/// Whether a module is among the first names of `use std::{…}`.
fn is_imported(code: &str, module: &str) -> bool {
    let groups = code.match_indices("use std::{").map(|(at, start)| &code[at + start.len()..]);
    groups.flat_map(first_names).any(|name| name == module)
}

#[test]
fn a_use_is_found_however_it_is_written() {
    let used = |code: &str| names_used(code).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(used("use crate::{error::Error, rows::{RowStore, spill::Run}, latest};"), "error latest rows");
    assert_eq!(used("fn f() -> crate::input::Source { crate::cli::run() }"), "cli input");
    assert_eq!(used("use some_crate::rows; $crate::x;"), "");
}

#[test]
fn every_test_that_docs_faults_md_names_exists() {
    let tests: String =
        rust_files(&root().join("tests")).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let docs = fs::read_to_string(root().join("docs/faults.md")).unwrap();
    let rows = docs.lines().filter(|line| line.starts_with("| "));
    let proofs = rows.filter_map(|row| row.trim_end_matches(" |").rsplit('|').next());
    // For example `usage::another_load…`: a module and a test; … stands for the rest of the name.
    let names = proofs.flat_map(|proof| proof.split('`').skip(1).step_by(2));
    let names: Vec<_> = names.filter(|name| !name.contains([' ', '/', '-', '.'])).collect();
    for name in &names {
        for part in name.split("::").map(|part| part.trim_matches(['…', '*'])).filter(|part| !part.is_empty())
        {
            let is_test = tests.lines().any(|line| line.contains("fn ") && line.contains(part));
            let is_module = tests.contains(&format!("mod {part};"));
            assert!(is_test || is_module, "docs/faults.md names {name}, but tests/ has no {part}");
        }
    }
    assert!(names.len() > 30, "only {} names of tests were found in docs/faults.md", names.len());
}

/// rustfmt keeps code within its `max_width`, but not comments.
#[test]
fn comments_fit_the_width_of_the_code() {
    let folders = ["crates", "tests", "fuzz/fuzz_targets"];
    let mut wide = Vec::new();
    for path in folders.iter().flat_map(|folder| rust_files(&root().join(folder))) {
        for (line, text) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
            if text.trim_start().starts_with("//") && text.chars().count() > 110 {
                wide.push(format!("{}:{line}", path.display()));
            }
        }
    }
    assert!(wide.is_empty(), "comments of more than 110 columns:\n{}", wide.join("\n"));
}
