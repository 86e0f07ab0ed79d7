//! The rows of a partition, chunk by chunk → its staged Parquet files.
//!
//! Invariant: the number of rows in each file's footer, read back, is the number that was written.

use std::io;

use event_parquet::{Codec, FileWriter, Scratch, Table, rows_in_footer};
use event_rows::Rows;
use event_target::{Place, StagedFile, StagedWriter, Staging};
use events_core::partition::Layout;
use storage::Object;

use super::partition_rows::Chunks;
use crate::{
    error::Error,
    runtime::{Clock, Stage},
};

/// The most rows of a file. A larger partition has several parts.
pub(crate) const PART_ROWS: u64 = 1 << 24;

/// Writes partitions, one after the other; each thread has its own.
pub(crate) struct PartitionWriter<'s> {
    codec: Codec,
    /// Whether the files are those of tables, whose logs have statistics of each.
    of_tables: bool,
    staging: &'s Staging,
    /// Its directory in the staging directory.
    own: String,
    scratch: Scratch,
}

/// The name of a partition in messages and staged files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartitionName<'p> {
    /// Its path in the target.
    pub(crate) path: &'p str,
    /// Its number in the run.
    pub(crate) number: usize,
}

impl<'s> PartitionWriter<'s> {
    /// The writer of the thread with this number.
    pub(crate) fn new(
        codec: Codec,
        layout: Layout,
        staging: &'s Staging,
        thread: usize,
    ) -> Result<Self, Error> {
        Self::in_directory(codec, layout, staging, format!("{thread:02}"))
    }

    /// A writer whose files are staged in this directory, which is its own.
    pub(crate) fn in_directory(
        codec: Codec,
        layout: Layout,
        staging: &'s Staging,
        own: String,
    ) -> Result<Self, Error> {
        staging.create_directory(&own).map_err(Error::io("staging partitions"))?;
        let scratch = Scratch::new(codec).map_err(Error::encode(codec.name()))?;
        Ok(Self { codec, of_tables: layout == Layout::Delta, staging, own, scratch })
    }

    /// Writes a partition into files of at most `part_rows` rows; a part takes at least one chunk.
    pub(crate) fn write(
        &mut self,
        rows: &mut impl Chunks,
        table: &Table<'_>,
        part_rows: u64,
        name: PartitionName<'_>,
        clock: &mut Clock<'_>,
    ) -> Result<Vec<StagedFile>, Error> {
        let (mut files, mut part) = (Vec::new(), None);
        loop {
            clock.lap(Stage::Encode);
            let chunk = rows.next_chunk(table.chunk_rows())?;
            clock.lap(Stage::Order);
            let Some(chunk) = chunk else { break };
            if let Some(full) = part.take_if(|part| !has_room_for(part, chunk, part_rows)) {
                files.push(self.finish(full, name)?);
            }
            let part = match &mut part {
                Some(part) => part,
                empty => empty.insert(self.begin(table, files.len(), name)?),
            };
            part.write(chunk, &mut self.scratch).map_err(Error::encode(name.path))?;
        }
        if let Some(last) = part {
            files.push(self.finish(last, name)?);
        }
        clock.lap(Stage::Encode);
        Ok(files)
    }

    fn begin<'t>(
        &self,
        table: &'t Table<'t>,
        part: usize,
        PartitionName { path, number }: PartitionName<'_>,
    ) -> Result<FileWriter<'t, StagedWriter>, Error> {
        let staged = format!("{}/{number:06}-{part:05}.staged", self.own);
        let (stem, extension) = part_name(part, self.codec);
        let place = Place { directory: path, stem: &stem, extension: &extension };
        let output = self.staging.create(staged, place).map_err(Error::encode(path))?;
        FileWriter::new(table, output).map_err(Error::encode(path))
    }

    fn finish(
        &mut self,
        writer: FileWriter<'_, StagedWriter>,
        name: PartitionName<'_>,
    ) -> Result<StagedFile, Error> {
        let rows = writer.rows();
        let (output, footer) = writer.finish(&mut self.scratch).map_err(Error::encode(name.path))?;
        let (mut staged, object) = output.finish(rows).map_err(Error::encode(name.path))?;
        staged.statistics = self.of_tables.then(|| delta_log::statistics(&footer));
        if let Some(object) = object {
            check_footer(&*object, &staged, name.path)?;
        }
        Ok(staged)
    }
}

