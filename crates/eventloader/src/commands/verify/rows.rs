//! One file → all of its rows, decoded, each checked against the partition of the file. Where the event type
//! is in the directories alone, rows get it from there, as engines give it to them.
//!
//! Invariant: every page of every column is decoded.

use std::{borrow::Cow, iter::repeat_n, sync::Arc};

use arrow::{
    array::{Array, AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, TimestampMicrosecondType},
};
use event_target::Location;
use events_core::{
    directory_name::directory_text,
    event,
    partition::{Layout, PartitionUnit},
    schema::BASE_COLUMNS,
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};

use super::{
    Problem, Reading,
    contents::{Contents, ContentsReader},
    recorded::{Recorded, RecordedFile, directory_of},
};
use crate::{existing::ParquetFile, runtime::plural};

/// The number of rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

/// The result of checking a file.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) rows: u64,
    pub(super) problems: Vec<Problem>,
    /// Its contents, if there is a manifest to compare them with.
    pub(super) contents: Option<Contents>,
}

/// Reads all of a file; `take` gets the ids and timestamps of its rows.
pub(super) fn check(
    reading: &Reading<'_>,
    path: &str,
    file: &RecordedFile,
    mut take: impl FnMut(&StringArray, &[i64]),
) -> Checked {
    let mut checks = Checks::new(reading.recorded, path, file);
    let table = |(domain, name): &(String, String)| reading.manifest?.event_type(domain, name);
    let mut contents =
        reading.manifest.map(|_| ContentsReader::new(file.event_type.as_ref().and_then(table)));
    let last = file.event_type.as_ref().and_then(|event_type| reading.recorded.tables.get(event_type));
    let read = batches(reading.target, path, None).and_then(|batches| {
        for batch in batches {
            let batch = checks.partition.with_event_type(batch?)?;
            let base = BaseColumns::of(&batch)
                .ok_or_else(|| format!("its first columns are not {:?}", &event::FIELDS[..BASE_COLUMNS]))?;
            checks.add(&base);
            take(base.ids, base.micros);
            if let Some(contents) = &mut contents {
                let widened = last.map_or(Ok(Cow::Borrowed(&batch)), |last| last.widen(&batch));
                contents.add(&*widened?, base.micros);
            }
        }
        Ok(())
    });
    Checked { contents: contents.map(ContentsReader::finish), ..checks.finish(read.err()) }
}

/// The ids of all rows of a file that was checked before, with their timestamps.
pub(super) fn ids(
    target: &Location,
    path: &str,
    mut take: impl FnMut(&StringArray, &[i64]),
) -> Result<(), String> {
    for batch in batches(target, path, Some(2))? {
        let batch = batch?;
        let micros = batch.column(1).as_primitive::<TimestampMicrosecondType>();
        take(batch.column(0).as_string::<i32>(), micros.values());
    }
    Ok(())
}

/// The rows of a file, with the given number of its first columns or all of them.
fn batches(
    target: &Location,
    path: &str,
    columns: Option<usize>,
) -> Result<impl Iterator<Item = Result<RecordBatch, String>> + use<>, String> {
    let file = ParquetFile::from(target.open(path, None).map_err(undecodable)?);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(undecodable)?;
    if let Some(columns) = columns {
        let mask = ProjectionMask::leaves(builder.parquet_schema(), 0..columns);
        builder = builder.with_projection(mask);
    }
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(undecodable)?;
    Ok(reader.map(|batch| batch.map_err(undecodable)))
}

fn undecodable(error: impl std::fmt::Display) -> String {
    format!("can't be decoded: {error}")
}

/// The base columns of every table.
struct BaseColumns<'b> {
    ids: &'b StringArray,
    micros: &'b [i64],
    domains: &'b StringArray,
    event_types: &'b StringArray,
}

impl<'b> BaseColumns<'b> {
    /// `None` if they are other columns, or have nulls.
    fn of(batch: &'b RecordBatch) -> Option<Self> {
        let [ids, timestamps, domains, event_types] = batch.columns().get(..BASE_COLUMNS)? else {
            return None;
        };
        let has_nulls = [ids, timestamps, domains, event_types].iter().any(|column| column.null_count() > 0);
        let micros = timestamps.as_primitive_opt::<TimestampMicrosecondType>()?;
        let (domains, event_types) = (domains.as_string_opt()?, event_types.as_string_opt()?);
        (!has_nulls).then_some(Self {
            ids: ids.as_string_opt()?,
            micros: micros.values(),
            domains,
            event_types,
        })
    }
}

/// The checks of every row of a file.
struct Checks<'a> {
    path: &'a str,
    file: &'a RecordedFile,
    partition: PartitionPlace<'a>,
    rows: u64,
    last: Option<(i64, String)>,
    elsewhere: Rows,
    of_other_type: Rows,
    out_of_order: Rows,
}

