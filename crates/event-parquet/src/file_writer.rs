//! Chunks of a partition's rows → the bytes of one Parquet file.
//!
//! This project's own encoder writes flat columns (`column.rs`); `parquet` writes lists, maps and objects,
//! and all footers, page headers and indexes.
//!
//! Invariant: row group boundaries depend on the rows alone.

use std::{fmt, io, io::Write, sync::Arc};

use arrow::array::{Array, ArrayData};
use event_rows::Rows;
use parquet::{
    arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves},
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader},
        writer::SerializedFileWriter,
    },
};

use crate::{
    ROW_GROUP_BYTES, ROW_GROUP_ROWS,
    column::{ColumnChunk, Input, Scratch},
    table::{Table, is_nested},
};

/// The most bytes of values that wait for the end of their pages, in all columns together. Tables of up to
/// some 50 columns have full pages before.
const WAITING_BYTES_MAX: usize = 8 << 20;

/// Writes one file.
pub struct FileWriter<'t, W: Write + Send> {
    table: &'t Table<'t>,
    file: SerializedFileWriter<Output<W>>,
    rows: u64,
    group: RowGroup,
    /// Whether the file has indexes of its pages, decided by the first row group: all column chunks have them
    /// or none. With one page each, they would say no more than the footer, and take a tenth of a small file.
    indexed: Option<bool>,
}

/// Where a file goes: it can be taken out of the writer once the footer is written.
struct Output<W>(Option<W>);

impl<W: Write> Output<W> {
    fn get(&mut self) -> io::Result<&mut W> {
        self.0.as_mut().ok_or_else(|| io::Error::other("the file has ended"))
    }
}

impl<W: Write> Write for Output<W> {
    #[expect(clippy::disallowed_methods, reason = "the caller writes the rest")]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get()?.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.get()?.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get()?.flush()
    }
}

/// The row group that is being filled.
#[derive(Default)]
struct RowGroup {
    /// By column of the table; empty before the first chunk.
    columns: Vec<ColumnWriter>,
    rows: usize,
    /// Bytes of the lists, maps and objects in it.
    nested_bytes: usize,
}

enum ColumnWriter {
    Flat(Box<ColumnChunk>),
    /// One writer for each leaf of a list, a map or an object.
    Nested(Vec<ArrowColumnWriter>),
}

/// A column that gets no more rows.
enum ClosedColumn {
    Flat(Box<ColumnChunk>),
    Nested(Vec<ArrowColumnChunk>),
}

impl ClosedColumn {
    fn of(column: ColumnWriter) -> ParquetResult<Self> {
        Ok(match column {
            ColumnWriter::Flat(column) => Self::Flat(column),
            ColumnWriter::Nested(leaves) => {
                Self::Nested(leaves.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?)
            }
        })
    }

    fn has_pages_to_skip(&self) -> bool {
        let of_leaf = |leaf: &ArrowColumnChunk| {
            leaf.close().offset_index.as_ref().is_some_and(|index| index.page_locations().len() > 1)
        };
        match self {
            Self::Flat(column) => column.has_pages_to_skip(),
            Self::Nested(leaves) => leaves.iter().any(of_leaf),
        }
    }
}

impl RowGroup {
    fn is_full(&self) -> bool {
        let flat_bytes = self.columns.iter().map(|column| match column {
            ColumnWriter::Flat(column) => column.bytes(),
            ColumnWriter::Nested(_) => 0,
        });
        self.rows >= ROW_GROUP_ROWS || flat_bytes.sum::<usize>() + self.nested_bytes >= ROW_GROUP_BYTES
    }

    /// Ends the pages of all flat columns, if the values in them take too much memory together: each column
    /// may have a page of many rows, and there may be thousands of columns.
    fn end_pages_if_large(&mut self, scratch: &mut Scratch) -> ParquetResult<()> {
        let flat = |column: &ColumnWriter| match column {
            ColumnWriter::Flat(column) => column.waiting_bytes(),
            ColumnWriter::Nested(_) => 0,
        };
        if self.columns.iter().map(flat).sum::<usize>() < WAITING_BYTES_MAX {
            return Ok(());
        }
        self.columns.iter_mut().try_for_each(|column| match column {
            ColumnWriter::Flat(column) => column.finish_page(scratch),
            ColumnWriter::Nested(_) => Ok(()),
        })
    }
}

impl<W: Write + Send> fmt::Debug for FileWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<'t, W: Write + Send> FileWriter<'t, W> {
    /// Begins a file.
    ///
    /// # Errors
    /// That of the output.
    pub fn new(table: &'t Table<'t>, output: W) -> ParquetResult<Self> {
        let root = table.descriptor.root_schema_ptr();
        let output = Output(Some(output));
        let file = SerializedFileWriter::new(output, root, Arc::clone(&table.properties))?;
        Ok(Self { table, file, rows: 0, group: RowGroup::default(), indexed: None })
    }

