//! A source → its text, decompressed.
//!
//! gzip and zstd are recognised by their first bytes, never by a file's name. So are the containers and
//! encodings that are not read, compressed or not: reading them fails with their name.
//!
//! Invariant: a source that is truncated, corrupt, followed by other data, or changed while it is read ends
//! in an error, never in a silent end of the text.

use std::io::{self, Cursor, ErrorKind, Read};

use event_target::Fingerprint;

use super::{
    compressed::{Gzip, StoredBytes, Zstd, is_gzip, is_zstd},
    defect::Defect,
    formats,
    hashing_reader::{HashingReader, RunningHash},
    objects::ReadAhead,
    sources::{Origin, Source},
    steady_file::SteadyFile,
};
use crate::runtime::{CountingReader, Progress};

/// The text of a source.
pub(super) struct Text {
    reader: Box<dyn Read + Send>,
    /// The name of the format, where the source is compressed.
    pub(super) compression: Option<&'static str>,
    running_hash: Option<RunningHash>,
    /// The first bytes of the text, until they were looked at.
    head: Option<Vec<u8>>,
}

/// Opens a source, an object as one of those that are fetched ahead; errors name the path. Progress counts
/// stored bytes, compressed or not. A source that was screened is read with its content at that time. It has
/// a fingerprint when it was read to its end, and so has any source with `is_hashed`.
pub(super) fn open(
    source: &Source,
    ahead: &ReadAhead,
    progress: &Progress,
    is_hashed: bool,
) -> io::Result<Text> {
    let mut input: Box<dyn Read + Send> = match &source.origin {
        Origin::File(path) => Box::new(SteadyFile::open(path)?),
        Origin::Lines(lines) => return Ok(Text::of(lines.open(ahead)?, None)),
        Origin::Object(object) => Box::new(ahead.reader(object)?),
        Origin::StandardInput => Box::new(io::stdin()),
        Origin::Records(records) => {
            let reader = records.open()?;
            return Ok(Text::of(reader, None));
        }
        Origin::Begun(begun) => return begun.take().ok_or_else(|| ErrorKind::UnexpectedEof.into()),
    };
    let mut running_hash = None;
    if is_hashed || source.fingerprint.is_some() {
        let (reader, hash) = HashingReader::new(input, source.fingerprint);
        (input, running_hash) = (Box::new(reader), Some(hash));
    }
    let mut input = CountingReader { input, progress: progress.clone() };
    let mut magic = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut magic)?;
    let (is_gzip, is_zstd) = (is_gzip(&magic), is_zstd(&magic));
    let whole = Cursor::new(magic).chain(input);
    let (reader, compression): (Box<dyn Read + Send>, _) = if is_gzip {
        (Box::new(Gzip::new(StoredBytes::new(Box::new(whole)))), Some("gzip"))
    } else if is_zstd {
        (Box::new(Zstd::new(StoredBytes::new(Box::new(whole)))?), Some("zstd"))
    } else {
        (Box::new(whole), None)
    };
    Ok(Text { reader, compression, running_hash, head: Some(Vec::new()) })
}

impl Text {
    /// A text that is known to be one.
    pub(super) fn of(reader: Box<dyn Read + Send>, compression: Option<&'static str>) -> Self {
        Self { reader, compression, running_hash: None, head: None }
    }

    /// The fingerprint of the bytes read so far, if it is computed.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.running_hash.as_ref().map(RunningHash::fingerprint)
    }

    /// Looks at the first bytes of the text once there are enough of them; `bytes` were read last.
    fn look_at_head(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        head.extend_from_slice(&bytes[..bytes.len().min(formats::HEAD_BYTES - head.len())]);
        if head.len() < formats::HEAD_BYTES && !bytes.is_empty() {
            return Ok(());
        }
        let foreign = formats::foreign(head);
        self.head = None;
        let Some(name) = foreign else { return Ok(()) };
        let what =
            self.compression.map_or("it".to_owned(), |format| format!("the text in its {format} data"));
        let problem = format!("{what} is {name}; sources are JSON in UTF-8, plain or in gzip or zstd");
        Err(Defect::Foreign(problem).into())
    }
}

impl Read for Text {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        if self.head.is_some() && !bytes.is_empty() {
            self.look_at_head(&bytes[..read])?;
        }
        Ok(read)
    }
}
