//! Files of a partition → their rows, a few thousand at a time.
//!
//! Invariant: rows come in (timestamp, event id) order and belong to the partition. A file that breaks this
//! was not written by a load, and is refused.

use std::{collections::VecDeque, fmt::Display, ops::Range};

use arrow::{
    array::{AsArray, StringArray},
    record_batch::RecordBatch,
};
use event_rows::{Batch, Id, IdsBuilder, Position, ReadId, chunk_rows_of};
use event_target::{Location, PartitionFile, StagedFile, Staging, TargetError};
use events_core::event;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
            RowSelector,
        },
    },
    file::metadata::{ColumnChunkMetaData, RowGroupMetaData},
    schema::types::SchemaDescriptor,
};

use super::{ParquetFile, columns::ExistingColumns, digest::RowsDigest, names, promotion::Promotion};
use crate::{error::Error, latest::IdSet};

/// The most rows that are decoded at once.
const BATCH_ROWS_MAX: usize = 8_192;
/// The approximate size of such a batch: each thread has one, and a merge has one for each file that it
/// reads.
const BATCH_BYTES: usize = 1 << 20;

type Builder = ParquetRecordBatchReaderBuilder<ParquetFile>;

/// A file whose rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum ExistingFile<'f> {
    /// One of the target.
    InTarget {
        target: &'f Location,
        file: &'f PartitionFile,
        /// What can't be done if it is refused.
        use_of_it: &'static str,
    },
    /// One that was staged, and is read back.
    Staged(&'f Staging, &'f StagedFile),
}

impl<'f> ExistingFile<'f> {
    /// One whose rows take part in a merge.
    pub(super) fn merged(target: &'f Location, file: &'f PartitionFile) -> Self {
        Self::InTarget { target, file, use_of_it: "merged with" }
    }

    /// One whose rows are written again.
    pub(super) fn rewritten(target: &'f Location, file: &'f PartitionFile) -> Self {
        Self::InTarget { target, file, use_of_it: "rewritten" }
    }

    pub(super) fn refused(self, problem: impl Display) -> Error {
        let (path, use_of_it) = match self {
            Self::InTarget { target, file, use_of_it } => (target.address(&file.path), use_of_it),
            Self::Staged(staging, file) => (staging.address(file), "read back"),
        };
        TargetError::Unusable { path, problem: format!("can't be {use_of_it}: {problem}") }.into()
    }

    /// Its number among those whose rows compete.
    fn number(self) -> u32 {
        match self {
            Self::InTarget { file, .. } => file.number,
            Self::Staged(..) => 0,
        }
    }

    /// Its columns don't go with those that the catalog gives its event type.
    fn refused_type(self, columns: &ExistingColumns<'_>, problem: impl Display) -> Error {
        self.refused(problem).of_type(columns.event_type())
    }

    pub(super) fn open(self) -> Result<Builder, Error> {
        let opened = match self {
            Self::InTarget { target, file, .. } => target.open(&file.path, file.bytes),
            Self::Staged(staging, file) => staging.open(file),
        };
        let file = ParquetFile::from(opened.map_err(Error::io("reading the target"))?);
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = Builder::try_new_with_options(file, options).map_err(|error| self.refused(error))?;
        let rows = batch_rows(builder.metadata().row_groups());
        Ok(builder.with_batch_size(rows))
    }

