//! The verbs of a store as requests to a bucket.
//!
//! Invariant: what a verb returns was said by the store, in an answer of its own. Only where a key is this
//! process's alone, an upload whose answer got lost is found by looking at it.

use std::{
    fmt,
    future::Future,
    io::{self, ErrorKind},
    path::Path as FilePath,
    sync::Arc,
};

use object_store::{
    Error, ObjectMeta, ObjectStoreExt, PutMode, PutPayload, list::PaginatedListOptions, path::Path,
};
use storage::{Found, Object, Put, Replaced, Store, Upload};
use tokio::{runtime::Runtime, task::JoinSet};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    address::{Address, Cloud},
    blocks::Blocks,
    failure,
    object::Remote,
    open::{Client, Clients},
    secrets::Secrets,
    upload::Writer,
    uploads::Uploads,
};

/// A place in a bucket.
#[derive(Clone)]
pub(crate) struct Bucket {
    address: Address,
    /// The key of the place, with a `/` at its end unless it is empty.
    root: String,
    patient: Client,
    quick: Client,
    secrets: Arc<Secrets>,
    runtime: Arc<Running>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) blocks: Arc<Blocks>,
}

/// The runtime; what it still does is given up with the last store that uses it.
struct Running(Option<Runtime>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.address)
    }
}

impl Bucket {
    pub(crate) fn new(address: &Address, clients: Clients, runtime: Runtime, buffer_bytes: usize) -> Self {
        let key = address.key();
        Self {
            address: address.clone(),
            root: if key.is_empty() { String::new() } else { format!("{key}/") },
            patient: clients.patient,
            quick: clients.quick,
            secrets: Arc::new(clients.secrets),
            runtime: Arc::new(Running(Some(runtime))),
            uploads: Arc::new(Uploads::new(buffer_bytes)),
            blocks: Arc::new(Blocks::new(buffer_bytes)),
        }
    }

    /// The client for requests that are tried again for a while.
    pub(crate) fn objects(&self) -> &dyn object_store::ObjectStore {
        &*self.patient.objects
    }

    pub(crate) fn path(&self, key: &str) -> io::Result<Path> {
        let path = Path::parse(format!("{}{key}", self.root));
        path.map_err(|error| {
            io::Error::new(ErrorKind::InvalidInput, format!("`{}`: {error}", self.address(key)))
        })
    }

    fn runtime(&self) -> io::Result<&Runtime> {
        self.runtime.0.as_ref().ok_or_else(|| io::Error::other("the store is closed"))
    }

    /// Waits for an answer.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> io::Result<T> {
        Ok(self.runtime()?.block_on(future))
    }

    /// Goes on behind the caller's back.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        self.runtime()?.spawn(future);
        Ok(())
    }

    /// The same among others that are awaited together.
    pub(crate) fn spawn_in<T: Send + 'static>(
        &self,
        others: &mut JoinSet<T>,
        future: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<()> {
        others.spawn_on(future, self.runtime()?.handle());
        Ok(())
    }

    /// An error with what was done and where.
    pub(crate) fn failed(&self, doing: &str, key: &str, error: &Error) -> io::Error {
        let cause = self.secrets.clean(&failure::cause_of(error));
        io::Error::new(failure::kind_of(error), format!("failed to {doing} `{}`: {cause}", self.address(key)))
    }

    /// An answer, or `None` if there is no such object. A bucket that is gone is an error.
    fn found<T>(&self, doing: &str, key: &str, answer: Result<T, Error>) -> io::Result<Option<T>> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ Error::NotFound { .. }) => {
                let text = failure::text_of(&error);
                match failure::code_of(&text) {
                    Some("NoSuchBucket" | "ContainerNotFound") => Err(self.failed(doing, key, &error)),
                    _ => Ok(None),
                }
            }
            Err(error) => Err(self.failed(doing, key, &error)),
        }
    }

    pub(crate) async fn head(&self, key: &str) -> io::Result<Option<Found>> {
        let found = self.objects().head(&self.path(key)?).await;
        Ok(self.found("look at", key, found)?.map(|meta| found_at(key.to_owned(), &meta)))
    }

    async fn get(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(key)?;
        let read = async { self.objects().get(&path).await?.bytes().await };
        Ok(self.found("read", key, read.await)?.map(Vec::from))
    }

    async fn put_all(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        let payload = PutPayload::from(bytes.to_vec());
        let Err(error) = self.objects().put(&self.path(key)?, payload).await else { return Ok(()) };
        match self.get(key).await {
            Ok(Some(there)) if there == bytes => Ok(()),
            _ => Err(self.failed("write", key, &error)),
        }
    }

    /// One page after the other.
    async fn list(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
        let (from, offset) = (format!("{}{prefix}", self.root), format!("{}{after}", self.root));
        let from = (!from.is_empty()).then_some(from.as_str());
        let mut page_token = None;
        let mut found = Vec::new();
        loop {
            let offset = (!after.is_empty()).then(|| offset.clone());
            let page = PaginatedListOptions { offset, page_token, ..PaginatedListOptions::default() };
            let answer = self.patient.pages.list_paginated(from, page).await;
            let page = answer.map_err(|error| self.failed("list", prefix, &error))?;
            for meta in page.result.objects {
                let key = meta.location.as_ref().strip_prefix(&self.root).map(str::to_owned);
                // The mark of a directory, which some tools make, is not below it without its `/`.
                found.extend(key.filter(|key| key.starts_with(prefix)).map(|key| found_at(key, &meta)));
            }
            page_token = page.page_token;
            if page_token.is_none() {
                break;
            }
        }
        if self.address.cloud == Cloud::Azure && !prefix.is_empty() && !prefix.ends_with('/') {
            // A key that is the prefix is left out of the pages.
            found.extend(self.head(prefix).await?);
        }
        self.without_marks(&mut found).await?;
        // Not every store takes `after`, or has its keys in this order.
        found.retain(|found| found.key.as_str() > after);
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        found.dedup_by(|a, b| a.key == b.key);
        Ok(found)
    }

    /// Leaves out marks of directories: empty objects whose keys end with a `/`, which the client takes away.
    async fn without_marks(&self, found: &mut Vec<Found>) -> io::Result<()> {
        let mut marks = Vec::new();
        for empty in found.iter().filter(|found| found.bytes == 0) {
            if self.head(&empty.key).await?.is_none() {
                marks.push(empty.key.clone());
            }
        }
        found.retain(|found| !marks.contains(&found.key));
        Ok(())
    }
}

