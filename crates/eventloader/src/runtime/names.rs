//! Names from the data → counts by name that stay small, whatever the data contains.
//!
//! Invariant: a count has at most the given number of names, and one for all others.

use std::collections::BTreeMap;

use event_parser::OTHER_NAMES;

/// The longest name from the data in a report, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A name as reports show it.
pub(crate) fn cut_name(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

/// Counts under a name or, if there are `names_max` others already, under [`OTHER_NAMES`].
pub(crate) fn count_name(counts: &mut BTreeMap<String, u64>, mut name: String, names_max: usize, count: u64) {
    if counts.len() >= names_max && !counts.contains_key(&name) {
        OTHER_NAMES.clone_into(&mut name);
    }
    *counts.entry(name).or_default() += count;
}
