//! A partition's rows in order → its Parquet files, staged, each with its row count, length and checksum.
//!
//! Invariant: the bytes are a function of the rows, the schema and the codec alone: not of memory, threads or the order of
//! the input.

mod bounds;
mod checksum;
mod column;
mod delta;
mod dictionary;
mod hybrid;
mod pages;
mod part;
mod table;
mod texts;
mod values;
mod varint;

use std::path::Path;

pub(crate) use self::{checksum::checksum_of, table::Table};
use self::{column::Scratch, pages::PageCompressor, part::PartWriter};
use crate::{
    error::Error,
    merge::OrderedRows,
    stages::{Clock, Stage},
};

/// Rows of a row group, at most: what one reader's thread works on, and what the writer holds encoded.
const ROW_GROUP_ROWS: usize = 131_072;
/// Bytes of a row group's payload in memory, at most; bounds the writer's memory for wide rows.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Rows of a file, at most; a partition with more has further parts.
pub(crate) const PART_ROWS: u64 = 1 << 24;
/// Higher levels take much longer for little: ids and amounts don't repeat.
const ZSTD_LEVEL: i32 = 1;

/// Codec of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// zstd at level 1.
    Zstd,
    /// Snappy.
    Snappy,
    /// No compression.
    None,
}

impl Codec {
    /// As the command line and file names say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }
}

/// A file that was written but is not in its place yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedFile {
    /// Its name in the partition's directory.
    pub(crate) name: String,
    /// Its name in the staging directory.
    pub(crate) staged: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// XXH3 of all bytes.
    pub(crate) checksum: u64,
}

/// How the files of a run are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSettings<'a> {
    pub(crate) codec: Codec,
    /// Where files are staged; none in a dry run, which encodes and counts all the same.
    pub(crate) staging: Option<&'a Path>,
    pub(crate) part_rows: u64,
}

/// What a worker writes partitions with, one after the other.
pub(crate) struct PartitionWriter(Scratch);

impl PartitionWriter {
    pub(crate) fn new(codec: Codec) -> Result<Self, Error> {
        PageCompressor::new(codec)
            .map(|compressor| Self(Scratch::new(compressor)))
            .map_err(Error::encode(codec.name()))
    }

    /// Writes a partition's rows; `label` names it in messages, and `number` its staged files.
    pub(crate) fn write(
        &mut self,
        mut rows: OrderedRows<'_>,
        table: &Table<'_>,
        settings: FileSettings<'_>,
        (label, number): (&str, usize),
        clock: &mut Clock<'_>,
    ) -> Result<Vec<StagedFile>, Error> {
        let Self(scratch) = self;
        let (mut files, mut part) = (Vec::new(), None::<PartWriter<'_>>);
        loop {
            clock.lap(Stage::Encode);
            let chunk = rows.next_chunk()?;
            clock.lap(Stage::Order);
            let Some(chunk) = chunk else { break };
            if let Some(full) = part.take_if(|part| !part.has_room_for(chunk, settings.part_rows)) {
                files.push(full.finish(label, scratch)?);
            }
            let part = match &mut part {
                Some(part) => part,
                empty => empty.insert(PartWriter::create(table, settings, (number, files.len()), label)?),
            };
            part.write(chunk, scratch).map_err(Error::encode(label))?;
        }
        if let Some(last) = part {
            files.push(last.finish(label, scratch)?);
        }
        clock.lap(Stage::Encode);
        Ok(files)
    }
}

#[cfg(test)]
mod tests;
