//! Where a target is, and of which kind → its files: the one way in which they are reached.
//!
//! A path is that of a file in the target, with `/`.
//!
//! Invariant: nothing is changed. Whoever changes a target opens it: see [`Target`](crate::Target).

mod files;
mod quarantine;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use storage::{File, LocalStore, Store};

use crate::{
    Action, Attempt, Change, Commit, Compared, Database, Difference, Exchange, History, JOURNAL_PATH,
    ListedFiles, PRIVATE, Partitions, Session, Staging, StoredFile, Swept, TargetError, TargetLayout,
    database::{Reading, Schema},
    differences::look,
    journal, layout,
    partitions::{self, find, listing},
    tables::{self, Tables},
};

/// Where a target is, and of which kind.
#[derive(Debug, Clone)]
pub struct Location {
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Directories of Parquet files, on a local disk.
    Partitions { root: PathBuf },
    /// Delta tables, on a local disk or in a bucket.
    Tables(Tables),
    /// A schema of a database.
    Database(Schema),
}

/// Keeps loads out of a target while it is read.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct ReadLock(#[expect(dead_code, reason = "what it holds ends with it")] Held);

#[derive(Debug)]
#[expect(dead_code, reason = "what they hold ends with them")]
enum Held {
    /// There is none where the target can't be locked, as it can't be written.
    File(Option<File>),
    /// All is read in this transaction.
    Transaction(Reading),
    Nothing,
}

impl Location {
    /// A target of plain partitions in a local directory, which need not exist.
    #[must_use]
    pub fn partitions(root: PathBuf) -> Self {
        Self { kind: Kind::Partitions { root } }
    }

    /// A target of Delta tables, which need not exist.
    #[must_use]
    pub fn tables(store: Arc<dyn Store>) -> Self {
        Self { kind: Kind::Tables(Tables::new(store)) }
    }

    /// A target in a schema of a database, which need not exist.
    #[must_use]
    pub fn database(database: Arc<dyn Database>) -> Self {
        Self { kind: Kind::Database(Schema::new(database)) }
    }

    /// The target in a local directory: of the kind that it has or, if it is new, of tables if
    /// `wants_tables`.
    ///
    /// # Errors
    /// The directory can't be read, or has tables and nothing that says whose they are.
    pub fn in_directory(root: PathBuf, wants_tables: bool) -> Result<Self, TargetError> {
        let looking = TargetError::io("looking for what kind of target there is");
        let begun = storage::find(&root.join(tables::COMMITS)).map_err(looking)?;
        let is_of_tables =
            begun.is_some_and(|found| found.is_dir()) || (wants_tables && !partitions::has_record(&root)?);
        if is_of_tables {
            return Ok(Self::tables(Arc::new(LocalStore::new(root, tables::SCRATCH))));
        }
        // Directories of partitions beside tables would be read by nobody.
        let private = storage::find(&root.join(PRIVATE)).map_err(looking)?;
        if private.is_none()
            && let Some(log) = tables::log_in(&root).map_err(looking)?
        {
            let problem = format!(
                "has tables ({log}), but no records of loads: bring its _eventloader back, or use another directory"
            );
            return Err(TargetError::Unusable { path: root, problem });
        }
        Ok(Self::partitions(root))
    }

    /// Whether it is of tables.
    #[must_use]
    pub fn is_of_tables(&self) -> bool {
        matches!(self.kind, Kind::Tables(_))
    }

    /// The database, if it is in one.
    #[must_use]
    pub fn database_of(&self) -> Option<&Arc<dyn Database>> {
        match &self.kind {
            Kind::Database(schema) => Some(&schema.database),
            Kind::Partitions { .. } | Kind::Tables(_) => None,
        }
    }

    /// Reads something of a database: in the transaction of the [`ReadLock`], if there is one. `None` for
    /// another kind of target.
    ///
    /// # Errors
    /// It can't be reached, and those of `read`.
    pub fn read_database<T>(
        &self,
        read: impl FnOnce(&mut dyn Session) -> Result<T, TargetError>,
    ) -> Result<Option<T>, TargetError> {
        match &self.kind {
            Kind::Database(schema) => schema.read(read).map(Some),
            Kind::Partitions { .. } | Kind::Tables(_) => Ok(None),
        }
    }

