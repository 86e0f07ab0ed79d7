//! `--memory` → the memory of each stage.
//!
//! Invariant: the stages together stay below the limit; rows beyond their share are spilled.

/// The least memory that a load can run with.
pub const MEMORY_BYTES_MIN: usize = 64 << 20;
/// The default: enough for about ten million events of the built-in types without spilling.
pub const MEMORY_BYTES_DEFAULT: usize = 2 << 30;

/// The largest block. Blocks of 1 to 8 MiB load equally fast; smaller ones make more batches to gather from.
const BLOCK_BYTES_MAX: usize = 4 << 20;
const BLOCK_BYTES_MIN: usize = 256 << 10;

/// The shares of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryShares {
    /// For one block of lines. A worker has one, and the columns that it makes of it.
    pub(crate) block_bytes: usize,
    /// For all rows that are kept in memory.
    pub(crate) rows_bytes: usize,
    /// For the ids and timestamps that "latest" compares at once.
    pub(crate) contenders_bytes: usize,
    /// How many partitions are encoded at once.
    pub(crate) encoders: usize,
}

/// The most memory for encoding one partition, unless rows are very wide: a row group's pages (flushed at 32
/// MiB of values, of which little is left after compression) and a chunk of each run that is merged.
const ENCODER_BYTES: usize = 24 << 20;

/// The memory of a load without any rows: the program, its blocks, one encoder.
const FIXED_BYTES: usize = 32 << 20;

impl MemoryShares {
    pub(crate) fn of(memory_bytes: usize, threads: usize) -> Self {
        // Three fifths of the rest are for rows, including those on their way to the spill file. The
        // remainder is for gathering them, and for freed memory that the allocator keeps.
        let shared_bytes = memory_bytes.saturating_sub(FIXED_BYTES);
        Self {
            block_bytes: (memory_bytes / 32 / threads).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX),
            rows_bytes: shared_bytes / 5 * 3,
            contenders_bytes: shared_bytes / 5,
            encoders: (memory_bytes / 5 * 2 / ENCODER_BYTES).clamp(1, threads),
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
    fn a_size_that_is_too_small_is_refused() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert!(parse_size("63MiB").is_err_and(|said| said.contains("at least 64MiB")));
        assert!(parse_size("some").is_err());
    }
}
