//! A glob → whether a key is one that it stands for.
//!
//! It means what it means for files: `*`, `?` and `[…]` match within a name, `**` any number of directories.
//! A directory that matches stands for what is below it.
//!
//! Invariant: of the same tree, as files and as objects, a glob finds the same.

use glob::{Pattern, PatternError};

use crate::input::files::is_private;

/// The characters that make a name a glob.
const SPECIAL: [char; 3] = ['*', '?', '['];

/// A glob, name by name.
#[derive(Debug)]
pub(super) struct KeyPattern {
    names: Vec<Pattern>,
    /// Whether it matches directories only.
    is_of_directories: bool,
}

/// Whether a key is a glob.
pub(super) fn is_glob(key: &str) -> bool {
    key.contains(SPECIAL)
}

/// What all keys begin with that a glob can match.
pub(super) fn literal_prefix(glob: &str) -> &str {
    glob.split(SPECIAL).next().unwrap_or_default()
}

impl KeyPattern {
    pub(super) fn new(glob: &str) -> Result<Self, PatternError> {
        Pattern::new(glob)?;
        let names = glob.split_terminator('/').map(Pattern::new).collect::<Result<Vec<_>, _>>()?;
        let is_of_directories = glob.ends_with('/') || names.last().is_some_and(is_any_directories);
        Ok(Self { names, is_of_directories })
    }

    /// Whether it stands for an object: it matches its key, or a directory that the object is in, from which
    /// on no name is a private one.
    pub(super) fn stands_for(&self, key: &str) -> bool {
        let names: Vec<_> = key.split('/').collect();
        let is_found = |directory: usize| {
            let (directory, inside) = names.split_at(directory);
            matches(&self.names, directory) && !inside.iter().any(|name| is_private(name.as_bytes()))
        };
        (0..names.len()).any(is_found) || (!self.is_of_directories && matches(&self.names, &names))
    }
}

fn is_any_directories(name: &Pattern) -> bool {
    name.as_str() == "**"
}

/// Whether these names are what the pattern says, one behind the other.
fn matches(pattern: &[Pattern], names: &[&str]) -> bool {
    match (pattern.split_first(), names.split_first()) {
        (None, None) => true,
        // At the end it matches directories only, one at least.
        (Some((any, rest)), _) if is_any_directories(any) && rest.iter().all(is_any_directories) => {
            !names.is_empty()
        }
        (Some((any, rest)), _) if is_any_directories(any) => {
            matches(rest, names) || names.split_first().is_some_and(|(_, names)| matches(pattern, names))
        }
        (Some((first, rest)), Some((name, names))) => first.matches(name) && matches(rest, names),
        _ => false,
    }
}
