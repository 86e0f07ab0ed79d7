//! What the record has of a partition, and what a run finds out about it → what becomes of it.
//!
//! Invariant: its rows afterwards are those before, without those that go, with those that come.

use event_rows::PartitionKey;
use event_target::{Action, Change, History, StagedFile};
use events_core::catalog::EventType;

use crate::{
    error::Error,
    output::Staged,
    rows::{ExistingCounts, RowsOut},
};

/// A partition of a table.
#[derive(Debug)]
pub(super) struct TablePartition {
    pub(super) key: PartitionKey,
    /// Its path in the target.
    pub(super) path: String,
    /// Whether all rows that it has are replaced.
    pub(super) is_replaced: bool,
    /// The rows that it has by the record, and the bytes that were sent for it.
    pub(super) recorded: (u64, u64),
    /// Whether it has rows, and all of them have the columns that the run writes.
    pub(super) has_columns: bool,
    /// Those of them that are superseded.
    pub(super) superseded: u64,
    /// Whether it is replaced by what it has already.
    pub(super) is_unchanged: bool,
}

/// What was sent of a partition.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) out: RowsOut,
}

impl TablePartition {
    pub(super) fn new(
        key: PartitionKey,
        path: String,
        (is_replaced, superseded): (bool, u64),
        (history, table): (&History, &str),
    ) -> Self {
        let files = || history.of_directory(&path);
        let recorded = (files().map(|file| file.rows).sum(), files().map(|file| file.bytes).sum());
        let has_columns =
            recorded.0 > 0 && files().all(|file| file.table.as_deref().is_some_and(|name| name == table));
        Self { key, is_replaced, recorded, has_columns, superseded, is_unchanged: false, path }
    }

    /// The rows that it keeps.
    pub(super) fn kept(&self) -> Result<u64, Error> {
        let (rows, _) = self.recorded;
        if self.is_replaced {
            return Ok(0);
        }
        rows.checked_sub(self.superseded).ok_or_else(|| {
            let Self { path, superseded, .. } = self;
            Error::Unbalanced(format!("{path}: {superseded} rows superseded, but {rows} recorded"))
        })
    }

    /// What is recorded and reported of it.
    pub(super) fn staged(self, event_type: &EventType, table: &str, sent: Sent) -> Result<Staged, Error> {
        let kept = self.kept()?;
        let Self { key, path, is_replaced, recorded, superseded, is_unchanged, .. } = self;
        let Sent { rows, bytes, mut out } = sent;
        let (rows, bytes) = if is_unchanged { recorded } else { (kept + rows, bytes) };
        if !is_replaced {
            out.add_existing(key, ExistingCounts { read: recorded.0, left_out: superseded });
        }
        let files: Vec<_> = (rows > 0).then(|| rows_file(&path, rows, bytes)).into_iter().collect();
        let mut change = Change::partition(&path, (&event_type.domain, &event_type.name), &files)
            .with_version(event_type.version_names());
        change.table = Some(table.to_owned());
        let action = match (recorded.0, rows) {
            _ if is_unchanged => Action::Unchanged,
            // It has no rows, and had none before.
            (0, 0) => Action::Unchanged,
            (0, _) => Action::Created,
            (_, 0) => Action::Removed,
            _ => Action::Replaced,
        };
        Ok(Staged { path, files, change, action, out })
    }
}

/// The rows of a partition, as the record has them.
fn rows_file(path: &str, rows: u64, bytes: u64) -> StagedFile {
    StagedFile {
        name: event_target::ROWS.to_owned(),
        staged: format!("{path}/{}", event_target::ROWS),
        rows,
        bytes,
        checksum: 0,
        stamp: None,
        statistics: None,
    }
}
