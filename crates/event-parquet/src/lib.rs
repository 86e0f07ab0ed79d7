//! Rows of a partition, chunk by chunk → the bytes of Parquet files.
//!
//! A [`Table`] is made once per event type, a [`FileWriter`] once per file, and a [`Scratch`] once per
//! thread. There are no files here: a writer writes to any [`std::io::Write`].
//!
//! Invariant: the bytes are a function of the rows, the schema and the format alone: not of memory, threads
//! or the order of the input.

mod bounds;
mod chunk;
mod column;
mod delta;
mod dictionary;
mod file_writer;
mod hybrid;
mod pages;
mod plain;
mod shared_prefixes;
mod table;
mod texts;
mod uuid_frame;
mod uuid_texts;
mod values;
mod varint;

pub use self::{
    column::Scratch,
    file_writer::{FileWriter, rows_in_footer},
    table::{Table, is_own},
};

/// The most rows of a row group: the unit that one thread of a reader works on, and that the writer keeps
/// encoded.
const ROW_GROUP_ROWS: usize = 131_072;
/// The most bytes of a row group's payload in memory; limits the writer's memory for wide rows.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Higher levels take much longer and save little, because ids and amounts don't repeat.
const ZSTD_LEVEL: i32 = 1;

/// How values become bytes; the same for all columns of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The compression codec of the pages.
    pub codec: Codec,
    /// The encodings of the values.
    pub encodings: Encodings,
}

/// The encodings that a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encodings {
    /// The one that suits a column: those of version 2.4 of the Parquet format.
    Compact,
    /// `PLAIN` and `RLE_DICTIONARY` alone, which every reader knows.
    Basic,
}

impl Encodings {
    /// Those with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Compact, Self::Basic].into_iter().find(|encodings| encodings.name() == name)
    }

    /// Their name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Basic => "basic",
        }
    }
}

/// The compression codec of the pages.
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
    /// The codec with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Zstd, Self::Snappy, Self::None].into_iter().find(|codec| codec.name() == name)
    }

    /// Its name in file names and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests;
