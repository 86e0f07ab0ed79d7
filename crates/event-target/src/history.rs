//! All commits of a target, one after the other → its files, the contents that were merged into it, its
//! loads.
//!
//! From time to time commits are folded: their result is written to `history.json`, and they are deleted. So
//! a target that is loaded every minute for years has few files of the loader's own, and reading them does
//! not take longer with each load.
//!
//! Invariant: `history.json` and the commits after it together have the same information as all commits; a
//! commit that is folded is not read again. A commit whose record is lost stays known as lost.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use events_core::table::TableColumns;
use serde::{Deserialize, Serialize};

use crate::{
    Accepted, Change, Commit, DedupeScope, Discarded, FileForm, Fingerprint, LineCounts, LoadFacts, Merged,
    Mode, PRIVATE, PartitionFile, Partitions, Stamp, SupersededKinds, TargetError, TargetLayout, journal,
    json_file, merged, partitions::Target,
};

/// In the private directory: the folded commits.
pub(crate) const FILE: &str = "history.json";
const VERSION: u32 = 2;
/// The oldest version that is read: it has no stamps.
const VERSION_MIN: u32 = 1;

/// The number of commits from which on they are folded.
const COMMITS_MAX: usize = 100;
/// The number of loads that are kept when commits are folded.
const RUNS_KEPT: usize = 1_000;

/// The combined result of a target's commits.
#[derive(Debug, Serialize, Deserialize)]
pub struct History {
    version: u32,
    /// The number of the last folded commit.
    last: u64,
    /// The layout; only a rewrite changes it.
    pub layout: Option<TargetLayout>,
    /// By path in the target, with `/`.
    pub files: BTreeMap<String, StoredFile>,
    /// By what was loaded of them: the contents that were merged since anything was overwritten.
    merged: BTreeMap<String, HashSet<Fingerprint>>,
    /// The objects of buckets among these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    objects: BTreeMap<String, merged::Objects>,
    /// The last loads.
    pub runs: Vec<CommittedLoad>,
    /// How the last load that changed partitions wrote them; `None` if an older one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FileForm>,
    /// The columns of the tables that its files have, by the names that the files give them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, TableColumns>,
    /// The envelopes of catalogs that its loads read with, as catalog files, by their names in the
    /// quarantine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub envelopes: BTreeMap<String, String>,
    /// The commits whose records are lost, as ranges of their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<RangeInclusive<u64>>,
}

/// A file that a commit wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredFile {
    /// The number of the commit that wrote it.
    pub commit: u64,
    /// The domain and type of its rows; `None` for a file of the quarantine.
    pub event_type: Option<(String, String)>,
    /// Its rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// XXH3 of all bytes.
    pub checksum: u64,
    /// Its stamp, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// The scope in which each event should occur once.
    pub dedupe_scope: DedupeScope,
    /// The fields by which the latest version of each of its events was decided, before the timestamp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub version: Vec<String>,
    /// The name of its columns among the history's tables; `None` if an older load wrote it, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// A load that was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedLoad {
    /// The number of its commit.
    pub commit: u64,
    /// When, in UTC.
    pub at: String,
    /// Its mode.
    pub mode: Mode,
    /// How many sources it read.
    pub sources: usize,
    /// The first of them.
    pub first_source: Option<String>,
    /// What became of its lines.
    #[serde(flatten)]
    pub counts: LineCounts,
    /// What it superseded, by kind; `None` if an older load did.
    #[serde(flatten)]
    pub superseded: Option<SupersededKinds>,
    /// How many partitions it changed.
    pub partitions: usize,
    /// Of an `accept`: what it recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedFiles>,
    /// Of a `discard`: what it took out of the quarantine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded: Option<Discarded>,
}

/// What an `accept` recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedFiles {
    /// How many recorded files are gone.
    pub gone: usize,
    /// How many have other bytes, or are new.
    pub changed: usize,
    /// Whether every source counts as new.
    pub forgets_sources: bool,
}

impl From<&Accepted> for AcceptedFiles {
    fn from(Accepted { gone, files, forgets_sources }: &Accepted) -> Self {
        Self { gone: gone.len(), changed: files.len(), forgets_sources: *forgets_sources }
    }
}