    /// The number of rows that were written.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows. The boundaries of pages and row groups depend on the columns, and on where chunks end.
    ///
    /// # Errors
    /// That of the output.
    pub fn write(&mut self, chunk: Rows<'_>, scratch: &mut Scratch) -> ParquetResult<()> {
        let inputs = self.table.inputs(chunk)?;
        if self.group.columns.is_empty() {
            self.group.columns = self.columns(&inputs, chunk.len())?;
        }
        for ((writer, field), input) in self.group.columns.iter_mut().zip(&self.table.fields).zip(&inputs) {
            match (writer, input) {
                (ColumnWriter::Flat(column), _) => column.append(input, chunk, scratch)?,
                (ColumnWriter::Nested(leaves), Input::Nested(array)) => {
                    for (leaf, column) in leaves.iter_mut().zip(compute_leaves(field, array)?) {
                        leaf.write(&column)?;
                    }
                    self.group.nested_bytes += value_bytes(&array.to_data());
                }
                (ColumnWriter::Nested(_), _) => unreachable!("base columns are flat"),
            }
        }
        self.rows += chunk.len() as u64;
        self.group.rows += chunk.len();
        self.group.end_pages_if_large(scratch)?;
        if self.group.is_full() { self.finish_group(scratch) } else { Ok(()) }
    }

    fn columns(&self, inputs: &[Input<'_>], rows: usize) -> ParquetResult<Vec<ColumnWriter>> {
        let nested = self.table.nested.as_ref().map(|nested| nested.create_column_writers(0)).transpose()?;
        let mut nested = nested.into_iter().flatten();
        let mut leaves = self.table.descriptor.columns().iter().peekable();
        let columns = inputs.iter().zip(&self.table.fields).map(|(input, field)| {
            if is_nested(field) {
                let mut own = 0;
                while leaves.next_if(|leaf| leaf.path().parts().first() == Some(field.name())).is_some() {
                    own += 1;
                }
                return Ok(ColumnWriter::Nested(nested.by_ref().take(own).collect()));
            }
            let leaf = leaves.next();
            let leaf = leaf.ok_or_else(|| ParquetError::General("a column without a leaf".to_owned()))?;
            let Table { compression, encodings, .. } = *self.table;
            let form = (compression, encodings);
            let column = ColumnChunk::new(leaf, form, input, rows, self.table.columns());
            Ok(ColumnWriter::Flat(Box::new(column)))
        });
        columns.collect()
    }

    fn finish_group(&mut self, scratch: &mut Scratch) -> ParquetResult<()> {
        let group = std::mem::take(&mut self.group);
        let is_full = group.is_full();
        let columns: Vec<_> = group.columns.into_iter().map(ClosedColumn::of).collect::<Result<_, _>>()?;
        let has_pages_to_skip = || columns.iter().any(ClosedColumn::has_pages_to_skip);
        let indexed = *self.indexed.get_or_insert_with(|| is_full || has_pages_to_skip());
        let mut writer = self.file.next_row_group()?;
        for column in columns {
            match column {
                ClosedColumn::Flat(column) => {
                    let (bytes, close) = column.finish(indexed, scratch)?;
                    writer.append_column(&bytes, close)?;
                }
                ClosedColumn::Nested(leaves) => {
                    for mut leaf in leaves {
                        if !indexed {
                            let close = leaf.close_mut();
                            (close.column_index, close.offset_index) = (None, None);
                        }
                        leaf.append_to_row_group(&mut writer)?;
                    }
                }
            }
        }
        writer.close()?;
        Ok(())
    }

    /// Ends the file with its footer, which is returned, too.
    ///
    /// # Errors
    /// That of the output.
    pub fn finish(mut self, scratch: &mut Scratch) -> ParquetResult<(W, ParquetMetaData)> {
        if self.group.rows > 0 {
            self.finish_group(scratch)?;
        }
        let footer = self.file.finish()?;
        let output = self.file.inner_mut().0.take();
        output.map(|output| (output, footer)).ok_or_else(|| ParquetError::General("it has ended".to_owned()))
    }
}

/// The number of rows in the footer of a file of `file_bytes`, which `read` reads from an offset on.
///
/// # Errors
/// The file can't be read, or does not end like a Parquet file.
pub fn rows_in_footer(
    file_bytes: u64,
    read: impl Fn(u64, &mut [u8]) -> io::Result<()>,
) -> ParquetResult<u64> {
    /// The length of the footer's length, and of `PAR1`.
    const TAIL_BYTES: usize = 8;
    /// Most footers with their tails are not longer.
    const END_BYTES: u64 = 4 << 10;
    let read = |bytes: u64| -> io::Result<Vec<u8>> {
        let start = file_bytes.checked_sub(bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut buffer = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        read(start, &mut buffer).map(|()| buffer)
    };
    let mut end = read(END_BYTES.min(file_bytes))?;
    let tail = end.split_last_chunk::<TAIL_BYTES>().ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let footer_bytes = FooterTail::try_new(tail.1)?.metadata_length() + TAIL_BYTES;
    if footer_bytes > end.len() {
        end = read(footer_bytes as u64)?;
    }
    let footer = &end[end.len() - footer_bytes..end.len() - TAIL_BYTES];
    let metadata = ParquetMetaDataReader::decode_metadata(footer)?;
    u64::try_from(metadata.file_metadata().num_rows()).map_err(|error| ParquetError::External(error.into()))
}

/// The bytes of the values, not those that were allocated: they must be the same in every run. Whether an
/// array without nulls has a buffer for them depends on the arrays that it was gathered from.
fn value_bytes(data: &ArrayData) -> usize {
    fn idle_validity(data: &ArrayData) -> usize {
        let is_idle = data.nulls().is_some_and(|nulls| nulls.null_count() == 0);
        let own = if is_idle { data.len().div_ceil(8) } else { 0 };
        own + data.child_data().iter().map(idle_validity).sum::<usize>()
    }
    data.get_slice_memory_size().unwrap_or(0).saturating_sub(idle_validity(data))
}
