//! The good rows of one event type out of one block, as columns.
//!
//! Invariant: all parts of a [`Batch`] have one entry per row, in input order. A row's position orders it in the input and
//! names it: block number and line in the block.

use arrow::array::{Array, ArrayRef, BooleanArray};

use crate::{
    columns::{Change, Columns, ExpectedRows, ValueFault},
    ids::{Ids, IdsBuilder, ReadId},
    payload::Payload,
    plan::{Shape, TypePlan},
};

/// Where a line stands in the input; positions of rows order as the input does, behind all that was loaded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(u64);

/// Marks positions in the input. Those of rows that the target holds already have none: they are before all of it.
const INPUT: u64 = 1 << 62;
/// Marks a rival's position. Rivals are later than every row, so their order among rows is never asked for.
const RIVAL: u64 = 1 << 63;

impl Position {
    pub(crate) fn new(block: u32, line: u32) -> Self {
        Self(INPUT | u64::from(block) << 32 | u64::from(line))
    }

    /// Of a row that the target holds already: the number of its file, and its row there.
    pub(crate) fn held(file: u32, row: u32) -> Self {
        Self(u64::from(file) << 32 | u64::from(row))
    }

    pub(crate) fn is_held(self) -> bool {
        self.0 & INPUT == 0
    }

    pub(crate) fn of_rival(self) -> Self {
        Self(self.0 | RIVAL)
    }

    pub(crate) fn is_rival(self) -> bool {
        self.0 & RIVAL != 0
    }

    /// The same without a rival's mark: where its line stands.
    pub(crate) fn of_line(self) -> Self {
        Self(self.0 & !RIVAL)
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    /// Of a held row its file and its row there.
    #[expect(clippy::cast_possible_truncation, reason = "takes the two halves apart")]
    pub(crate) fn block_and_line(self) -> (u32, u32) {
        let place = self.0 & !(INPUT | RIVAL);
        ((place >> 32) as u32, place as u32)
    }
}

/// Rows of one event type; from one block, or brought together and sorted.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) positions: Vec<Position>,
    pub(crate) micros: Vec<i64>,
    pub(crate) ids: Ids,
    /// The plan's columns; then, if `data` is kept nested, for each of its objects whether it is there.
    pub(crate) columns: Vec<ArrayRef>,
}

impl Batch {
    pub(crate) fn rows(&self) -> usize {
        self.micros.len()
    }

    /// Bytes of memory that the rows hold.
    pub(crate) fn memory_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Array::get_array_memory_size).sum();
        columns + self.ids.memory_bytes() + (self.positions.capacity() + self.micros.capacity()) * 8
    }
}

/// Collects the rows of one event type out of one block.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    positions: Vec<Position>,
    micros: Vec<i64>,
    ids: IdsBuilder,
    columns: Columns,
    /// For each object of the payload, whether it was there; unless the payload is flattened.
    objects: Option<Vec<Vec<bool>>>,
}

impl BatchBuilder {
    pub(crate) fn new(plan: &TypePlan, flatten: bool, expected: &ExpectedRows) -> Self {
        let rows = expected.rows;
        Self {
            positions: Vec::with_capacity(rows),
            micros: Vec::with_capacity(rows),
            ids: IdsBuilder::with_capacity(rows),
            columns: Columns::new(&plan.payload, expected),
            objects: (!flatten).then(|| vec![Vec::new(); plan.payload.objects.len()]),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.micros.len()
    }

    /// Converts and adds the payload of a row, all of it or (with the column's index) nothing. If it succeeds,
    /// [`Self::push_row`] must follow, or [`Self::forget_payload`].
    /// Rivals are rows without a payload: what they are needed for is their ids and times.
    #[inline]
    pub(crate) fn push_payload(
        &mut self,
        shape: &Shape,
        payload: &Payload,
        line: &[u8],
    ) -> Result<(), (usize, ValueFault)> {
        self.columns.append(shape, self.rows(), payload, line)
    }

    /// Takes back the payload that was pushed last.
    pub(crate) fn forget_payload(&mut self) {
        self.columns.truncate(self.rows());
    }

    /// Adds what is left of the row whose payload was just pushed.
    #[inline]
    pub(crate) fn push_row(
        &mut self,
        position: Position,
        micros: i64,
        id: &ReadId<'_>,
        payload: Option<&Payload>,
    ) {
        self.positions.push(position);
        self.micros.push(micros);
        self.ids.push(id);
        if let (Some(columns), Some(payload)) = (&mut self.objects, payload) {
            for (index, column) in columns.iter_mut().enumerate() {
                column.push(payload.has_object(index));
            }
        }
    }

    /// In how many rows the values of each path were changed on their way into their columns.
    pub(crate) fn take_changes(&mut self, shape: &Shape) -> Vec<(String, Change, usize)> {
        self.columns.take_changes(shape)
    }

    pub(crate) fn finish(self) -> Batch {
        let rows = self.rows();
        let objects = self.objects.into_iter().flatten();
        let presence = objects.map(|column| std::sync::Arc::new(BooleanArray::from(column)) as ArrayRef);
        let mut batch = Batch {
            positions: self.positions,
            micros: self.micros,
            ids: self.ids.finish(),
            columns: self.columns.finish(rows).chain(presence).collect(),
        };
        batch.positions.shrink_to_fit();
        batch.micros.shrink_to_fit();
        batch
    }
}
