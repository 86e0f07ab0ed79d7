//! `eventloader verify`: a target → its problems.
//!
//! Three things are compared: the files that the commits recorded (`recorded.rs`), the files that exist
//! ([`Location::list_files`]), and the rows that the files contain (`rows.rs`, `ids.rs`), or the tables of a
//! database (`database.rs`). A manifest is a fourth: the result that the generated events must have
//! (`contents.rs`, `against.rs`).
//!
//! Invariant: nothing is changed. Memory does not grow with the target, except for the names of its files and
//! partitions. A file whose bytes have changed is read after all others, because a decoder may not survive
//! it.

mod against;
mod contents;
mod database;
mod ids;
mod last_table;
mod recorded;
mod rows;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use event_target::{ListedFiles, Location, QUARANTINE};
use events_core::{partition::Layout, truth::Manifest};

pub use self::against::Compared;
use self::{
    against::Against,
    ids::Ids,
    recorded::{Recorded, RecordedFile, directory_of},
};
use crate::{
    error::Error,
    runtime::{grouped, plural},
};

/// The settings of a verification.
#[derive(Debug, Clone)]
pub struct VerifySettings {
    /// The target.
    pub target: Location,
    /// The manifests to compare the target with: of all events in it, each in one of them.
    pub against: Vec<PathBuf>,
    /// The memory limit of the process, in bytes.
    pub memory_bytes: usize,
    /// The number of threads.
    pub threads: usize,
}

/// A problem in a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the target.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Problem {
    fn new(path: &str, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.escape_debug(), self.problem)
    }
}

/// The summary of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of the target's commits.
    pub commits: usize,
    /// The number of recorded partitions.
    pub partitions: usize,
    /// The number of Parquet files that were read; of a database, that of its tables.
    pub files: usize,
    /// Whether it is a database.
    pub is_database: bool,
    /// The number of rows in them.
    pub rows: u64,
    /// The number of problems that were reported.
    pub problems: usize,
    /// What was compared with a manifest.
    pub compared: Option<Compared>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, partitions, files, is_database, rows, problems, ref compared } = *self;
        write!(
            f,
            "{:>14} {} in {}, {}, from {}: {}",
            grouped(rows),
            if rows == 1 { "row" } else { "rows" },
            plural(files as u64, if is_database { "table" } else { "file" }),
            plural(partitions as u64, "partition"),
            plural(commits as u64, "commit"),
            if problems == 0 { "no problems".to_owned() } else { plural(problems as u64, "problem") }
        )?;
        match compared {
            Some(compared) if problems == 0 => write!(f, "; {compared}"),
            _ => Ok(()),
        }
    }
}

/// Reads a whole target, and calls `report` for each problem as it is found.
///
/// # Errors
/// [`TargetError::Locked`](event_target::TargetError::Locked) while a load is running, [`Error::Manifest`]
/// for a manifest that can't be used, and read errors. A damaged file is not an error but a problem.
pub fn verify(
    settings: &VerifySettings,
    report: impl Fn(&Problem) -> Result<(), Error>,
) -> Result<Verified, Error> {
    let manifest = against::read(&settings.against)?;
    let target = &settings.target;
    let _lock = target.lock_to_read()?;
    let recorded = Recorded::read(target)?;
    let mut verified = Verified {
        commits: recorded.commits,
        partitions: recorded.partitions(),
        is_database: target.database_of().is_some(),
        ..Verified::default()
    };
    let report_all = |problems: Vec<Problem>| problems.iter().try_for_each(&report).map(|()| problems.len());
    verified.problems += report_all(recorded.problems.clone())?;
    if recorded.is_unfinished {
        return Ok(verified);
    }
    let found = target.list_files()?;
    verified.problems += report_all(compare(&recorded, &found))?;
    let reading = Reading { target, recorded: &recorded, manifest: manifest.as_ref() };
    let files = &settings.against[..];
    let mut against = manifest.as_ref().map(|manifest| Against::new(manifest, files, &recorded));
    let (sound, unsound) = reading.by_soundness(&found, settings.threads)?;
    let changed = |(path, file): &(&String, &RecordedFile)| {
        Problem::new(path, format!("its bytes differ from those that commit {} wrote (XXH3)", file.commit))
    };
    verified.problems += report_all(unsound.iter().map(changed).collect())?;
    for (event_type, files) in by_event_type(&sound) {
        let ids = Ids::new(settings.memory_bytes);
        let (checked, mut problems) = ids.read(&reading, &files, settings.threads);
        for (&(path, _), checked) in files.iter().zip(checked) {
            problems.extend(verified.add(path, event_type, checked, against.as_mut()));
        }
        problems.sort();
        verified.problems += report_all(problems)?;
    }
    for (event_type, files) in by_event_type(&unsound) {
        for (path, file) in files {
            let checked = rows::check(&reading, path, file, |_, _| {});
            verified.problems += report_all(verified.add(path, event_type, checked, against.as_mut()))?;
        }
    }
    if let Some(database) = target.database_of() {
        database::check(&reading, &**database, (&mut verified, against.as_mut()), report_all)?;
    }
    if let Some(mut against) = against {
        let quarantined = sound.iter().chain(&unsound).filter(|(_, file)| file.event_type.is_none());
        let unreadable = quarantined.filter_map(|(path, _)| against.add_bad_lines(target, path)).collect();
        verified.problems += report_all(unreadable)?;
        verified.problems += report_all(against.problems())?;
        verified.compared = Some(against.compared());
    }
    Ok(verified)
}

