//! Objects by their keys: the verbs that a local directory and a bucket have in common.
//!
//! A key is a path below the store's root, with `/` between its parts. An object is written once and never
//! changed; only [`Store::put`] replaces one, and only small ones that nothing depends on.
//!
//! Invariant: [`Store::put_new`] is the only verb that can decide anything between two writers. An error of a
//! verb that changes something does not say that nothing was done: over a network, an answer may get lost.

mod conditions;
mod local;
mod local_file;
mod opening;
mod reader;

use std::{
    fmt,
    io::{self, ErrorKind, Write},
    path::Path,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, SystemTime},
};

use self::local_file::stamp_of;
pub use self::{
    conditions::holds_conditions,
    local::LocalStore,
    local_file::{LocalObject, NewFile},
    opening::{OpenError, Unusable, refuse_secrets, scheme_of},
    reader::ObjectReader,
};

/// A place for objects.
pub trait Store: fmt::Debug + Send + Sync {
    /// The address of an object for messages; of the root, if the key is empty.
    fn address(&self, key: &str) -> String;

    /// The directory, if the store is a local one.
    fn directory(&self) -> Option<&Path>;

    /// What is at a key; `None` if nothing is.
    fn find(&self, key: &str) -> io::Result<Option<Found>>;

    /// The whole object; `None` if there is none.
    fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>>;

    /// Opens an object to read parts of it. Its length is looked up where the caller does not know it.
    ///
    /// # Errors
    /// Among others, [`ErrorKind::NotFound`].
    fn open(&self, key: &str, bytes: Option<u64>) -> io::Result<Box<dyn Object>>;

    /// Opens an object that was found; nothing is looked up where the store can tell by each read whether it
    /// still is that object. If it is not, an error carries [`Replaced`].
    fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>>;

    /// All objects whose keys begin with `prefix`, whether that ends at a `/` or not, in the order of the
    /// bytes of their keys. Of these, only those behind the key `after`, which need not exist.
    fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>>;

    /// Creates an object that must not exist, as a whole and durably. An answer may be wrong: see
    /// [`create`].
    fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put>;

    /// Writes an object as a whole, whether it exists or not.
    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()>;

    /// Begins an object under a key that nobody else uses. It is durable after the next [`Self::barrier`].
    fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>>;

    /// Deletes an object, if it exists.
    fn delete(&self, key: &str) -> io::Result<()>;

    /// Makes all finished uploads durable: waits for them, and fails if one of them did.
    fn barrier(&self) -> io::Result<()>;
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key.
    pub key: String,
    /// Its length.
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub modified: SystemTime,
    /// What tells, without reading it, that nobody has written to it: of a file its inode and time, of an
    /// object of a bucket its `ETag`.
    pub stamp: (u64, i64),
    /// The `ETag` of an object of a bucket.
    pub etag: Option<String>,
}

/// An object was written to since it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced;

impl Replaced {
    /// Whether an error is this one.
    #[must_use]
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object was replaced since it was found")
    }
}

impl std::error::Error for Replaced {}

impl From<Replaced> for io::Error {
    fn from(replaced: Replaced) -> Self {
        Self::new(ErrorKind::InvalidData, replaced)
    }
}

/// An object that is read in parts.
pub trait Object: fmt::Debug + Send + Sync {
    /// Its length.
    fn bytes(&self) -> u64;

    /// Fills `bytes` from `offset` on; an error if the object ends before.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
}

/// An object that is being written.
pub trait Upload: Write + fmt::Debug + Send {
    /// Ends it; nobody sees it before. What it returns can be read back at no cost, where that is possible.
    /// The store may go on writing behind this call: what fails then is an error of [`Store::barrier`].
    fn finish(self: Box<Self>) -> io::Result<Uploaded>;

    /// Gives it up.
    fn abort(self: Box<Self>);
}

/// A finished upload.
#[derive(Debug)]
pub struct Uploaded {
    /// See [`Found::stamp`]. A store that goes on writing behind [`Upload::finish`] knows it after the next
    /// [`Store::barrier`], and others at once.
    pub stamp: Arc<OnceLock<(u64, i64)>>,
    /// Its bytes, if they are still at hand.
    pub object: Option<Box<dyn Object>>,
}

/// The answer of [`Store::put_new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object was created.
    Created,
    /// There is one of this key.
    Exists,
}

/// Creates an object whose bytes nobody else writes, and finds out whether it was done.
///
/// Any answer but success is read back: the same bytes mean that it was done, and the answer got lost; other
/// bytes are another writer's; if there is none, it is tried again.
///
/// # Errors
/// After some tries, the last one's. Then it is not known whether it was done.
pub fn create(store: &dyn Store, key: &str, bytes: &[u8]) -> io::Result<Put> {
    const TRIES: u32 = 5;
    const PAUSE: Duration = Duration::from_millis(20);
    let mut tries = 1;
    loop {
        let answer = store.put_new(key, bytes);
        if matches!(answer, Ok(Put::Created)) {
            return Ok(Put::Created);
        }
        let there = store.read(key);
        match (answer, there) {
            (_, Ok(Some(there))) => return Ok(if there == bytes { Put::Created } else { Put::Exists }),
            (Err(error), _) if tries == TRIES || is_final(&error) => return Err(error),
            (Ok(_), Err(error)) if tries == TRIES => return Err(error),
            (Ok(_), Ok(None)) if tries == TRIES => {
                let address = store.address(key);
                return Err(io::Error::other(format!("`{address}` is said to exist, and to be missing")));
            }
            _ => tries += 1,
        }
        if store.directory().is_none() {
            // Another writer of the object may not be done yet.
            thread::sleep(PAUSE * tries);
        }
    }
}

/// Whether another try would meet the same error.
fn is_final(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::StorageFull)
}
