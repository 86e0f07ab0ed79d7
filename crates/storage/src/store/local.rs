//! A directory as a store.
//!
//! Invariant: an object that was put is there as a whole or not at all, also after a power cut; its name is
//! durable when [`Store::put_new`] returns.

use std::{
    fs::Metadata,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use super::{Found, LocalObject, NewFile, Object, Put, Replaced, Store, Upload, Uploaded, stamp_of};
use crate::{File, create_directories, delete_directory, delete_file, find, look_at, names_in, read};

/// A directory whose files are objects.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
    /// A key below which nothing is listed that is not finished yet.
    scratch: String,
}

impl LocalStore {
    /// The store of a directory, which need not exist. Objects that are put begin under names below the key
    /// `scratch`.
    #[must_use]
    pub fn new(root: PathBuf, scratch: &str) -> Self {
        Self { root, scratch: scratch.to_owned() }
    }

    fn path(&self, key: &str) -> PathBuf {
        if key.is_empty() { self.root.clone() } else { self.root.join(key) }
    }

    /// Creates the file, with all directories on the way.
    fn create_in_directories(path: &Path) -> io::Result<File> {
        loop {
            match File::create(path) {
                // Another process may delete a directory that is empty.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    create_directories(parent(path), &mut Vec::new())?;
                }
                created => return created,
            }
        }
    }

    /// Writes an object under a name of its own.
    fn stage(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self.path(&self.scratch).join(format!("{}-{nanos:x}-{number}.new", process::id()));
        let mut file = Self::create_in_directories(&path)?;
        file.write_all(bytes)?;
        file.sync()?;
        Ok(path)
    }

    /// Gives a staged object its name by `name_it`, durably.
    fn place(
        &self,
        key: &str,
        bytes: &[u8],
        name_it: fn(&Path, &Path) -> io::Result<Put>,
    ) -> io::Result<Put> {
        let path = self.path(key);
        let staged = self.stage(bytes)?;
        let mut new = Vec::new();
        let put = loop {
            create_directories(parent(&path), &mut new)?;
            match name_it(&staged, &path) {
                Err(error) if error.kind() == ErrorKind::NotFound && look_at(parent(&path))?.is_none() => {}
                put => break put,
            }
        };
        if !matches!(put, Ok(Put::Created)) {
            let _ = delete_file(&staged);
            return put;
        }
        sync_directory(parent(&path))?;
        for directory in new.iter().rev() {
            sync_directory(parent(directory))?;
        }
        put
    }

    fn walk(&self, prefix: &str, after: &str, found: &mut Vec<Found>) -> io::Result<()> {
        for name in names_in(&self.path(prefix))?.unwrap_or_default() {
            // No key that is asked for is of other bytes.
            let Some(name) = name.to_str() else { continue };
            let key = format!("{prefix}{name}");
            let inner = format!("{key}/");
            let is_behind = key.as_str() > after || inner.as_str() > after || after.starts_with(&inner);
            // A long log is listed behind its last checkpoint: what lies before is not looked at.
            let there = if is_behind { look_at(&self.path(&key))? } else { None };
            let Some(there) = there else { continue };
            if there.is_dir() {
                self.walk(&inner, after, found)?;
            } else if there.is_file() && key.as_str() > after {
                found.push(found_at(key, &there));
            }
        }
        Ok(())
    }
}

fn found_at(key: String, there: &Metadata) -> Found {
    let modified = there.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Found { key, bytes: there.len(), modified, stamp: stamp_of(there), etag: None }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync()
}