/// The stem and the extension of the name of a part of a partition.
pub(crate) fn part_name(part: usize, codec: Codec) -> (String, String) {
    (format!("part-{part:05}"), format!("{}.parquet", codec.name()))
}

fn has_room_for(part: &FileWriter<'_, StagedWriter>, chunk: Rows<'_>, part_rows: u64) -> bool {
    part.rows() + chunk.len() as u64 <= part_rows
}

/// Reads the footer back, and fails if its number of rows is not the number that was written.
fn check_footer(object: &dyn Object, staged: &StagedFile, path: &str) -> Result<(), Error> {
    let read = |offset: u64, bytes: &mut [u8]| -> io::Result<()> { object.read_exact_at(bytes, offset) };
    let in_footer = rows_in_footer(staged.bytes, read).map_err(|error| {
        let problem = format!("reading the staged file back: {error}");
        Error::Encode { what: path.to_owned(), problem }
    })?;
    if in_footer == staged.rows {
        return Ok(());
    }
    Err(Error::Unbalanced(format!("{path}: {} rows written, {in_footer} in the footer", staged.rows)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use event_parquet::{Encodings, Format};
    use event_rows::{Batch, CHUNK_ROWS, Ids, Position, RowRef};
    use event_target::Location;
    use events_core::{catalog::Catalog, schema::TableForm};

    use super::*;
    use crate::{
        output::partition_rows::{InMemory, PartitionRows},
        runtime::Stages,
    };

    const ROWS: u32 = 20_000;

    fn write(staging: &Staging, part_rows: u64, layout: Layout) -> Vec<StagedFile> {
        let catalog = Catalog::from_toml(&[("x.toml", "[domain.a.events.b.fields]\nn = 'int64'")]).unwrap();
        let batches = [Batch {
            positions: (0..ROWS).map(|line| Position::new(0, line)).collect(),
            micros: (0..i64::from(ROWS)).collect(),
            ids: Ids::Uuids((0..u128::from(ROWS)).collect()),
            columns: vec![Arc::new((0..i64::from(ROWS)).collect::<Int64Array>())],
            versions: None,
        }];
        let refs = (0..ROWS as usize).map(|row| RowRef::new(0, row)).collect();
        let mut rows = PartitionRows::InMemory(InMemory::new(&batches, refs));
        let form = TableForm { flatten: true, has_event_type: true };
        let format = Format { codec: Codec::Zstd, encodings: Encodings::Compact };
        let table = Table::new(&catalog.event_types()[0], form, format).unwrap();
        let mut writer = PartitionWriter::new(Codec::Zstd, layout, staging, 3).unwrap();
        let name = PartitionName { path: "2024/10/10/b", number: 7 };
        writer.write(&mut rows, &table, part_rows, name, &mut Stages::default().clock()).unwrap()
    }

    #[test]
    fn a_large_partition_has_several_parts_that_hold_its_rows_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let files = write(&dir.path().into(), 4 * CHUNK_ROWS as u64, Layout::Plain);
        let shape: Vec<_> = files.iter().map(|file| format!("{} {}", file.name, file.rows)).collect();
        let expected =
            ["part-00000.zstd.parquet 8192", "part-00001.zstd.parquet 8192", "part-00002.zstd.parquet 3616"];
        assert_eq!(shape, expected);
        for file in &files {
            let (bytes, checksum) =
                Location::partitions(dir.path().to_owned()).checksum_of(&file.staged).unwrap();
            assert_eq!((bytes, checksum), (file.bytes, file.checksum));
            assert_eq!(file.statistics, None);
        }
    }

    #[test]
    fn a_dry_run_counts_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let mut written = write(&dir.path().into(), PART_ROWS, Layout::Delta);
        assert_eq!(written.len(), 1);
        assert!(written[0].stamp.take().is_some());
        assert_eq!(written[0].staged, "03/000007-00000.staged");
        assert_eq!(write(&Staging::Discard, PART_ROWS, Layout::Delta), written);
    }

    #[test]
    fn a_file_of_a_table_has_statistics() {
        let dir = tempfile::tempdir().unwrap();
        let files = write(&dir.path().into(), 4 * CHUNK_ROWS as u64, Layout::Delta);
        let of = |file: &StagedFile| -> serde_json::Value {
            serde_json::from_str(file.statistics.as_ref().unwrap()).unwrap()
        };
        let bounds: Vec<_> = files.iter().map(of).map(|all| all["maxValues"]["data_n"].clone()).collect();
        assert_eq!(bounds, [8_191, 16_383, 19_999]);
    }
}
