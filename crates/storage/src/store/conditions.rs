//! Does a store hold conditions? Without them, two writers could both believe that they created one object.

use std::{io, sync::Barrier, thread};

use super::{Put, Store, create};

/// Tries whether of several writers one creates an object, and whether it then stays as it is. The keys begin
/// with `prefix`, and nobody else has such; no object is left.
///
/// # Errors
/// If it could not be tried.
pub fn holds_conditions(store: &dyn Store, prefix: &str) -> io::Result<bool> {
    const ROUNDS: usize = 2;
    for round in 0..ROUNDS {
        let key = format!("{prefix}{round}");
        let holds = one_creates(store, &key);
        let deleted = store.delete(&key);
        if !holds? {
            return Ok(false);
        }
        deleted?;
    }
    Ok(true)
}

/// Whether exactly one of several writers at once creates an object, and another behind them does not.
fn one_creates(store: &dyn Store, key: &str) -> io::Result<bool> {
    const WRITERS: usize = 4;
    let barrier = Barrier::new(WRITERS);
    let texts: Vec<_> = (0..WRITERS).map(|writer| format!("{key} {writer}")).collect();
    let answers = thread::scope(|scope| {
        let write = |text| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                create(store, key, text)
            })
        };
        let writers: Vec<_> = texts.iter().map(|text| write(text.as_bytes())).collect();
        let join = |writer: thread::ScopedJoinHandle<'_, _>| {
            writer.join().unwrap_or_else(|_| Err(io::Error::other("a writer panicked")))
        };
        writers.into_iter().map(join).collect::<io::Result<Vec<_>>>()
    })?;
    let is_one = answers.iter().filter(|&&answer| answer == Put::Created).count() == 1;
    Ok(is_one && create(store, key, b"another")? == Put::Exists)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Found, LocalStore, Object, Upload};

    /// A store that takes conditions, and does not look at them.
    #[derive(Debug)]
    struct Careless(LocalStore);

    impl Store for Careless {
        fn address(&self, key: &str) -> String {
            self.0.address(key)
        }

        fn directory(&self) -> Option<&Path> {
            None
        }

        fn find(&self, key: &str) -> io::Result<Option<Found>> {
            self.0.find(key)
        }

        fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
            self.0.read(key)
        }

        fn open(&self, key: &str, bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
            self.0.open(key, bytes)
        }

        fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>> {
            self.0.open_found(found)
        }

        fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
            self.0.list_after(prefix, after)
        }

        fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put> {
            self.0.put(key, bytes).map(|()| Put::Created)
        }

        fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
            self.0.put(key, bytes)
        }

        fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>> {
            self.0.upload(key)
        }

        fn delete(&self, key: &str) -> io::Result<()> {
            self.0.delete(key)
        }

        fn barrier(&self) -> io::Result<()> {
            self.0.barrier()
        }
    }

    #[test]
    fn a_store_that_does_not_look_at_conditions_is_found_out() {
        let dir = tempfile::tempdir().unwrap();
        let local = LocalStore::new(dir.path().join("lake"), "_staging");
        assert!(holds_conditions(&local, "_own/try-").unwrap());
        let careless = Careless(local);
        assert!(!holds_conditions(&careless, "_own/try-").unwrap());
        assert!(careless.list_after("", "").unwrap().is_empty());
    }
}
