//! Rows that memory has no room for → an unnamed temporary file, and back, partition by partition.
//!
//! Each spill is one run. For every event type it has the partitions, each sorted by (timestamp, event id)
//! and cut into chunks of Arrow IPC, and the facts that "latest" needs about the rows, by ranges of ids. The
//! file has no name, so it can't be left over; unless another process is to read its runs.
//!
//! Invariant: the rows read back are those that were written. Only the locations of chunks are kept in
//! memory.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, Int64Array, RecordBatch, UInt64Array},
    buffer::Buffer,
    datatypes::{Field, Int64Type, Schema, UInt64Type},
    ipc::{reader::StreamDecoder, writer::StreamWriter},
};
use event_rows::{
    ARRAY_BYTES_MIN, Batch, CHUNK_ROWS, Ids, PartitionKey, Position, chunk_rows, gather, group, sort,
};
use event_target::Exchange;
use events_core::partition::PartitionUnit;
use serde::{Deserialize, Serialize};
use storage::{File, Object};

use crate::{
    error::Error,
    latest::{Deduper, RANGES, SpilledContenders},
};

/// Everything that was spilled.
#[derive(Debug)]
pub(super) struct Spill {
    file: Arc<SpillFile>,
    runs: BTreeMap<PartitionKey, Vec<Run>>,
    /// By event type.
    contenders: BTreeMap<usize, Vec<ContendersPiece>>,
}

/// A run of a partition: its chunks, in order.
#[derive(Debug)]
struct Run {
    file: Arc<SpillFile>,
    chunks: Vec<Location>,
}

/// A file that is written, or one that another process has written.
#[derive(Debug)]
enum Opened {
    Written(File),
    Stored(Arc<dyn Object>),
    /// It is opened whenever it is read.
    WhenRead(Exchange, StoredFile),
}

/// So many stored files are kept open: a process may often have 1,024.
const OPEN_FILES_MAX: usize = 256;

/// Where rows are spilled to.
#[derive(Debug, Clone)]
pub(crate) enum SpillPlace {
    /// A file without a name, on the file system of this directory.
    Unnamed(PathBuf),
    /// This file, which is written anew.
    Named(PathBuf),
}

/// A file of runs that other processes read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    /// Its name in the exchange.
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// A run of a partition in such a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredRun {
    /// The file.
    pub(crate) file: StoredFile,
    /// Its chunks.
    pub(crate) chunks: Vec<Location>,
}

/// The file; several threads may write to it at once.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: Opened,
    /// The length that is written, or reserved.
    bytes: AtomicU64,
    /// The approximate size of a chunk: a merge keeps one of each run in memory.
    chunk_bytes: usize,
}

/// The locations of the parts of one run.
#[derive(Debug, Default)]
pub(super) struct SpilledRun {
    partitions: Vec<(PartitionKey, Vec<Location>)>,
    contenders: Vec<(usize, ContendersPiece)>,
}

/// The spilled rows of a partition from one run, sorted by (timestamp, event id).
#[derive(Debug)]
pub(crate) struct SortedRun<'s> {
    file: &'s SpillFile,
    locations: VecDeque<Location>,
}

/// The location of something in the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Location {
    offset: u64,
    bytes: usize,
}

/// The contenders of one event type and run whose ids fall into some ranges. With many types or small runs,
/// most ranges have one or none, and a piece has many ranges.
#[derive(Debug, Clone)]
struct ContendersPiece {
    first_range: u16,
    end_range: u16,
    place: Location,
    /// How many they are.
    contenders: usize,
    /// Whether their event type has a version.
    has_keys: bool,
}

/// The least contenders of a piece, except for the last one of a run.
const PIECE_CONTENDERS: usize = 512;

/// The largest chunks: there may be a hundred runs.
const CHUNK_BYTES_MAX: usize = 256 << 10;
/// Of smaller runs there are more, and their chunks are smaller.
const CHUNKS_PER_RUN: usize = 64;
const READING: &str = "reading the spill file";

