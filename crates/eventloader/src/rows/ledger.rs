//! Rows as they are read, and rows as they go out → their numbers by source and partition, and where a row
//! came from.
//!
//! Invariant: each row is counted where it is found, by its own batch and position, and never as the rest of
//! another count. `report/proof.rs` compares the counts.

use std::collections::BTreeMap;

use event_rows::{PartitionKey, Place, Position};
use serde::Serialize;

/// The rows of a run as they were read: where each comes from, and how many are in each partition.
#[derive(Debug, Default)]
pub(crate) struct RowLedger {
    /// In ascending order.
    stretches: Vec<Stretch>,
    /// Lines of the last block's source, up to the end of the block.
    lines_behind: u64,
    read: BTreeMap<PartitionKey, u64>,
}

/// Blocks with consecutive numbers.
#[derive(Debug)]
struct Stretch {
    first_block: u32,
    origins: Vec<BlockOrigin>,
}

/// Where the rows of a block come from.
#[derive(Debug, Clone, Copy)]
struct BlockOrigin {
    source: usize,
    /// Lines of the source before the block.
    lines_before: u64,
    of_array: bool,
}

/// The lines of a block, and whether these are elements of an array.
pub(crate) type BlockLines = (u32, bool);

/// The origin of a row of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: usize,
    pub(crate) number: LineNumber,
}

/// The number of a line in its source, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LineNumber {
    /// Among the lines of the file.
    Line(u64),
    /// Among the elements of the array; a line can have several.
    Element(u64),
}

/// What became of rows: written, or left out.
#[derive(Debug, Default)]
pub(crate) struct RowsOut {
    /// Rows that go out to be written, by source.
    written: BTreeMap<usize, u64>,
    /// Superseded rows of the input, by partition.
    left_out: BTreeMap<PartitionKey, u64>,
    /// Rows that partitions had before a merge.
    existing: BTreeMap<PartitionKey, ExistingCounts>,
}

/// Rows that a partition had before a merge.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExistingCounts {
    /// All of them.
    pub(crate) read: u64,
    /// Those that it leaves out from now on, because they are superseded.
    pub(crate) left_out: u64,
}

/// The rows of a partition.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionCounts {
    /// Rows of the input, as they were read.
    pub(crate) read: u64,
    /// Those that it leaves out, because they are superseded.
    pub(crate) left_out: u64,
    /// Those that it had before.
    pub(crate) existing: ExistingCounts,
}

impl RowLedger {
    /// Adds the next block: its source, its lines, whether these are elements of an array, and its rows by
    /// partition.
    pub(crate) fn add_block(
        &mut self,
        source: usize,
        lines: u32,
        of_array: bool,
        rows: impl Iterator<Item = (PartitionKey, u64)>,
    ) {
        self.add_origin(source, (lines, of_array));
        for (partition, rows) in rows {
            self.add_read(partition, rows);
        }
    }

    fn add_origin(&mut self, source: usize, (lines, of_array): BlockLines) {
        let last_origin = self.stretches.iter().rev().find_map(|stretch| stretch.origins.last());
        if last_origin.is_none_or(|last| last.source != source) {
            self.lines_behind = 0;
        }
        let lines_before = self.lines_behind;
        self.lines_behind += u64::from(lines);
        if let Some(stretch) = self.stretches.last_mut() {
            stretch.origins.push(BlockOrigin { source, lines_before, of_array });
        }
    }

    /// Adds rows of a partition, as they were read.
    pub(crate) fn add_read(&mut self, partition: PartitionKey, rows: u64) {
        *self.read.entry(partition).or_default() += rows;
    }

    /// Adds blocks of a source, the first of which has this number; it is greater than those of the blocks
    /// before.
    pub(crate) fn add_blocks(&mut self, source: usize, first_block: u32, blocks: &[BlockLines]) {
        self.begin_at(first_block);
        for block in blocks {
            self.add_origin(source, *block);
        }
    }

    /// The next block has this number.
    pub(crate) fn begin_at(&mut self, first_block: u32) {
        self.stretches.push(Stretch { first_block, origins: Vec::new() });
    }

    fn origin(&self, block: u32) -> BlockOrigin {
        let behind = match self.stretches.as_slice() {
            [_] => 1,
            stretches => stretches.partition_point(|stretch| stretch.first_block <= block),
        };
        let Stretch { first_block, origins } = &self.stretches[behind - 1];
        origins[(block - first_block) as usize]
    }

