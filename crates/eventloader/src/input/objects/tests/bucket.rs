//! A bucket in memory, for tests: objects by key → a store that can only be read.
//!
//! Invariant: each read is counted, and fails if its object was replaced.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::SystemTime,
};

use storage::{Found, Object, Put, Replaced, Store, Upload};

use crate::input::{Source, sources::list_any};

/// A bucket in memory that can only be read.
#[derive(Debug, Default, Clone)]
pub(super) struct Bucket(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    gets: AtomicUsize,
}

#[derive(Debug)]
struct InBucket(Bucket, Found);

impl Bucket {
    pub(super) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.0.objects.lock().unwrap().insert(key.to_owned(), bytes.into());
    }

    pub(super) fn gets(&self) -> usize {
        self.0.gets.load(Ordering::SeqCst)
    }

    /// From now on, whoever wants an object panics.
    pub(super) fn break_down(&self) {
        let broken = self.clone();
        let thread = thread::spawn(move || {
            let _objects = broken.0.objects.lock().unwrap();
            panic!("the bucket breaks down");
        });
        assert!(thread.join().is_err());
    }

    /// All objects, as sources.
    pub(super) fn sources(&self) -> Vec<Source> {
        let open = |_: &str| Ok(Arc::new(self.clone()) as Arc<dyn Store>);
        list_any(&["s3://b/".into()], None, &open).unwrap().sources
    }
}

impl Object for InBucket {
    fn bytes(&self) -> u64 {
        self.1.bytes
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let Self(bucket, found) = self;
        bucket.0.gets.fetch_add(1, Ordering::SeqCst);
        if bucket.find(&found.key)?.as_ref() != Some(found) {
            return Err(Replaced.into());
        }
        let start = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&bucket.0.objects.lock().unwrap()[&found.key][start..start + bytes.len()]);
        Ok(())
    }
}

impl Store for Bucket {
    fn address(&self, key: &str) -> String {
        format!("s3://b/{key}")
    }

    fn directory(&self) -> Option<&Path> {
        None
    }

    fn find(&self, key: &str) -> io::Result<Option<Found>> {
        Ok(self.list_after(key, "")?.into_iter().find(|found| found.key == key))
    }

    fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        Ok(Box::new(InBucket(self.clone(), found.clone())))
    }

    fn list_after(&self, prefix: &str, _after: &str) -> io::Result<Vec<Found>> {
        let found = |(key, bytes): (&String, &Vec<u8>)| Found {
            key: key.clone(),
            bytes: bytes.len() as u64,
            modified: SystemTime::UNIX_EPOCH,
            stamp: (0, 0),
            etag: Some(format!("{:x}", xxhash_rust::xxh3::xxh3_64(bytes))),
        };
        let objects = self.0.objects.lock().unwrap();
        Ok(objects.iter().map(found).filter(|found| found.key.starts_with(prefix)).collect())
    }

    fn read(&self, _key: &str) -> io::Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    fn open(&self, _key: &str, _bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        unimplemented!()
    }

    fn put_new(&self, _key: &str, _bytes: &[u8]) -> io::Result<Put> {
        unimplemented!()
    }

    fn put(&self, _key: &str, _bytes: &[u8]) -> io::Result<()> {
        unimplemented!()
    }

    fn upload(&self, _key: &str) -> io::Result<Box<dyn Upload>> {
        unimplemented!()
    }

    fn delete(&self, _key: &str) -> io::Result<()> {
        unimplemented!()
    }

    fn barrier(&self) -> io::Result<()> {
        unimplemented!()
    }
}
