//! Paths and URLs as given → sources in input order → their texts, decompressed → numbered blocks.
//!
//! Invariant: the order of the input depends neither on that of a file system or a bucket nor on that of the
//! command line.

mod blocks;
mod compressed;
mod defect;
mod files;
mod formats;
mod framed;
mod hashing_reader;
mod head;
mod lines;
mod objects;
mod open;
mod screen;
mod sources;
mod steady_file;

pub(crate) use self::{
    blocks::BlockReader,
    framed::Framed,
    head::look_at,
    lines::{FileState, Lines, fingerprint_of_file, fingerprint_of_object, is_splittable},
    objects::{OpenStore, StoredObject, Window},
    screen::{Screened, Screening, SkipReason, SkippedSource, screen},
    sources::{Listed, Origin, Records, Source, list_any, list_sources, reads_objects},
};
