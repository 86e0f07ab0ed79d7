//! Actions → the next version of a table.
//!
//! In: a snapshot, and what makes the actions from it. Out: one object with the name of the next version,
//! which decides between writers. Who loses sees what the winners did, and makes its actions anew.
//!
//! Invariant: the bytes of a commit are a function of its time and its actions. A commit that is not valid,
//! or that the table does not allow, is not made.

use serde_json::Map;
use storage::{Put, create};

use crate::{
    Action, LogError, Snapshot, Table,
    listing::commit_name,
    snapshot::{Beginning, Seen},
    support, uri,
};

impl Table<'_> {
    /// Commits the actions that `make` makes of the table as it is, as its next version, which is returned.
    ///
    /// `make` is called again with a newer snapshot each time that another writer was first; `None` means
    /// that there is nothing to do any more. The snapshot is `None` if there is no table yet, and afterwards
    /// what was committed. It must be recent: younger than the time for which the log keeps its commits.
    ///
    /// # Errors
    /// Those of `make`; a log that can't be read or written; a commit that is not valid, or that the table
    /// does not allow.
    pub fn commit<E: From<LogError>>(
        &self,
        snapshot: &mut Option<Snapshot>,
        at_ms: i64,
        mut make: impl FnMut(Option<&Snapshot>) -> Result<Option<Vec<Action>>, E>,
    ) -> Result<Option<u64>, E> {
        loop {
            let Some(actions) = make(snapshot.as_ref())? else { return Ok(None) };
            let actions = with_info_first(actions, at_ms);
            self.check(snapshot.as_ref(), &actions)?;
            let version = snapshot.as_ref().map_or(0, |snapshot| snapshot.version + 1);
            let key = self.key(&commit_name(version));
            match create(self.store, &key, &lines(&actions).map_err(LogError::from)?)
                .map_err(LogError::from)?
            {
                Put::Exists => self.catch_up(snapshot)?,
                Put::Created => {
                    match snapshot {
                        Some(snapshot) => snapshot.apply(version, actions),
                        None => *snapshot = Some(self.first(actions)?),
                    }
                    return Ok(Some(version));
                }
            }
        }
    }

    /// Reads what the writers did that were first.
    fn catch_up(&self, snapshot: &mut Option<Snapshot>) -> Result<(), LogError> {
        let before = snapshot.as_ref().map(|snapshot| snapshot.version);
        match snapshot {
            Some(snapshot) => self.refresh(snapshot)?,
            None => *snapshot = self.snapshot()?,
        }
        let now = snapshot.as_ref().map(|snapshot| snapshot.version);
        if now > before {
            return Ok(());
        }
        let key = self.key(&commit_name(before.map_or(0, |version| version + 1)));
        Err(self.damaged(&key, None, "it exists, and no listing of the log has it".to_owned()))
    }

    /// The snapshot of a table whose first commit has these actions.
    fn first(&self, actions: Vec<Action>) -> Result<Snapshot, LogError> {
        Beginning::from_iter(actions).snapshot(0).map_err(|problem| self.invalid(problem))
    }

    /// Refuses actions that [`Self::commit`] would refuse: not valid for readers, or not allowed by the
    /// table.
    ///
    /// # Errors
    /// [`LogError::Invalid`], [`LogError::Unsupported`].
    pub fn check(&self, snapshot: Option<&Snapshot>, actions: &[Action]) -> Result<(), LogError> {
        let mut seen = Seen::default();
        for action in actions {
            seen.note(action).map_err(|problem| self.invalid(problem))?;
            self.check_known(action)?;
        }
        let new = actions.iter().find_map(|action| match action {
            Action::Metadata(metadata) => Some(metadata),
            _ => None,
        });
        let has_protocol = actions.iter().any(|action| matches!(action, Action::Protocol(_)));
        if snapshot.is_none() && !has_protocol {
            return Err(self.invalid("a table begins with a `protocol`".to_owned()));
        }
        let Some(metadata) = new.or(snapshot.map(|snapshot| &snapshot.metadata)) else {
            return Err(self.invalid("a table begins with a `metaData`".to_owned()));
        };
        let metadatas = snapshot.map(|snapshot| &snapshot.metadata).into_iter().chain(new);
        for metadata in metadatas {
            support::refuse_commit(metadata, actions).map_err(|needs| self.unsupported(needs))?;
        }
        for action in actions {
            let Action::Add(file) = action else { continue };
            uri::check(&file.path).map_err(|problem| self.invalid(problem))?;
            let mut columns: Vec<_> = metadata.partition_columns.iter().collect();
            columns.sort_unstable();
            if !file.partition_values.keys().eq(columns) {
                let (path, columns) = (&file.path, &metadata.partition_columns);
                return Err(self.invalid(format!("the file {path:?} must have values of {columns:?}")));
            }
        }
        Ok(())
    }
}

/// The actions, `commitInfo` first and with the time.
fn with_info_first(mut actions: Vec<Action>, at_ms: i64) -> Vec<Action> {
    let is_info = |action: &Action| matches!(action, Action::CommitInfo(_));
    let info = actions.iter().position(is_info).map(|at| actions.remove(at));
    let mut info = match info {
        Some(Action::CommitInfo(info)) => info,
        _ => Map::new(),
    };
    // Readers of histories take these two for given.
    info.entry("operation").or_insert_with(|| "WRITE".into());
    info.entry("operationParameters").or_insert_with(|| Map::new().into());
    info.insert("timestamp".to_owned(), at_ms.into());
    actions.insert(0, Action::CommitInfo(info));
    actions
}

/// The bytes of a commit.
fn lines(actions: &[Action]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut bytes, action)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
