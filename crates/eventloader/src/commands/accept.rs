//! `eventloader accept`: a target → the same files, recorded as what is meant.
//!
//! For days that were deleted on purpose, and for files that were mended or brought by hand.
//!
//! Invariant: no file of the target changes but its record. A file that can't be read is not accepted.

use std::{collections::BTreeMap, fmt, path::Path};

use event_target::{
    Accepted, Compared, DedupeScope, Differs, History, LoadFacts, Location, Mode, NewCommit, QUARANTINE,
    Reads, StoredFile, Target, TargetError, TargetLayout,
};
use events_core::event;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use crate::{error::Error, existing::ParquetFile, runtime::plural};

const READING: &str = "reading the target";

/// What was accepted, as a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Recorded files that are gone, and their rows.
    gone: (u64, u64),
    /// Files with other bytes than recorded, and the rows that they have now.
    changed: (u64, u64),
    /// Files that no load wrote, and their rows.
    foreign: (u64, u64),
    /// Ranges of commits whose records are gone.
    lost: usize,
    forgets_sources: bool,
    /// Whether its partitions are rows of a database.
    is_database: bool,
}

/// Records the files of a target as they are; with `forgets_sources`, no source counts as loaded any more.
///
/// # Errors
/// [`TargetError::Locked`] while a load is running, [`TargetError::Unusable`] if nothing was ever loaded or
/// a file can't be accepted, and read and write errors.
pub fn accept(location: &Location, forgets_sources: bool, threads: usize) -> Result<Acceptance, Error> {
    let target = Target::open_existing(location)?;
    let looked = look(location, forgets_sources, threads);
    let (layout, facts, acceptance) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            target.abandon();
            return Err(error);
        }
    };
    if acceptance.is_nothing() {
        target.abandon();
    } else {
        let reads = Reads { everything: true, ..Reads::default() };
        target.commit(NewCommit { reads, ..NewCommit::of(Vec::new(), layout, facts) }, threads)?;
    }
    Ok(acceptance)
}

fn look(
    target: &Location,
    forgets_sources: bool,
    threads: usize,
) -> Result<(TargetLayout, LoadFacts, Acceptance), Error> {
    let Some(layout) = target.layout()? else {
        return Err(unusable(&target.root(), "no load has ever committed anything there; check the path"));
    };
    let history = target.history(|_, _| {})?;
    let found = target.list_files()?;
    if let Some(path) = found.not_files.first() {
        return Err(unusable(&target.address(path), "is not a regular file, so it can't be accepted"));
    }
    let Compared { differences, stamps } = target.compare(&history, threads, |_, _| true)?;
    let is_database = target.database_of().is_some();
    let mut acceptance =
        Acceptance { lost: history.lost.len(), forgets_sources, is_database, ..Acceptance::default() };
    let mut gone = Vec::new();
    let mut present: Vec<_> =
        found.files.into_keys().filter(|path| !history.files.contains_key(path)).collect();
    for difference in differences {
        let rows = difference.recorded.map_or(0, |(_, rows)| rows);
        match difference.differs {
            Differs::Missing | Differs::Unlisted => {
                count(&mut acceptance.gone, rows);
                gone.push(difference.path);
            }
            Differs::NoFile => {
                let path = target.address(&difference.path);
                return Err(unusable(&path, "is not a regular file, so it can't be accepted"));
            }
            Differs::Changed | Differs::OtherRows | Differs::Foreign => present.push(difference.path),
        }
    }
    let counts = target.row_counts(&history, |_| true)?;
    let files = workers::map(threads, present.len(), |number| {
        let path = &present[number];
        let stored = match counts.get(path) {
            Some(rows) => stored_rows(path, *rows, &history),
            None => stored(target, path, &history),
        };
        Ok::<_, Error>((path.clone(), stored?))
    })?;
    for (path, file) in &files {
        let is_known = history.files.contains_key(path);
        count(if is_known { &mut acceptance.changed } else { &mut acceptance.foreign }, file.rows);
    }
    let accepted = Accepted { gone, files: BTreeMap::from_iter(files), forgets_sources };
    let facts = LoadFacts { mode: Mode::Accept, stamps, accepted: Some(accepted), ..LoadFacts::default() };
    Ok((layout, facts, acceptance))
}

fn count((files, rows): &mut (u64, u64), of_file: u64) {
    *files += 1;
    *rows += of_file;
}

