//! One run that may commit: its id, and what it has uploaded.
//!
//! Objects go to their final places, under names with the id of the attempt, so nobody else has them. Nothing
//! refers to them before the record does.
//!
//! Other processes may upload for a run. Each of them is an attempt of its own, and tells the run its keys in
//! the exchange, so that the run deletes what it does not commit.
//!
//! Invariant: what an attempt uploads and does not commit, it deletes; if it is killed, a sweep does.

use std::{
    collections::BTreeSet,
    env, fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use storage::{Object, Store, Upload};
use uuid::Uuid;

use super::{COMMITS, SCRATCH};
use crate::{Exchange, Place, StagedFile};

/// So many objects are deleted at once.
const DELETED_AT_ONCE: usize = 16;

/// Where processes that upload for a run say what, in its exchange.
const UPLOADS: &str = "uploads/";

/// A run that may commit, or a process that uploads for one.
pub struct Attempt {
    store: Arc<dyn Store>,
    pub(super) id: String,
    /// For files that nobody else needs.
    scratch: PathBuf,
    /// The keys of its objects.
    uploaded: Mutex<BTreeSet<String>>,
    /// Whether other processes upload for it.
    has_tasks: AtomicBool,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Attempt {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        let scratch = match store.directory() {
            Some(root) => root.join(SCRATCH).join(&id),
            None => env::temp_dir().join(format!("eventloader-{id}")),
        };
        Self { store, id, scratch, uploaded: Mutex::default(), has_tasks: AtomicBool::new(false) }
    }

    /// Where other processes that upload for this run find and leave files.
    pub(crate) fn exchange(&self) -> Exchange {
        self.has_tasks.store(true, Ordering::Relaxed);
        Exchange::in_store(Arc::clone(&self.store), self.prefix())
    }

    /// What the keys of the exchange begin with.
    fn prefix(&self) -> String {
        format!("{SCRATCH}/{}/", self.id)
    }

    /// Tells the run for which this process has uploaded what that was. All of it is durable then.
    pub(crate) fn hand_over(&self, exchange: &Exchange) -> io::Result<()> {
        self.store.barrier()?;
        let keys = serde_json::to_vec(&*self.uploaded())?;
        exchange.put(&format!("{UPLOADS}{}.json", self.id), &keys)
    }

    /// The keys that other processes have handed over.
    fn handed_over(&self) -> io::Result<BTreeSet<String>> {
        let lists = self.store.list_after(&format!("{}{UPLOADS}", self.prefix()), "")?;
        let read = workers::map(DELETED_AT_ONCE, lists.len(), |number| {
            let keys = self.store.read(&lists[number].key)?.unwrap_or_default();
            Ok::<Vec<String>, io::Error>(serde_json::from_slice(&keys)?)
        })?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Creates the directory of its scratch files.
    pub(super) fn create_scratch(&self) -> io::Result<()> {
        if let Some(root) = self.store.directory() {
            // It tells the kind of the target before anything is committed.
            storage::create_directories(&root.join(COMMITS), &mut Vec::new())?;
        }
        storage::create_directories(&self.scratch, &mut Vec::new()).map(drop)
    }

    /// The directory for files that nobody else needs.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// The name of an object: that of its place, with the id of the attempt.
    pub(crate) fn name(&self, Place { stem, extension, .. }: Place<'_>) -> String {
        format!("{stem}-{}.{extension}", self.id)
    }

    /// Begins an object.
    pub(crate) fn upload(&self, key: &str) -> io::Result<Box<dyn Upload>> {
        let upload = self.store.upload(key)?;
        self.uploaded().insert(key.to_owned());
        Ok(upload)
    }

    /// Opens an object that it has uploaded.
    pub(crate) fn open(&self, file: &StagedFile) -> io::Result<Box<dyn Object>> {
        self.store.open(&file.staged, Some(file.bytes))
    }

    /// How messages name it.
    pub(crate) fn address(&self, file: &StagedFile) -> PathBuf {
        self.store.address(&file.staged).into()
    }

    /// Deletes its objects but those to keep, and those that other processes have uploaded for it.
    pub(crate) fn clear(&self, is_kept: impl Fn(&str) -> bool) {
        let mut uploaded = std::mem::take(&mut *self.uploaded());
        if self.has_tasks.load(Ordering::Relaxed) {
            uploaded.extend(self.handed_over().unwrap_or_default());
        }
        uploaded.retain(|key| !is_kept(key));
        self.delete(&uploaded.into_iter().collect::<Vec<_>>());
    }

    fn delete(&self, keys: &[String]) {
        // What can't be deleted now is swept later.
        workers::compute(DELETED_AT_ONCE, keys.len(), |number| self.store.delete(&keys[number]).is_ok());
    }

    /// Deletes its scratch files.
    pub(super) fn clear_scratch(&self) {
        let _ = storage::delete_all(&self.scratch);
        if self.store.directory().is_none() && self.has_tasks.load(Ordering::Relaxed) {
            let handed_on = self.store.list_after(&self.prefix(), "").unwrap_or_default();
            self.delete(&handed_on.into_iter().map(|found| found.key).collect::<Vec<_>>());
        }
        if let Some(root) = self.store.directory() {
            // Unless others use them, or a killed run has left something: then the target stays of tables.
            for own in [SCRATCH, COMMITS, crate::PRIVATE, ""] {
                let deleted = storage::delete_directory(&root.join(own));
                if deleted.is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                    break;
                }
            }
        }
    }

    fn uploaded(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.uploaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
