//! A list like `add=4,widen=6,split=1` → the number of changes of each kind that a run's events go through.
//!
//! Invariant: each change has an event of its own, at which it happens, and none happens at the first.
//! [`ChangeCounts`] parses what it writes.

use std::{fmt, str::FromStr};

/// A change of what events look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A field appears.
    Add,
    /// A field is not written any more.
    Drop,
    /// A field takes values that its type did not have.
    Widen,
    /// A value becomes an object or a list.
    Nest,
    /// The events of one type become events of two other types.
    Split,
}

impl Change {
    /// All changes, in the order in which they are written.
    pub const ALL: [Self; 5] = [Self::Add, Self::Drop, Self::Widen, Self::Nest, Self::Split];

    /// Its name in a list.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Drop => "drop",
            Self::Widen => "widen",
            Self::Nest => "nest",
            Self::Split => "split",
        }
    }
}

/// The most changes of a run: each line has all fields of its type.
const CHANGES_MAX: u64 = 1_000;

/// Why a list of changes is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeListError {
    /// An entry is not of the form `name=COUNT`.
    #[error("{0:?} is not a change: write name=COUNT, as in add=4,widen=6,split=1")]
    Form(String),

    /// No change has this name.
    #[error("unknown change {0:?}; the changes are {names}", names = Change::ALL.map(Change::name).join(", "))]
    Name(String),

    /// A name occurs twice.
    #[error("{0} occurs twice; give each change once")]
    Twice(&'static str),

    /// There are too many for any run.
    #[error("{0} changes: a run has at most {CHANGES_MAX}")]
    TooMany(u64),

    /// There are too many for this run.
    #[error("{changes} changes for {events} events: each has an event of its own, and the first has none")]
    TooManyForRun {
        /// The number of changes.
        changes: u64,
        /// The number of events.
        events: u64,
    },
}

/// The number of changes of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts([u64; Change::ALL.len()]);

impl ChangeCounts {
    /// The number of all changes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The changes that there are, with their numbers, in the order of [`Change::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Change, u64)> {
        Change::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// Fails if a run of so many events can't have them.
    ///
    /// # Errors
    ///
    /// [`ChangeListError::TooManyForRun`] unless there are fewer changes than events.
    pub fn check(&self, num_events: u64) -> Result<(), ChangeListError> {
        match self.total() {
            0 => Ok(()),
            changes if changes < num_events => Ok(()),
            changes => Err(ChangeListError::TooManyForRun { changes, events: num_events }),
        }
    }
}

impl FromStr for ChangeCounts {
    type Err = ChangeListError;

    fn from_str(text: &str) -> Result<Self, ChangeListError> {
        let mut counts = [None; Change::ALL.len()];
        for entry in text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()) {
            let form = || ChangeListError::Form(entry.to_owned());
            let (name, count) = entry.split_once('=').ok_or_else(form)?;
            let (name, count) = (name.trim(), count.trim());
            let change = Change::ALL.into_iter().find(|change| change.name() == name);
            let change = change.ok_or_else(|| ChangeListError::Name(name.to_owned()))?;
            let is_whole = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            // More digits than any number of changes has.
            let count = if is_whole { count.parse().unwrap_or(u64::MAX) } else { return Err(form()) };
            if counts[change as usize].replace(count).is_some() {
                return Err(ChangeListError::Twice(change.name()));
            }
        }
        let counts = counts.map(Option::unwrap_or_default);
        match counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)) {
            total if total > CHANGES_MAX => Err(ChangeListError::TooMany(total)),
            _ => Ok(Self(counts)),
        }
    }
}

/// A list as it can be given; empty if there are no changes.
impl fmt::Display for ChangeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (change, count)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={count}", change.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_is_written() {
        for (text, written) in [
            ("", ""),
            (" split = 1 , add=4", "add=4,split=1"),
            ("widen=6,nest=2,drop=0", "widen=6,nest=2"),
            ("add=1000", "add=1000"),
        ] {
            let counts: ChangeCounts = text.parse().unwrap();
            assert_eq!((counts.to_string().as_str(), written.parse()), (written, Ok(counts)));
        }
    }

    #[test]
    fn a_wrong_list_is_told() {
        for (text, told) in [
            ("add", r#""add" is not a change: write name=COUNT, as in add=4,widen=6,split=1"#),
            ("add=1%", r#""add=1%" is not a change: write name=COUNT, as in add=4,widen=6,split=1"#),
            ("add=", r#""add=" is not a change: write name=COUNT, as in add=4,widen=6,split=1"#),
            ("add=1,", r#""" is not a change: write name=COUNT, as in add=4,widen=6,split=1"#),
            ("rename=1", r#"unknown change "rename"; the changes are add, drop, widen, nest, split"#),
            ("add=1,add=1", "add occurs twice; give each change once"),
            ("add=999,split=2", "1001 changes: a run has at most 1000"),
            ("add=99999999999999999999", "18446744073709551615 changes: a run has at most 1000"),
        ] {
            assert_eq!(text.parse::<ChangeCounts>().unwrap_err().to_string(), told);
        }
        let counts: ChangeCounts = "add=2,drop=1".parse().unwrap();
        assert_eq!(counts.check(4), Ok(()));
        assert_eq!(
            counts.check(3).unwrap_err().to_string(),
            "3 changes for 3 events: each has an event of its own, and the first has none"
        );
        assert_eq!(ChangeCounts::default().check(0), Ok(()));
    }
}
