//! The metadata of a file → what tells, without reading it, that nobody has touched it.
//!
//! Invariant: a file of the same length and stamp as before has the same bytes, unless someone wrote to it
//! and then set its time back; `verify` finds that, too. A copy has another stamp.

use std::{fs::Metadata, os::unix::fs::MetadataExt};

use serde::{Deserialize, Serialize};

const SECOND_NANOS: i64 = 1_000_000_000;

/// The inode of a file, and the time of its last modification in nanoseconds since 1970. Renaming a file
/// changes neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp(u64, i64);

impl From<(u64, i64)> for Stamp {
    fn from((inode, nanos): (u64, i64)) -> Self {
        Self(inode, nanos)
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Self(found.ino(), found.mtime().saturating_mul(SECOND_NANOS).saturating_add(found.mtime_nsec()))
    }
}
