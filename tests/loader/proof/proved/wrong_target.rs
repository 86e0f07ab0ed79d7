//! The rows of a right target → the rows that a wrong loader would have left in their place.

use std::{
    collections::{BTreeMap, HashMap},
    iter,
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
        UInt32Array,
    },
    compute::{concat_batches, take_record_batch},
    datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use serde_json::Value;

use super::combination::{Combination, Generated};
use crate::support::{
    files::tree,
    readback::{batches_of, parquet_files},
    workdir::Workdir,
};

/// Directory → its rows.
pub(super) type Partitions = BTreeMap<String, RecordBatch>;

/// All rows of a target.
pub(super) fn partitions_of(target: &Path) -> Partitions {
    let mut batches = BTreeMap::<String, Vec<RecordBatch>>::new();
    for name in parquet_files(&tree(target)) {
        let (directory, _) = name.rsplit_once('/').unwrap();
        batches.entry(directory.to_owned()).or_default().extend(batches_of(&target.join(&name)));
    }
    batches.into_iter().map(|(directory, batches)| (directory, joined(&batches))).collect()
}

fn joined(batches: &[RecordBatch]) -> RecordBatch {
    concat_batches(&batches[0].schema(), batches).unwrap()
}

/// A right load.
pub(super) struct Load<'l> {
    pub(super) combination: &'l Combination,
    pub(super) dir: &'l Workdir,
    pub(super) generated: &'l Generated,
}

