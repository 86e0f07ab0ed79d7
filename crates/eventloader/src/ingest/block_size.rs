//! What a worker's last block became → the size of its next one.
//!
//! The values of a block take about as much memory as its text, but may take a hundred times as much: a row
//! has a place in each column of its type, whether its line has a value for it or not.
//!
//! Invariant: a block and its values take no more than the worker's share, unless one line does.

/// The first block is small, because nothing is known yet.
const FIRST_BYTES: usize = 64 << 10;
const BYTES_MIN: usize = 16 << 10;

/// The size of the next block of one worker.
#[derive(Debug)]
pub(super) struct BlockSize {
    share_bytes: usize,
    bytes_max: usize,
    bytes: usize,
}

impl BlockSize {
    /// For a worker with this share of the memory, and blocks of at most `bytes_max`.
    pub(super) fn new(share_bytes: usize, bytes_max: usize) -> Self {
        Self { share_bytes, bytes_max, bytes: FIRST_BYTES.min(bytes_max) }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Learns from a block whose values took so much memory. The worker keeps `kept_bytes` of its share for
    /// what it knows of event types that were found while lines were read.
    pub(super) fn learn(&mut self, block_bytes: usize, value_bytes: usize, kept_bytes: usize) {
        let share_bytes = self.share_bytes.saturating_sub(kept_bytes).max(self.share_bytes / 4);
        // A block, its values while they are collected, the same as arrays, and those of an earlier block
        // that wait for their turn.
        let taken_bytes = block_bytes + 3 * value_bytes;
        let fitting = share_bytes.saturating_mul(block_bytes) / taken_bytes.max(1);
        self.bytes = fitting.clamp(BYTES_MIN, self.bytes_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_memory_values_take_the_smaller_are_blocks() {
        let mut size = BlockSize::new(8 << 20, 4 << 20);
        assert_eq!(size.bytes(), 64 << 10);
        size.learn(64 << 10, 64 << 10, 0);
        assert_eq!(size.bytes(), 2 << 20, "a quarter of the share");
        size.learn(2 << 20, 200 << 20, 0);
        assert!((16 << 10..32 << 10).contains(&size.bytes()), "{}", size.bytes());
        size.learn(16 << 10, 1 << 10, 0);
        assert_eq!(size.bytes(), 4 << 20, "of lines that are bad or filtered");
        size.learn(0, 0, 0);
        assert_eq!(size.bytes(), 16 << 10);
        size.learn(64 << 10, 64 << 10, 4 << 20);
        assert_eq!(size.bytes(), 1 << 20);
        size.learn(64 << 10, 64 << 10, 80 << 20);
        assert_eq!(size.bytes(), 512 << 10);
    }
}
