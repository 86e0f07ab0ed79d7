//! An address such as `s3://bucket/key` → its store; a path stays a path.
//!
//! Invariant: without the feature `objects` nothing here reaches a network, and an address is refused.

use std::{path::Path, sync::Arc};

use storage::{Store, scheme_of};

use crate::{error::Error, settings::StoreOptions};

/// The address that a path is, if it is one.
#[must_use]
pub fn address_of(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| scheme_of(text).is_some())
}

/// Opens the place of an address. It has answered then.
///
/// # Errors
/// If it can't be used.
#[cfg(feature = "objects")]
pub fn open_store(address: &str, options: &StoreOptions) -> Result<Arc<dyn Store>, Error> {
    let StoreOptions { endpoint, region, anonymous, buffer_bytes_max } = options.clone();
    let options = object_stores::Options { endpoint, region, anonymous, buffer_bytes_max };
    Ok(object_stores::open(address, &options)?)
}

/// Refuses an address.
///
/// # Errors
/// Always.
#[cfg(not(feature = "objects"))]
pub fn open_store(address: &str, _options: &StoreOptions) -> Result<Arc<dyn Store>, Error> {
    storage::refuse_secrets(address)?;
    let refusal = storage::OpenError {
        address: address.to_owned(),
        kind: storage::Unusable::Feature,
        problem: "this program was built without object stores".to_owned(),
    };
    Err(refusal.into())
}
