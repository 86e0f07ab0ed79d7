//! The catalogs of a replay, and the bad lines that it selects → the catalog with the envelope to read them
//! with.
//!
//! Invariant: an envelope that a user or a catalog names decides. Without one, it is what all of the selected
//! lines were read with.

use std::path::{Path, PathBuf};

use events_core::catalog::Catalog;

use super::catalog_files;
use crate::{error::Error, quarantine, settings::BadLineSelection};

/// See the module, and [`catalog_files::read`].
///
/// # Errors
/// A catalog can't be used, or the lines were read with several envelopes.
pub(crate) fn read(
    catalogs: &[PathBuf],
    envelope: Option<&str>,
    target: &Path,
    selection: &BadLineSelection,
) -> Result<Catalog, Error> {
    let catalog = catalog_files::read(catalogs, envelope)?;
    if !catalog.envelope().is_base() {
        return Ok(catalog);
    }
    match quarantine::envelope_of(target, selection)? {
        Some(name) => catalog_files::read(catalogs, Some(&name)),
        None => Ok(catalog),
    }
}