impl SpillFile {
    /// Writes the rows of one event type, and their competitors, as a part of `run`.
    pub(super) fn write(
        &self,
        type_index: usize,
        batches: &[Batch],
        competitors: &[Batch],
        unit: PartitionUnit,
        deduper: &Deduper,
        run: &mut SpilledRun,
    ) -> Result<(), Error> {
        // Without what arrays of a few rows take beside their values: chunks have more.
        let bytes: usize = batches.iter().map(Batch::value_bytes).sum();
        let rows: usize = batches.iter().map(Batch::rows).sum();
        let columns = batches.first().map_or(0, |batch| batch.columns.len());
        let chunk_bytes = self.chunk_bytes.max(CHUNK_BYTES_MAX.min(columns * ARRAY_BYTES_MIN));
        let rows_max = (chunk_bytes * rows / bytes.max(1)).clamp(1, CHUNK_ROWS);
        for (unit_index, mut refs) in group(batches, unit, |_| false).partitions {
            sort(&mut refs, batches);
            let mut chunks = Vec::new();
            let mut rest = refs.as_slice();
            while !rest.is_empty() {
                let (refs, behind) = rest.split_at(chunk_rows(batches, rest, rows_max));
                rest = behind;
                let chunk = gather(batches, refs).map_err(Error::encode("the spill file"))?;
                let bytes = encode(&chunk).map_err(Error::encode("the spill file"))?;
                chunks.push(self.append(&bytes)?);
            }
            run.partitions.push(((type_index, unit_index), chunks));
        }
        self.write_contenders(type_index, batches.iter().chain(competitors), deduper, run)
    }

    fn write_contenders<'b>(
        &self,
        type_index: usize,
        batches: impl Iterator<Item = &'b Batch>,
        deduper: &Deduper,
        run: &mut SpilledRun,
    ) -> Result<(), Error> {
        let mut split = vec![SpilledContenders::default(); RANGES];
        for batch in batches {
            deduper.split_for_spill(batch, &mut split);
        }
        let (mut piece, mut first_range) = (SpilledContenders::default(), 0);
        for (contenders, end_range) in split.into_iter().zip(1..) {
            piece.append(contenders);
            let is_last = usize::from(end_range) == RANGES;
            if piece.len() >= PIECE_CONTENDERS || is_last && piece.len() > 0 {
                let bytes = piece.to_bytes();
                let (place, contenders) = (self.append(&bytes)?, piece.len());
                let has_keys = !piece.versioned.is_empty();
                let piece_of_run = ContendersPiece { first_range, end_range, place, contenders, has_keys };
                run.contenders.push((type_index, piece_of_run));
                (piece, first_range) = (SpilledContenders::default(), end_range);
            }
        }
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> Result<Location, Error> {
        let offset = self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let written = match &self.file {
            Opened::Written(file) => file.write_all_at(bytes, offset),
            Opened::Stored(_) | Opened::WhenRead(..) => Err(io::Error::other("it was opened to be read")),
        };
        written.map_err(Error::io("writing the spill file"))?;
        Ok(Location { offset, bytes: bytes.len() })
    }

    fn read(&self, location: Location) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; location.bytes];
        let read = match &self.file {
            Opened::Written(file) => file.read_exact_at(&mut bytes, location.offset),
            Opened::Stored(object) => object.read_exact_at(&mut bytes, location.offset),
            Opened::WhenRead(exchange, StoredFile { name, bytes: length }) => {
                let object = exchange.open(name, *length);
                object.and_then(|object| object.read_exact_at(&mut bytes, location.offset))
            }
        };
        read.map_err(Error::io(READING))?;
        Ok(bytes)
    }
}

