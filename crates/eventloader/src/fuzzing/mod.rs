//! Arbitrary bytes → nothing, or a panic: the fuzz targets of `fuzz/`, one function each.
//!
//! Each compares a part of the loader with an independent implementation: `serde_json`, `chrono`, or the
//! crate `naive-model`. Everything happens in memory, so a core tries several thousand inputs per second.
//!
//! Compiled only for `cargo fuzz` and for tests. `cargo test` runs the committed seeds of all targets.
//!
//! Invariant: a target panics exactly if the loader and the other implementation disagree.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic reports a finding")]

mod array_framing;
mod catalog;
mod documents;
mod envelope;
mod line_to_row;
mod lines;
mod quarantine_round_trip;
mod timestamp;

pub use self::{
    array_framing::array_framing, catalog::catalog, documents::documents, envelope::envelope,
    line_to_row::line_to_row, quarantine_round_trip::quarantine_round_trip, timestamp::timestamp,
};

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "seeds are neither source nor target")]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 7] = [
        ("array_framing", array_framing),
        ("catalog", catalog),
        ("documents", documents),
        ("envelope", envelope),
        ("line_to_row", line_to_row),
        ("quarantine_round_trip", quarantine_round_trip),
        ("timestamp", timestamp),
    ];

    fn names_in(dir: &Path) -> BTreeSet<String> {
        let entries = fs_err::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn every_seed_of_the_fuzz_targets_holds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        for (name, target) in TARGETS {
            let seeds = names_in(&fuzz.join("seeds").join(name));
            assert!(seeds.len() >= 3, "fuzz/seeds/{name} has {} seeds", seeds.len());
            for seed in seeds {
                let path = fuzz.join("seeds").join(name).join(seed);
                let bytes = fs_err::read(&path).unwrap();
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(outcome.is_ok(), "{} fails", path.display());
            }
        }
    }

    #[test]
    fn every_target_has_a_binary_and_seeds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        // The parser has the targets that need more than its public API.
        let of_parser = ["json", "number"].map(str::to_owned);
        let names: BTreeSet<_> =
            TARGETS.map(|(name, _)| name.to_owned()).into_iter().chain(of_parser).collect();
        assert_eq!(names_in(&fuzz.join("seeds")), names, "fuzz/seeds");
        let files: BTreeSet<String> = names.iter().map(|name| format!("{name}.rs")).collect();
        assert_eq!(names_in(&fuzz.join("fuzz_targets")), files, "fuzz/fuzz_targets");
        let manifest = fs_err::read_to_string(fuzz.join("Cargo.toml")).unwrap();
        for name in names {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no {name}");
        }
    }
}
