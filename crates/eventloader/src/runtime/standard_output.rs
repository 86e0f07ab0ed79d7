//! The standard output of the process → whether anything printed there is lost.
//!
//! Invariant: output that the user sends to `/dev/null` is not lost, but not wanted.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};

use rustix::fs::OFlags;

/// Whether the process was started without a standard output (`>&-`). Rust's runtime then opens `/dev/null`
/// in its place, to read and to write; a shell opens it to write only.
#[must_use]
pub fn is_standard_output_closed() -> bool {
    let output = io::stdout();
    let reads = rustix::fs::fcntl_getfl(&output).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let is_null = |null: Metadata| {
        storage::metadata_of(&output)
            .is_ok_and(|output| output.file_type().is_char_device() && output.rdev() == null.rdev())
    };
    reads && storage::find(Path::new("/dev/null")).is_ok_and(|null| null.is_some_and(is_null))
}
