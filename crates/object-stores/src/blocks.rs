//! The blocks of objects that a store keeps, so that many small reads come to few requests.
//!
//! Invariant: they take a bounded memory; those that were not used for longest go first.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

/// The blocks that a store keeps.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// The bytes of all blocks, of all objects that are open.
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By the number of an object and of its block: the bytes, and when they were last used.
    blocks: HashMap<(u64, u64), (Bytes, u64)>,
    bytes: usize,
    clock: u64,
}

impl Blocks {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// The bytes of all blocks at most.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block, if it is kept.
    pub(crate) fn get(&self, object: u64, block: u64) -> Option<Bytes> {
        let mut kept = self.kept();
        kept.clock += 1;
        let clock = kept.clock;
        let (bytes, used) = kept.blocks.get_mut(&(object, block))?;
        *used = clock;
        Some(bytes.clone())
    }

    /// Keeps a block.
    pub(crate) fn keep(&self, object: u64, block: u64, bytes: Bytes) {
        let mut kept = self.kept();
        kept.clock += 1;
        let clock = kept.clock;
        kept.bytes += bytes.len();
        if let Some((replaced, _)) = kept.blocks.insert((object, block), (bytes, clock)) {
            kept.bytes -= replaced.len();
        }
        while kept.bytes > self.bytes_max {
            let oldest = kept.blocks.iter().min_by_key(|(_, (_, used))| *used).map(|(&name, _)| name);
            let Some((bytes, _)) = oldest.and_then(|oldest| kept.blocks.remove(&oldest)) else { break };
            kept.bytes -= bytes.len();
        }
    }

    /// Forgets the blocks of an object.
    pub(crate) fn forget(&self, object: u64) {
        let mut kept = self.kept();
        let gone: Vec<_> = kept.blocks.extract_if(|&(of, _), _| of == object).collect();
        kept.bytes -= gone.iter().map(|(_, (bytes, _))| bytes.len()).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocks_that_are_kept_are_those_used_last() {
        let blocks = Blocks::new(64 << 20);
        let megabyte = || Bytes::from(vec![0; 1 << 20]);
        for block in 0..64 {
            blocks.keep(1, block, megabyte());
        }
        assert!(blocks.get(1, 0).is_some());
        blocks.keep(2, 0, megabyte());
        assert!(blocks.get(1, 0).is_some() && blocks.get(1, 1).is_none() && blocks.get(2, 0).is_some());
        blocks.forget(1);
        assert!(blocks.get(1, 0).is_none() && blocks.get(2, 0).is_some());
        assert_eq!(blocks.kept().bytes, 1 << 20);
    }
}