/// An `ETag` as a header has it; some listings leave the quotes out.
pub(crate) fn quoted(etag: &str) -> String {
    if etag.ends_with('"') { etag.to_owned() } else { format!("\"{etag}\"") }
}

/// What a store says of an object.
pub(crate) fn found_at(key: String, meta: &ObjectMeta) -> Found {
    let stamp = stamp_of(meta.e_tag.as_deref(), meta.last_modified.timestamp_nanos_opt().unwrap_or_default());
    Found {
        key,
        bytes: meta.size,
        modified: meta.last_modified.into(),
        stamp,
        etag: meta.e_tag.as_deref().map(quoted),
    }
}

/// A stamp made of an `ETag`, which stores write with quotes or without them; or of a time, for lack of one.
pub(crate) fn stamp_of(etag: Option<&str>, modified_nanos: i64) -> (u64, i64) {
    let Some(etag) = etag else { return (0, modified_nanos) };
    let hash = xxh3_128(etag.trim_start_matches("W/").trim_matches('"').as_bytes()).to_be_bytes();
    let (first, second) = hash.split_at(8);
    let half = |half: &[u8]| half.iter().fold(0, |half, &byte| half << 8 | u64::from(byte));
    (half(first), half(second).cast_signed())
}

impl Store for Bucket {
    fn address(&self, key: &str) -> String {
        self.address.of(&format!("{}{key}", self.root))
    }

    fn directory(&self) -> Option<&FilePath> {
        None
    }

    fn find(&self, key: &str) -> io::Result<Option<Found>> {
        self.wait(self.head(key))?
    }

    fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.wait(self.get(key))?
    }

    fn open(&self, key: &str, bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        // What was just written may be read back.
        self.uploads.wait_for(key);
        let has_suffix_ranges = self.address.cloud != Cloud::Azure;
        Ok(Box::new(Remote::open(self, key, bytes, has_suffix_ranges)?))
    }

    fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        Ok(Box::new(Remote::found(self, found)))
    }

    fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
        self.wait(self.list(prefix, after))?
    }

    fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put> {
        let (path, payload) = (self.path(key)?, PutPayload::from(bytes.to_vec()));
        match self.wait(self.quick.objects.put_opts(&path, payload, PutMode::Create.into()))? {
            Ok(_) => Ok(Put::Created),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Exists),
            Err(error) => Err(self.failed("create", key, &error)),
        }
    }

    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        self.wait(self.put_all(key, bytes))?
    }

    fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>> {
        Ok(Box::new(Writer::new(self.clone(), key)?))
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        self.uploads.wait_for(key);
        match self.wait(self.objects().delete(&self.path(key)?))? {
            Err(error) if !matches!(error, Error::NotFound { .. }) => Err(self.failed("delete", key, &error)),
            _ => Ok(()),
        }
    }

    fn barrier(&self) -> io::Result<()> {
        self.uploads.wait_for_all()
    }
}

/// The error of a read whose object is another one by now.
pub(crate) fn replaced() -> io::Error {
    Replaced.into()
}
