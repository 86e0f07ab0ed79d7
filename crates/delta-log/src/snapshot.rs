//! Actions, commit by commit → what a table is.
//!
//! Invariant: a snapshot has one protocol and one metadata, and no path is both a file and a removed one. It
//! is the same whether it was read from commits or from a checkpoint that holds what they did.

use std::collections::{BTreeMap, HashSet};

use crate::{Action, AddFile, Metadata, Protocol, RemoveFile, Transaction};

/// What a table is at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The version.
    pub version: u64,
    /// What a reader and a writer must know.
    pub protocol: Protocol,
    /// What the table is.
    pub metadata: Metadata,
    /// How far applications are, by their ids.
    pub transactions: BTreeMap<String, Transaction>,
    /// Its files, by path.
    pub files: BTreeMap<String, AddFile>,
    /// Files that were removed, by path. A checkpoint leaves out those removed long ago.
    pub removed: BTreeMap<String, RemoveFile>,
}

impl Snapshot {
    /// How far an application is.
    #[must_use]
    pub fn transaction(&self, app_id: &str) -> Option<i64> {
        self.transactions.get(app_id).map(|transaction| transaction.version)
    }

    /// Applies the next commit.
    pub(crate) fn apply(&mut self, version: u64, actions: Vec<Action>) {
        self.version = version;
        for action in actions {
            match action {
                Action::CommitInfo(_) => {}
                Action::Protocol(protocol) => self.protocol = protocol,
                Action::Metadata(metadata) => self.metadata = metadata,
                action => self.apply_change(action),
            }
        }
    }

    fn apply_change(&mut self, action: Action) {
        match action {
            Action::Transaction(transaction) => {
                self.transactions.insert(transaction.app_id.clone(), transaction);
            }
            Action::Add(mut file) => {
                file.data_change = false;
                self.removed.remove(&file.path);
                self.files.insert(file.path.clone(), file);
            }
            Action::Remove(mut file) => {
                file.data_change = false;
                self.files.remove(&file.path);
                self.removed.insert(file.path.clone(), file);
            }
            Action::CommitInfo(_) | Action::Protocol(_) | Action::Metadata(_) => {}
        }
    }
}

/// A snapshot whose beginning is being read: version 0, or a checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    changes: Vec<Action>,
}

impl Beginning {
    pub(crate) fn push(&mut self, action: Action) {
        match action {
            Action::CommitInfo(_) => {}
            Action::Protocol(protocol) => self.protocol = Some(protocol),
            Action::Metadata(metadata) => self.metadata = Some(metadata),
            action => self.changes.push(action),
        }
    }

    /// The snapshot; an error if the beginning does not say what the table is.
    pub(crate) fn snapshot(self, version: u64) -> Result<Snapshot, String> {
        let protocol = self.protocol.ok_or("it has no `protocol`, which every table begins with")?;
        let metadata = self.metadata.ok_or("it has no `metaData`, which every table begins with")?;
        let (transactions, files, removed) = Default::default();
        let mut snapshot = Snapshot { version, protocol, metadata, transactions, files, removed };
        self.changes.into_iter().for_each(|action| snapshot.apply_change(action));
        Ok(snapshot)
    }
}

impl FromIterator<Action> for Beginning {
    fn from_iter<T: IntoIterator<Item = Action>>(actions: T) -> Self {
        let mut beginning = Self::default();
        for action in actions {
            beginning.push(action);
        }
        beginning
    }
}

/// What a version must not have twice: its actions have no order.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    protocol: bool,
    metadata: bool,
    applications: HashSet<String>,
    paths: HashSet<String>,
}

impl Seen {
    /// Notes an action; an error if it contradicts an earlier one.
    pub(crate) fn note(&mut self, action: &Action) -> Result<(), String> {
        let (is_new, what) = match action {
            Action::CommitInfo(_) => return Ok(()),
            Action::Protocol(_) => (!std::mem::replace(&mut self.protocol, true), "`protocol`".to_owned()),
            Action::Metadata(_) => (!std::mem::replace(&mut self.metadata, true), "`metaData`".to_owned()),
            Action::Transaction(Transaction { app_id, .. }) => {
                (self.applications.insert(app_id.clone()), format!("`txn` of {app_id:?}"))
            }
            Action::Add(AddFile { path, .. }) | Action::Remove(RemoveFile { path, .. }) => {
                (self.paths.insert(path.clone()), format!("file {path:?}"))
            }
        };
        if is_new { Ok(()) } else { Err(format!("the {what} is there for the second time")) }
    }
}
