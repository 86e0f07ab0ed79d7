//! Event types → the names of their tables in an engine.
//!
//! Most engines fold a name's case or refuse what is no letter, digit or `_`, so two event types could have
//! one name.
//!
//! Invariant: two tables never have one name, and a table's name does not depend on which tables are shown.

use std::{collections::HashMap, fmt::Write};

use xxhash_rust::xxh3::xxh3_64;

/// How an engine names tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableNaming {
    /// As the directories, quoted.
    AsDirectory,
    /// The same, but names that differ in case are one.
    AsDirectoryInAnyCase,
    /// With `_` for all but letters and digits of ASCII; names that differ in case are one.
    Plain,
    /// The same in lower case: the engine folds it.
    PlainLowerCase,
}

/// The name of each directory's table.
pub(super) struct TableNames {
    naming: TableNaming,
    bytes_max: Option<usize>,
    /// How many directories have a name.
    owners: HashMap<String, usize>,
}

/// The digits of a hash behind a name, and the `_` between them.
const HASH_BYTES: usize = 9;

impl TableNames {
    /// `directories` are those of all event types of the catalog, shown or not.
    pub(super) fn new<'d>(
        naming: TableNaming,
        bytes_max: Option<usize>,
        directories: impl Iterator<Item = &'d str>,
    ) -> Self {
        let mut owners = HashMap::new();
        for directory in directories {
            *owners.entry(naming.compared(&naming.folded(directory))).or_default() += 1;
        }
        Self { naming, bytes_max, owners }
    }

    /// With a hash of the directory where the name would be another table's, too, or too long.
    pub(super) fn of(&self, directory: &str) -> String {
        let mut name = self.naming.folded(directory);
        let is_shared = self.owners.get(&self.naming.compared(&name)).is_some_and(|&owners| owners > 1);
        let is_too_long = self.bytes_max.is_some_and(|max| name.len() > max);
        if is_shared || is_too_long {
            let mut kept = self.bytes_max.unwrap_or(usize::MAX).saturating_sub(HASH_BYTES).min(name.len());
            while !name.is_char_boundary(kept) {
                kept -= 1;
            }
            name.truncate(kept);
            let _ = write!(name, "_{:08x}", xxh3_64(directory.as_bytes()) >> 32);
        }
        name
    }
}

impl TableNaming {
    fn folded(self, directory: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        match self {
            Self::AsDirectory | Self::AsDirectoryInAnyCase => directory.to_owned(),
            Self::Plain => directory.chars().map(plain).collect(),
            Self::PlainLowerCase => directory.chars().map(plain).map(|c| c.to_ascii_lowercase()).collect(),
        }
    }

    /// What the engine tells names apart by.
    fn compared(self, name: &str) -> String {
        if self == Self::AsDirectory { name.to_owned() } else { name.to_lowercase() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn two_tables_never_have_one_name() {
        let long = "x".repeat(80);
        let other = format!("{long}y");
        let directories =
            ["sale", "Sale", "order-placed", "order_placed", "東京", "大阪", "refund-x", &long, &other];
        let names = TableNames::new(TableNaming::PlainLowerCase, Some(63), directories.into_iter());
        let found: Vec<_> = directories.iter().map(|directory| names.of(directory)).collect();
        assert_eq!(found.iter().collect::<HashSet<_>>().len(), directories.len(), "{found:?}");
        assert_eq!(found[6], "refund_x");
        assert!(found.iter().all(|name| name.len() <= 63), "{found:?}");
        assert!(found[0].starts_with("sale_") && found[1].starts_with("sale_"), "{found:?}");
        let names = TableNames::new(TableNaming::AsDirectory, None, directories.into_iter());
        assert!(directories.iter().all(|directory| names.of(directory) == **directory));
    }
}