/// A line that was delivered twice is two rows.
pub(super) fn duplicates_kept(load: &Load<'_>, partitions: &mut Partitions) {
    let mut deliveries = HashMap::<String, usize>::new();
    for file in &load.generated.files {
        for line in fs_err::read_to_string(file).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            *deliveries.entry(event["event_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for batch in partitions.values_mut() {
        let ids = batch.column(0).as_string::<i32>().iter().flatten();
        let rows = (0..).zip(ids).flat_map(|(row, id)| iter::repeat_n(row, deliveries[id]));
        *batch = take_record_batch(batch, &UInt32Array::from_iter_values(rows)).unwrap();
    }
}

/// Each day is loaded as if there were no other.
pub(super) fn later_days_ignored(load: &Load<'_>, partitions: &mut Partitions) {
    for day in load.generated.days() {
        let loader = load.combination.loader(load.dir, "by-day").source(load.generated.directory());
        loader.args(["--date", &day, "--dedupe-scope", "day"]).succeeds();
    }
    *partitions = partitions_of(&load.dir.path("by-day"));
}

/// Each merge adds its rows, and looks for none of the events that are there.
pub(super) fn held_ignored(load: &Load<'_>, partitions: &mut Partitions) {
    let mut batches = BTreeMap::<String, Vec<RecordBatch>>::new();
    for (number, file) in load.generated.files.iter().enumerate() {
        let target = format!("alone-{number}");
        load.combination.loader(load.dir, &target).source(file).arg("--backfill").succeeds();
        for (directory, batch) in partitions_of(&load.dir.path(&target)) {
            batches.entry(directory).or_default().push(batch);
        }
    }
    *partitions =
        batches.into_iter().map(|(directory, batches)| (directory, in_order(&joined(&batches)))).collect();
}

/// By timestamp and id, as rows stand in a partition.
fn in_order(batch: &RecordBatch) -> RecordBatch {
    let (ids, micros) = (batch.column(0).as_string::<i32>(), micros_of(batch));
    let mut rows: Vec<u32> = (0..).take(batch.num_rows()).collect();
    rows.sort_by_key(|row| (micros[*row as usize], ids.value(*row as usize)));
    take_record_batch(batch, &UInt32Array::from(rows)).unwrap()
}

fn micros_of(batch: &RecordBatch) -> &[i64] {
    batch.column(1).as_primitive::<TimestampMicrosecondType>().values()
}

/// Days, and hours, are those of a clock that is two hours ahead of UTC.
pub(super) fn local_days(_: &Load<'_>, partitions: &mut Partitions) {
    let mut moved = BTreeMap::<String, Vec<RecordBatch>>::new();
    for (directory, batch) in &*partitions {
        for row in 0..batch.num_rows() {
            let directory = directory_two_hours_ahead(directory, micros_of(batch)[row]);
            moved.entry(directory).or_default().push(batch.slice(row, 1));
        }
    }
    *partitions = moved.into_iter().map(|(directory, rows)| (directory, joined(&rows))).collect();
}

fn directory_two_hours_ahead(directory: &str, micros: i64) -> String {
    let (time, event_type) = directory.rsplit_once('/').unwrap();
    let clock = chrono::DateTime::from_timestamp_micros(micros).unwrap() + chrono::TimeDelta::hours(2);
    let format = if time.split('/').count() == 4 { "%Y/%m/%d/%H" } else { "%Y/%m/%d" };
    format!("{}/{event_type}", clock.format(format))
}

/// The smallest partition is not published.
pub(super) fn partition_lost(_: &Load<'_>, partitions: &mut Partitions) {
    let smallest = partitions.iter().rev().min_by_key(|(_, batch)| batch.num_rows());
    let (directory, _) = smallest.unwrap();
    partitions.remove(&directory.clone());
}

/// Decimals are floats on their way, cut to their digits at the end.
pub(super) fn decimals_as_floats(_: &Load<'_>, partitions: &mut Partitions) {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the mistake")]
    fn through_float(unscaled: i128, scale: i8) -> i128 {
        let ten_power = 10_f64.powi(scale.into());
        (unscaled as f64 / ten_power * ten_power) as i128
    }
    let change = |leaf: &ArrayRef| -> ArrayRef {
        let &DataType::Decimal128(_, scale) = leaf.data_type() else { return Arc::clone(leaf) };
        let decimals = leaf.as_primitive::<Decimal128Type>();
        let cut: PrimitiveArray<Decimal128Type> = decimals.unary(|unscaled| through_float(unscaled, scale));
        Arc::new(cut.with_data_type(leaf.data_type().clone()))
    };
    change_leaves(partitions, &change);
}

/// Null is an empty text, or zero.
pub(super) fn nulls_as_empty(_: &Load<'_>, partitions: &mut Partitions) {
    fn zeros<T: ArrowPrimitiveType>(leaf: &ArrayRef) -> ArrayRef {
        let values = leaf.as_primitive::<T>().iter().map(Option::unwrap_or_default);
        Arc::new(PrimitiveArray::<T>::from_iter_values(values).with_data_type(leaf.data_type().clone()))
    }
    let change = |leaf: &ArrayRef| -> ArrayRef {
        match leaf.data_type() {
            DataType::Utf8 => {
                let texts = leaf.as_string::<i32>().iter().map(Option::unwrap_or_default);
                Arc::new(StringArray::from_iter_values(texts))
            }
            DataType::Int32 => zeros::<Int32Type>(leaf),
            DataType::Int64 => zeros::<Int64Type>(leaf),
            DataType::Decimal128(..) => zeros::<Decimal128Type>(leaf),
            _ => Arc::clone(leaf),
        }
    };
    change_leaves(partitions, &change);
}

/// Changes all columns of values: of objects, their members.
fn change_leaves(partitions: &mut Partitions, change: &dyn Fn(&ArrayRef) -> ArrayRef) {
    for batch in partitions.values_mut() {
        let columns = batch.columns().iter().map(|column| with_leaves_of(column, change)).collect();
        *batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    }
}

fn with_leaves_of(column: &ArrayRef, change: &dyn Fn(&ArrayRef) -> ArrayRef) -> ArrayRef {
    let Some(object) = column.as_struct_opt() else { return change(column) };
    let members = object.columns().iter().map(|member| with_leaves_of(member, change)).collect();
    Arc::new(StructArray::new(object.fields().clone(), members, object.nulls().cloned()))
}
