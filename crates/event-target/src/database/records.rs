//! The records of a target's commits: `_loads`.
//!
//! Invariant: a row is never changed and never deleted. A summary in it is what all rows up to it come to.

use std::path::PathBuf;

use super::{Schema, Session, quoted};
use crate::{Commit, History, Mode, TargetError, history::partitions_of};

pub(super) const LOADS: &str = "_loads";
/// A commit has a summary if its number is divided by this.
const SUMMARY_EVERY: u64 = 100;
/// So many records are read at once: they are held in memory as text.
const READ_AT_ONCE: usize = 20;
/// The columns of `_loads`, with what they are for whoever looks at them.
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
    ("summary", "json", "Of some commits: what all up to it come to"),
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
    pub(super) fn insert(&self, session: &mut dyn Session, commit: Commit) -> Result<(), TargetError> {
        let json = |value: serde_json::Result<String>| {
            value.map_err(|error| TargetError::io("recording the commit")(error.into()))
        };
        let counts = commit.load.counts.named().map(|(_, count)| count.to_string());
        let [lines, blank, quarantined, filtered, superseded, written] = &counts;
        let number = commit.number.to_string();
        let sources = commit.load.sources.len().to_string();
        let partitions = partitions_of(commit.load.mode, &commit.changes).to_string();
        let (at, attempt) = (commit.at.clone(), commit.attempt.clone());
        let mode = mode_name(commit.load.mode);
        let record = json(serde_json::to_string(&commit))?;
        let (names, values): (Vec<_>, Vec<_>) = [
            ("number", "bigint", number.as_str()),
            ("at", "timestamptz", &at),
            ("mode", "text", mode),
            ("sources", "bigint", &sources),
            ("lines", "bigint", lines),
            ("blank", "bigint", blank),
            ("quarantined", "bigint", quarantined),
            ("filtered", "bigint", filtered),
            ("superseded", "bigint", superseded),
            ("written", "bigint", written),
            ("partitions", "bigint", &partitions),
            ("attempt", "text", &attempt),
            ("record", "json", &record),
        ]
        .into_iter()
        .enumerate()
        .map(|(index, (name, kind, value))| ((quoted(name), format!("${}::{kind}", index + 1)), value))
        .unzip();
        let (columns, places): (Vec<_>, Vec<_>) = names.into_iter().unzip();
        let sql =
            format!("INSERT INTO {} ({}) VALUES ({})", self.loads(), columns.join(", "), places.join(", "));
        let is_summarized = commit.number.is_multiple_of(SUMMARY_EVERY);
        session.execute(&sql, &values)?;
        if is_summarized {
            let mut history = self.history_in(session, |_, _| {})?;
            history.forget_old();
            let summary = json(serde_json::to_string(&history))?;
            let sql = format!("UPDATE {} SET summary = $1::json WHERE number = $2::bigint", self.loads());
            session.execute(&sql, &[&summary, &number])?;
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

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Overwrite => "overwrite",
        Mode::Merge => "merge",
        Mode::Accept => "accept",
        Mode::Rewrite => "rewrite",
        Mode::Discard => "discard",
    }
}