impl Spill {
    /// A spill file for runs that take this much memory.
    pub(super) fn create(place: &SpillPlace, run_bytes: usize) -> io::Result<Self> {
        let file = match place {
            SpillPlace::Unnamed(directory) => File::unnamed(directory)?,
            SpillPlace::Named(path) => File::create(path)?,
        };
        let chunk_bytes = CHUNK_BYTES_MAX.min(run_bytes / CHUNKS_PER_RUN);
        let file = Opened::Written(file);
        let file = Arc::new(SpillFile { file, bytes: AtomicU64::new(0), chunk_bytes });
        Ok(Self { file, runs: BTreeMap::new(), contenders: BTreeMap::new() })
    }

    /// Runs that other processes have spilled, to be read.
    pub(super) fn of_stored(
        exchange: &Exchange,
        runs: Vec<(PartitionKey, StoredRun)>,
    ) -> io::Result<Option<Self>> {
        let stored: BTreeSet<_> = runs.iter().map(|(_, run)| run.file.clone()).collect();
        // Objects of a bucket take no file descriptors.
        let are_kept_open = stored.len() <= OPEN_FILES_MAX || exchange.directory().is_none();
        let open = |stored: StoredFile| {
            let file = if are_kept_open {
                Opened::Stored(exchange.open(&stored.name, stored.bytes)?)
            } else {
                Opened::WhenRead(exchange.clone(), stored.clone())
            };
            let bytes = AtomicU64::new(stored.bytes);
            Ok((stored, Arc::new(SpillFile { file, bytes, chunk_bytes: CHUNK_BYTES_MAX })))
        };
        let files = stored.into_iter().map(open).collect::<io::Result<BTreeMap<_, _>>>()?;
        let mut spilled = BTreeMap::<_, Vec<_>>::new();
        for (partition, StoredRun { file, chunks }) in runs {
            spilled.entry(partition).or_default().push(Run { file: Arc::clone(&files[&file]), chunks });
        }
        let Some(file) = files.into_values().next() else { return Ok(None) };
        Ok(Some(Self { file, runs: spilled, contenders: BTreeMap::new() }))
    }

    /// The chunks of all runs, and the length of the file.
    pub(super) fn stored(&self) -> (Vec<(PartitionKey, Vec<Location>)>, u64) {
        let runs = self.runs.iter();
        let runs = runs.flat_map(|(partition, runs)| runs.iter().map(|run| (*partition, run.chunks.clone())));
        (runs.collect(), self.file.bytes.load(Ordering::Relaxed))
    }

    /// The file to write runs to.
    pub(super) fn file(&self) -> Arc<SpillFile> {
        Arc::clone(&self.file)
    }

    /// Adds a run that was written. The order of runs does not matter.
    pub(super) fn add(&mut self, run: SpilledRun) {
        for (partition, chunks) in run.partitions {
            let run = Run { file: Arc::clone(&self.file), chunks };
            self.runs.entry(partition).or_default().push(run);
        }
        for (type_index, piece) in run.contenders {
            self.contenders.entry(type_index).or_default().push(piece);
        }
    }

    /// The partitions that have spilled rows.
    pub(super) fn partitions(&self) -> impl Iterator<Item = PartitionKey> {
        self.runs.keys().copied()
    }

