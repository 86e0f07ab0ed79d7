//! A partition's rows in order → its Parquet files, staged, each with its row count, length and checksum.
//!
//! Invariant: the bytes are a function of the rows, the schema and the codec alone: not of memory, threads or the order of
//! the input.

mod bounds;
mod checksum;
mod chunk;
mod column;
mod delta;
mod dictionary;
mod hybrid;
mod pages;
mod part;
mod readable;
mod table;
mod texts;
mod uuid_frame;
mod values;
mod varint;

use std::path::{Path, PathBuf};

pub(crate) use self::{checksum::checksum_of, readable::Readable, table::Table};
use self::{column::Scratch, pages::PageCompressor, part::PartWriter};
use crate::{
    disk,
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

/// Where a worker's files are staged.
struct Staging {
    /// The directory of all workers'.
    root: PathBuf,
    /// This worker's own, in it: making files in one directory, workers would wait for each other.
    own: String,
}

/// Writes partitions, one after the other; one per worker.
pub(crate) struct PartitionWriter {
    codec: Codec,
    /// None in a dry run, which encodes and counts all the same.
    staging: Option<Staging>,
    scratch: Scratch,
}

impl PartitionWriter {
    /// The writer of the worker with this number; makes its own directory in `staging`.
    pub(crate) fn new(codec: Codec, staging: Option<&Path>, worker: usize) -> Result<Self, Error> {
        let staging = staging.map(|root| Staging { root: root.to_owned(), own: format!("{worker:02}") });
        if let Some(Staging { root, own }) = &staging {
            disk::create_directory(&root.join(own)).map_err(Error::io("staging partitions"))?;
        }
        let compressor = PageCompressor::new(codec).map_err(Error::encode(codec.name()))?;
        Ok(Self { codec, staging, scratch: Scratch::new(compressor) })
    }

    /// Writes a partition's rows into files of at most `part_rows`; `label` names it in messages, and `number` its staged
    /// files.
    pub(crate) fn write(
        &mut self,
        mut rows: OrderedRows<'_>,
        table: &Table<'_>,
        part_rows: u64,
        (label, number): (&str, usize),
        clock: &mut Clock<'_>,
    ) -> Result<Vec<StagedFile>, Error> {
        let (mut files, mut part) = (Vec::new(), None::<PartWriter<'_>>);
        loop {
            clock.lap(Stage::Encode);
            let chunk = rows.next_chunk()?;
            clock.lap(Stage::Order);
            let Some(chunk) = chunk else { break };
            if let Some(full) = part.take_if(|part| !part.has_room_for(chunk, part_rows)) {
                files.push(full.finish(label, &mut self.scratch)?);
            }
            let part = match &mut part {
                Some(part) => part,
                empty => empty.insert(self.part(table, (number, files.len()), label)?),
            };
            part.write(chunk, &mut self.scratch).map_err(Error::encode(label))?;
        }
        if let Some(last) = part {
            files.push(last.finish(label, &mut self.scratch)?);
        }
        clock.lap(Stage::Encode);
        Ok(files)
    }

    /// Begins a file of the partition with this number.
    fn part<'t>(
        &self,
        table: &'t Table<'t>,
        (partition, part): (usize, usize),
        label: &str,
    ) -> Result<PartWriter<'t>, Error> {
        let name = format!("part-{part:05}.{}.parquet", self.codec.name());
        let file = format!("{partition:06}-{part:05}.staged");
        let Some(Staging { root, own }) = &self.staging else {
            return PartWriter::create(table, None, name, file, label);
        };
        let staged = format!("{own}/{file}");
        PartWriter::create(table, Some(&root.join(&staged)), name, staged, label)
    }
}

#[cfg(test)]
mod tests;
