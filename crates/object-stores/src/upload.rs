//! Bytes that are written → an object.
//!
//! Up to the size of one part it is one request, which goes on behind `finish`; above it the object is
//! uploaded in parts, as many at once as there is room for, and `finish` waits for them.
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
use object_store::{Error, MultipartUpload, ObjectStoreExt, PutPayload, PutResult, path::Path};
use storage::{Upload, Uploaded};
use tokio::task::JoinSet;

use crate::{
    bucket::{Bucket, stamp_of},
    uploads::Uploads,
};

/// An object that is being written.
pub(crate) struct Writer {
    bucket: Bucket,
    key: String,
    path: Path,
    /// What is written, but not on its way.
    buffer: Vec<u8>,
    parts: Option<Parts>,
    bytes: u64,
}

/// An object that is uploaded in parts.
struct Parts {
    upload: Box<dyn MultipartUpload>,
    /// The parts on their way, and those that have arrived.
    sent: JoinSet<Result<(), Error>>,
    count: usize,
}

/// The room that a part takes on its way, until it is dropped.
struct Room {
    uploads: Arc<Uploads>,
    name: String,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        // What becomes of the part is told by the upload that it belongs to.
        self.uploads.leave(&self.name, self.bytes, Ok(()));
    }
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

    /// Sends what is in the buffer as a part, as soon as there is room for it.
    fn send_part(&mut self) -> io::Result<()> {
        let part = Bytes::from(mem::take(&mut self.buffer));
        let bucket = self.bucket.clone();
        if self.parts.is_none() {
            let upload = bucket.wait(bucket.objects().put_multipart(&self.path))?;
            let upload = upload.map_err(|error| self.failed(&error))?;
            self.parts = Some(Parts { upload, sent: JoinSet::new(), count: 0 });
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        parts.count += 1;
        let (name, bytes) = (format!("{} part {}", self.key, parts.count), part.len());
        bucket.uploads.enter(&name, bytes)?;
        let room = Room { uploads: Arc::clone(&bucket.uploads), name, bytes };
        let sending = parts.upload.put_part(PutPayload::from(part));
        bucket.spawn_in(&mut parts.sent, async move {
            let _room = room;
            sending.await
        })
    }

    /// Sends the last part, and ends the object once all have arrived.
    fn finish_parts(&mut self) -> io::Result<Uploaded> {
        self.send_part()?;
        let Some(mut parts) = self.parts.take() else { return Err(io::ErrorKind::InvalidInput.into()) };
        let arrived = self.bucket.wait(async {
            while let Some(sent) = parts.sent.join_next().await {
                sent.map_err(io::Error::other)?.map_err(|error| self.failed(&error))?;
            }
            let (bucket, key, bytes) = (&self.bucket, &self.key, self.bytes);
            settle(bucket, key, bytes, parts.upload.complete().await).await
        })?;
        if arrived.is_err() {
            self.parts = Some(parts);
        }
        Ok(Uploaded { stamp: Arc::new(OnceLock::from(arrived?)), object: None })
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
        if let Some(mut parts) = self.parts.take() {
            parts.sent.abort_all();
            // Parts that stay are deleted by a rule of the bucket.
            let _ = self.bucket.wait(parts.upload.abort());
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
        let part_bytes = self.bucket.uploads.part_bytes();
        if self.buffer.len() >= part_bytes {
            self.send_part()?;
        }
        let taken = bytes.len().min(part_bytes - self.buffer.len());
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
        if self.parts.is_none() { self.send_whole() } else { self.finish_parts() }
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
