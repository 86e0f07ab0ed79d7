//! A target → the files of its quarantine, each with the bad lines of one source.
//!
//! Invariant: only regular files with names that a load gives are bad lines; anything else is not looked at.

use event_target::{History, Location};

use super::record::RecordReader;
use crate::{error::Error, settings::BadLineSelection};

/// The names of the files of a target's quarantine, sorted. `history` is what was read of it, if it was.
pub(crate) fn files(target: &Location, history: Option<&History>) -> Result<Vec<String>, Error> {
    target.quarantine_files(history).map_err(Error::io("listing the quarantine"))
}

/// The files that may have selected lines: the source of each, and its name.
///
/// # Errors
/// A file can't be read, or a source is selected that has no line.
pub(super) fn selected(
    (target, history): (&Location, &History),
    selection: &BadLineSelection,
) -> Result<Vec<(String, String)>, Error> {
    let (mut selected, mut there) = (Vec::new(), Vec::new());
    for name in files(target, Some(history))? {
        // All records of a file are of one source.
        let Some((record, _)) = RecordReader::open_in(target, &name)?.next()? else { continue };
        let source = record.source.into_owned();
        there.push(source.clone());
        selected.push((source, name));
    }
    selection.check_sources(&there)?;
    selected.retain(|(source, _)| selection.wants_source(source));
    Ok(selected)
}