/// A file as it is. It keeps what is recorded of it but its content; of a new one, its directory or its rows
/// tell the event type.
fn stored(target: &Location, path: &str, history: &History) -> Result<StoredFile, Error> {
    let failed = Error::io(READING);
    let stamp = target.stamp_of(path).map_err(failed)?;
    let (bytes, checksum) = target.checksum_of(path).map_err(failed)?;
    let recorded = history.files.get(path);
    let is_data = !path.starts_with(&format!("{QUARANTINE}/"));
    let layout = history.layout.as_ref().and_then(TargetLayout::parts);
    let of_path = layout.and_then(|(layout, _)| layout.event_type_in(directory_of(path)));
    let contents =
        if is_data { Some(Contents::of(target, (path, bytes), of_path.as_deref(), history)?) } else { None };
    let of_contents = || contents.as_ref().and_then(|contents| contents.event_type.clone());
    let neighbour = || history.of_directory(directory_of(path)).next();
    let event_type = match recorded.or_else(neighbour) {
        Some(known) => known.event_type.clone(),
        None => of_contents(),
    };
    if is_data && event_type.is_none() {
        return Err(unusable(
            &target.address(path),
            "does not say of which event type its rows are; move it away",
        ));
    }
    let of_type = history.files.values().find(|file| file.event_type == event_type);
    let dedupe_scope = recorded.or(of_type).map_or(DedupeScope::Input, |file| file.dedupe_scope);
    let version = recorded.or(of_type).map_or_else(Vec::new, |file| file.version.clone());
    let rows = contents.map_or(0, |contents| contents.rows);
    // Nobody knows of which columns a file is that no load wrote.
    Ok(StoredFile { commit: 0, event_type, rows, bytes, checksum, stamp, dedupe_scope, version, table: None })
}

/// A partition of a database as it is. Of a new one, the table tells the event type, and what is recorded of
/// its other partitions the rest.
fn stored_rows(path: &str, rows: u64, history: &History) -> Result<StoredFile, Error> {
    let table = |path: &str| path.split_once('/').map(|(table, _)| table.to_owned());
    let is_of_table = |(of, _): &(&String, &StoredFile)| table(of) == table(path);
    let newest = || history.files.iter().filter(is_of_table).max_by_key(|(_, file)| file.commit);
    let known = history.files.get(path).or_else(|| newest().map(|(_, file)| file));
    let known = known.ok_or_else(|| unusable(path.as_ref(), "is of a table that no load has written"))?;
    let bytes = history.files.get(path).map_or(0, |file| file.bytes);
    Ok(StoredFile { commit: 0, rows, bytes, ..known.clone() })
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// What the footer of a Parquet file says.
struct Contents {
    rows: u64,
    /// Domain and type, if all rows have the same.
    event_type: Option<(String, String)>,
}

impl Contents {
    /// `of_path` is the event type that the path gives, if the file has none.
    fn of(
        target: &Location,
        (path, bytes): (&str, u64),
        of_path: Option<&str>,
        history: &History,
    ) -> Result<Self, Error> {
        let file = target.open(path, Some(bytes)).map_err(Error::io(READING))?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(ParquetFile::from(file), options);
        let builder = builder.map_err(|error| {
            let problem = format!("can't be read ({error}); delete it, or put the right file there");
            unusable(&target.address(path), &problem)
        })?;
        let schema = builder.parquet_schema();
        let groups = builder.metadata().row_groups();
        let the_only = |name: &str| {
            let leaf = (0..schema.num_columns()).find(|leaf| schema.column(*leaf).path().string() == name)?;
            let mut texts = groups.iter().map(|group| {
                let statistics = group.column(leaf).statistics()?;
                let (first, last) = (statistics.min_bytes_opt()?, statistics.max_bytes_opt()?);
                (first == last).then(|| String::from_utf8_lossy(first).into_owned())
            });
            let first = texts.next()??;
            texts.all(|text| text.as_ref() == Some(&first)).then_some(first)
        };
        let event_type = the_only(event::DOMAIN).and_then(|domain| {
            let name = match of_path {
                Some(text) => type_of_path(&domain, text, history)?,
                None => the_only(event::EVENT_TYPE)?,
            };
            Some((domain, name))
        });
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        Ok(Self { rows, event_type })
    }
}

/// The event type of a domain whose directory is called like this text. With the domain in front, it may be a
/// type that no catalog names, or one that is really called so: what the target holds must tell.
fn type_of_path(domain: &str, text: &str, history: &History) -> Option<String> {
    let behind_domain = text.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.'));
    let is_held = |name: &str| {
        let is_it = |(of, held): &(String, String)| of == domain && held == name;
        history.files.values().filter_map(|file| file.event_type.as_ref()).any(is_it)
    };
    match behind_domain {
        Some(name) if is_held(name) => Some(name.to_owned()),
        Some(_) if !is_held(text) => None,
        _ => Some(text.to_owned()),
    }
}

fn unusable(path: &Path, problem: &str) -> Error {
    TargetError::Unusable { path: path.to_owned(), problem: problem.to_owned() }.into()
}

impl Acceptance {
    fn is_nothing(&self) -> bool {
        *self == Self { is_database: self.is_database, ..Self::default() }
    }
}

impl fmt::Display for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nothing() {
            return f.write_str("nothing to accept: the target is as its loads left it");
        }
        let Self { gone, changed, foreign, lost, forgets_sources, is_database } = *self;
        let file = if is_database { "partition" } else { "file" };
        let with_rows =
            |(files, rows): (u64, u64)| format!("{} with {}", plural(files, file), plural(rows, "row"));
        let mut parts = Vec::new();
        for (what, files) in [("gone", gone), ("changed", changed), ("new", foreign)] {
            if files.0 > 0 {
                parts.push(format!("{what}: {}", with_rows(files)));
            }
        }
        if lost > 0 {
            parts.push("records of earlier commits: lost".to_owned());
        }
        parts.push(
            if forgets_sources { "every source counts as new" } else { "sources stay loaded" }.to_owned(),
        );
        write!(f, "recorded as it is: {}", parts.join("; "))
    }
}
