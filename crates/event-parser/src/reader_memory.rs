//! A plan → the memory that a thread takes to read lines of it, beside the lines and their values.
//!
//! Each type has a builder for each of its columns as soon as a block has one of its lines, and then an
//! array. With many types of many columns, this is many times what the values take.
//!
//! Invariant: a thread takes no more, whatever the lines are.

use std::sync::Arc;

use event_rows::ARRAY_BYTES_MIN;

use crate::{
    columns::{COLUMN_BUILDER_BYTES, LIST_BUILDER_BYTES, OBJECT_BUILDER_BYTES},
    json::KeyPredictor,
    plan::{KindPlan, ListPlan, Plan, Shape},
};

impl Plan {
    /// The most memory that a thread takes to read lines, in bytes, beside these lines and their values.
    #[must_use]
    pub fn reader_bytes(&self) -> usize {
        self.event_types.iter().map(|of_type| of_shape(&of_type.payload)).sum()
    }

    /// How many columns the widest event type has, with those in lists.
    #[must_use]
    pub fn columns_of_widest(&self) -> usize {
        self.event_types.iter().map(|of_type| columns_of(&of_type.payload)).max().unwrap_or(0)
    }

    /// How many columns all event types have, with those in lists.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.event_types.iter().map(|of_type| columns_of(&of_type.payload)).sum()
    }
}

fn columns_of(shape: &Shape) -> usize {
    let inner = |(_, list): &(usize, Arc<ListPlan>)| list.shape().map_or(0, columns_of);
    shape.columns.len() + shape.object_lists.iter().map(inner).sum::<usize>()
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
        KindPlan::Object(shape) => OBJECT_BUILDER_BYTES + of_shape(shape),
    };
    COLUMN_BUILDER_BYTES + ARRAY_BYTES_MIN + inner
}