    /// The rows with an id of the set, ascending. Row groups whose range of ids contains none of them are not
    /// read.
    pub(super) fn rows_with(self, wanted: &IdSet) -> Result<Vec<u32>, Error> {
        let builder = self.open()?;
        let (id_column, mask) = self.ids_of(builder.parquet_schema())?;
        let (mut row_groups, mut rows) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (number, row_group) in builder.metadata().row_groups().iter().enumerate() {
            let end = first + u32::try_from(row_group.num_rows()).unwrap_or(u32::MAX - first);
            if may_hold(row_group, id_column, wanted) {
                row_groups.push(number);
                rows.push(first..end);
            }
            first = end;
        }
        if row_groups.is_empty() {
            return Ok(Vec::new());
        }
        let reader = builder.with_projection(mask).with_row_groups(row_groups).build();
        let mut rows = rows.into_iter().flatten();
        let mut found = Vec::new();
        for batch in reader.map_err(|error| self.refused(error))? {
            let batch = batch.map_err(|error| self.refused(error))?;
            for (id, row) in self.ids_in(&batch)?.iter().zip(&mut rows) {
                if id.is_some_and(|id| wanted.contains(Id::of(id))) {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }

    /// Calls `take` with the id and the position of each row.
    pub(super) fn each_id(self, mut take: impl FnMut(&str, Position)) -> Result<(), Error> {
        let builder = self.open()?;
        let (_, mask) = self.ids_of(builder.parquet_schema())?;
        let mut row = 0;
        for batch in builder.with_projection(mask).build().map_err(|error| self.refused(error))? {
            let batch = batch.map_err(|error| self.refused(error))?;
            for id in self.ids_in(&batch)? {
                take(id.unwrap_or_default(), Position::existing(self.number(), row));
                row += 1;
            }
        }
        Ok(())
    }

    /// The column of ids, and the projection to it.
    fn ids_of(self, schema: &SchemaDescriptor) -> Result<(usize, ProjectionMask), Error> {
        let id_column =
            (0..schema.num_columns()).find(|leaf| schema.column(*leaf).path().string() == event::EVENT_ID);
        let id_column = id_column.ok_or_else(|| self.refused("it has no ids"))?;
        Ok((id_column, ProjectionMask::leaves(schema, [id_column])))
    }

    /// The ids in a batch that has nothing else.
    fn ids_in(self, batch: &RecordBatch) -> Result<&StringArray, Error> {
        let ids = batch.columns().first().and_then(|ids| ids.as_string_opt::<i32>());
        ids.ok_or_else(|| self.refused("its ids are not strings"))
    }

    /// The given rows, which ascend, as batches.
    pub(super) fn rows_at(
        self,
        rows: &[u32],
        columns: &ExistingColumns<'_>,
        mut take: impl FnMut(Batch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let builder = self.open()?;
        columns.check(builder.schema()).map_err(|problem| self.refused_type(columns, problem))?;
        let builder = builder.with_row_selection(selection(rows));
        let mut rest = rows.iter();
        for batch in builder.build().map_err(|error| self.refused(error))? {
            let batch = batch.map_err(|error| self.refused(error))?;
            let number = self.number();
            let positions = rest.by_ref().take(batch.num_rows()).map(|&row| Position::existing(number, row));
            let batch = self.batch(&batch, columns, positions.collect(), HowRead::default())?;
            let versions = columns.versions(&batch.columns, batch.rows());
            take(Batch { versions, ..batch })?;
        }
        Ok(())
    }

    fn batch(
        self,
        batch: &RecordBatch,
        columns: &ExistingColumns<'_>,
        positions: Vec<Position>,
        how: HowRead<'_, '_>,
    ) -> Result<Batch, Error> {
        let base = columns.base(batch, how.names_are_known).map_err(|problem| self.refused(problem))?;
        let is_promoted = how.promotion.is_some();
        let payload = match how.promotion {
            Some(promotion) => promotion.payload(batch, base.ids),
            None => columns.payload(batch),
        };
        let payload = payload.map_err(|problem| self.refused(problem))?;
        if let Some(digest) = how.digest {
            if !is_promoted {
                columns.compare(batch, &payload).map_err(|problem| self.refused(problem))?;
            }
            digest.add(base.ids, base.micros, &payload);
        }
        let mut ids = IdsBuilder::with_capacity(batch.num_rows());
        for id in base.ids.iter().flatten() {
            ids.push(&ReadId::Text(id.as_bytes().into()));
        }
        Ok(Batch {
            positions,
            micros: base.micros.to_vec(),
            ids: ids.finish(),
            columns: payload,
            versions: None,
        })
    }
}

/// How the rows of a batch are read.
#[derive(Debug, Default)]
struct HowRead<'r, 'p> {
    /// Whether domain and event type are left out.
    names_are_known: bool,
    promotion: Option<&'r mut Promotion<'p>>,
    digest: Option<&'r mut RowsDigest>,
}

/// Whether a row group may have an id of the set, according to its statistics.
fn may_hold(row_group: &RowGroupMetaData, id_column: usize, wanted: &IdSet) -> bool {
    let statistics = row_group.column(id_column).statistics();
    // The deprecated kind of statistics orders texts differently.
    let Some(statistics) = statistics.filter(|statistics| !statistics.is_min_max_deprecated()) else {
        return true;
    };
    match (statistics.min_bytes_opt(), statistics.max_bytes_opt()) {
        (Some(first), Some(last)) => wanted.may_hold_between(first, last),
        _ => true,
    }
}

/// The number of rows of a file that are decoded at once: fewer if they are wide.
fn batch_rows(row_groups: &[RowGroupMetaData]) -> usize {
    // Texts that repeat take little in the file.
    let of_column = |column: &ColumnChunkMetaData| {
        column.uncompressed_size().max(column.unencoded_byte_array_data_bytes().unwrap_or(0))
    };
    let bytes: i64 = row_groups.iter().flat_map(RowGroupMetaData::columns).map(of_column).sum();
    let rows: i64 = row_groups.iter().map(RowGroupMetaData::num_rows).sum();
    let row_bytes = usize::try_from(bytes / rows.max(1)).unwrap_or(usize::MAX).max(1);
    // Columns of nulls take nothing in the file.
    let columns = row_groups.first().map_or(0, RowGroupMetaData::num_columns);
    (BATCH_BYTES / row_bytes).clamp(1, BATCH_ROWS_MAX.min(4 * chunk_rows_of(columns)))
}

/// Skips all rows but these.
fn selection(rows: &[u32]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut next = 0;
    for run in rows.chunk_by(|a, b| *a + 1 == *b) {
        let first = run[0] as usize;
        selectors.push(RowSelector::skip(first - next));
        selectors.push(RowSelector::select(run.len()));
        next = first + run.len();
    }
    selectors.into()
}

/// All rows of a partition, in order.
#[derive(Debug)]
pub(crate) struct ExistingRows<'h> {
    columns: &'h ExistingColumns<'h>,
    files: VecDeque<ExistingFile<'h>>,
    open: Option<OpenFile<'h>>,
    instants: Range<i64>,
    /// Where payloads are read anew.
    promotion: Option<Box<Promotion<'h>>>,
    /// Timestamp and id of the last row.
    last: Option<(i64, Vec<u8>)>,
}

struct OpenFile<'h> {
    file: ExistingFile<'h>,
    reader: ParquetRecordBatchReader,
    names_are_known: bool,
    rows_before: u32,
}

impl std::fmt::Debug for OpenFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<'h> ExistingRows<'h> {
    /// Those of a partition that a merge writes again.
    pub(super) fn merged(
        columns: &'h ExistingColumns<'h>,
        (target, files): (&'h Location, &'h [PartitionFile]),
        instants: Range<i64>,
    ) -> Self {
        let files = files.iter().map(|file| ExistingFile::merged(target, file)).collect();
        Self { columns, files, open: None, instants, promotion: None, last: None }
    }

    /// Those of a partition that is rewritten, with payloads that are read anew if there is a `promotion`.
    pub(crate) fn rewritten(
        columns: &'h ExistingColumns<'h>,
        (target, files): (&'h Location, &'h [PartitionFile]),
        instants: Range<i64>,
        promotion: Option<Box<Promotion<'h>>>,
    ) -> Self {
        let files = files.iter().map(|file| ExistingFile::rewritten(target, file)).collect();
        Self { columns, files, open: None, instants, promotion, last: None }
    }

    /// The next rows; `None` at the end.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        self.next_digested(None)
    }

    /// The same; they are added to a digest.
    pub(crate) fn next_digested(
        &mut self,
        mut digest: Option<&mut RowsDigest>,
    ) -> Result<Option<Batch>, Error> {
        loop {
            let Some(OpenFile { file, reader, names_are_known, rows_before }) = &mut self.open else {
                let Some(file) = self.files.pop_front() else { return Ok(None) };
                let builder = file.open()?;
                let checked = match &self.promotion {
                    Some(promotion) => promotion.check(builder.schema()),
                    None => self.columns.check(builder.schema()),
                };
                checked.map_err(|problem| file.refused_type(self.columns, problem))?;
                let (builder, names_are_known) = names::left_out(builder, &self.columns.names());
                let reader = builder.build().map_err(|error| file.refused(error))?;
                self.open = Some(OpenFile { file, reader, names_are_known, rows_before: 0 });
                continue;
            };
            let Some(batch) = reader.next() else {
                self.open = None;
                continue;
            };
            let batch = batch.map_err(|error| file.refused(error))?;
            let number = file.number();
            let positions =
                (*rows_before..).take(batch.num_rows()).map(|row| Position::existing(number, row));
            let positions: Vec<_> = positions.collect();
            let file = *file;
            *rows_before += u32::try_from(positions.len()).unwrap_or(u32::MAX);
            let how = HowRead {
                names_are_known: *names_are_known,
                promotion: self.promotion.as_deref_mut(),
                digest: digest.take(),
            };
            let batch = file.batch(&batch, self.columns, positions, how)?;
            self.check_order(&batch).map_err(|problem| file.refused(problem))?;
            return Ok(Some(batch));
        }
    }

    fn check_order(&mut self, batch: &Batch) -> Result<(), &'static str> {
        let Some(last_row) = batch.rows().checked_sub(1) else { return Ok(()) };
        if batch.micros.iter().any(|micros| !self.instants.contains(micros)) {
            return Err("it has rows of another day or hour than its directory; no load wrote it");
        }
        let ascends = |row: usize| {
            let (before, here) = (batch.micros[row - 1], batch.micros[row]);
            before < here || before == here && batch.ids.get(row - 1) < batch.ids.get(row)
        };
        let follows = self.last.as_ref().is_none_or(|(micros, id)| {
            let first = (batch.micros[0], batch.ids.get(0));
            (*micros, Id::of(&String::from_utf8_lossy(id))) < first
        });
        if !follows || !(1..=last_row).all(ascends) {
            return Err("its rows are not ordered by (timestamp, event_id); no load wrote it");
        }
        let mut id = Vec::new();
        batch.ids.get(last_row).write_to(&mut id);
        self.last = Some((batch.micros[last_row], id));
        Ok(())
    }
}
