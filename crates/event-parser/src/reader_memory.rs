//! A plan → the memory that a thread takes to read lines of it, beside the lines and their values.
//!
//! Each type has a builder for each of its columns as soon as a block has one of its lines, and then an
//! array. With many types of many columns, this is many times what the values take.
//!
//! Invariant: a thread takes no more, whatever the lines are.

use event_rows::ARRAY_BYTES_MIN;

use crate::{
    columns::{COLUMN_BUILDER_BYTES, LIST_BUILDER_BYTES, MAP_BUILDER_BYTES, OBJECT_BUILDER_BYTES},
    events::OTHER_REST_KEYS,
    json::KeyPredictor,
    plan::{ColumnPlan, KindPlan, PayloadPlan, Plan, Shape},
};

impl Plan {
    /// The most memory that a thread takes to read lines, in bytes, beside these lines and their values.
    #[must_use]
    pub fn reader_bytes(&self) -> usize {
        let of_rest =
            |payload: &PayloadPlan| payload.rest.as_ref().map_or(0, |rest| of_members(rest.members.len()));
        self.payloads().map(|payload| of_shape(&payload.shape) + of_rest(payload)).sum()
    }

    /// How many columns each event type has: those of single values, and those in lists, maps and, unless it
    /// is flattened, the payload.
    pub fn columns_by_type(&self, flatten: bool) -> impl Iterator<Item = (usize, usize)> {
        self.payloads().map(move |PayloadPlan { shape, .. }| {
            let is_single = |column: &&ColumnPlan| flatten && matches!(column.kind, KindPlan::Value(_));
            let single = shape.columns.iter().filter(is_single).count();
            (single, columns_of(shape) - single)
        })
    }

    /// How many columns all event types have, with those in lists and maps.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.payloads().map(|payload| columns_of(&payload.shape)).sum()
    }
}

/// What is learned of the records of a type.
fn of_members(members: usize) -> usize {
    (members + OTHER_REST_KEYS + 2) * KeyPredictor::MEMBER_BYTES
}

fn columns_of(shape: &Shape) -> usize {
    shape.columns.len() + shape.keyed.iter().map(|(_, kind)| columns_in(kind)).sum::<usize>()
}

/// The columns in a column, beside it: those of objects, and the keys of maps.
fn columns_in(kind: &KindPlan) -> usize {
    match kind {
        KindPlan::Value(_) => 0,
        KindPlan::List(list) => columns_in(&list.element),
        KindPlan::Map(map) => 1 + columns_in(&map.value),
        KindPlan::Object(shape) => columns_of(shape),
    }
}

fn of_shape(shape: &Shape) -> usize {
    let members: usize = shape.objects.iter().map(|object| object.members.len() + 2).sum();
    members * KeyPredictor::MEMBER_BYTES
        + shape.columns.iter().map(|column| of_kind(&column.kind)).sum::<usize>()
}

fn of_kind(kind: &KindPlan) -> usize {
    let inner = match kind {
        KindPlan::Value(_) => 0,
        KindPlan::List(list) => LIST_BUILDER_BYTES + of_kind(&list.element),
        // Its keys are a column, and its entries an array.
        KindPlan::Map(map) => {
            MAP_BUILDER_BYTES + COLUMN_BUILDER_BYTES + 2 * ARRAY_BYTES_MIN + of_kind(&map.value)
        }
        KindPlan::Object(shape) => OBJECT_BUILDER_BYTES + of_shape(shape),
    };
    COLUMN_BUILDER_BYTES + ARRAY_BYTES_MIN + inner
}