    /// Of a database: the rows of all partitions of the tables that are `wanted`, by the paths that the
    /// history has them by. Empty for another kind of target.
    ///
    /// # Errors
    /// It can't be read.
    pub fn row_counts(
        &self,
        history: &History,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, u64>, TargetError> {
        match &self.kind {
            Kind::Database(schema) => schema.row_counts(history, wanted),
            Kind::Partitions { .. } | Kind::Tables(_) => Ok(BTreeMap::new()),
        }
    }

    /// How messages name the target.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        match &self.kind {
            Kind::Partitions { root } => root.clone(),
            Kind::Tables(Tables { store, .. }) => store.address("").into(),
            Kind::Database(schema) => schema.address(""),
        }
    }

    /// How messages name one of its files or directories.
    #[must_use]
    pub fn address(&self, path: &str) -> PathBuf {
        match &self.kind {
            Kind::Partitions { root } => root.join(path),
            Kind::Tables(Tables { store, .. }) => store.address(path).into(),
            Kind::Database(schema) => schema.address(path),
        }
    }

    /// The directory that it is in, if it is a local one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Partitions { root } => Some(root),
            Kind::Tables(Tables { store, .. }) => store.directory(),
            Kind::Database(_) => None,
        }
    }

    /// The exchange of a run, for another process that works for it: in a directory of this path or, in a
    /// target of tables, below this key. `None` where only one process can do a run.
    #[must_use]
    pub fn exchange(&self, at: &str) -> Option<Exchange> {
        match &self.kind {
            Kind::Partitions { .. } => Some(Exchange::in_directory(at.as_ref())),
            Kind::Tables(Tables { store, .. }) => Some(Exchange::in_store(Arc::clone(store), at.to_owned())),
            Kind::Database(_) => None,
        }
    }

    /// Where another process that works for a run puts new files.
    #[must_use]
    pub fn staging_for(&self, exchange: &Exchange) -> Staging {
        match &self.kind {
            Kind::Tables(Tables { store, .. }) => Staging::Tables(Arc::new(Attempt::new(Arc::clone(store)))),
            Kind::Partitions { .. } | Kind::Database(_) => {
                exchange.directory().map_or(Staging::Discard, Staging::Directory)
            }
        }
    }

    /// Whether anything was ever loaded into it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn is_target(&self) -> Result<bool, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => partitions::is_target(root),
            Kind::Tables(tables) => tables.is_target(),
            Kind::Database(schema) => schema.is_target(),
        }
    }

    /// Keeps loads out, until the returned value is dropped, where they could change what is being read.
    ///
    /// # Errors
    /// A load is running, or nothing was ever loaded.
    pub fn lock_to_read(&self) -> Result<ReadLock, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => partitions::lock_to_read(root).map(Held::File).map(ReadLock),
            // What a record or a version of a table names is never changed.
            Kind::Tables(tables) => tables.require_target().map(|()| ReadLock(Held::Nothing)),
            Kind::Database(schema) => {
                let held = schema.hold()?;
                schema.require_target().map(|()| ReadLock(Held::Transaction(held)))
            }
        }
    }

    /// All of its commits, one after the other. `look_at` is called for each one that is read by itself, with
    /// the history before it.
    ///
    /// # Errors
    /// A record can't be read, or is damaged.
    pub fn history(&self, look_at: impl FnMut(&History, &Commit)) -> Result<History, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => History::read(root, look_at),
            Kind::Tables(tables) => tables.history(look_at),
            Kind::Database(schema) => schema.history(look_at),
        }
    }

    /// The recorded layout. A commit that was interrupted counts: whoever opens the target finishes it first.
    ///
    /// # Errors
    /// A record can't be read.
    pub fn layout(&self) -> Result<Option<TargetLayout>, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => TargetLayout::remembered(root),
            Kind::Tables(tables) => Ok(tables.history(|_, _| {})?.layout),
            Kind::Database(schema) => Ok(schema.history(|_, _| {})?.layout),
        }
    }

    /// Refuses to write with another layout than the recorded one.
    ///
    /// # Errors
    /// [`TargetError::OtherLayout`], and read errors.
    pub fn check_layout(&self, asked: &TargetLayout) -> Result<(), TargetError> {
        let of_its_kind = || match &self.kind {
            Kind::Partitions { .. } => None,
            Kind::Tables(_) => asked.in_tables(),
            Kind::Database(_) => asked.in_database(),
        };
        asked.check(self.layout()?.or_else(of_its_kind), &self.root())
    }

    /// Whether a commit was interrupted.
    ///
    /// # Errors
    /// It can't be read.
    pub fn is_unfinished(&self) -> Result<bool, TargetError> {
        Ok(self.unfinished()?.is_some())
    }

    /// The path of the record of a commit that was interrupted.
    ///
    /// # Errors
    /// It can't be read.
    pub fn unfinished(&self) -> Result<Option<String>, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => Ok(journal::is_unfinished(root)?.then(|| JOURNAL_PATH.to_owned())),
            Kind::Tables(tables) => tables.unfinished(),
            Kind::Database(_) => Ok(None),
        }
    }

    /// Whether names that differ in case are one.
    ///
    /// # Errors
    /// It can't be read.
    pub fn folds_case(&self) -> Result<bool, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => layout::folds_case(root),
            Kind::Tables(Tables { store, .. }) => store.directory().map_or(Ok(false), layout::folds_case),
            Kind::Database(_) => Ok(false),
        }
    }

    /// Deletes what nothing has referred to for so long; see [`Swept`].
    ///
    /// # Errors
    /// It can't be read or changed.
    pub fn sweep(&self, older_than: Duration) -> Result<Swept, TargetError> {
        match &self.kind {
            // A load that was interrupted leaves nothing that the next one does not delete.
            Kind::Partitions { .. } | Kind::Database(_) => Ok(Swept::default()),
            Kind::Tables(tables) => tables.sweep(older_than),
        }
    }

    /// The partitions of these event types, given by index and directory, with their files.
    ///
    /// # Errors
    /// It can't be read, or there is a link in the place of a directory or a file.
    pub fn list_partitions(
        &self,
        history: &History,
        layout: &TargetLayout,
        types: &[(usize, &str)],
    ) -> Result<Partitions, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => find::list_partitions(root, layout, types),
            Kind::Tables(_) | Kind::Database(_) => Ok(history.partitions(layout, types)),
        }
    }

    /// All files that readers take for data, and those of the quarantine.
    ///
    /// # Errors
    /// A directory can't be read.
    pub fn list_files(&self) -> Result<ListedFiles, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => listing::list_files(root),
            Kind::Tables(tables) => tables.list_files(),
            Kind::Database(schema) => schema.list_files(),
        }
    }

    /// Compares the recorded files that are `wanted` with those that are there.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn compare(
        &self,
        history: &History,
        threads: usize,
        wanted: impl Fn(&str, &StoredFile) -> bool,
    ) -> Result<Compared, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => {
                history.compare(threads, wanted, |path, file| look(&root.join(path), file))
            }
            Kind::Tables(tables) => tables.compare(history, threads, wanted),
            Kind::Database(schema) => schema.compare(history, wanted),
        }
    }

    /// The files of partitions that no commit recorded. None counts in a target that has no record at all, as
    /// one that was put together by hand.
    ///
    /// # Errors
    /// It can't be read.
    pub fn foreign(
        &self,
        history: &History,
        partitions: &Partitions,
    ) -> Result<Vec<Difference>, TargetError> {
        match &self.kind {
            Kind::Partitions { .. } if history.commits() == 0 && self.layout()?.is_none() => Ok(Vec::new()),
            Kind::Partitions { .. } => Ok(history.foreign(partitions)),
            Kind::Tables(tables) => tables.foreign(history, partitions),
            Kind::Database(schema) => schema.foreign(history, partitions),
        }
    }

    /// What a change will do to the existing files.
    ///
    /// # Errors
    /// [`TargetError::Unusable`] if something is in its way, and read errors.
    pub fn action(&self, change: &Change, history: &History) -> Result<Action, TargetError> {
        match &self.kind {
            Kind::Partitions { root } => change.action(root),
            Kind::Tables(tables) => tables.action(change, history),
            Kind::Database(_) => Ok(Schema::action(change, history)),
        }
    }
}