    /// The runs of a partition.
    pub(super) fn runs(&self, partition: PartitionKey) -> Vec<SortedRun<'_>> {
        let runs = self.runs.get(&partition).map_or(&[][..], Vec::as_slice);
        runs.iter()
            .map(|run| SortedRun { file: &run.file, locations: run.chunks.iter().copied().collect() })
            .collect()
    }

    /// The bytes of an event type's contenders. Those with a version take more in memory than in the file.
    pub(super) fn contenders_bytes(&self, type_index: usize) -> usize {
        let bytes = |piece: &ContendersPiece| piece.place.bytes * if piece.has_keys { 2 } else { 1 };
        self.pieces(type_index).map(bytes).sum()
    }

    /// The contenders of an event type whose ids fall into these ranges, by range.
    pub(super) fn contenders(
        &self,
        type_index: usize,
        ranges: &Range<usize>,
        deduper: &Deduper,
    ) -> Result<Vec<SpilledContenders>, Error> {
        let mut contenders = vec![SpilledContenders::default(); ranges.len()];
        let overlaps = |piece: &&ContendersPiece| {
            usize::from(piece.first_range) < ranges.end && usize::from(piece.end_range) > ranges.start
        };
        for piece in self.pieces(type_index).filter(overlaps) {
            let read = SpilledContenders::of_bytes(&self.file.read(piece.place)?);
            let read = read.filter(|read| read.len() == piece.contenders);
            let damaged =
                || Error::io(READING)(io::Error::other("its contenders are not those that were written"));
            deduper.split_again(read.ok_or_else(damaged)?, ranges, &mut contenders);
        }
        Ok(contenders)
    }

    /// Calls `look` with the contenders of one range after the other. Some ranges at a time are in memory.
    pub(super) fn each_contenders(
        &self,
        type_index: usize,
        ranges: Range<usize>,
        deduper: &Deduper,
        mut look: impl FnMut(&SpilledContenders),
    ) -> Result<(), Error> {
        let step = ranges.len().div_ceil(8).max(1);
        for first in ranges.clone().step_by(step) {
            let portion = first..(first + step).min(ranges.end);
            self.contenders(type_index, &portion, deduper)?.iter().for_each(&mut look);
        }
        Ok(())
    }

    fn pieces(&self, type_index: usize) -> impl Iterator<Item = &ContendersPiece> {
        self.contenders.get(&type_index).into_iter().flatten()
    }
}

impl SortedRun<'_> {
    /// The next rows; `None` after the last.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Batch>, Error> {
        let Some(location) = self.locations.pop_front() else { return Ok(None) };
        let chunk = decode(self.file.read(location)?);
        chunk.map(Some).map_err(|problem| Error::Encode { what: "the spill file".to_owned(), problem })
    }
}

fn encode(batch: &Batch) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let ids: ArrayRef = match &batch.ids {
        Ids::Uuids(uuids) => {
            let bytes: Vec<u8> = uuids.iter().flat_map(|uuid| uuid.to_be_bytes()).collect();
            Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), None)?)
        }
        Ids::Texts(texts) => Arc::new(texts.clone()),
    };
    let positions: UInt64Array = batch.positions.iter().map(|position| position.to_bits()).collect();
    let micros = Int64Array::from(batch.micros.clone());
    let mut columns: Vec<ArrayRef> = vec![Arc::new(positions), Arc::new(micros), ids];
    columns.extend(batch.columns.iter().cloned());
    let field = |column: &ArrayRef| Field::new("", column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&RecordBatch::try_new(schema, columns)?)?;
    writer.into_inner()
}

fn decode(bytes: Vec<u8>) -> Result<Batch, String> {
    let mut bytes = Buffer::from_vec(bytes);
    let batch = StreamDecoder::new().decode(&mut bytes).map_err(|error| error.to_string())?;
    let batch = batch.ok_or("a chunk without rows")?;
    let (_, columns, _) = batch.into_parts();
    let [positions, micros, ids, payload @ ..] = columns.as_slice() else {
        return Err("a chunk without its base columns".to_owned());
    };
    let ids = match ids.as_fixed_size_binary_opt() {
        Some(uuids) => {
            let uuid = |bytes: Option<&[u8]>| {
                bytes.and_then(|bytes| Some(u128::from_be_bytes(bytes.try_into().ok()?))).unwrap_or_default()
            };
            Ids::Uuids(uuids.iter().map(uuid).collect())
        }
        None => Ids::Texts(ids.as_string::<i32>().clone()),
    };
    let positions = positions.as_primitive::<UInt64Type>().values();
    Ok(Batch {
        positions: positions.iter().map(|&bits| Position::from_bits(bits)).collect(),
        micros: micros.as_primitive::<Int64Type>().values().to_vec(),
        ids,
        columns: payload.to_vec(),
        // What is read back was decided before.
        versions: None,
    })
}
