//! What publishing a change will need → tried beforehand, and refused if it is forbidden.
//!
//! A change that passes can be published: if nothing else, by renaming its files one by one
//! (`placing.rs`). What only a better way needs is not tried here.
//!
//! Invariant: what a reader sees is not changed.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    path::Path,
};

use rustix::fs::Access;

use super::place;
use crate::{Change, TargetError, change::parquet_names};

/// Tries what publishing needs in the directory `live`, which exists or `is_new`; then gives the staged files
/// the access of those that they replace.
pub(crate) fn rehearse(
    change: &Change,
    (live, is_new): (&Path, bool),
    staging: &Path,
) -> Result<(), TargetError> {
    let unusable = |path: &Path, problem: String| TargetError::Unusable { path: path.to_owned(), problem };
    may_be_written(live).map_err(|error| unusable(live, format!("can't be written ({error})")))?;
    if let Some((staged, _)) = change.all_staged().next() {
        storage::try_to_enter(live, &staging.join(staged)).map_err(|error| {
            let problem = match error.kind() {
                ErrorKind::CrossesDevices => {
                    "is on another file system than the target, or a mount point lies \
                                              between: a load changes a target within one file system only"
                        .to_owned()
                }
                _ => format!("can't be written ({error})"),
            };
            unusable(live, problem)
        })?;
    }
    let outgoing = if is_new { BTreeSet::new() } else { outgoing(change, live)? };
    for name in &outgoing {
        let path = live.join(name);
        storage::try_to_take(&path, staging).map_err(|error| {
            let problem = format!(
                "can't be replaced or deleted ({error}): it may be immutable or append-only, or belong to \
                 another user in a sticky directory"
            );
            unusable(&path, problem)
        })?;
    }
    keep_access(change, live, &outgoing, staging);
    Ok(())
}

/// Gives the staged files of a change the mode and the group of what they replace, as far as the system
/// allows; and the group of their directory if it hands that on.
fn keep_access(change: &Change, live: &Path, outgoing: &BTreeSet<String>, staging: &Path) {
    for (staged, name) in change.all_staged() {
        let staged = staging.join(staged);
        let _ = match outgoing.get(name).or_else(|| outgoing.first()) {
            Some(model) => storage::take_access(&staged, &live.join(model)).map(|_| ()),
            None => storage::take_group(&staged, live),
        };
    }
}

/// The names of the files that will be replaced or deleted, or perhaps are if a better way is refused.
fn outgoing(change: &Change, live: &Path) -> Result<BTreeSet<String>, TargetError> {
    let mut names = change.names();
    names.extend(change.removes.iter().cloned());
    if change.replaces_all {
        names.extend(parquet_names(live).map_err(TargetError::io("looking at the target"))?);
    }
    let mut outgoing = BTreeSet::new();
    for name in names {
        if place::file_is_there(&live.join(&name))? {
            outgoing.insert(name);
        }
    }
    Ok(outgoing)
}

fn may_be_written(directory: &Path) -> io::Result<()> {
    rustix::fs::access(directory, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
    })
}