impl Default for History {
    fn default() -> Self {
        Self {
            version: VERSION,
            last: 0,
            layout: None,
            files: BTreeMap::new(),
            merged: BTreeMap::new(),
            objects: BTreeMap::new(),
            runs: Vec::new(),
            form: None,
            tables: BTreeMap::new(),
            envelopes: BTreeMap::new(),
            lost: Vec::new(),
        }
    }
}

impl History {
    /// See [`Location::history`](crate::Location::history).
    pub(crate) fn read(root: &Path, mut look: impl FnMut(&Self, &Commit)) -> Result<Self, TargetError> {
        let mut history = Self::folded(root)?;
        for number in history.numbers_behind(root)? {
            let commit = Commit::read(&root.join(PRIVATE).join(journal::file_name(number)))?;
            look(&history, &commit);
            history.add(commit);
        }
        Ok(history)
    }

    /// The number of a target's last commit; 0 if there is none.
    pub(crate) fn last_number(root: &Path) -> Result<u64, TargetError> {
        // When commits are folded, the last one is deleted last.
        match journal::numbers(root)?.last() {
            Some(last) => Ok(*last),
            None => Ok(Self::folded(root)?.last),
        }
    }

    fn folded(root: &Path) -> Result<Self, TargetError> {
        let path = root.join(PRIVATE).join(FILE);
        let Some(history) = json_file::read::<Self>(&path, "reading the recorded loads")? else {
            return Ok(Self::default());
        };
        history.of_known_version(path)
    }

    /// Refuses what another eventloader wrote at `path`.
    pub(crate) fn of_known_version(self, path: PathBuf) -> Result<Self, TargetError> {
        if !(VERSION_MIN..=VERSION).contains(&self.version) {
            let problem =
                format!("format version {} of another eventloader; use that eventloader", self.version);
            return Err(TargetError::Damaged { path, line: 1, problem });
        }
        Ok(Self { version: VERSION, ..self })
    }

    /// Forgets what need not be in a summary.
    pub(crate) fn forget_old(&mut self) {
        let old_runs = self.runs.len().saturating_sub(RUNS_KEPT);
        self.runs.drain(..old_runs);
        self.forget_unused_tables();
    }

    /// The commits that are not folded, ascending.
    fn numbers_behind(&self, root: &Path) -> Result<Vec<u64>, TargetError> {
        Ok(journal::numbers(root)?.into_iter().filter(|number| *number > self.last).collect())
    }

    /// There is a record of this number, or there was: those that are not here are lost.
    pub(crate) fn reaches(&mut self, number: u64) {
        if number > self.last {
            self.lost.push(self.last + 1..=number);
            self.last = number;
        }
    }

    pub(crate) fn add(&mut self, commit: Commit) {
        let Commit { number, at, layout, load, changes, .. } = commit;
        let partitions = partitions_of(load.mode, &changes);
        self.reaches(number.saturating_sub(1));
        self.last = number;
        self.layout = Some(layout);
        let LoadFacts {
            mode,
            dedupe_scope,
            counts,
            superseded,
            sources,
            recognised,
            what,
            stamps,
            form,
            tables,
            envelopes,
            accepted,
            discarded,
            ..
        } = load;
        self.tables.extend(tables);
        self.envelopes.extend(envelopes);
        if partitions > 0 {
            self.form = form;
        }
        self.runs.push(CommittedLoad {
            commit: number,
            at,
            mode,
            sources: sources.len(),
            first_source: sources.first().map(|source| source.path.clone()),
            counts,
            superseded,
            partitions,
            accepted: accepted.as_ref().map(AcceptedFiles::from),
            discarded,
        });
        match mode {
            // What was merged before may have been in the partitions that are replaced.
            Mode::Overwrite if partitions > 0 => self.forget_sources(),
            Mode::Overwrite | Mode::Accept | Mode::Rewrite | Mode::Discard => {}
            Mode::Merge => {
                for read in [sources, recognised] {
                    let objects: Vec<_> = merged::objects_of(&read).collect();
                    if !objects.is_empty() {
                        self.objects.entry(what.clone()).or_default().extend(objects);
                    }
                    let contents = read.into_iter().filter_map(|source| source.content);
                    self.merged.entry(what.clone()).or_default().extend(contents);
                }
            }
        }
        for (path, stamp) in stamps {
            if let Some(file) = self.files.get_mut(&path) {
                file.stamp = Some(stamp);
            }
        }
        for change in changes {
            self.change(number, dedupe_scope, change);
        }
        if let Some(accepted) = accepted {
            self.accept(number, accepted);
        }
    }

