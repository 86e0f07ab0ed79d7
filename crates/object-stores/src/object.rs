//! An object that is read in parts, by requests for ranges of it.
//!
//! Many small reads come to few requests: blocks are kept, and the end of an object, where a Parquet file has
//! its footer, comes with the first answer. Large reads are requests of their own.
//!
//! Invariant: all bytes are of one version of the object. Each request but the first names the `ETag` that it
//! expects.

use std::{
    fmt,
    io::{self, ErrorKind},
    ops::Range,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{Error, GetOptions, GetRange, GetResult, ObjectMeta};
use storage::{Found, Object};

use crate::bucket::{Bucket, found_at, quoted, replaced};

/// What is read of the end at once: more than most footers take.
const END_BYTES: u64 = 64 << 10;
/// What is read and kept for a small read.
const BLOCK_BYTES: usize = 512 << 10;
/// As many blocks are read at once at most, by whoever reads one behind the other.
const BLOCKS_AHEAD_MAX: usize = 16;

/// An object of a bucket.
pub(crate) struct Remote {
    bucket: Bucket,
    key: String,
    bytes: u64,
    etag: OnceLock<String>,
    /// The end of the object, once it was read.
    end: OnceLock<Bytes>,
    /// Names its blocks.
    number: u64,
    /// The block behind those that were read last, and how many those were.
    ahead: Mutex<(u64, u64)>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({}, {} bytes)", self.key, self.bytes)
    }
}

