//! The commits of a target → the files that it must have, and problems of the commits themselves.
//!
//! Invariant: the facts about a file are those of the last commit that wrote it.

use std::collections::{BTreeMap, BTreeSet};

pub(super) use event_target::StoredFile as RecordedFile;
use event_target::{Commit, History, Location, Mode};
use events_core::{
    partition::{Layout, PartitionUnit},
    table::TableColumns,
};

use super::{Problem, last_table::LastTable};
use crate::error::Error;

/// What a target must have.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) commits: usize,
    /// By path in the target, with `/`.
    pub(super) files: BTreeMap<String, RecordedFile>,
    /// By event type: the columns that its last load wrote.
    pub(super) tables: BTreeMap<(String, String), LastTable>,
    /// By event type: the columns of all loads whose rows are there, as a table of a database has them.
    pub(super) held: BTreeMap<(String, String), TableColumns>,
    pub(super) layout: Option<(Layout, PartitionUnit)>,
    pub(super) problems: Vec<Problem>,
    /// Whether a commit was interrupted; if so, files may be anywhere between staging and their place.
    pub(super) is_unfinished: bool,
}

impl Recorded {
    pub(super) fn read(target: &Location) -> Result<Self, Error> {
        let mut recorded = Self::default();
        if let Some(record) = target.unfinished()? {
            let problem =
                "a commit was interrupted; `eventloader recover` or any load into the target finishes it";
            recorded.problems.push(Problem::new(&record, problem));
            recorded.is_unfinished = true;
        }
        let history = target.history(|before, commit| recorded.check(before, commit))?;
        let lost = history.lost_records().into_iter();
        let lost = lost.map(|lost| Problem::new(&lost.path, "is missing, and with it what it recorded"));
        recorded.problems.extend(lost);
        recorded.commits = usize::try_from(history.commits()).unwrap_or(usize::MAX);
        let newest = |((domain, name), tables): ((&str, &str), Vec<&TableColumns>)| {
            Some(((domain.to_owned(), name.to_owned()), LastTable::of(tables.first()?)))
        };
        recorded.tables = history.tables_by_type().into_iter().filter_map(newest).collect();
        let held = |((domain, name), tables): ((&str, &str), Vec<&TableColumns>)| {
            let joined = tables.into_iter().cloned().reduce(|newer, older| newer.joined(&older))?;
            Some(((domain.to_owned(), name.to_owned()), joined))
        };
        recorded.held = history.tables_by_type().into_iter().filter_map(held).collect();
        recorded.layout = history.layout.and_then(|layout| layout.parts());
        recorded.files = history.files;
        Ok(recorded)
    }

    /// The number of directories with rows.
    pub(super) fn partitions(&self) -> usize {
        let with_rows = self.files.iter().filter(|(_, file)| file.event_type.is_some());
        with_rows.map(|(path, _)| directory_of(path)).collect::<BTreeSet<_>>().len()
    }

    fn check(&mut self, before: &History, commit: &Commit) {
        let counts = &commit.load.counts;
        let rows: u64 = commit.changes.iter().flat_map(|change| &change.files).map(|file| file.rows).sum();
        let written = counts.written + commit.load.existing_kept;
        let more_rows = || format!("{written} written, but {rows} in its files");
        let problem = counts.balance().err().or_else(|| (rows > written).then(more_rows));
        if let Some(problem) = problem {
            let problem = format!("its counts do not balance: {problem}");
            self.problems.push(Problem::new(&commit.path(), problem));
        }
        let is_another = before.layout.as_ref().is_some_and(|layout| *layout != commit.layout)
            && commit.load.mode != Mode::Rewrite;
        if commit.layout.parts().is_none() || is_another {
            let problem = format!("its layout differs from that of the earlier commits: {}", commit.layout);
            self.problems.push(Problem::new(&commit.path(), problem));
        }
    }
}

/// The directory of a file.
pub(super) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
