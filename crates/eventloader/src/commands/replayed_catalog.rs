//! The catalogs of a replay, and the bad lines that it selects → its runs: for each envelope that lines were
//! read with, the catalog that reads them again.
//!
//! Invariant: an envelope that a user or a catalog names decides for all lines. Without one, each line is read
//! with what it was read with.

use std::path::{Path, PathBuf};

use events_core::catalog::Catalog;

use super::catalog_files;
use crate::{
    error::Error,
    quarantine::{self, OF_CATALOG},
    settings::BadLineSelection,
};

/// What a replay reads.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The lines of each run, and the catalog to read them with; one run at least.
    pub(crate) runs: Vec<(BadLineSelection, Catalog)>,
    /// Whether there are lines that no run reads, because nobody knows the envelope that a catalog gave them.
    pub(crate) leaves_lines: bool,
}

/// See the module, and [`catalog_files::read`].
///
/// # Errors
/// A catalog can't be used, or all of the lines were read with the envelope of a catalog.
pub(crate) fn read(
    catalogs: &[PathBuf],
    envelope: Option<&str>,
    target: &Path,
    selection: &BadLineSelection,
) -> Result<Replayed, Error> {
    let catalog = catalog_files::read(catalogs, envelope)?;
    if !catalog.envelope().is_base() {
        return Ok(Replayed { runs: vec![(selection.clone(), catalog)], leaves_lines: false });
    }
    let mut envelopes = quarantine::envelopes_of(target, selection)?;
    let leaves_lines = envelopes.remove(&Some(OF_CATALOG.to_owned()));
    if envelopes.is_empty() && leaves_lines {
        return Err(Error::Envelope("the bad lines were read with the [envelope] of a catalog".to_owned()));
    }
    let mut runs = Vec::new();
    for read_with in envelopes {
        let catalog = match &read_with {
            Some(name) => catalog_files::read(catalogs, Some(name))?,
            None => catalog.clone(),
        };
        runs.push((BadLineSelection { envelope: Some(read_with), ..selection.clone() }, catalog));
    }
    if runs.is_empty() {
        runs.push((selection.clone(), catalog));
    }
    Ok(Replayed { runs, leaves_lines })
}
