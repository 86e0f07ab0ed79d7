//! A target of tables that a run may change.
//!
//! | step | does | a crash leaves | the next run |
//! |---|---|---|---|
//! | 1 | brings the last record to all of its tables | | |
//! | 2 | uploads files to their places | objects that nothing refers to | a sweep deletes them |
//! | 3 | **creates the record N+1** | before: nothing; after: the load counts | brings it to its tables |
//! | 4 | brings the record to its tables | some tables old, some new | the rest |
//! | 5 | writes checkpoints and summaries | they are missing | later ones |
//!
//! There is no lock. Of two runs that create the same record, one wins; the other brings that record to its
//! tables, and takes the next number if nothing that it has read or changes is in it.
//!
//! Invariant: record N+1 exists only if the tables of record N have it.

use std::{io, sync::Arc};

use storage::{Put, Store};

use super::{
    Tables,
    attempt::Attempt,
    conflict::conflict,
    publish::{Snapshots, check, is_published, publish, snapshots},
    records::Records,
    schema::{complete, schemas_after},
};
use crate::{Commit, Recovered, Staging, TargetError, TargetLayout, target::NewCommit};

/// What the keys begin with by which a new target is asked whether it keeps conditions.
const CONDITIONS: &str = "_eventloader/conditions-";

/// A target of tables that a run may change.
#[derive(Debug)]
pub(crate) struct OpenTables {
    tables: Tables,
    attempt: Arc<Attempt>,
    /// The number of the last record when the run began.
    base: u64,
    recovered: Recovered,
}

impl OpenTables {
    /// Opens a target, and brings the last record to all of its tables.
    pub(crate) fn open(tables: Tables) -> Result<Self, TargetError> {
        let attempt = Arc::new(Attempt::new(Arc::clone(&tables.store)));
        let records = Records { store: &*tables.store };
        let mut recovered = Recovered::Nothing;
        if let Some(number) = records.unpublished()? {
            let record = records.read(number)?;
            if !is_published(&*tables.store, &record)? {
                publish(&*tables.store, &record, Snapshots::new()).map_err(unfinished)?;
                recovered = Recovered::Finished { changes: record.changes.len() };
            }
            // Otherwise the next run looks at it again.
            let _ = records.note_published(number);
        }
        let base = records.last()?;
        Ok(Self { tables, attempt, base, recovered })
    }

    pub(crate) fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Begins a run that keeps the layout.
    pub(crate) fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        let remembered = self.tables.history(|_, _| {})?.layout;
        layout.check(remembered.or_else(|| layout.in_tables()), self.tables.store.address("").as_ref())?;
        self.begin_rewrite()
    }

    /// Begins a run that uploads.
    pub(crate) fn begin_rewrite(&mut self) -> Result<Staging, TargetError> {
        let store = &*self.tables.store;
        if self.base == 0 && store.directory().is_none() {
            self.check_conditions(store)?;
        }
        let unwritable = |error: io::Error| TargetError::Unwritable {
            path: store.address("").into(),
            problem: format!("can't be written ({error})"),
        };
        self.attempt.create_scratch().map_err(unwritable)?;
        Ok(Staging::Tables(Arc::clone(&self.attempt)))
    }

    /// Refuses a store that lets two writers create the same object.
    fn check_conditions(&self, store: &dyn Store) -> Result<(), TargetError> {
        let prefix = format!("{CONDITIONS}{}-", self.attempt.id);
        let trying = TargetError::io("trying whether the target's store keeps conditions");
        if storage::holds_conditions(store, &prefix).map_err(trying)? {
            return Ok(());
        }
        let problem =
            "does not keep the condition that an object must not exist (If-None-Match), so two loads \
                       could both commit; use a store that does"
                .to_owned();
        Err(TargetError::Unusable { path: store.address("").into(), problem })
    }

    /// Deletes what was uploaded, so that the run can begin anew.
    pub(crate) fn begin_anew(&mut self) {
        self.attempt.clear(|_| false);
    }

    pub(crate) fn abandon(self) {
        self.attempt.clear(|_| false);
        self.attempt.clear_scratch();
    }

    /// Commits all changes, or none.
    pub(crate) fn commit(self, new: NewCommit) -> Result<(), TargetError> {
        // The first commit makes the target what it is, even without a row.
        let has_news = !new.changes.is_empty() || new.is_news || self.base == 0;
        let committed = if has_news { self.record(new).map(Some) } else { Ok(None) };
        match &committed {
            // Nobody knows whether it was recorded.
            Err(TargetError::Unknown { .. }) => self.attempt.clear_scratch(),
            Err(_) | Ok(None) => self.attempt.clear(|_| false),
            Ok(Some((record, _))) => self.attempt.clear(|key| record.has(key)),
        }
        self.attempt.clear_scratch();
        let Some((record, snapshots)) = committed? else { return Ok(()) };
        let store = &*self.tables.store;
        publish(store, &record, snapshots).map_err(unfinished)?;
        // What fails from here on is done by a later run.
        let records = Records { store };
        let _ = records.note_published(record.number);
        let _ = records.summarize();
        Ok(())
    }

    /// Creates the record, behind those that others create meanwhile. Returns it with its tables as they are.
    fn record(
        &self,
        NewCommit { changes, layout, load, reads, schemas, .. }: NewCommit,
    ) -> Result<(Commit, Snapshots), TargetError> {
        let recording = TargetError::io("recording the commit");
        let store = &*self.tables.store;
        let records = Records { store };
        store.barrier().map_err(recording)?;
        let mut record = Commit::with_attempt(self.base + 1, self.attempt.id.clone(), changes, layout, load);
        let prepare = |record: &mut Commit| {
            let snapshots = snapshots(store, record)?;
            let after = schemas_after(store, &record.changes, &schemas, &snapshots)?;
            complete(&mut record.changes, &schemas, &after);
            let new = after.into_iter().filter(|(_, after)| after.is_new);
            record.schemas = new.map(|(table, after)| (table, after.schema)).collect();
            Ok(snapshots)
        };
        let mut snapshots = prepare(&mut record)?;
        loop {
            check(store, &record, &mut snapshots)?;
            let text = serde_json::to_vec(&record).map_err(|error| recording(error.into()))?;
            match records.create(record.number, &text) {
                Ok(Put::Created) => return Ok((record, snapshots)),
                Ok(Put::Exists) => {
                    let theirs = records.read(record.number)?;
                    publish(store, &theirs, Snapshots::new())?;
                    let overtaken = |what| TargetError::Overtaken { path: store.address("").into(), what };
                    snapshots = prepare(&mut record).map_err(|error| match error {
                        TargetError::Unusable { .. } => overtaken("the columns of a table".to_owned()),
                        other => other,
                    })?;
                    if let Some(what) = conflict(&record, &reads, &theirs) {
                        return Err(overtaken(what));
                    }
                    record.number += 1;
                }
                Err(source) if store.directory().is_some() && records.is_free(record.number) => {
                    return Err(recording(source));
                }
                Err(source) => return Err(TargetError::Unknown { number: record.number, source }),
            }
        }
    }
}

/// The error where the commit is recorded, and some of its tables don't have it.
fn unfinished(error: TargetError) -> TargetError {
    let (doing, source) = match error {
        TargetError::Io { doing, source } => (doing, source),
        other => {
            let text = other.to_string().replace("; nothing was changed", "");
            ("publishing the commit's tables", io::Error::other(text))
        }
    };
    TargetError::Unfinished { doing, source }
}
