//! What a target's commits recorded, and its files → the files that are not as recorded.
//!
//! A file costs one look: if its length and stamp are as recorded, it was not touched. Otherwise it is read,
//! and its checksum decides, so a copied target is as good as the original.
//!
//! Invariant: a file without a difference has the recorded bytes, as far as its stamp can tell.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    ops::RangeInclusive,
    path::Path,
};

use events_core::partition::Layout;

use crate::{
    History, PRIVATE, Partitions, Stamp, StoredFile, TargetError, TargetLayout, journal,
    staged_file::checksum_of, tables,
};

/// The most differences that a message names.
const NAMED_MAX: usize = 3;
pub(crate) const COMPARING: &str = "comparing the target with its record";

/// How a file differs from what was recorded of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// It is gone.
    Missing,
    /// It has other bytes.
    Changed,
    /// In a database: it has more or fewer rows.
    OtherRows,
    /// There is a link, a directory or the like in its place.
    NoFile,
    /// The log of its table does not name it.
    Unlisted,
    /// No commit recorded it.
    Foreign,
}

/// A file of a target that is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path in the target, with `/`.
    pub path: String,
    /// How it differs.
    pub differs: Differs,
    /// The commit that wrote it, and the rows that it wrote; `None` if none did.
    pub recorded: Option<(u64, u64)>,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Compared {
    /// By path.
    pub differences: Vec<Difference>,
    /// The stamps of files that have the recorded bytes, but another stamp or none recorded.
    pub stamps: BTreeMap<String, Stamp>,
}

/// Several differences, as a message names them.
#[derive(Debug)]
pub struct Differences(pub Vec<Difference>);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, differs, recorded } = self;
        let differs = match differs {
            Differs::Missing => "is missing",
            Differs::Changed => "has other bytes",
            Differs::OtherRows => "has more or fewer rows",
            Differs::NoFile => "is not a regular file",
            Differs::Unlisted => "is no longer in its table's log",
            Differs::Foreign => "was not written by any load",
        };
        write!(f, "{path} {differs}")?;
        match recorded {
            Some((commit, 0)) => write!(f, " (commit {commit} wrote it)"),
            Some((commit, 1)) => write!(f, " (commit {commit} wrote 1 row)"),
            Some((commit, rows)) => write!(f, " (commit {commit} wrote {rows} rows)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.0.iter().take(NAMED_MAX).map(ToString::to_string).collect();
        f.write_str(&named.join(", "))?;
        match self.0.len().saturating_sub(NAMED_MAX) {
            0 => Ok(()),
            1 => f.write_str(", and 1 more file"),
            more => write!(f, ", and {more} more files"),
        }
    }
}

impl History {
    /// Compares the recorded files that are `wanted` with those that are there, each by `look`.
    pub(crate) fn compare(
        &self,
        threads: usize,
        wanted: impl Fn(&str, &StoredFile) -> bool,
        look: impl Fn(&str, &StoredFile) -> io::Result<Found> + Sync,
    ) -> Result<Compared, TargetError> {
        let files: Vec<_> = self.files.iter().filter(|(path, file)| wanted(path, file)).collect();
        let found = workers::map(threads, files.len(), |number| {
            let (path, file) = files[number];
            look(path, file).map_err(TargetError::io(COMPARING))
        })?;
        let mut compared = Compared::default();
        for ((path, file), found) in files.into_iter().zip(found) {
            match found {
                Found::Untouched => {}
                Found::Same(stamp) => {
                    compared.stamps.insert(path.clone(), stamp);
                }
                Found::Differs(differs) => {
                    let recorded = Some((file.commit, file.rows));
                    compared.differences.push(Difference { path: path.clone(), differs, recorded });
                }
            }
        }
        Ok(compared)
    }

    /// The records of commits that are gone: nobody knows what they recorded.
    #[must_use]
    pub fn lost_records(&self) -> Vec<Difference> {
        let is_of_tables =
            matches!(self.layout.as_ref().and_then(TargetLayout::parts), Some((Layout::Delta, _)));
        let path = |number: &u64| {
            if is_of_tables {
                tables::record_key(*number)
            } else {
                format!("{PRIVATE}/{}", journal::file_name(*number))
            }
        };
        let record = |lost: &RangeInclusive<u64>| {
            let (first, last) = (path(lost.start()), path(lost.end()));
            let more = if first == last { String::new() } else { format!(" to {last}") };
            let path = format!("{first}{more}");
            Difference { path, differs: Differs::Missing, recorded: None }
        };
        self.lost.iter().map(record).collect()
    }

    /// The files of partitions that no commit recorded.
    pub(crate) fn foreign(&self, partitions: &Partitions) -> Vec<Difference> {
        let paths = partitions.values().flatten().map(|file| &file.path);
        let foreign = paths.filter(|path| !self.files.contains_key(*path)).cloned();
        foreign.map(|path| Difference { path, differs: Differs::Foreign, recorded: None }).collect()
    }
}

/// What is found in the place of a recorded file.
pub(crate) enum Found {
    /// The file, with the recorded length and stamp.
    Untouched,
    /// A file with the recorded bytes, and this stamp.
    Same(Stamp),
    Differs(Differs),
}

/// Looks at a recorded file of a target of partitions.
pub(crate) fn look(path: &Path, recorded: &StoredFile) -> io::Result<Found> {
    let found = match storage::look_at(path) {
        // There is a file in the place of one of its directories.
        Err(error) if error.kind() == ErrorKind::NotADirectory => None,
        found => found?,
    };
    let Some(found) = found else { return Ok(Found::Differs(Differs::Missing)) };
    if !found.is_file() {
        return Ok(Found::Differs(Differs::NoFile));
    }
    let stamp = Stamp::from(&found);
    if found.len() != recorded.bytes {
        return Ok(Found::Differs(Differs::Changed));
    }
    if recorded.stamp == Some(stamp) {
        return Ok(Found::Untouched);
    }
    let is_same = checksum_of(path)? == (recorded.bytes, recorded.checksum);
    Ok(if is_same { Found::Same(stamp) } else { Found::Differs(Differs::Changed) })
}