impl Verified {
    /// Adds a checked file, and returns its problems.
    fn add(
        &mut self,
        path: &str,
        event_type: &(String, String),
        checked: rows::Checked,
        against: Option<&mut Against<'_>>,
    ) -> Vec<Problem> {
        self.files += 1;
        self.rows += checked.rows;
        if let (Some(against), Some(contents)) = (against, checked.contents) {
            against.add(path, event_type, contents);
        }
        checked.problems
    }
}

/// What is read, and what is known about it.
struct Reading<'a> {
    target: &'a Location,
    recorded: &'a Recorded,
    manifest: Option<&'a Manifest>,
}

/// Files, by their paths in the target.
type Files<'a> = Vec<(&'a String, &'a RecordedFile)>;

impl<'a> Reading<'a> {
    /// The existing files: those whose bytes are as recorded, and the others.
    fn by_soundness(&self, found: &ListedFiles, threads: usize) -> Result<(Files<'a>, Files<'a>), Error> {
        // The rows of a database are no files.
        let is_file = |file: &RecordedFile| self.target.database_of().is_none() || file.event_type.is_none();
        let is_there =
            |(path, file): &(&String, &RecordedFile)| found.files.contains_key(*path) && is_file(file);
        let there: Vec<_> = self.recorded.files.iter().filter(is_there).collect();
        let is_sound = workers::map(threads, there.len(), |number| -> Result<_, Error> {
            let (path, file) = there[number];
            let bytes_and_checksum =
                self.target.checksum_of(path).map_err(Error::io("reading a file of the target"))?;
            Ok(bytes_and_checksum == (file.bytes, file.checksum))
        })?;
        let (mut sound, mut unsound) = (Vec::new(), Vec::new());
        for (file, is_sound) in there.into_iter().zip(is_sound) {
            if is_sound { sound.push(file) } else { unsound.push(file) }
        }
        Ok((sound, unsound))
    }
}

/// Files that are missing, and files that no load wrote.
fn compare(recorded: &Recorded, found: &ListedFiles) -> Vec<Problem> {
    let not_file = |path: &String| Problem::new(path, "is a link or not a regular file, so no load wrote it");
    let mut problems: Vec<_> = found.not_files.iter().map(not_file).collect();
    for (path, file) in recorded.files.iter().filter(|(path, _)| !found.files.contains_key(*path)) {
        let what =
            if found.unlisted.contains(path) { "is no longer in its table's log" } else { "is missing" };
        let rows = plural(file.rows, "row");
        problems.push(Problem::new(path, format!("{what}: commit {} wrote it with {rows}", file.commit)));
    }
    // The rows of a database are looked at when they are read.
    let is_file = |path: &str| {
        !matches!(recorded.layout, Some((Layout::Database, _))) || directory_of(path) == QUARANTINE
    };
    let foreign = found.files.iter().filter(|(path, _)| !recorded.files.contains_key(*path) && is_file(path));
    for (path, bytes) in foreign {
        problems.push(Problem::new(path, format!("was not written by any load: {}", plural(*bytes, "byte"))));
    }
    problems.sort();
    problems
}

/// The Parquet files of each event type.
fn by_event_type<'r>(files: &[(&'r String, &'r RecordedFile)]) -> BTreeMap<&'r (String, String), Files<'r>> {
    let mut types = BTreeMap::<_, Vec<_>>::new();
    for &(path, file) in files {
        if let Some(event_type) = &file.event_type {
            types.entry(event_type).or_default().push((path, file));
        }
    }
    types
}
