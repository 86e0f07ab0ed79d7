//! Two commits that began from the same state → whether the second may follow the first.
//!
//! Invariant: if it may, both together leave what they would have left if the second had begun after the
//! first.

use std::collections::{BTreeMap, BTreeSet};

use super::{look::stem_and_extension, table_of};
use crate::{Change, Commit, Mode, QUARANTINE};

/// What a commit has read of its target, beside what it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// All rows of these event types, by domain and name.
    pub event_types: BTreeSet<(String, String)>,
    /// Which sources were loaded.
    pub sources: bool,
    /// Everything.
    pub everything: bool,
}

/// Why a commit can't follow one that was made meanwhile, in words; `None` if it can. Its schemas are those
/// that its tables would get now that they have the other.
pub(super) fn conflict(ours: &Commit, reads: &Reads, theirs: &Commit) -> Option<String> {
    if reads.everything || theirs.layout != ours.layout {
        return Some("the target".to_owned());
    }
    let is_accept = theirs.load.accepted.is_some();
    if reads.sources && (theirs.load.mode == Mode::Overwrite || is_accept) {
        return Some("what counts as loaded".to_owned());
    }
    if is_accept && !reads.event_types.is_empty() {
        return Some("what counts as the target's rows".to_owned());
    }
    let mut types = theirs.changes.iter().filter_map(|change| change.event_type.as_ref());
    if let Some((domain, name)) = types.find(|event_type| reads.event_types.contains(*event_type)) {
        return Some(format!("{domain}/{name}"));
    }
    let places: BTreeSet<_> = ours.changes.iter().map(place).collect();
    if let Some(both) = theirs.changes.iter().find(|change| places.contains(&place(change))) {
        return Some(both.directory.clone());
    }
    let of_tables = |commit: &Commit| -> BTreeMap<String, (String, String)> {
        let types = commit
            .changes
            .iter()
            .filter_map(|change| Some((table_of(&change.directory).to_owned(), change.event_type.clone()?)));
        types.collect()
    };
    let (our_tables, their_tables) = (of_tables(ours), of_tables(theirs));
    let differs = |(table, event_type): &(&String, &(String, String))| {
        let is_another = their_tables.get(*table).is_some_and(|theirs| theirs != *event_type);
        their_tables.contains_key(*table) && (is_another || ours.schemas.contains_key(*table))
    };
    our_tables.iter().find(differs).map(|(table, _)| format!("the columns of {table}"))
}

/// What a change replaces: a directory or, in the quarantine, the lines of a source.
fn place(change: &Change) -> (&str, &str) {
    let is_lines = change.directory == QUARANTINE;
    let mut names = change.files.iter().map(|file| &file.name).chain(&change.removes);
    let source = if is_lines { names.next().map_or("", |name| stem_and_extension(name).0) } else { "" };
    (&change.directory, source)
}