    fn accept(&mut self, commit: u64, Accepted { gone, files, forgets_sources }: Accepted) {
        for path in gone {
            self.files.remove(&path);
        }
        let files = files.into_iter().map(|(path, file)| (path, StoredFile { commit, ..file }));
        self.files.extend(files);
        self.lost.clear();
        if forgets_sources {
            self.forget_sources();
        }
    }

    fn forget_sources(&mut self) {
        self.merged.clear();
        self.objects.clear();
    }

    fn change(&mut self, commit: u64, dedupe_scope: DedupeScope, change: Change) {
        let Change { directory, event_type, files, replaces_all, removes, version, table, .. } = change;
        let dedupe_scope = change.dedupe_scope.unwrap_or(dedupe_scope);
        for name in removes {
            self.files.remove(&format!("{directory}/{name}"));
        }
        if replaces_all {
            let inside: Vec<_> = self.in_directory(&directory).map(|(path, _)| path.clone()).collect();
            for path in inside {
                self.files.remove(&path);
            }
        }
        for file in files {
            let stored = StoredFile {
                commit,
                event_type: event_type.clone(),
                rows: file.rows,
                bytes: file.bytes,
                checksum: file.checksum,
                stamp: file.stamp,
                dedupe_scope,
                version: version.clone(),
                table: table.clone(),
            };
            self.files.insert(format!("{directory}/{}", file.name), stored);
        }
    }

    /// The recorded files directly in a directory.
    pub fn of_directory(&self, directory: &str) -> impl Iterator<Item = &StoredFile> {
        self.in_directory(directory).map(|(_, file)| file)
    }

    pub(crate) fn in_directory(&self, directory: &str) -> impl Iterator<Item = (&String, &StoredFile)> {
        // `0` is the character after `/`: these are all paths in the directory.
        self.files.range(format!("{directory}/")..format!("{directory}0"))
    }

    /// The recorded partitions of these event types, given by index and directory.
    pub(crate) fn partitions(&self, layout: &TargetLayout, types: &[(usize, &str)]) -> Partitions {
        let mut partitions = Partitions::new();
        let Some((layout, unit)) = layout.parts() else { return partitions };
        let mut number = 0;
        for &(type_index, directory) in types {
            for (path, file) in self.in_directory(directory) {
                let partition = path.rsplit_once('/').map_or("", |(partition, _)| partition);
                let Some(unit_index) = layout.index_in(unit, partition) else { continue };
                let file = PartitionFile { path: path.clone(), bytes: Some(file.bytes), number };
                partitions.entry((type_index, unit_index)).or_default().push(file);
                number += 1;
            }
        }
        partitions
    }

    /// The number of commits.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.last
    }

    /// What was merged with the same selection.
    pub fn merged(&mut self, what: &str) -> Merged {
        Merged {
            contents: self.merged.remove(what).unwrap_or_default(),
            objects: self.objects.remove(what).unwrap_or_default(),
        }
    }
}

/// How many partitions a commit changes. What a rewrite moves elsewhere is counted there.
pub(crate) fn partitions_of(mode: Mode, changes: &[Change]) -> usize {
    let is_counted =
        |change: &&Change| change.event_type.is_some() && !(mode == Mode::Rewrite && change.files.is_empty());
    changes.iter().filter(is_counted).count()
}

impl Target {
    /// Folds the commits if there are many. If it fails or is interrupted, the next run does it.
    pub(crate) fn fold_history(&self) -> Result<(), TargetError> {
        let root = &self.root;
        if journal::numbers(root)?.len() < COMMITS_MAX {
            return Ok(());
        }
        let mut history = History::read(root, |_, _| {})?;
        history.forget_old();
        // Nothing is deleted before its information is on disk elsewhere.
        let private = self.private();
        json_file::replace(&private, FILE, &history).map_err(WRITING)?;
        for number in journal::numbers(root)?.into_iter().filter(|number| *number <= history.last) {
            storage::delete_file(&private.join(journal::file_name(number))).map_err(WRITING)?;
        }
        Ok(())
    }
}

const WRITING: fn(io::Error) -> TargetError =
    |source| TargetError::Unfinished { doing: "folding the commit files", source };
