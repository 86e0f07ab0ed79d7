//! A file that is written, but not yet in its place.
//!
//! Invariant: its length and checksum are computed while the bytes are written.

use std::{
    io::{self, Read},
    path::Path,
};

use storage::File;
use xxhash_rust::xxh3::Xxh3Default;

use crate::Stamp;

/// A file that is written, but not yet in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Its name in its directory.
    pub name: String,
    /// What the staging knows it by.
    pub staged: String,
    /// Its rows; 0 if it is not Parquet.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// XXH3 of all bytes.
    pub checksum: u64,
    /// Its stamp, after the last byte was written; `None` if it was discarded.
    pub stamp: Option<Stamp>,
    /// Of a file of a table: the statistics of its columns, as the table's log has them.
    pub statistics: Option<String>,
}

/// The length in bytes and the checksum of a file, as in [`StagedFile`].
pub(crate) fn checksum_of(path: &Path) -> io::Result<(u64, u64)> {
    checksum_of_all(&mut File::open(path)?)
}

/// The same of all that is read.
pub(crate) fn checksum_of_all(file: &mut impl Read) -> io::Result<(u64, u64)> {
    const PIECE_BYTES: usize = 256 << 10;
    let (mut checksum, mut length) = (Xxh3Default::new(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((length, checksum.digest())),
            read => {
                checksum.update(&piece[..read]);
                length += read as u64;
            }
        }
    }
}