    /// The blocks, if their numbers are consecutive.
    pub(crate) fn blocks(&self) -> Vec<BlockLines> {
        let Some(Stretch { origins, .. }) = self.stretches.last() else { return Vec::new() };
        let ends = origins.iter().skip(1).map(|next| next.lines_before).chain([self.lines_behind]);
        let lines = |(origin, end): (&BlockOrigin, u64)| {
            (u32::try_from(end - origin.lines_before).unwrap_or(u32::MAX), origin.of_array)
        };
        origins.iter().zip(ends).map(lines).collect()
    }

    /// The source of a row of the input; `None` for a row that the target had before.
    pub(crate) fn source_of(&self, position: Position) -> Option<usize> {
        match position.place() {
            Place::Existing { .. } => None,
            Place::Input { block, .. } | Place::LaterCandidate { block, .. } => {
                Some(self.origin(block).source)
            }
        }
    }

    /// The origin of a row or later candidate of the input; `None` for a row that the target had before.
    pub(crate) fn origin_of(&self, position: Position) -> Option<Origin> {
        let (block, line) = match position.place() {
            Place::Existing { .. } => return None,
            Place::Input { block, line } | Place::LaterCandidate { block, line } => (block, line),
        };
        let BlockOrigin { source, lines_before, of_array } = self.origin(block);
        let number = lines_before + u64::from(line) + 1;
        let number = if of_array { LineNumber::Element(number) } else { LineNumber::Line(number) };
        Some(Origin { source, number })
    }

    /// The rows of an event type, as they were read.
    pub(crate) fn rows_of_type(&self, type_index: usize) -> u64 {
        self.read.range((type_index, i64::MIN)..=(type_index, i64::MAX)).map(|(_, rows)| rows).sum()
    }

    /// The rows of a partition, as they were read.
    pub(crate) fn rows_of(&self, partition: PartitionKey) -> u64 {
        self.read.get(&partition).copied().unwrap_or_default()
    }

    /// The partitions that have rows of the input.
    pub(crate) fn partition_keys(&self) -> impl Iterator<Item = PartitionKey> {
        self.read.keys().copied()
    }

    /// Counts by block → counts by source.
    pub(crate) fn by_source(&self, by_block: &mut dyn Iterator<Item = (u32, u64)>) -> BTreeMap<usize, u64> {
        let mut sums = BTreeMap::new();
        for (block, count) in by_block {
            *sums.entry(self.origin(block).source).or_default() += count;
        }
        sums
    }

    /// The counts of all partitions that have rows of the input, or that a merge read.
    pub(crate) fn partitions(&self, out: &RowsOut) -> BTreeMap<PartitionKey, PartitionCounts> {
        let mut partitions: BTreeMap<PartitionKey, PartitionCounts> = BTreeMap::new();
        for (&partition, &read) in &self.read {
            partitions.entry(partition).or_default().read = read;
        }
        for (&partition, &left_out) in &out.left_out {
            partitions.entry(partition).or_default().left_out = left_out;
        }
        for (&partition, &existing) in &out.existing {
            partitions.entry(partition).or_default().existing = existing;
        }
        partitions
    }
}

impl RowsOut {
    /// Adds rows of a source that go out to be written.
    pub(crate) fn add_written(&mut self, source: usize, rows: u64) {
        *self.written.entry(source).or_default() += rows;
    }

    /// Adds superseded rows of the input that a partition leaves out.
    pub(crate) fn add_left_out(&mut self, partition: PartitionKey, rows: u64) {
        *self.left_out.entry(partition).or_default() += rows;
    }

    /// Adds all rows that a partition had before.
    pub(crate) fn add_existing(&mut self, partition: PartitionKey, rows: ExistingCounts) {
        if rows.read > 0 {
            self.existing.insert(partition, rows);
        }
    }

    /// Adds what became of other rows.
    pub(crate) fn add(&mut self, other: Self) {
        for (source, rows) in other.written {
            self.add_written(source, rows);
        }
        for (partition, rows) in other.left_out {
            self.add_left_out(partition, rows);
        }
        self.existing.extend(other.existing);
    }

    /// The rows that go out, by source, those that a partition leaves out, and those that it had.
    pub(crate) fn of_partition(&self, partition: PartitionKey) -> (Vec<(usize, u64)>, u64, ExistingCounts) {
        let written = self.written.iter().map(|(source, rows)| (*source, *rows)).collect();
        let left_out = self.left_out.get(&partition).copied().unwrap_or_default();
        (written, left_out, self.existing.get(&partition).copied().unwrap_or_default())
    }

    /// The rows of a source that went out to be written.
    pub(crate) fn written(&self, source: usize) -> u64 {
        self.written.get(&source).copied().unwrap_or_default()
    }
}