impl Store for LocalStore {
    fn address(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn find(&self, key: &str) -> io::Result<Option<Found>> {
        let there = find(&self.path(key))?.filter(Metadata::is_file);
        Ok(there.map(|there| found_at(key.to_owned(), &there)))
    }

    fn read(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        match read(&self.path(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, key: &str, _bytes: Option<u64>) -> io::Result<Box<dyn Object>> {
        Ok(Box::new(LocalObject::open(&self.path(key))?))
    }

    fn open_found(&self, found: &Found) -> io::Result<Box<dyn Object>> {
        let file = File::open(&self.path(&found.key))?;
        if found_at(found.key.clone(), &file.metadata()?) != *found {
            return Err(Replaced.into());
        }
        Ok(Box::new(LocalObject::new(file, found.bytes)))
    }

    fn list_after(&self, prefix: &str, after: &str) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        let directory = prefix.rfind('/').map_or("", |slash| &prefix[..=slash]);
        self.walk(directory, after, &mut found)?;
        found.retain(|found| found.key.starts_with(prefix));
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn put_new(&self, key: &str, bytes: &[u8]) -> io::Result<Put> {
        self.place(key, bytes, crate::rename_new)
    }

    fn put(&self, key: &str, bytes: &[u8]) -> io::Result<()> {
        self.place(key, bytes, |from, to| crate::rename(from, to).map(|()| Put::Created)).map(drop)
    }

    fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>> {
        let file = NewFile(Self::create_in_directories(&self.path(key))?);
        Ok(Box::new(LocalUpload { store: self.clone(), key: key.to_owned(), file }))
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        let path = self.path(key);
        delete_file(&path)?;
        // A directory that is not empty stays, and so does all that it is in.
        let inside = path.ancestors().skip(1).take_while(|directory| *directory != self.root);
        for directory in inside {
            if names_in(directory).ok().flatten().is_none_or(|names| !names.is_empty())
                || delete_directory(directory).is_err()
            {
                break;
            }
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn barrier(&self) -> io::Result<()> {
        match File::open(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            root => root?.sync_file_system(),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn barrier(&self) -> io::Result<()> {
        // Each upload was synced when it was finished.
        Ok(())
    }
}

#[derive(Debug)]
struct LocalUpload {
    store: LocalStore,
    key: String,
    file: NewFile,
}

impl Write for LocalUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Upload for LocalUpload {
    fn finish(self: Box<Self>) -> io::Result<Uploaded> {
        let Self { store, key, file } = *self;
        if cfg!(not(target_os = "linux")) {
            file.0.sync()?;
            let path = store.path(&key);
            let mut inside = path.ancestors().skip(1).take_while(|inside| inside.starts_with(&store.root));
            inside.try_for_each(sync_directory)?;
        }
        Box::new(file).finish()
    }

    fn abort(self: Box<Self>) {
        let Self { store, key, file } = *self;
        drop(file);
        let _ = store.delete(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::create;

    fn store(dir: &Path) -> LocalStore {
        LocalStore::new(dir.join("lake"), "_own/staging")
    }

    #[test]
    fn of_writers_at_once_one_creates_an_object() {
        let dir = tempfile::tempdir().unwrap();
        let (store, barrier) = (&store(dir.path()), &Barrier::new(4));
        for round in 0..20 {
            let key = &format!("a/b/{round:020}.json");
            let created = std::thread::scope(|scope| {
                let writers: Vec<_> = (0..4)
                    .map(|writer| {
                        scope.spawn(move || {
                            barrier.wait();
                            create(store, key, format!("{writer}").as_bytes()).unwrap()
                        })
                    })
                    .collect();
                writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(created.iter().filter(|put| **put == Put::Created).count(), 1, "{created:?}");
            let winner = created.iter().position(|put| *put == Put::Created).unwrap();
            assert_eq!(store.read(key).unwrap().unwrap(), winner.to_string().into_bytes());
            // The same bytes again are its own.
            assert_eq!(create(store, key, winner.to_string().as_bytes()).unwrap(), Put::Created);
        }
        assert!(store.list_after("_own/", "").unwrap().is_empty());
    }

    #[test]
    fn objects_are_listed_in_the_order_of_their_keys_behind_one() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        for key in ["t/a/1", "t/a-b", "t/a.x", "t/b", "u"] {
            store.put(key, key.as_bytes()).unwrap();
        }
        let keys = |prefix, after| -> Vec<String> {
            store.list_after(prefix, after).unwrap().into_iter().map(|found| found.key).collect()
        };
        assert_eq!(keys("t/", ""), ["t/a-b", "t/a.x", "t/a/1", "t/b"]);
        assert_eq!(keys("t/", "t/a.x"), ["t/a/1", "t/b"]);
        assert_eq!(keys("t/", "t/a/1"), ["t/b"]);
        assert_eq!(keys("", "t/b"), ["u"]);
        assert_eq!(keys("t/a", "t/a-b"), ["t/a.x", "t/a/1"]);
        assert!(keys("v/", "").is_empty() && keys("v", "").is_empty());
    }

    #[test]
    fn an_object_that_was_found_and_replaced_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        store.put("a", b"one").unwrap();
        let found = store.find("a").unwrap().unwrap();
        let mut bytes = [0; 3];
        store.open_found(&found).unwrap().read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"one");
        store.put("a", b"another").unwrap();
        assert!(Replaced::is(&store.open_found(&found).unwrap_err()));
    }

    #[test]
    fn an_upload_is_read_back_or_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let mut upload = store.upload("t/day=1/part.parquet").unwrap();
        upload.write_all(b"rows").unwrap();
        let uploaded = upload.finish().unwrap();
        let found = store.find("t/day=1/part.parquet").unwrap().unwrap();
        assert_eq!(uploaded.stamp.get(), Some(&found.stamp));
        let object = uploaded.object.unwrap();
        let mut bytes = [0; 2];
        object.read_exact_at(&mut bytes, 2).unwrap();
        assert_eq!((&bytes, object.bytes()), (b"ws", 4));
        store.delete("t/day=1/part.parquet").unwrap();
        assert!(!dir.path().join("lake/t").exists());
        store.upload("t/x").unwrap().abort();
        assert!(store.list_after("", "").unwrap().is_empty());
    }
}
