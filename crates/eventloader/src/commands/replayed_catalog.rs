//! The catalogs of a replay, and the bad lines that it selects → its runs: for each envelope that lines were
//! read with, the catalog that reads them again.
//!
//! Invariant: an envelope that a user or a catalog names decides for all lines. Without one, each line is
//! read with what it was read with.

use std::path::PathBuf;

use event_target::{History, Location};
use events_core::catalog::Catalog;

use super::catalog_files;
use crate::{error::Error, quarantine, settings::BadLineSelection};

/// What a replay reads.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The lines of each run, and the catalog to read them with; one run at least.
    pub(crate) runs: Vec<(BadLineSelection, Catalog)>,
    /// Whether there are lines that no run reads, because no commit has recorded the envelope that a catalog
    /// gave them.
    pub(crate) leaves_lines: bool,
}

/// See the module, and [`catalog_files::read`].
///
/// # Errors
/// A catalog can't be used, or all of the lines were read with an envelope that nobody knows.
pub(crate) fn read(
    catalogs: &[PathBuf],
    envelope: Option<&str>,
    (target, history): (&Location, &History),
    selection: &BadLineSelection,
) -> Result<Replayed, Error> {
    let catalog = catalog_files::read(catalogs, envelope)?;
    if !catalog.envelope().is_base() {
        return Ok(Replayed { runs: vec![(selection.clone(), catalog)], leaves_lines: false });
    }
    let envelopes = quarantine::envelopes_of((target, history), selection)?;
    let is_known = |name: &String| !quarantine::is_of_catalog(name) || history.envelopes.contains_key(name);
    let (known, unknown): (Vec<_>, Vec<_>) =
        envelopes.into_iter().partition(|read_with| read_with.as_ref().is_none_or(is_known));
    let leaves_lines = !unknown.is_empty();
    if known.is_empty() && leaves_lines {
        return Err(Error::Envelope("the bad lines were read with the [envelope] of a catalog".to_owned()));
    }
    let mut runs = Vec::new();
    for read_with in known {
        let recorded = |name: &String| history.envelopes.get(name).map(|toml| (name.clone(), toml));
        let catalog = match (&read_with, read_with.as_ref().and_then(recorded)) {
            (_, Some((name, toml))) => {
                let envelope = Catalog::from_toml(&[(&name, toml)])?.envelope().clone();
                catalog_files::read_with(catalogs, (&name, envelope))?
            }
            (Some(name), None) => catalog_files::read(catalogs, Some(name))?,
            (None, None) => catalog.clone(),
        };
        runs.push((BadLineSelection { envelope: Some(read_with), ..selection.clone() }, catalog));
    }
    if runs.is_empty() {
        runs.push((selection.clone(), catalog));
    }
    Ok(Replayed { runs, leaves_lines })
}
