//! URLs of object stores → the objects that they stand for, as sources → their bytes, fetched ahead.
//!
//! Invariant: an object is read as it was when it was listed, or the run fails.

mod listing;
mod pattern;
mod read_ahead;
#[cfg(test)]
mod tests;
mod window;

use std::{io, ops::Range, sync::Arc};

use event_target::ObjectVersion;
use storage::{Found, Object, Store};

pub(crate) use self::window::Window;
pub(super) use self::{listing::list, read_ahead::ReadAhead};
use crate::error::Error;

/// Opens the store that the root of a URL names, such as `s3://bucket`.
pub(crate) type OpenStore<'o> = dyn Fn(&str) -> Result<Arc<dyn Store>, Error> + 'o;

/// An object that was listed.
#[derive(Debug, Clone)]
pub(crate) struct StoredObject {
    store: Arc<dyn Store>,
    found: Arc<Found>,
    /// The bytes that are read of it.
    range: Range<u64>,
}

impl StoredObject {
    /// One that was found in a store.
    pub(crate) fn new(store: Arc<dyn Store>, found: Found) -> Self {
        let range = 0..found.bytes;
        Self { store, found: Arc::new(found), range }
    }

    /// A part of it.
    pub(crate) fn within(self, range: Range<u64>) -> Self {
        Self { range, ..self }
    }

    /// The address of its store, what was found there.
    pub(crate) fn place(&self) -> (String, &Found) {
        (self.store.address(""), &self.found)
    }

    /// Opens it, to read any part of it.
    pub(super) fn open(&self) -> io::Result<Box<dyn Object>> {
        self.store.open_found(&self.found)
    }

    /// The length of what is read.
    pub(crate) fn bytes(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// The offset of its first byte that is read.
    pub(super) fn start(&self) -> u64 {
        self.range.start
    }

    /// The last part of its key.
    pub(crate) fn file_name(&self) -> &str {
        self.found.key.rsplit('/').next().unwrap_or_default()
    }

    /// Its `ETag`, if its store has such.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.found.etag.as_deref()
    }

    /// What tells without reading it whether it is the object that it was.
    pub(crate) fn version(&self) -> Option<ObjectVersion> {
        let etag = self.found.etag.clone()?;
        Some(ObjectVersion { bytes: self.found.bytes, etag })
    }
}
