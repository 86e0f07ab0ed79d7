//! The good rows of one block → one batch per event type.
//!
//! Invariant: a row is added whole or not at all.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use event_rows::{Batch, IdsBuilder, Position, ReadId, VersionKeys, as_jsonb};

use crate::{
    columns::{Columns, ExpectedRows, ValueChange, ValueFault, nested_columns},
    payload::Payload,
    plan::{PayloadPlan, Shape},
};

/// Collects the rows of one event type in one block.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    positions: Vec<Position>,
    micros: Vec<i64>,
    ids: IdsBuilder,
    columns: Columns,
    /// For each object of the payload, whether it exists; `None` if the payload is flattened.
    objects: Option<Vec<Vec<bool>>>,
}

impl BatchBuilder {
    pub(crate) fn new(shape: &Shape, flatten: bool, expected: &ExpectedRows) -> Self {
        let rows = expected.rows;
        Self {
            positions: Vec::with_capacity(rows),
            micros: Vec::with_capacity(rows),
            ids: IdsBuilder::with_capacity(rows),
            columns: Columns::new(shape, expected),
            objects: (!flatten).then(|| vec![Vec::new(); shape.objects.len()]),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.micros.len()
    }

    /// Converts and adds the payload of a row: all of it or, with the index of the failing column, nothing.
    /// After a success, [`Self::push_row`] or [`Self::forget_payload`] must follow. Later candidates are rows
    /// without a payload: only their ids, versions and timestamps matter.
    #[inline]
    pub(crate) fn push_payload(
        &mut self,
        shape: &Shape,
        payload: &Payload,
        line: &[u8],
    ) -> Result<(), (usize, ValueFault)> {
        self.columns.append(shape, self.rows(), payload, line)?;
        payload.own_text().map_or(Ok(()), |text| self.columns.append_text(self.rows(), text))
    }

    /// The column of the payload that was pushed last which has a U+0000.
    pub(crate) fn nul_in_payload(&self) -> Option<usize> {
        self.columns.nul_in(self.rows())
    }

    /// Removes the payload that was pushed last.
    pub(crate) fn forget_payload(&mut self) {
        self.columns.truncate(self.rows());
    }

    /// Adds the rest of the row whose payload was just pushed.
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

    /// The number of rows in which the values of each path were changed on their way into their columns.
    pub(crate) fn take_changes(&mut self, shape: &Shape) -> Vec<(String, ValueChange, usize)> {
        self.columns.take_changes(shape)
    }

    /// The batch; `expected` becomes an estimate for the next block.
    pub(crate) fn finish(self, plan: &PayloadPlan, expected: &mut ExpectedRows) -> Batch {
        let (rows, shape, flatten) = (self.rows(), &plan.shape, self.objects.is_none());
        let Self { positions, micros, ids, columns, objects } = self;
        let mut columns: Vec<_> = columns.finish(rows).collect();
        *expected = ExpectedRows::like(rows, &columns);
        if let Some(objects) = objects {
            let presence =
                objects.into_iter().map(|is_there| Arc::new(BooleanArray::from(is_there)) as ArrayRef);
            columns.extend(presence);
            columns = nested_columns(shape, &columns);
        }
        if plan.is_for_database {
            columns = columns.iter().map(as_jsonb).collect();
        }
        let versions = plan.version(flatten).keys(&columns, rows);
        batch(positions, micros, ids, (columns, versions))
    }

    /// The batch of later candidates. They were added with a payload if their type has a version.
    pub(crate) fn finish_candidates(self, plan: &PayloadPlan) -> Batch {
        let rows = self.rows();
        let Self { positions, micros, ids, columns, .. } = self;
        let columns: Vec<_> = if plan.has_version() { columns.finish(rows).collect() } else { Vec::new() };
        let versions = plan.version(true).keys(&columns, rows);
        batch(positions, micros, ids, (Vec::new(), versions))
    }
}

fn batch(
    mut positions: Vec<Position>,
    mut micros: Vec<i64>,
    ids: IdsBuilder,
    (columns, versions): (Vec<ArrayRef>, Option<VersionKeys>),
) -> Batch {
    positions.shrink_to_fit();
    micros.shrink_to_fit();
    Batch { positions, micros, ids: ids.finish(), columns, versions }
}
