//! gzip members or zstd frames, one behind the other → their text.
//!
//! The decoder tells what is wrong: data that end too early break off, and may be finished later; anything
//! else is damage. Between members and frames, only the first bytes of another one are no damage, and behind
//! gzip members zeros, with which tapes and some transfers pad (gzip accepts them, too).
//!
//! Invariant: the text ends where the stored bytes end, or with an error that says why it does not.

use std::{
    io::{self, BufRead, ErrorKind, Read},
    mem,
};

use flate2::bufread::GzDecoder;
use zstd::stream::raw::{self, Operation};

use super::defect::Defect;

/// The number of stored bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Behind a byte from 0x50 to 0x5F: a frame to skip, which parallel compressors write first.
const ZSTD_SKIPPED_MAGIC: [u8; 3] = [0x2A, 0x4D, 0x18];

/// zstd's error for a frame that refers back further than 2^27 bytes, its default limit
/// (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`).
const ZSTD_WINDOW_TOO_LARGE: &str = "Frame requires too much memory";

/// Whether stored bytes that begin like this are gzip members.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&GZIP_MAGIC)
}

/// Whether stored bytes that begin like this are zstd frames.
pub(super) fn is_zstd(head: &[u8]) -> bool {
    head.len() >= ZSTD_MAGIC.len() && begins_frame(head)
}

/// Whether these bytes, or the few that are left of a file, can begin a frame.
fn begins_frame(head: &[u8]) -> bool {
    let (first, rest) = head.split_at(head.len().min(1));
    let is_skipped = matches!(first, [0x50..=0x5F]) && agree(rest, &ZSTD_SKIPPED_MAGIC);
    agree(head, &ZSTD_MAGIC) || is_skipped
}

/// Whether both are the same as far as both go.
fn agree(head: &[u8], magic: &[u8]) -> bool {
    head.iter().zip(magic).all(|(found, expected)| found == expected)
}

/// The stored bytes of a source. Some can be looked at before they are taken.
pub(super) struct StoredBytes {
    input: Box<dyn Read + Send>,
    memory: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last error is the input's own, and says nothing about the data.
    has_failed: bool,
}

impl StoredBytes {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, memory: vec![0; READ_BYTES], start: 0, end: 0, has_failed: false }
    }

    /// The next bytes, up to `wanted`; fewer only at the end.
    fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.memory.len() - self.start < wanted {
            self.memory.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < wanted && self.read_more()? > 0 {}
        Ok(&self.memory[self.start..self.end.min(self.start + wanted)])
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let read = self.input.read(&mut self.memory[self.end..]).inspect_err(|_| self.has_failed = true)?;
        self.end += read;
        Ok(read)
    }

    /// An error of a decoder of these bytes, which may be that of reading them.
    fn explain(&self, format: &'static str, error: io::Error) -> io::Error {
        if self.has_failed {
            return error;
        }
        if error.kind() == ErrorKind::UnexpectedEof {
            return Defect::BreaksOff(format).into();
        }
        Defect::Damaged { format, problem: error.to_string() }.into()
    }
}

/// Nothing at all.
impl Default for StoredBytes {
    fn default() -> Self {
        Self { input: Box::new(io::empty()), memory: Vec::new(), start: 0, end: 0, has_failed: false }
    }
}

impl Read for StoredBytes {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(bytes)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for StoredBytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.has_failed = false;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.read_more()?;
        }
        Ok(&self.memory[self.start..self.end])
    }

    fn consume(&mut self, length: usize) {
        self.start = self.end.min(self.start + length);
    }
}

/// The text of gzip members.
pub(super) struct Gzip {
    member: GzDecoder<StoredBytes>,
    has_ended: bool,
}

impl Gzip {
    pub(super) fn new(stored: StoredBytes) -> Self {
        // Its first header is read with its text, as those of the others are.
        let mut member = GzDecoder::new(StoredBytes::default());
        member.reset(stored);
        Self { member, has_ended: false }
    }

    /// Behind a member: another one, or the end.
    fn begin_next(&mut self) -> io::Result<()> {
        let stored = self.member.get_mut();
        let head = stored.peek(GZIP_MAGIC.len())?;
        if !head.is_empty() && agree(head, &GZIP_MAGIC) {
            let stored = mem::take(stored);
            self.member.reset(stored);
            return Ok(());
        }
        loop {
            let padding = stored.fill_buf()?;
            if padding.is_empty() {
                self.has_ended = true;
                return Ok(());
            }
            if padding.iter().any(|byte| *byte != 0) {
                let problem = "something else follows it".to_owned();
                return Err(Defect::Damaged { format: "gzip", problem }.into());
            }
            let length = padding.len();
            stored.consume(length);
        }
    }
}

impl Read for Gzip {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while !self.has_ended && !bytes.is_empty() {
            match self.member.read(bytes) {
                Ok(0) => self.begin_next()?,
                Ok(read) => return Ok(read),
                Err(error) => return Err(self.member.get_ref().explain("gzip", error)),
            }
        }
        Ok(0)
    }
}

/// The text of zstd frames.
pub(super) struct Zstd {
    stored: StoredBytes,
    decoder: raw::Decoder<'static>,
    in_frame: bool,
}

impl Zstd {
    pub(super) fn new(stored: StoredBytes) -> io::Result<Self> {
        Ok(Self { stored, decoder: raw::Decoder::new()?, in_frame: false })
    }

    /// Between frames: whether another one follows.
    fn begin_next(&mut self) -> io::Result<bool> {
        let head = self.stored.peek(ZSTD_MAGIC.len())?;
        if head.is_empty() {
            return Ok(false);
        }
        if !begins_frame(head) {
            let problem = "something else follows it".to_owned();
            return Err(Defect::Damaged { format: "zstd", problem }.into());
        }
        self.decoder.reinit()?;
        self.in_frame = true;
        Ok(true)
    }
}

impl Read for Zstd {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while !bytes.is_empty() && (self.in_frame || self.begin_next()?) {
            let input = self.stored.fill_buf()?;
            let at_end = input.is_empty();
            let status = match self.decoder.run_on_buffers(input, bytes) {
                Ok(status) => status,
                Err(error) if error.to_string().contains(ZSTD_WINDOW_TOO_LARGE) => {
                    let problem = "its zstd data needs more than 128 MiB to be read; compress it again \
                                   without --long or --ultra";
                    return Err(Defect::Foreign(problem.to_owned()).into());
                }
                Err(error) => return Err(self.stored.explain("zstd", error)),
            };
            self.stored.consume(status.bytes_read);
            self.in_frame = status.remaining != 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if at_end && self.in_frame {
                return Err(Defect::BreaksOff("zstd").into());
            }
        }
        Ok(0)
    }
}
