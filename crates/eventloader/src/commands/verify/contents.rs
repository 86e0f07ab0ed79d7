//! The rows of a file, a few thousand at a time → by day: their number, checksum and sums, as in a manifest.
//!
//! Invariant: a row's digest is that of `events_core::truth`, computed from the Parquet file, in any layout.
//! The columns of a nested table are its leaves, named by their paths with `_`. Memory grows only with the
//! number of days in the file.

use std::{collections::BTreeMap, ops::Range};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, RecordBatch, StringArray},
    buffer::NullBuffer,
    datatypes::{
        DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    },
};
use events_core::{
    partition::PartitionUnit,
    truth::{Checksum, EventTypeTruth, RowDigest, decimal_text},
};

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// By day, counted from 1970-01-01.
    pub(super) days: BTreeMap<i64, Content>,
    /// How its columns differ from those of the manifest; in this case rows are only counted.
    pub(super) other_columns: Option<String>,
}

/// Rows of a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    pub(super) rows: u64,
    pub(super) checksum: Checksum,
    pub(super) sums: Vec<Sum>,
}

/// The sum of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    /// `None` if it has more digits than can be counted.
    unscaled: Option<i128>,
    scale: u8,
}

impl Content {
    /// Adds rows with the same columns.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.rows += other.rows;
        self.checksum.add_all(other.checksum);
        for (index, sum) in other.sums.iter().enumerate() {
            match self.sums.get_mut(index) {
                Some(own) => own.add(sum.unscaled),
                None => self.sums.push(*sum),
            }
        }
    }
}

impl Sum {
    fn add(&mut self, unscaled: Option<i128>) {
        self.unscaled = self.unscaled.zip(unscaled).and_then(|(sum, value)| sum.checked_add(value));
    }

    /// As a manifest writes it.
    pub(super) fn text(self) -> String {
        self.unscaled
            .map_or_else(|| "more than 38 digits".to_owned(), |unscaled| decimal_text(unscaled, self.scale))
    }
}

/// Reads the contents of one file.
pub(super) struct ContentsReader<'m> {
    /// `None` if the manifest does not have the event type.
    table: Option<&'m EventTypeTruth>,
    row: RowDigest,
    contents: Contents,
}

impl<'m> ContentsReader<'m> {
    pub(super) fn new(table: Option<&'m EventTypeTruth>) -> Self {
        Self { table, row: RowDigest::default(), contents: Contents::default() }
    }

    pub(super) fn finish(self) -> Contents {
        self.contents
    }

    /// Adds rows; `micros` are their timestamps.
    pub(super) fn add(&mut self, batch: &RecordBatch, micros: &[i64]) {
        let mut columns = None;
        if let (Some(table), None) = (self.table, &self.contents.other_columns) {
            match Columns::of(batch, table) {
                Ok(found) => columns = Some(found),
                Err(problem) => self.contents.other_columns = Some(problem),
            }
        }
        let (mut start, day_of) = (0, |micros| PartitionUnit::Day.index_of(micros));
        for of_day in micros.chunk_by(|a, b| day_of(*a) == day_of(*b)) {
            let rows = start..start + of_day.len();
            start = rows.end;
            let content = self.contents.days.entry(day_of(of_day[0])).or_default();
            content.rows += rows.len() as u64;
            if let Some(columns) = &columns {
                columns.add(rows, &mut self.row, content);
            }
        }
    }
}

/// The columns of some rows, and which of them are summed.
struct Columns<'b> {
    columns: Vec<Column<'b>>,
    summed: Vec<usize>,
}

/// A flat column, or a leaf of a nested one.
struct Column<'b> {
    name: String,
    values: DigestValues<'b>,
    /// Its own nulls and those of the objects around it.
    nulls: Option<NullBuffer>,
}

