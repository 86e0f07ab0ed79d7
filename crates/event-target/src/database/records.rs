//! The records of a target's commits: `_loads`.
//!
//! Invariant: a row is never deleted, and nothing of it changed but the summary: what all rows up to it come
//! to. One row has a summary.

use std::path::PathBuf;

use events_core::sql_text::double_quoted;
use serde::Serialize;

use super::{Schema, Session};
use crate::{Commit, History, LineCounts, LoadFacts, Mode, TargetError, history::partitions_of};

pub(super) const LOADS: &str = "_loads";
/// A commit has a summary if its number is divided by this.
const SUMMARY_EVERY: u64 = 100;
/// So many records are read at once: they are held in memory as text.
const READ_AT_ONCE: usize = 20;
/// The end of a column's type.
const NOT_NULL: &str = " NOT NULL";
/// The columns of `_loads`, in the order in which they are inserted, with what they are for.
const COLUMNS: [(&str, &str, &str); 14] = [
    ("number", "bigint NOT NULL", "Counts the commits from 1"),
    ("at", "timestamptz NOT NULL", "When it was recorded"),
    ("mode", "text NOT NULL", "overwrite, merge, accept or discard"),
    ("sources", "bigint NOT NULL", "How many sources it read"),
    ("lines", "bigint NOT NULL", "All lines that it read: the sum of the next five"),
    ("blank", "bigint NOT NULL", "Lines of nothing but white space"),
    ("quarantined", "bigint NOT NULL", "Bad lines, which are in _quarantine"),
    ("filtered", "bigint NOT NULL", "Good lines that were not selected"),
    ("superseded", "bigint NOT NULL", "Good lines with a later version that is kept"),
    ("written", "bigint NOT NULL", "Lines that became rows"),
    ("partitions", "bigint NOT NULL", "How many days or hours of event types it changed"),
    ("attempt", "text NOT NULL", "Tells the run from any other"),
    ("record", "json NOT NULL", "The whole record, as files of commits have it"),
    ("summary", "json", "Of one commit: what all up to it come to"),
];

impl Schema {
    fn loads(&self) -> String {
        self.table(LOADS)
    }

    /// Whether the table is there.
    ///
    /// # Errors
    /// There is another one of its name.
    fn has_loads(&self, session: &mut dyn Session) -> Result<bool, TargetError> {
        self.has_own(session, LOADS, &COLUMNS)
    }

    /// Creates the table, unless it is there.
    pub(super) fn create_loads(&self, session: &mut dyn Session) -> Result<(), TargetError> {
        if self.has_loads(session)? {
            return Ok(());
        }
        self.create_own(session, LOADS, &COLUMNS, ("number", "The commits of eventloader in this schema"))
    }

    /// The number of the last record; 0 if there is none.
    pub(super) fn last(&self, session: &mut dyn Session) -> Result<u64, TargetError> {
        if !self.has_loads(session)? {
            return Ok(0);
        }
        let sql = format!("SELECT pg_catalog.max(number) FROM {}", self.loads());
        let rows = session.query(&sql, &[])?;
        let text = rows.into_iter().flatten().next().flatten();
        text.map_or(Ok(0), |text| self.number(&text))
    }

