//! Bytes that are written → an object.
//!
//! Below the size of one part it is one request, which goes on behind `finish`; above it the object is uploaded
//! in parts, a few at once, and `finish` waits for it.
//!
//! Invariant: nobody sees an object before its last byte is there. The key is this upload's alone, so that an
//! object of this length under it is this one, whatever the answer was.

use std::{
    fmt,
    io::{self, Write},
    mem,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use object_store::{Error, ObjectStoreExt, PutPayload, PutResult, WriteMultipart, path::Path};
use storage::{Upload, Uploaded};

use crate::bucket::{Bucket, stamp_of};

/// The size of a part. S3 takes 10,000 of them.
const PART_BYTES: usize = 8 << 20;
/// Parts on their way at once, beside the one that is being filled.
const PARTS_AT_ONCE: usize = 3;

/// An object that is being written.
pub(crate) struct Writer {
    bucket: Bucket,
    key: String,
    path: Path,
    /// What is written, but not on its way.
    buffer: Vec<u8>,
    parts: Option<WriteMultipart>,
    bytes: u64,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({:?}, {} bytes)", self.path, self.bytes)
    }
}

impl Writer {
    pub(crate) fn new(bucket: Bucket, key: &str) -> io::Result<Self> {
        let path = bucket.path(key)?;
        Ok(Self { bucket, key: key.to_owned(), path, buffer: Vec::new(), parts: None, bytes: 0 })
    }

    fn failed(&self, error: &Error) -> io::Error {
        self.bucket.failed("write", &self.key, error)
    }

    /// Sends what is in the buffer as a part, as soon as there are few enough on their way.
    fn send_part(&mut self) -> io::Result<()> {
        let part = Bytes::from(mem::take(&mut self.buffer));
        let (bucket, path, parts) = (&self.bucket, &self.path, &mut self.parts);
        let sent = bucket.wait(async {
            let parts = if let Some(parts) = parts {
                parts
            } else {
                let upload = bucket.objects().put_multipart(path).await?;
                parts.insert(WriteMultipart::new_with_chunk_size(upload, PART_BYTES))
            };
            parts.wait_for_capacity(PARTS_AT_ONCE).await?;
            parts.put(part);
            Ok(())
        })?;
        sent.map_err(|error| self.failed(&error))
    }

    /// Hands the object over as one request.
    fn send_whole(&mut self) -> io::Result<Uploaded> {
        let stamp = Arc::new(OnceLock::new());
        let (bytes, known) = (mem::take(&mut self.buffer), Arc::clone(&stamp));
        let (bucket, key, path) = (self.bucket.clone(), self.key.clone(), self.path.clone());
        let (length, held) = (bytes.len() as u64, bytes.capacity());
        self.bucket.uploads.enter(&key, held)?;
        self.bucket.spawn(async move {
            let answer = bucket.objects().put(&path, PutPayload::from(bytes)).await;
            let stamped = settle(&bucket, &key, length, answer).await;
            bucket.uploads.leave(&key, held, stamped.map(|stamp| _ = known.set(stamp)));
        })?;
        Ok(Uploaded { stamp, object: None })
    }

    fn give_up(&mut self) {
        if let Some(parts) = self.parts.take() {
            // Parts that stay are deleted by a rule of the bucket.
            let _ = self.bucket.wait(parts.abort());
        }
    }
}

/// The stamp of what was uploaded. If the answer is no success, the object itself is looked at.
async fn settle(
    bucket: &Bucket,
    key: &str,
    bytes: u64,
    answer: Result<PutResult, Error>,
) -> io::Result<(u64, i64)> {
    let error = match answer {
        Ok(PutResult { e_tag: Some(etag), .. }) => return Ok(stamp_of(Some(&etag), 0)),
        Ok(_) => None,
        Err(error) => Some(bucket.failed("write", key, &error)),
    };
    match (bucket.head(key).await, error) {
        (Ok(Some(there)), _) if there.bytes == bytes => Ok(there.stamp),
        (Err(error), None) | (_, Some(error)) => Err(error),
        (Ok(_), None) => Err(io::Error::other(format!("the object {key} is not there as it was written"))),
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == PART_BYTES {
            self.send_part()?;
        }
        let taken = bytes.len().min(PART_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for Writer {
    fn finish(mut self: Box<Self>) -> io::Result<Uploaded> {
        if self.parts.is_none() {
            return self.send_whole();
        }
        self.send_part()?;
        let Some(parts) = self.parts.take() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let (bucket, key, bytes) = (&self.bucket, &self.key, self.bytes);
        let stamp = bucket.wait(async { settle(bucket, key, bytes, parts.finish().await).await })??;
        Ok(Uploaded { stamp: Arc::new(OnceLock::from(stamp)), object: None })
    }

    fn abort(mut self: Box<Self>) {
        self.give_up();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.give_up();
    }
}
