//! The flags for what changes in the course of a run → how many changes of each kind.
//!
//! Invariant: runs and the catalog of their end take the same flag.

use clap::Args;

use super::stream::EVENTS;
use crate::config::change_list::ChangeCounts;

/// What changes.
#[derive(Debug, Clone, Args)]
pub(super) struct ChangeArgs {
    /// Changes that the events go through: name=COUNT, comma-separated
    ///
    /// Exactly this many changes happen, spread over the run, each at an event and from there on to all
    /// events of its type. --seed and the number of events decide where; --changes-log says where that was,
    /// and `datagen catalog` with the same flags prints the catalog of the end, which the manifest is about.
    ///
    /// add: a field appears. drop: a field is not written any more. widen: a field takes values that its
    /// type did not have (int32 becomes int64, a decimal or a text; date becomes timestamp; …, in turns).
    /// nest: a value becomes an object or a list. split: the events of a type become events of two other
    /// types.
    #[arg(long, value_name = "LIST", default_value = "", hide_default_value = true, help_heading = EVENTS)]
    changes: ChangeCounts,
}

impl ChangeArgs {
    pub(super) fn counts(&self) -> ChangeCounts {
        self.changes
    }
}
