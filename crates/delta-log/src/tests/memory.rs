//! A store in memory: a bucket whose answers may get lost.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use storage::{Found, Object, Put, Store, Upload};

#[derive(Debug, Default)]
pub(super) struct MemoryStore {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// One of so many creations is done, but answered with an error; 0 is none.
    loses_one_of: u64,
    creations: AtomicU64,
    /// The requests so far.
    pub(super) listings: AtomicU64,
    pub(super) reads: AtomicU64,
}

impl MemoryStore {
    pub(super) fn losing_one_answer_of(loses_one_of: u64) -> Self {
        Self { loses_one_of, ..Self::default() }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

fn found((key, bytes): (&String, &Vec<u8>)) -> Found {
    let (modified, bytes) = (SystemTime::UNIX_EPOCH, bytes.len() as u64);
    Found { key: key.clone(), bytes, modified, stamp: (0, 0), etag: None }
}

impl Store for MemoryStore {
    fn address(&self, key: &str) -> String {
        format!("memory://{key}")
    }

    fn directory(&self) -> Option<&Path> {
        None
    }

    fn find(&self, key: &str) -> io::Result<Option<Found>> {
        Ok(self.objects.lock().unwrap().get_key_value(key).map(found))
    }

    fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.objects.lock().unwrap().get(key).cloned())
    }

    fn open(&self, _key: &str, _bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn open_found(&self, _found: &Found) -> io::Result<Box<dyn Object>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
        self.listings.fetch_add(1, Ordering::Relaxed);
        let objects = self.objects.lock().unwrap();
        Ok(objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after)
            .map(found)
            .collect())
    }

    fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put> {
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(key) {
            return Ok(Put::Exists);
        }
        objects.insert(key.to_owned(), bytes.to_owned());
        let creation = self.creations.fetch_add(1, Ordering::Relaxed) + 1;
        if self.loses_one_of > 0 && creation.is_multiple_of(self.loses_one_of) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(Put::Created)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        self.objects.lock().unwrap().insert(key.to_owned(), bytes.to_owned());
        Ok(())
    }

    fn upload(&self, _key: &str) -> io::Result<Box<dyn Upload>> {
        Err(ErrorKind::Unsupported.into())
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }

    fn barrier(&self) -> io::Result<()> {
        Ok(())
    }
}
