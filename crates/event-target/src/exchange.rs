//! The files that the processes of one run leave for each other.
//!
//! | target | where | go |
//! |---|---|---|
//! | partitions | in its staging directory | with the staging directory |
//! | tables | `_eventloader/staging/<id of the run>/` | with the run, or with a sweep if it was killed |
//!
//! Invariant: they are files where the target is a directory, which all processes reach by the same path, and
//! objects where it is in a bucket.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use storage::{LocalStore, Object, ObjectReader, Store};

/// The place of these files. Their names are paths in it, with `/`.
#[derive(Clone)]
pub struct Exchange {
    store: Arc<dyn Store>,
    /// What their keys begin with.
    prefix: String,
    /// Objects of a bucket that were opened: to open one is a request.
    opened: Arc<Mutex<HashMap<String, Arc<dyn Object>>>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("at", &self.address("")).finish_non_exhaustive()
    }
}

impl Exchange {
    /// A directory, which exists.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self::in_store(Arc::new(LocalStore::new(directory.to_owned(), "")), String::new())
    }

    pub(crate) fn in_store(store: Arc<dyn Store>, prefix: String) -> Self {
        Self { store, prefix, opened: Arc::default() }
    }

    /// How messages and other processes name a file.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        self.store.address(&self.key(name))
    }

    /// What the keys of the files begin with in the target's store; nothing where that is the exchange.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The directory, if it is one.
    #[must_use]
    pub fn directory(&self) -> Option<PathBuf> {
        self.store.directory().map(|root| root.join(&self.prefix))
    }

    /// Writes a file as a whole.
    ///
    /// # Errors
    /// That of the system.
    pub fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.store.put(&self.key(name), bytes)
    }

    /// Copies a file here; nothing is to be done where it is here already.
    ///
    /// # Errors
    /// That of the system.
    pub fn hand_over(&self, name: &str, file: &Path) -> io::Result<()> {
        if self.directory().is_some_and(|directory| directory.join(name) == file) {
            return Ok(());
        }
        let mut upload = self.store.upload(&self.key(name))?;
        io::copy(&mut storage::File::open(file)?, &mut upload)?;
        upload.finish()?;
        self.store.barrier()
    }

    /// Opens a file of this length to read parts of it.
    ///
    /// # Errors
    /// That of the system.
    pub fn open(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn Object>> {
        let key = self.key(name);
        if self.store.directory().is_some() {
            return Ok(self.store.open(&key, Some(bytes))?.into());
        }
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = opened().get(name) {
            return Ok(Arc::clone(object));
        }
        let object: Arc<dyn Object> = self.store.open(&key, Some(bytes))?.into();
        opened().insert(name.to_owned(), Arc::clone(&object));
        Ok(object)
    }

    /// The whole file; `None` if it is not there.
    ///
    /// # Errors
    /// That of the system.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.store.read(&self.key(name))
    }

    /// Reads a file from its beginning to its end.
    ///
    /// # Errors
    /// That of the system.
    pub fn reader(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let object = self.store.open(&self.key(name), None)?;
        Ok(Box::new(ObjectReader::new(object.into(), 0)))
    }

    /// Whether a file is there.
    ///
    /// # Errors
    /// That of the system.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        Ok(self.store.find(&self.key(name))?.is_some())
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
