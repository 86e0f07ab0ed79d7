//! One difference between the tables of two sides, and whether a merge would refuse it.
//!
//! Invariant: a difference that is refused would lose or mix up what a target holds.

use events_core::table::{ColumnChange, Fate};

use super::tables::Key;

/// A difference, and where it is.
#[derive(Debug)]
pub(super) struct Change {
    /// `None`: it is one of the target as a whole.
    pub(super) event_type: Option<Key>,
    pub(super) difference: Difference,
}

#[derive(Debug)]
pub(super) enum Difference {
    /// A new event type, with the name of its directories; of those that `"*"` stands for, each has its own.
    TypeAdded {
        directory: String,
    },
    /// An event type whose later events would be bad lines.
    TypeLost,
    Column {
        change: ColumnChange,
        /// In how many files of a target it would be so; 0 of a catalog.
        files: usize,
    },
    Directory {
        from: String,
        to: String,
    },
    /// The directory of another event type.
    DirectoryTaken {
        directory: String,
        owner: Key,
    },
    Version {
        from: Vec<String>,
        to: Vec<String>,
    },
    /// The catalog does not fit the layout.
    Layout {
        problem: String,
    },
}

impl Difference {
    pub(super) fn is_refused(&self) -> bool {
        match self {
            Self::TypeAdded { .. } | Self::TypeLost => false,
            Self::Column { change, .. } => change.fate.is_refused(),
            Self::Version { from, .. } => !from.is_empty(),
            Self::Directory { .. } | Self::DirectoryTaken { .. } | Self::Layout { .. } => true,
        }
    }

    /// What it is, in one word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::TypeAdded { .. } => "added",
            Self::TypeLost => "lost",
            Self::Column { change, .. } => match change.fate {
                Fate::Added(_) => "added",
                Fate::Widened { .. } => "widened",
                Fate::Lost(_) => "lost",
                Fate::Narrowed { .. } | Fate::Reordered { .. } => "refused",
            },
            Self::Version { from, .. } if from.is_empty() => "added",
            Self::Version { .. }
            | Self::Directory { .. }
            | Self::DirectoryTaken { .. }
            | Self::Layout { .. } => "refused",
        }
    }

    /// What has changed: the name of a column, or a key of the catalog.
    pub(super) fn subject(&self) -> &str {
        match self {
            Self::TypeAdded { .. } | Self::TypeLost => "event type",
            Self::Column { change, .. } => &change.column,
            Self::Version { .. } => "version",
            Self::Directory { .. } | Self::DirectoryTaken { .. } => "directory",
            Self::Layout { .. } => "layout",
        }
    }

    /// What it was, and what it would be.
    pub(super) fn values(&self) -> (Option<String>, Option<String>) {
        match self {
            Self::TypeAdded { directory } | Self::DirectoryTaken { directory, .. } => {
                (None, Some(directory.clone()))
            }
            Self::TypeLost | Self::Layout { .. } => (None, None),
            Self::Column { change, .. } => match &change.fate {
                Fate::Added(kind) => (None, Some(kind.to_string())),
                Fate::Lost(kind) => (Some(kind.to_string()), None),
                Fate::Widened { from, to } | Fate::Narrowed { from, to } => {
                    (Some(from.to_string()), Some(to.to_string()))
                }
                Fate::Reordered { from } => (Some(from.to_string()), Some("string".to_owned())),
            },
            Self::Directory { from, to } => (Some(from.clone()), Some(to.clone())),
            Self::Version { from, to } => (Some(from.join(", ")), Some(to.join(", "))),
        }
    }

    /// What follows from it, where that does not go without saying.
    pub(super) fn why(&self) -> Option<String> {
        Some(match self {
            Self::TypeLost => "its later events would be bad lines; what is held stays".to_owned(),
            Self::Column { change, .. } => match &change.fate {
                Fate::Added(_) | Fate::Widened { .. } => return None,
                Fate::Narrowed { to, .. } => format!("{to} does not have all of its values"),
                Fate::Reordered { .. } => {
                    "it decides which version of an event is the latest, and texts have another order"
                        .to_owned()
                }
                Fate::Lost(_) => {
                    "a merge that reads a file with it is refused, because its values would be lost"
                        .to_owned()
                }
            },
            Self::Directory { .. } => {
                "readers would see two tables, and an event that is in both twice".to_owned()
            }
            Self::DirectoryTaken { owner: (domain, name), .. } => format!("it has events of {domain}/{name}"),
            Self::Version { from, .. } if from.is_empty() => {
                "rows that are held without it rank lowest".to_owned()
            }
            Self::Version { .. } => {
                "what was decided by the one can't be decided again by the other".to_owned()
            }
            Self::Layout { problem } => problem.clone(),
            Self::TypeAdded { directory } if directory.is_empty() => {
                "it stands for each type that the catalog does not name".to_owned()
            }
            Self::TypeAdded { .. } => return None,
        })
    }

    /// In how many files of a target; 0 for what is new.
    pub(super) fn files(&self) -> usize {
        match self {
            Self::Column { change, files } if !matches!(change.fate, Fate::Added(_)) => *files,
            _ => 0,
        }
    }
}
