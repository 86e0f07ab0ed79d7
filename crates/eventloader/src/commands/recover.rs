//! `eventloader recover`: a target → nothing in it is left half done. What every load does first, and nothing else.

use std::{fmt, path::Path};

use event_target::{Recovered, Target};

use crate::{error::Error, runtime::plural};

/// What was done, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery(Recovered);

/// Finishes the commit that an interrupted load had recorded, or deletes what it had staged.
///
/// # Errors
/// [`Error::Locked`] while a load is at work, [`Error::Target`] where no load has ever been, and those of reading and writing.
pub fn recover(target: &Path) -> Result<Recovery, Error> {
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
