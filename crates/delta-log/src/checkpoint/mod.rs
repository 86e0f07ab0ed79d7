//! A snapshot as Parquet, and back: with it, the commits before it need not be read.
//!
//! In: a snapshot. Out: one classic checkpoint, and `_last_checkpoint`, the hint where it is. Checkpoints of
//! other writers are read, in one file or in parts, of any columns; one of version 2 is refused.
//!
//! Invariant: the snapshot that is read from a checkpoint is the one that was written, but for removed files
//! whose time is over.

mod read;
mod retention;
pub(crate) mod rows;
mod seal;
pub(crate) mod write;

use serde_json::json;

use self::write::CheckpointWriter;
use crate::{
    Action, LogError, Snapshot, Table,
    listing::{HINT, version_name},
    snapshot::{Beginning, Seen},
};

/// What only checkpoints of version 2 have: their files may be elsewhere.
const OF_VERSION_2: [&str; 2] = ["checkpointMetadata", "sidecar"];

impl Table<'_> {
    /// Writes what the table was at a version that is committed.
    ///
    /// Files that were removed before `at_ms` less `delta.deletedFileRetentionDuration` are left out.
    ///
    /// # Errors
    /// A store that can't be written to. The log is as good without the checkpoint.
    pub fn checkpoint(&self, snapshot: &Snapshot, at_ms: i64) -> Result<(), LogError> {
        let kept_since_ms = at_ms.saturating_sub(retention::removed_ms(&snapshot.metadata));
        let removed = snapshot.removed.values().cloned();
        let removed = removed.filter(|file| file.deletion_time_ms.unwrap_or(0) > kept_since_ms);
        let actions =
            [Action::Protocol(snapshot.protocol.clone()), Action::Metadata(snapshot.metadata.clone())]
                .into_iter()
                .chain(snapshot.transactions.values().cloned().map(Action::Transaction))
                .chain(snapshot.files.values().cloned().map(Action::Add))
                .chain(removed.map(Action::Remove));
        let mut writer = CheckpointWriter::new().map_err(|problem| self.invalid(problem))?;
        for action in actions {
            writer.push(&action).map_err(|problem| self.invalid(problem))?;
        }
        let (bytes, actions) = writer.finish().map_err(|problem| self.invalid(problem))?;
        let name = format!("{}.checkpoint.parquet", version_name(snapshot.version));
        self.store.put(&self.key(&name), &bytes)?;
        let hint = json!({
            "version": snapshot.version, "size": actions, "sizeInBytes": bytes.len(),
            "numOfAddFiles": snapshot.files.len(),
        });
        Ok(self.store.put(&self.key(HINT), hint.to_string().as_bytes())?)
    }

    /// The snapshot that a checkpoint holds, in one file or in parts.
    pub(crate) fn read_checkpoint(&self, version: u64, keys: &[String]) -> Result<Snapshot, LogError> {
        let (mut beginning, mut seen) = (Beginning::default(), Seen::default());
        for key in keys {
            let mut bytes = self.store.read(key)?.ok_or_else(|| self.missing_object(key))?;
            let rows = seal::check(&mut bytes).and_then(|()| read::rows(bytes));
            let rows = rows.map_err(|problem| self.damaged(key, None, problem))?;
            for (number, row) in (1..).zip(rows) {
                let damaged = |problem| self.damaged(key, Some(number), problem);
                let row = row.map_err(damaged)?;
                if OF_VERSION_2.iter().any(|action| row.get(action).is_some()) {
                    return Err(self.version_2());
                }
                let Some(action) = Action::of_value(row).map_err(damaged)? else { continue };
                seen.note(&action).map_err(damaged)?;
                self.check_known(&action)?;
                beginning.push(action);
            }
        }
        beginning.snapshot(version).map_err(|problem| self.damaged(&keys[0], None, problem))
    }
}
