//! What tasks hand to each other, and to the driver → batches of one form, and back.
//!
//! | kind | from → to | says |
//! |---|---|---|
//! | contenders | parse → resolve | ids and versions of an event type's rows, those of one bucket |
//! | bad lines | parse → resolve | the events that bad lines name, those of one bucket |
//! | run | parse → write | where a split's rows of a partition are |
//! | counts | parse → driver | what became of a split's lines |
//! | held | parse → resolve | in a merge: ids that the target has of an event type, those of one bucket |
//! | held count | parse → driver | how many these are |
//! | partitions | parse → resolve | where the names of the partitions are that a split has; to each bucket |
//! | converted | parse → resolve → write | a partition that is written again if the input has its type |
//! | superseded | resolve → write | rows of a partition that are not the latest |
//! | leaving | resolve → write | rows of a partition whose events move to another one |
//! | resolved | resolve → driver | how many rows of a bucket are superseded, and where bad lines stand |
//! | written | write → driver | the files of a partition |
//! | times | any → driver | how long the stages of a task took |
//!
//! An engine groups by `bucket` before `resolve`, and again before `write`: there, what is about a partition
//! has the number of a group of partitions as its bucket. What a task does not take it hands on.
//!
//! Invariant: the form is the same whatever the catalog is.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    },
    compute::cast,
    datatypes::{DataType, Field, Int8Type, Int32Type, Int64Type, Schema},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{error::Error, runtime::Stages};

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub(super) enum Kind {
    Contenders,
    BadLines,
    Run,
    Counts,
    Held,
    HeldCount,
    Partitions,
    Converted,
    Superseded,
    Leaving,
    Resolved,
    Written,
    Times,
}

const KINDS: [Kind; 13] = [
    Kind::Contenders,
    Kind::BadLines,
    Kind::Run,
    Kind::Counts,
    Kind::Held,
    Kind::HeldCount,
    Kind::Partitions,
    Kind::Converted,
    Kind::Superseded,
    Kind::Leaving,
    Kind::Resolved,
    Kind::Written,
    Kind::Times,
];

/// An event type: its domain and its name.
pub(super) type TypeName = (String, String);

/// One row of the form.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// What the engine groups by: before rows are resolved, the bucket of their ids; before they are written,
    /// the group of their partition.
    pub(super) bucket: u32,
    /// Domain and event type; `None` of what is about none.
    pub(super) event_type: Option<TypeName>,
    /// The partition's unit of time, counted from 1970.
    pub(super) unit: Option<i64>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// One whose body is JSON.
    pub(super) fn json(kind: Kind, bucket: u32, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| broken(&error.to_string()))?;
        Ok(Self { kind, bucket, event_type: None, unit: None, body })
    }

    /// One about the times of a task.
    pub(super) fn times(bucket: u32, stages: &Stages) -> Result<Self, Error> {
        Self::json(Kind::Times, bucket, &stages.times())
    }

    /// The body as JSON.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| broken(&error.to_string()))
    }
}

/// An engine has not handed on what it was given.
pub(super) fn broken(problem: &str) -> Error {
    Error::Distributed(problem.to_owned())
}

/// The form of all batches.
#[must_use]
pub fn schema() -> Arc<Schema> {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        field("kind", DataType::Int8),
        field("bucket", DataType::Int32),
        field("domain", DataType::Utf8),
        field("event_type", DataType::Utf8),
        field("unit", DataType::Int64),
        field("body", DataType::Binary),
    ]))
}

/// A batch of these messages.
pub(super) fn batch(messages: &[Message]) -> Result<RecordBatch, Error> {
    let texts = |of: fn(&TypeName) -> &str| -> ArrayRef {
        let texts = messages.iter().map(|message| message.event_type.as_ref().map(of));
        Arc::new(texts.collect::<StringArray>())
    };
    let buckets = messages.iter().map(|message| i32::try_from(message.bucket).unwrap_or(i32::MAX));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int8Array::from_iter_values(messages.iter().map(|message| message.kind as i8))),
        Arc::new(Int32Array::from_iter_values(buckets)),
        texts(|(domain, _)| domain),
        texts(|(_, name)| name),
        Arc::new(messages.iter().map(|message| message.unit).collect::<Int64Array>()),
        Arc::new(BinaryArray::from_iter_values(messages.iter().map(|message| &message.body))),
    ];
    RecordBatch::try_new(schema(), columns).map_err(Error::encode("a message"))
}

/// The messages of a batch, whose columns an engine may have put into another order, or given other types of
/// texts.
pub(super) fn messages(batch: &RecordBatch) -> Result<Vec<Message>, Error> {
    let column = |name: &str, data_type: &DataType| {
        let column =
            batch.column_by_name(name).ok_or_else(|| broken(&format!("a batch has no column {name}")))?;
        cast(column, data_type).map_err(|error| broken(&format!("the column {name}: {error}")))
    };
    let [kinds, buckets, domains, event_types, units, bodies] = [
        ("kind", DataType::Int8),
        ("bucket", DataType::Int32),
        ("domain", DataType::Utf8),
        ("event_type", DataType::Utf8),
        ("unit", DataType::Int64),
        ("body", DataType::Binary),
    ]
    .map(|(name, data_type)| column(name, &data_type));
    let (kinds, buckets, domains, event_types, units, bodies) =
        (kinds?, buckets?, domains?, event_types?, units?, bodies?);
    let (kinds, buckets) = (kinds.as_primitive::<Int8Type>(), buckets.as_primitive::<Int32Type>());
    let (domains, event_types) = (domains.as_string::<i32>(), event_types.as_string::<i32>());
    let (units, bodies) = (units.as_primitive::<Int64Type>(), bodies.as_binary::<i32>());
    let message = |row: usize| {
        let kind = KINDS.into_iter().find(|kind| *kind as i8 == kinds.value(row));
        let kind = kind.ok_or_else(|| broken(&format!("a message of kind {}", kinds.value(row))))?;
        let text = |texts: &StringArray| texts.value(row).to_owned();
        Ok(Message {
            kind,
            bucket: u32::try_from(buckets.value(row)).unwrap_or_default(),
            event_type: domains.is_valid(row).then(|| (text(domains), text(event_types))),
            unit: units.is_valid(row).then(|| units.value(row)),
            body: bodies.value(row).to_vec(),
        })
    };
    (0..batch.num_rows()).map(message).collect()
}

/// The messages of several batches.
pub(super) fn all_messages(batches: &[RecordBatch]) -> Result<Vec<Message>, Error> {
    let read = batches.iter().map(messages).collect::<Result<Vec<_>, _>>()?;
    Ok(read.into_iter().flatten().collect())
}
