//! `eventloader recover`: a target → the same target without traces of an interrupted load.
//!
//! Invariant: it does what every load does first and, on request, deletes what nothing refers to.

use std::{fmt, time::Duration};

use event_target::{Location, Recovered, Swept, Target};

use crate::{
    error::Error,
    runtime::{bytes_text, plural},
};

/// What was done, as a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    recovered: Recovered,
    swept: Option<Swept>,
    is_in_database: bool,
}

/// Finishes the commit that an interrupted load had recorded, or deletes what it had staged. Then deletes
/// what nothing has referred to for so long, if that is asked for.
///
/// # Errors
/// [`TargetError::Locked`](event_target::TargetError::Locked) while a load is running,
/// [`TargetError::Unusable`](event_target::TargetError::Unusable) if nothing was ever loaded, and read and
/// write errors.
pub fn recover(location: &Location, sweep_older_than: Option<Duration>) -> Result<Recovery, Error> {
    let target = Target::open_existing(location)?;
    let recovered = target.recovered();
    target.abandon();
    let swept = sweep_older_than.map(|older_than| location.sweep(older_than)).transpose()?;
    Ok(Recovery { recovered, swept, is_in_database: location.database_of().is_some() })
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recovered {
            Recovered::Nothing if self.is_in_database => {
                f.write_str("nothing to recover: a database undoes what a load has not committed")?;
            }
            Recovered::Nothing => f.write_str("nothing to recover: the last load was completed")?,
            Recovered::Undone => {
                f.write_str("deleted the files of an interrupted load; it had recorded no commit")?;
            }
            Recovered::Finished { changes } => {
                write!(
                    f,
                    "finished the commit of an interrupted load: {}",
                    plural(changes as u64, "change")
                )?;
            }
        }
        match self.swept {
            None => Ok(()),
            Some(Swept { objects: 0, .. }) => f.write_str("\nnothing to sweep"),
            Some(Swept { objects, bytes }) => {
                write!(
                    f,
                    "\nswept {} that nothing referred to, {}",
                    plural(objects, "file"),
                    bytes_text(bytes)
                )
            }
        }
    }
}