impl Remote {
    /// Opens an object with one request, which also reads its end. Its length is found out unless it is
    /// known.
    pub(crate) fn open(
        bucket: &Bucket,
        key: &str,
        bytes: Option<u64>,
        has_suffix_ranges: bool,
    ) -> io::Result<Self> {
        let bytes = match bytes {
            None if !has_suffix_ranges => Some(Self::look_up(bucket, key)?.bytes),
            bytes => bytes,
        };
        let range = match bytes {
            // There is no range of nothing.
            Some(0) => return Ok(Self::found(bucket, &Self::look_up(bucket, key)?)),
            Some(bytes) => GetRange::Bounded(bytes.saturating_sub(END_BYTES)..bytes),
            None => GetRange::Suffix(END_BYTES),
        };
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        match Self::get(bucket, key, options) {
            Ok((answer, end)) => {
                let object = Self::found(bucket, &found_at(key.to_owned(), &answer));
                if bytes.is_some_and(|bytes| bytes != object.bytes) {
                    return Err(replaced());
                }
                let _ = object.end.set(end);
                Ok(object)
            }
            // An empty object has no last bytes.
            Err(error) if bytes.is_none() && error.kind() != ErrorKind::NotFound => {
                match Self::look_up(bucket, key)? {
                    found if found.bytes == 0 => Ok(Self::found(bucket, &found)),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// An object that was found. It is not asked for before it is read.
    pub(crate) fn found(bucket: &Bucket, found: &Found) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let etag = found.etag.clone().map_or_else(OnceLock::new, OnceLock::from);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            bucket: bucket.clone(),
            key: found.key.clone(),
            bytes: found.bytes,
            etag,
            end: OnceLock::new(),
            number,
            ahead: Mutex::default(),
        }
    }

    fn look_up(bucket: &Bucket, key: &str) -> io::Result<Found> {
        bucket.wait(bucket.head(key))??.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// The answer to a request for a range.
    fn get(bucket: &Bucket, key: &str, options: GetOptions) -> io::Result<(ObjectMeta, Bytes)> {
        let path = bucket.path(key)?;
        let answer = bucket.wait(async {
            let answer: GetResult = bucket.objects().get_opts(&path, options).await?;
            let meta = answer.meta.clone();
            Ok((meta, answer.bytes().await?))
        })?;
        answer.map_err(|error| Self::failed(bucket, key, &error))
    }

    /// A range of the object, by a request.
    fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        let length = range.end - range.start;
        let (meta, bytes) = Self::get(&self.bucket, &self.key, self.request(range))?;
        self.check(meta, bytes.len() as u64 == length)?;
        Ok(bytes)
    }

    /// The same, to where it belongs while it arrives.
    fn fetch_into(&self, bytes: &mut [u8], range: Range<u64>) -> io::Result<()> {
        let (path, options) = (self.bucket.path(&self.key)?, self.request(range));
        let answer = self.bucket.wait(async {
            let answer = self.bucket.objects().get_opts(&path, options).await?;
            let meta = answer.meta.clone();
            let (mut rest, mut chunks) = (&mut *bytes, answer.into_stream());
            while let Some(chunk) = chunks.try_next().await? {
                let Some((now, later)) = rest.split_at_mut_checked(chunk.len()) else {
                    return Ok((meta, false));
                };
                now.copy_from_slice(&chunk);
                rest = later;
            }
            Ok((meta, rest.is_empty()))
        })?;
        let (meta, is_whole) = answer.map_err(|error| Self::failed(&self.bucket, &self.key, &error))?;
        self.check(meta, is_whole)
    }

    fn request(&self, range: Range<u64>) -> GetOptions {
        let if_match = self.etag.get().cloned();
        GetOptions { range: Some(GetRange::Bounded(range)), if_match, ..GetOptions::default() }
    }

    /// Refuses an answer about another version of the object.
    fn check(&self, meta: ObjectMeta, is_whole: bool) -> io::Result<()> {
        if meta.size != self.bytes || !is_whole {
            return Err(replaced());
        }
        if let Some(etag) = meta.e_tag {
            // Of two first answers, one says what the other must be.
            let etag = quoted(&etag);
            if *self.etag.get_or_init(|| etag.clone()) != etag {
                return Err(replaced());
            }
        }
        Ok(())
    }

    fn failed(bucket: &Bucket, key: &str, error: &Error) -> io::Error {
        match error {
            Error::Precondition { .. } => replaced(),
            error => bucket.failed("read", key, error),
        }
    }

    /// The kept bytes that begin before or at `offset` and go on behind it, and where they begin.
    fn around(&self, offset: u64) -> io::Result<(u64, Bytes)> {
        let end_start = self.bytes.saturating_sub(END_BYTES);
        if offset >= end_start {
            if let Some(end) = self.end.get() {
                return Ok((end_start, end.clone()));
            }
            let end = self.fetch(end_start..self.bytes)?;
            return Ok((end_start, self.end.get_or_init(|| end).clone()));
        }
        let block_bytes = BLOCK_BYTES as u64;
        let block = offset / block_bytes;
        let start = block * block_bytes;
        if let Some(bytes) = self.bucket.blocks.get(self.number, block) {
            return Ok((start, bytes));
        }
        let count = self.count_ahead(block);
        let bytes = self.fetch(start..(start + count * block_bytes).min(self.bytes))?;
        let mut rest = bytes.clone();
        for block in block.. {
            // A copy: a part of the answer would hold all of it.
            let bytes = Bytes::copy_from_slice(&rest.split_to(rest.len().min(BLOCK_BYTES)));
            self.bucket.blocks.keep(self.number, block, bytes);
            if rest.is_empty() {
                break;
            }
        }
        Ok((start, bytes))
    }

    /// How many blocks to read from a block on: one, and twice as many each time by whoever goes on where the
    /// last ones ended.
    fn count_ahead(&self, block: u64) -> u64 {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        // What is read ahead must not push itself out.
        let most = (self.bucket.blocks.bytes_max() / 4 / BLOCK_BYTES).clamp(1, BLOCKS_AHEAD_MAX) as u64;
        let count = if ahead.0 == block && block > 0 { (ahead.1 * 2).min(most) } else { 1 };
        *ahead = (block + count, count);
        count
    }
}

impl Object for Remote {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.bytes {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let is_in_end = self.end.get().is_some() && offset >= self.bytes.saturating_sub(END_BYTES);
        if bytes.len() >= BLOCK_BYTES && !is_in_end {
            return self.fetch_into(bytes, offset..end);
        }
        let (mut rest, mut offset) = (bytes, offset);
        while !rest.is_empty() {
            let (start, kept) = self.around(offset)?;
            let kept = usize::try_from(offset - start).ok().and_then(|skip| kept.get(skip..));
            let kept = kept.filter(|kept| !kept.is_empty()).ok_or(ErrorKind::UnexpectedEof)?;
            let taken = kept.len().min(rest.len());
            let (now, later) = rest.split_at_mut(taken);
            now.copy_from_slice(&kept[..taken]);
            (rest, offset) = (later, offset + taken as u64);
        }
        Ok(())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.bucket.blocks.forget(self.number);
    }
}
