//! `--memory` → the memory of each stage.
//!
//! Invariant: the stages together stay below the limit; rows beyond their share are spilled.

use event_parquet::Codec;
use event_parser::Plan;

use super::available_memory;

/// The least memory that a load can run with.
pub const MEMORY_BYTES_MIN: usize = 64 << 20;
/// The default where there is enough: about ten million events of the built-in types without spilling.
pub const MEMORY_BYTES_DEFAULT: usize = 2 << 30;

/// The default: at most half of what the machine or its control groups have, because files that are read and
/// written take memory, too, and others run beside the load.
pub(crate) fn default_bytes() -> usize {
    default_of(available_memory::available_bytes())
}

fn default_of(available_bytes: Option<u64>) -> usize {
    let half = available_bytes.map_or(MEMORY_BYTES_DEFAULT as u64, |bytes| bytes / 2);
    usize::try_from(half).unwrap_or(usize::MAX).clamp(MEMORY_BYTES_MIN, MEMORY_BYTES_DEFAULT)
}

/// The largest block. Blocks of 1 to 8 MiB load equally fast; smaller ones make more batches to gather from.
const BLOCK_BYTES_MAX: usize = 4 << 20;
const BLOCK_BYTES_MIN: usize = 128 << 10;

/// The shares of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryShares {
    /// For one block of lines, at most. A worker has one, and the columns that it makes of it.
    pub(crate) block_bytes: usize,
    /// How many threads read and parse.
    pub(crate) workers: usize,
    /// For a worker's blocks and their values.
    pub(crate) worker_bytes: usize,
    /// For all rows that are kept in memory.
    pub(crate) rows_bytes: usize,
    /// For the ids and timestamps that "latest" compares at once.
    pub(crate) contenders_bytes: usize,
    /// How many partitions are encoded at once.
    pub(crate) encoders: usize,
}

/// What a run takes before the first line, and for each thread that reads: the more columns the catalog
/// has, the more.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Needs {
    /// The catalog and the plan made of it.
    pub(crate) plan_bytes: usize,
    /// What is fetched ahead of the objects among the sources, and what is on its way to a bucket.
    pub(crate) ahead_bytes: usize,
    /// What a thread takes to read lines, beside the lines and their values.
    pub(crate) reader_bytes: usize,
    /// What the columns of the widest type take while a partition is encoded.
    pub(crate) encoder_bytes: usize,
}

/// The most memory for encoding one partition, beside what each column takes: a row group's pages (flushed at
/// 32 MiB of values, of which little is left after compression) and a chunk of each run that is merged.
const ENCODER_BYTES: usize = 24 << 20;
/// The bytes of a column while it is encoded: buffers, a page, its part of the footer.
const ENCODER_COLUMN_BYTES: usize = 6 << 10;
/// The same of a column in a list, a map or an object, which `parquet` writes: a page, levels, statistics.
const ENCODER_NESTED_COLUMN_BYTES: usize = 64 << 10;
/// `parquet` gives each of these a codec of its own, and that of zstd can decompress, too.
const ENCODER_ZSTD_BYTES: usize = 64 << 10;

/// What is on its way to a bucket takes so much, and so does what is kept of the objects that are read. The
/// least is the least part of an upload that S3 takes.
const BUFFER_BYTES_MIN: usize = 5 << 20;
const BUFFER_BYTES_MAX: usize = 64 << 20;
/// The part of a large object that an encoder fills, at most.
const UPLOAD_PART_BYTES: usize = 8 << 20;

/// How many bytes may be on their way to a bucket at once, and kept of what is read from it.
pub(crate) fn buffer_bytes(memory_bytes: usize) -> usize {
    (memory_bytes / 12).clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX)
}

/// The program without any data.
const PROGRAM_BYTES: usize = 10 << 20;

/// The bytes of a column in the catalog and in the plan.
const PLAN_COLUMN_BYTES: usize = 900;

/// A worker takes so many times a block: the block, its values in builders that grow, the same as arrays, and
/// those of the block before that wait for their turn.
const BLOCKS_PER_WORKER: usize = 4;

/// The least for rows: with less, the parts of the spill file would be too many.
const ROWS_BYTES_MIN: usize = 3 << 20;

impl Needs {
    /// To read lines.
    pub(crate) fn to_read(plan: &Plan) -> Self {
        let plan_bytes = plan.columns() * PLAN_COLUMN_BYTES;
        Self { plan_bytes, reader_bytes: plan.reader_bytes(), ..Self::default() }
    }

    /// To read lines, and to write files.
    pub(crate) fn to_load(plan: &Plan, flatten: bool, codec: Codec) -> Self {
        let of_zstd = if codec == Codec::Zstd { ENCODER_ZSTD_BYTES } else { 0 };
        let of_type = |(single, nested): (usize, usize)| {
            single * ENCODER_COLUMN_BYTES + nested * (ENCODER_NESTED_COLUMN_BYTES + of_zstd)
        };
        let encoder_bytes = plan.columns_by_type(flatten).map(of_type).max().unwrap_or(0);
        Self { encoder_bytes, ..Self::to_read(plan) }
    }

