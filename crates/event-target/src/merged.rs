//! The sources that were merged into a target → which of them a later run need not load again.
//!
//! A source is known by its content. An object of a bucket is known without reading it, too: by its address,
//! its length and its `ETag`.
//!
//! Invariant: an object has the `ETag` of its address only as long as nobody writes to it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, LoadedSource};

/// What was merged with one selection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The contents.
    pub contents: HashSet<Fingerprint>,
    /// The objects among them, by their addresses.
    pub objects: Objects,
}

/// Objects by their addresses, each as it was when it was last read.
pub(crate) type Objects = BTreeMap<String, ObjectVersion>;

/// An object at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// Its length.
    pub bytes: u64,
    /// What its store calls this content of it.
    pub etag: String,
}

/// The objects of buckets among sources that were read.
pub(crate) fn objects_of(sources: &[LoadedSource]) -> impl Iterator<Item = (String, ObjectVersion)> {
    sources.iter().filter_map(|LoadedSource { path, content, etag }| {
        let version = ObjectVersion { bytes: content.as_ref()?.bytes, etag: etag.clone()? };
        Some((path.clone(), version))
    })
}
