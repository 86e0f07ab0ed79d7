//! Partitions of one table → the pieces of one COPY, encoded on several threads, and sent by one of them.
//!
//! Invariant: the number of rows that the database has counted is the number of those that were encoded; else
//! the run fails, and its transaction with it.

use std::sync::{Mutex, PoisonError};

use event_postgres::{Encoder, HEADER, TRAILER, Table};
use event_rows::chunk_rows_of;
use event_target::TargetError;

use super::{
    partition::Sent,
    pieces::{Next, Pieces},
};
use crate::{
    error::Error,
    existing::OpenDatabase,
    output::{
        Writing,
        partition_rows::{Chunks, PartitionRows},
    },
    rows::Partition,
    runtime::{Clock, Stage},
};

/// The bytes of a piece, about: a chunk of rows may have more.
const PIECE_BYTES: usize = 1 << 20;
/// So many pieces may wait for each thread.
const WAITING_PER_THREAD: usize = 2;

/// Rows on their way into a table.
pub(super) struct Copy<'a> {
    pub(super) writing: &'a Writing<'a>,
    pub(super) database: &'a OpenDatabase,
    pub(super) table: &'a Table,
    pub(super) partitions: Vec<&'a Partition>,
}

/// A partition that is being encoded.
struct Encoding<'a> {
    table: &'a Table,
    rows: PartitionRows<'a>,
    chunk_rows: usize,
    sent: Sent,
}

impl Copy<'_> {
    /// Sends the rows; in a dry run, only encodes them.
    pub(super) fn run(&self, threads: usize) -> Result<Vec<Sent>, Error> {
        let pieces = Pieces::new(self.partitions.len(), threads * WAITING_PER_THREAD);
        let sent: Mutex<Vec<(usize, Sent)>> = Mutex::default();
        let counted = workers::each(threads, |thread| match thread {
            0 => self.send(&pieces, &sent).map(Some),
            _ => self.encode(&pieces, &sent).map(|()| None),
        })?;
        let mut sent = sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        sent.sort_unstable_by_key(|(number, _)| *number);
        let sent: Vec<_> = sent.into_iter().map(|(_, sent)| sent).collect();
        let encoded: u64 = sent.iter().map(|sent| sent.rows).sum();
        match counted.into_iter().flatten().flatten().next() {
            Some(counted) if counted != encoded => {
                let table = self.table.qualified_name();
                Err(Error::Unbalanced(format!(
                    "{table}: {encoded} rows sent, {counted} counted by the database"
                )))
            }
            _ => Ok(sent),
        }
    }

    fn begin(&self, number: usize) -> Encoding<'_> {
        let Writing { rows, superseded, .. } = *self.writing;
        Encoding {
            table: self.table,
            rows: PartitionRows::new(rows, self.partitions[number], superseded, None),
            chunk_rows: chunk_rows_of(self.table.columns().columns().count()),
            sent: Sent::default(),
        }
    }

    fn end(&self, number: usize, encoding: Encoding<'_>, sent: &Mutex<Vec<(usize, Sent)>>) {
        let Encoding { rows, sent: of_partition, .. } = encoding;
        self.writing.stages.add_bytes(Stage::Copy, of_partition.bytes);
        self.writing.controls.progress.partition_written();
        let of_partition = Sent { out: rows.into_rows_out(), ..of_partition };
        sent.lock().unwrap_or_else(PoisonError::into_inner).push((number, of_partition));
    }

    /// Encodes partitions for the thread that sends.
    fn encode(&self, pieces: &Pieces, sent: &Mutex<Vec<(usize, Sent)>>) -> Result<(), Error> {
        let mut clock = self.writing.stages.clock();
        while let Some(begun) = pieces.begin() {
            let mut encoding = self.begin(begun.number);
            while let Some(piece) = encoding.next_piece(&mut clock)? {
                self.writing.controls.interruption.check()?;
                let goes_on = begun.hand_over(piece);
                clock.lap(Stage::Wait);
                if !goes_on {
                    return Ok(());
                }
            }
            self.end(begun.number, encoding, sent);
            begun.end();
        }
        Ok(())
    }

    /// Sends what the others encode, and encodes what they leave. The number of rows that the database has
    /// counted; `None` in a dry run.
    fn send(&self, pieces: &Pieces, sent: &Mutex<Vec<(usize, Sent)>>) -> Result<Option<u64>, Error> {
        let (mut own, mut failed) = (None, None);
        let mut frame = [HEADER.to_vec(), TRAILER.to_vec()].into_iter();
        let mut clock = self.writing.stages.clock();
        let mut next = || -> Result<Option<Vec<u8>>, Error> {
            self.writing.controls.interruption.check()?;
            clock.lap(Stage::Copy);
            if frame.len() == 2 {
                return Ok(frame.next());
            }
            loop {
                let Some((number, encoding)) = &mut own else {
                    let next = pieces.next();
                    clock.lap(Stage::Wait);
                    match next {
                        Next::Send(piece) => return Ok(Some(piece)),
                        Next::Encode(number) => own = Some((number, self.begin(number))),
                        Next::End => return Ok(frame.next()),
                    }
                    continue;
                };
                if let Some(piece) = pieces.waiting() {
                    return Ok(Some(piece));
                }
                if let Some(piece) = encoding.next_piece(&mut clock)? {
                    return Ok(Some(piece));
                }
                let number = *number;
                if let Some((_, encoding)) = own.take() {
                    self.end(number, encoding, sent);
                }
            }
        };
        if self.database.is_dry_run() {
            while next()?.is_some() {}
            return Ok(None);
        }
        let copied = self.database.session().copy_in(&self.table.copy_in(), &mut || {
            next().map_err(|error| {
                let stopped = TargetError::io("encoding rows")(std::io::Error::other(error.to_string()));
                failed = Some(error);
                stopped
            })
        });
        // The others must not wait for a transaction that has ended.
        pieces.close();
        clock.lap(Stage::Copy);
        match failed {
            Some(error) => Err(error),
            None => Ok(copied.map(Some)?),
        }
    }
}

impl Encoding<'_> {
    /// The next piece; `None` behind the last row.
    fn next_piece(&mut self, clock: &mut Clock<'_>) -> Result<Option<Vec<u8>>, Error> {
        let mut piece = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        while piece.len() < PIECE_BYTES {
            clock.lap(Stage::Encode);
            let chunk = self.rows.next_chunk(self.chunk_rows)?;
            clock.lap(Stage::Order);
            let Some(chunk) = chunk else { break };
            self.sent.rows += chunk.len() as u64;
            Encoder::new(self.table).encode(chunk, &mut piece).map_err(Error::encode("the rows"))?;
        }
        clock.lap(Stage::Encode);
        self.sent.bytes += piece.len() as u64;
        Ok((!piece.is_empty()).then_some(piece))
    }
}