    /// To read lines, and to send rows to a database. The pieces of a COPY that wait, and the rows that are
    /// encoded, are within what any encoder has.
    pub(crate) fn to_copy(plan: &Plan) -> Self {
        Self::to_read(plan)
    }

    /// The same where the files go to a bucket.
    pub(crate) fn to_upload(self, memory_bytes: usize) -> Self {
        let buffer_bytes = buffer_bytes(memory_bytes);
        let part_bytes = UPLOAD_PART_BYTES.min(buffer_bytes);
        let ahead_bytes = self.ahead_bytes + 2 * buffer_bytes;
        Self { encoder_bytes: self.encoder_bytes + part_bytes, ahead_bytes, ..self }
    }

    /// The least memory with which the bound can be kept.
    pub(crate) fn least_bytes(self) -> usize {
        let worker_bytes = BLOCKS_PER_WORKER * BLOCK_BYTES_MIN + self.reader_bytes;
        let reading_bytes = worker_bytes + ROWS_BYTES_MIN;
        PROGRAM_BYTES
            + self.plan_bytes
            + self.ahead_bytes
            + reading_bytes.max(ENCODER_BYTES + self.encoder_bytes)
    }
}

impl MemoryShares {
    pub(crate) fn of(memory_bytes: usize, threads: usize, needs: Needs) -> Self {
        let encoder_bytes = ENCODER_BYTES + needs.encoder_bytes;
        let fixed_bytes = PROGRAM_BYTES + needs.plan_bytes + needs.ahead_bytes + encoder_bytes;
        let shared_bytes = memory_bytes.saturating_sub(fixed_bytes);
        // A third of the rest is for those who read. A worker's blocks should take as much as what it has for
        // each column: with less, most of its time and memory would go into columns of a few rows.
        let of_several = shared_bytes / 3;
        let least_bytes = BLOCKS_PER_WORKER * BLOCK_BYTES_MIN + 2 * needs.reader_bytes;
        let workers = (of_several / least_bytes).clamp(1, threads);
        // A single worker's memory is used again by the encoder; the allocator keeps that of other threads.
        let of_one = encoder_bytes.min(ENCODER_BYTES / 3 + needs.reader_bytes / 2 * 3) + shared_bytes / 6;
        let of_workers = if workers == 1 { of_one.max(of_several) } else { of_several };
        let reader_bytes = workers * needs.reader_bytes;
        let worker_bytes = of_workers.saturating_sub(reader_bytes) / workers;
        let block_bytes = (worker_bytes / BLOCKS_PER_WORKER).min(memory_bytes / 32 / workers);
        // Three fifths are for rows, including those on their way to the spill file. The remainder is for
        // gathering them, and for freed memory that the allocator keeps.
        let beyond = reader_bytes.saturating_sub(if workers == 1 { encoder_bytes } else { 0 });
        let shared_bytes = shared_bytes.saturating_sub(beyond);
        Self {
            block_bytes: block_bytes.clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX),
            workers,
            worker_bytes: worker_bytes.max(BLOCKS_PER_WORKER * BLOCK_BYTES_MIN),
            rows_bytes: (shared_bytes / 5 * 3).max(ROWS_BYTES_MIN),
            contenders_bytes: (shared_bytes / 5).max(ROWS_BYTES_MIN),
            encoders: (memory_bytes / 5 * 2 / encoder_bytes).clamp(1, threads),
        }
    }
}

/// Parses `2GiB`, `512MiB`, `1GB`, `64m`, or plain bytes.
///
/// # Errors
/// A message with the expected form.
pub(crate) fn parse_size(text: &str) -> Result<usize, String> {
    let bytes = command_line::parse_bytes(text)?;
    let bytes = usize::try_from(bytes)
        .map_err(|_| format!("expected a size that memory can have, found {text:?}"))?;
    if bytes < MEMORY_BYTES_MIN {
        return Err(format!("expected at least 64MiB, found {text:?}"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_half_of_a_small_machine() {
        let mib = |of_mib: Option<u64>| default_of(of_mib.map(|mib| mib << 20)) >> 20;
        assert_eq!([Some(65_536), Some(4_096), None].map(mib), [2_048; 3]);
        assert_eq!([Some(1_000), Some(128), Some(100)].map(mib), [500, 64, 64]);
    }

    #[test]
    fn a_size_that_is_too_small_is_refused() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert!(parse_size("63MiB").is_err_and(|said| said.contains("at least 64MiB")));
        assert!(parse_size("some").is_err());
    }
}