    /// The attempt that a commit was made by; `None` if there is no such commit.
    pub(super) fn attempt_of(
        &self,
        session: &mut dyn Session,
        number: u64,
    ) -> Result<Option<String>, TargetError> {
        if !self.has_loads(session)? {
            return Ok(None);
        }
        let sql = format!("SELECT attempt FROM {} WHERE number = $1::bigint", self.loads());
        let rows = session.query(&sql, &[&number.to_string()])?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    /// What all commits come to, as a transaction sees them.
    pub(super) fn history_in(
        &self,
        session: &mut dyn Session,
        mut look: impl FnMut(&History, &Commit),
    ) -> Result<History, TargetError> {
        if !self.has_loads(session)? {
            return Ok(History::default());
        }
        let mut history = self.summary(session)?;
        let sql = format!(
            "SELECT number, record::text FROM {} WHERE number > $1::bigint ORDER BY number LIMIT {READ_AT_ONCE}",
            self.loads()
        );
        loop {
            let rows = session.query(&sql, &[&history.commits().to_string()])?;
            if rows.is_empty() {
                return Ok(history);
            }
            for row in rows {
                let commit = self.commit_of(row)?;
                look(&history, &commit);
                history.add(commit);
            }
        }
    }

    fn summary(&self, session: &mut dyn Session) -> Result<History, TargetError> {
        let sql = format!(
            "SELECT number, summary::text FROM {} WHERE summary IS NOT NULL ORDER BY number DESC LIMIT 1",
            self.loads()
        );
        let Some([Some(number), Some(text)]) =
            session.query(&sql, &[])?.into_iter().next().and_then(|row| <[_; 2]>::try_from(row).ok())
        else {
            return Ok(History::default());
        };
        let history: History = serde_json::from_str(&text)
            .map_err(|error| self.damaged(&number, &format!("its summary is none: {error}")))?;
        history.of_known_version(self.record_address(&number))
    }

    fn commit_of(&self, row: Vec<Option<String>>) -> Result<Commit, TargetError> {
        let Ok([Some(number), Some(text)]) = <[_; 2]>::try_from(row) else {
            return Err(self.damaged("", "a row has no number or no record"));
        };
        let commit: Commit =
            serde_json::from_str(&text).map_err(|error| self.damaged(&number, &error.to_string()))?;
        if commit.number.to_string() != number {
            return Err(self.damaged(&number, &format!("it is the record of commit {}", commit.number)));
        }
        commit.of_known_version(&self.record_address(&number))
    }

    /// Inserts the record of a commit. Some get a summary with it.
    pub(super) fn insert(&self, session: &mut dyn Session, commit: &Commit) -> Result<(), TargetError> {
        let number = commit.number.to_string();
        let LoadFacts { mode, counts, sources, .. } = &commit.load;
        let LineCounts { lines, blank, quarantined, filtered, superseded, written } = counts;
        let partitions = partitions_of(*mode, &commit.changes) as u64;
        let counts = [
            sources.len() as u64,
            *lines,
            *blank,
            *quarantined,
            *filtered,
            *superseded,
            *written,
            partitions,
        ];
        let counts = counts.map(|count| count.to_string());
        let record = json_of(commit)?;
        let mut values = vec![number.as_str(), &commit.at, mode_name(*mode)];
        values.extend(counts.iter().map(String::as_str));
        values.extend([commit.attempt.as_str(), &record]);
        let inserted = COLUMNS.iter().zip(1..=values.len());
        let (names, places): (Vec<_>, Vec<_>) = inserted
            .map(|((name, kind, _), place)| {
                (double_quoted(name), format!("${place}::{}", kind.replace(NOT_NULL, "")))
            })
            .unzip();
        let (names, places) = (names.join(", "), places.join(", "));
        session.execute(&format!("INSERT INTO {} ({names}) VALUES ({places})", self.loads()), &values)?;
        if commit.number.is_multiple_of(SUMMARY_EVERY) {
            let mut history = self.history_in(session, |_, _| {})?;
            history.forget_old();
            let loads = self.loads();
            // They are long, and only the last one is read.
            session.execute(&format!("UPDATE {loads} SET summary = NULL WHERE summary IS NOT NULL"), &[])?;
            let sql = format!("UPDATE {loads} SET summary = $1::json WHERE number = $2::bigint");
            session.execute(&sql, &[&json_of(&history)?, &number])?;
        }
        Ok(())
    }

    fn number(&self, text: &str) -> Result<u64, TargetError> {
        text.parse().map_err(|_| self.damaged(text, "this is no number of a commit"))
    }

    fn record_address(&self, number: &str) -> PathBuf {
        self.address(&format!("{LOADS}/{number}"))
    }

    fn damaged(&self, number: &str, problem: &str) -> TargetError {
        TargetError::Unusable { path: self.record_address(number), problem: problem.to_owned() }
    }
}

fn json_of(value: &impl Serialize) -> Result<String, TargetError> {
    serde_json::to_string(value).map_err(|error| TargetError::io("recording the commit")(error.into()))
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Overwrite => "overwrite",
        Mode::Merge => "merge",
        Mode::Accept => "accept",
        Mode::Rewrite => "rewrite",
        Mode::Discard => "discard",
    }
}
