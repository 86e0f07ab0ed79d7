//! `eventloader recover`: a target → the same target without traces of an interrupted load.
//!
//! Invariant: it does what every load does first, and nothing else.

use std::fmt;

use event_target::{Location, Recovered, Target};

use crate::{error::Error, runtime::plural};

/// What was done, as a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery(Recovered);

/// Finishes the commit that an interrupted load had recorded, or deletes what it had staged.
///
/// # Errors
/// [`TargetError::Locked`](event_target::TargetError::Locked) while a load is running,
/// [`TargetError::Unusable`](event_target::TargetError::Unusable) if nothing was ever loaded, and read and
/// write errors.
pub fn recover(target: &Location) -> Result<Recovery, Error> {
    let target = Target::open_existing(target)?;
    let recovery = Recovery(target.recovered());
    target.abandon();
    Ok(recovery)
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Recovered::Nothing => f.write_str("nothing to recover: the last load was completed"),
            Recovered::Undone => {
                f.write_str("deleted the files of an interrupted load; it had recorded no commit")
            }
            Recovered::Finished { changes } => {
                write!(f, "finished the commit of an interrupted load: {}", plural(changes as u64, "change"))
            }
        }
    }
}