/// Values of the types that have a digest.
enum DigestValues<'b> {
    Text(&'b StringArray),
    Int32(&'b [i32]),
    Int64(&'b [i64]),
    Decimal(&'b [i128], u8),
    Timestamp(&'b [i64]),
    Date(&'b [i32]),
    Boolean(&'b BooleanArray),
    Texts(&'b ListArray),
}

impl<'b> Columns<'b> {
    /// The columns, if they match those of the table.
    fn of(batch: &'b RecordBatch, table: &EventTypeTruth) -> Result<Self, String> {
        let mut columns = Vec::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            collect(field.name().clone(), array, None, &mut columns)?;
        }
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        compare_names(&names, &table.columns)?;
        let summed = table.sums.iter().map(|sum| {
            let index = names.iter().position(|name| name == sum);
            let index = index.filter(|&index| columns[index].values.scale().is_some());
            index.ok_or_else(|| format!("{sum} is not a number, so it has no sum"))
        });
        let summed = summed.collect::<Result<_, _>>()?;
        Ok(Self { columns, summed })
    }

    fn add(&self, rows: Range<usize>, digest: &mut RowDigest, content: &mut Content) {
        for row in rows.clone() {
            for column in &self.columns {
                column.digest(row, digest);
            }
            content.checksum.add(digest.finish());
        }
        if content.sums.is_empty() {
            let zero = |&index: &usize| Sum {
                unscaled: Some(0),
                scale: self.columns[index].values.scale().unwrap_or_default(),
            };
            content.sums = self.summed.iter().map(zero).collect();
        }
        for (sum, &index) in content.sums.iter_mut().zip(&self.summed) {
            let column = &self.columns[index];
            for row in rows.clone().filter(|&row| column.is_valid(row)) {
                sum.add(column.values.unscaled(row));
            }
        }
    }
}

/// Adds a column, or the leaves of a nested one.
fn collect<'b>(
    name: String,
    array: &'b ArrayRef,
    around: Option<&NullBuffer>,
    columns: &mut Vec<Column<'b>>,
) -> Result<(), String> {
    let nulls = NullBuffer::union(around, array.nulls());
    if let Some(object) = array.as_struct_opt() {
        for (field, member) in object.fields().iter().zip(object.columns()) {
            collect(format!("{name}_{}", field.name()), member, nulls.as_ref(), columns)?;
        }
        return Ok(());
    }
    let values = DigestValues::of(array)
        .ok_or_else(|| format!("{name} is of type {}, which manifests do not support", array.data_type()))?;
    columns.push(Column { name, values, nulls });
    Ok(())
}

/// Describes how the columns differ from those of the manifest.
fn compare_names(found: &[&str], expected: &[String]) -> Result<(), String> {
    let missing: Vec<_> = expected.iter().map(String::as_str).filter(|name| !found.contains(name)).collect();
    let unknown: Vec<_> =
        found.iter().copied().filter(|name| !expected.iter().any(|other| other == name)).collect();
    let mut differences = Vec::new();
    if !missing.is_empty() {
        differences.push(format!("{} missing", are(&missing)));
    }
    if !unknown.is_empty() {
        differences.push(format!("{} not in the manifest", are(&unknown)));
    }
    if differences.is_empty() && found != expected {
        differences.push("they are in another order".to_owned());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join(", ")) }
}

fn are(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

impl Column<'_> {
    fn is_valid(&self, row: usize) -> bool {
        self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }

    fn digest(&self, row: usize, digest: &mut RowDigest) {
        if !self.is_valid(row) {
            return digest.null();
        }
        match self.values {
            DigestValues::Text(values) => digest.text(values.value(row).as_bytes()),
            DigestValues::Int32(values) => digest.integer(values[row].into()),
            DigestValues::Int64(values) => digest.integer(values[row]),
            DigestValues::Decimal(values, scale) => digest.decimal(values[row], scale),
            DigestValues::Timestamp(values) => digest.timestamp(values[row]),
            DigestValues::Date(values) => digest.date(values[row]),
            DigestValues::Boolean(values) => digest.boolean(values.value(row)),
            DigestValues::Texts(values) => {
                let texts = values.value(row);
                let texts: Vec<_> = texts.as_string::<i32>().iter().collect();
                digest.text(serde_json::Value::from(texts).to_string().as_bytes());
            }
        }
    }
}

impl<'b> DigestValues<'b> {
    fn of(array: &'b ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string_opt()?),
            DataType::Int32 => Self::Int32(array.as_primitive_opt::<Int32Type>()?.values()),
            DataType::Int64 => Self::Int64(array.as_primitive_opt::<Int64Type>()?.values()),
            DataType::Decimal128(_, scale) => {
                let values = array.as_primitive_opt::<Decimal128Type>()?.values();
                Self::Decimal(values, u8::try_from(*scale).ok()?)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?.values())
            }
            DataType::Date32 => Self::Date(array.as_primitive_opt::<Date32Type>()?.values()),
            DataType::Boolean => Self::Boolean(array.as_boolean_opt()?),
            DataType::List(element) if element.data_type() == &DataType::Utf8 => {
                Self::Texts(array.as_list_opt()?)
            }
            _ => return None,
        })
    }

    /// The digits after the point, if the column can be summed.
    fn scale(&self) -> Option<u8> {
        match self {
            Self::Int32(_) | Self::Int64(_) => Some(0),
            Self::Decimal(_, scale) => Some(*scale),
            Self::Text(_) | Self::Timestamp(_) | Self::Date(_) | Self::Boolean(_) | Self::Texts(_) => None,
        }
    }

    fn unscaled(&self, row: usize) -> Option<i128> {
        match self {
            Self::Int32(values) => Some(values[row].into()),
            Self::Int64(values) => Some(values[row].into()),
            Self::Decimal(values, _) => Some(values[row]),
            Self::Text(_) | Self::Timestamp(_) | Self::Date(_) | Self::Boolean(_) | Self::Texts(_) => None,
        }
    }
}
