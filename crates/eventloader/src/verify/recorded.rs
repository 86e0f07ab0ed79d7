//! The commits of a target → the files that it must hold, and what is wrong with the commits themselves.
//!
//! Invariant: of each file that is there after the last commit, what is known is what the commit says that wrote it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use events_core::partition::{Layout, PartitionUnit};

use super::Problem;
use crate::{
    commit::{self, Change, Commit},
    error::Error,
    latest::DedupeScope,
};

/// What a target must hold.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) commits: usize,
    /// By path in the target, with `/`.
    pub(super) files: BTreeMap<String, RecordedFile>,
    pub(super) layout: Option<(Layout, PartitionUnit)>,
    pub(super) problems: Vec<Problem>,
    /// Whether a commit was interrupted: then no file need be where it belongs.
    pub(super) is_unfinished: bool,
}

#[derive(Debug)]
pub(super) struct RecordedFile {
    /// The number of the commit that wrote it.
    pub(super) commit: u64,
    /// The domain and type of its rows; none of a file of the quarantine.
    pub(super) event_type: Option<(String, String)>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) checksum: u64,
    /// Within what each event was to be there once.
    pub(super) dedupe_scope: DedupeScope,
}

impl Recorded {
    pub(super) fn read(root: &Path) -> Result<Self, Error> {
        let mut recorded = Self::default();
        if commit::is_unfinished(root)? {
            let problem =
                "a commit was interrupted: `eventloader recover` or any load of the target finishes it";
            recorded.problems.push(Problem::new(commit::JOURNAL_PATH, problem));
            recorded.is_unfinished = true;
        }
        for commit in commit::history(root)? {
            recorded.check(&commit);
            recorded.add(commit);
        }
        Ok(recorded)
    }

    /// How many directories hold rows.
    pub(super) fn partitions(&self) -> usize {
        let with_rows = self.files.iter().filter(|(_, file)| file.event_type.is_some());
        with_rows.map(|(path, _)| directory_of(path)).collect::<BTreeSet<_>>().len()
    }

    fn check(&mut self, commit: &Commit) {
        let counts = &commit.load.counts;
        let rows: u64 = commit.changes.iter().flat_map(|change| &change.files).map(|file| file.rows).sum();
        let written = counts.written + commit.load.held_kept;
        let more_rows = || format!("{written} written, but {rows} in its files");
        let problem = counts.balance().err().or_else(|| (rows > written).then(more_rows));
        if let Some(problem) = problem {
            let problem = format!("its counts do not balance: {problem}");
            self.problems.push(Problem::new(&commit.path(), problem));
        }
        let layout = commit.layout.parts();
        if layout.is_none() || self.layout.is_some_and(|before| Some(before) != layout) {
            let problem = format!("its layout is not that of the commits before: {}", commit.layout);
            self.problems.push(Problem::new(&commit.path(), problem));
        }
        self.layout = self.layout.or(layout);
    }

    fn add(&mut self, commit: Commit) {
        self.commits += 1;
        for Change { directory, event_type, files, replaces_all } in commit.changes {
            if replaces_all {
                // `0` is the character behind `/`: these are all paths in the directory.
                let inside = self.files.range(format!("{directory}/")..format!("{directory}0"));
                let inside: Vec<_> = inside.map(|(path, _)| path.clone()).collect();
                for path in inside {
                    self.files.remove(&path);
                }
            }
            for file in files {
                let recorded = RecordedFile {
                    commit: commit.number,
                    event_type: event_type.clone(),
                    rows: file.rows,
                    bytes: file.bytes,
                    checksum: file.checksum,
                    dedupe_scope: commit.load.dedupe_scope,
                };
                self.files.insert(format!("{directory}/{}", file.name), recorded);
            }
        }
    }
}

/// The directory of a file.
pub(super) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
