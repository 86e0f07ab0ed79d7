//! Arbitrary bytes → nothing, or a panic: fuzz targets of `fuzz/` that need more than the public API.
//!
//! Compiled only for `cargo fuzz` and for tests. `cargo test` runs their committed seeds; the other targets
//! are in the loader.
//!
//! Invariant: a target panics exactly if the parser and the other implementation disagree.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic reports a finding")]

mod json;
mod number;

pub use self::{json::json, number::number};

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "seeds are neither source nor target")]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_seed_of_the_fuzz_targets_holds() {
        for (name, target) in [("json", json as fn(&[u8])), ("number", number)] {
            let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
            let seeds: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(seeds.len() >= 3, "fuzz/seeds/{name} has {} seeds", seeds.len());
            for path in seeds {
                let bytes = fs::read(&path).unwrap();
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(outcome.is_ok(), "{} fails", path.display());
            }
        }
    }
}