/// Rows with the same problem.
#[derive(Default)]
struct Rows {
    count: u64,
    first: String,
}

impl Rows {
    fn add(&mut self, first: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = first();
        }
        self.count += 1;
    }

    fn problem(&self, path: &str, what: &str) -> Option<Problem> {
        let rows = plural(self.count, "row");
        (self.count > 0).then(|| Problem::new(path, format!("{rows} {what}; the first: {}", self.first)))
    }
}

impl<'a> Checks<'a> {
    fn new(recorded: &Recorded, path: &'a str, file: &'a RecordedFile) -> Self {
        let (directory, layout) = (directory_of(path), recorded.layout);
        let of_path = layout.and_then(|(layout, _)| layout.event_type_in(directory));
        let event_type = of_path.map(|text| match &file.event_type {
            // No catalog names it, so its directory has its domain in front.
            Some((domain, name)) if text == directory_text(domain, name) => name.clone(),
            _ => text,
        });
        let partition = PartitionPlace { directory, layout, event_type, last: None };
        let (elsewhere, of_other_type, out_of_order) = Default::default();
        Self { path, file, partition, rows: 0, last: None, elsewhere, of_other_type, out_of_order }
    }

    fn add(&mut self, base: &BaseColumns<'_>) {
        for (row, &micros) in base.micros.iter().enumerate() {
            let id = base.ids.value(row);
            let event = || format!("event {id:?}, row {}", self.rows + 1);
            if let Some(place) = self.partition.other_than(micros) {
                self.elsewhere.add(|| format!("{} belongs to {place}", event()));
            }
            let event_type = (base.domains.value(row), base.event_types.value(row));
            if self
                .file
                .event_type
                .as_ref()
                .is_some_and(|(domain, name)| (domain.as_str(), name.as_str()) != event_type)
            {
                self.of_other_type.add(|| format!("{} is of {}/{}", event(), event_type.0, event_type.1));
            }
            match &mut self.last {
                Some((last, last_id)) => {
                    if (*last, last_id.as_str()) >= (micros, id) {
                        self.out_of_order.add(event);
                    }
                    *last = micros;
                    id.clone_into(last_id);
                }
                none => *none = Some((micros, id.to_owned())),
            }
            self.rows += 1;
        }
    }

    fn finish(self, error: Option<String>) -> Checked {
        let rows = || {
            let (rows, recorded) = (self.rows, self.file.rows);
            let problem =
                format!("has {}, commit {} wrote {recorded}", plural(rows, "row"), self.file.commit);
            (rows != recorded).then(|| Problem::new(self.path, problem))
        };
        let problems = match error {
            Some(error) => vec![Problem::new(self.path, error)],
            None => [
                rows(),
                self.elsewhere.problem(self.path, "in the wrong partition"),
                self.of_other_type.problem(self.path, "of another event type"),
                self.out_of_order.problem(self.path, "out of order by (timestamp, event_id)"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        Checked { rows: self.rows, problems, contents: None }
    }
}

/// The partition of a file: the instants that belong there, and the event type if the path has it.
struct PartitionPlace<'a> {
    directory: &'a str,
    layout: Option<(Layout, PartitionUnit)>,
    event_type: Option<String>,
    /// The unit of the last row, and its directory if that is another one.
    last: Option<(i64, Option<String>)>,
}

impl PartitionPlace<'_> {
    /// The rows of a file with the column `event_type` in its place: the path's, if that has the event type.
    fn with_event_type(&self, batch: RecordBatch) -> Result<RecordBatch, String> {
        let Some(event_type) = &self.event_type else { return Ok(batch) };
        let (schema, mut columns, rows) = batch.into_parts();
        if schema.index_of(event::EVENT_TYPE).is_ok() {
            return Err("it has a column event_type, which engines read from its directory".to_owned());
        }
        let mut fields = schema.fields().to_vec();
        let place = fields.len().min(BASE_COLUMNS - 1);
        fields.insert(place, Arc::new(Field::new(event::EVENT_TYPE, DataType::Utf8, true)));
        columns.insert(place, Arc::new(StringArray::from_iter_values(repeat_n(event_type, rows))));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(undecodable)
    }

    /// The directory where an instant belongs, if it is another one.
    fn other_than(&mut self, micros: i64) -> Option<&str> {
        let (layout, unit) = self.layout?;
        let index = unit.index_of(micros);
        if self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            let place = layout.path(unit, index, layout.directory_in(self.directory));
            let is_here = place == self.directory;
            self.last = Some((index, (!is_here).then_some(place)));
        }
        self.last.as_ref()?.1.as_deref()
    }
}
