//! A target's contents and its manifests → the differences between them. Several manifests are joined into
//! one.
//!
//! Invariant: each partition is reported once, with all its differences. The hours of a day are added up,
//! because a manifest has days.
#![expect(clippy::disallowed_types, reason = "a manifest is neither source nor target")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    io::BufReader,
    path::{Path, PathBuf},
};

use event_target::{Location, QUARANTINE};
use events_core::{
    partition::{Layout, PartitionUnit},
    truth::{Counts, EventTypeTruth, JoinError, Manifest, ManifestError, PartitionTruth},
};

use super::{
    Problem,
    contents::{Content, Contents},
    recorded::{Recorded, RecordedFile, directory_of},
};
use crate::{
    error::Error,
    quarantine,
    runtime::escape_for_terminal,
    runtime::{grouped, plural},
};

/// What was compared, if the target matches its manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The manifests, as given.
    pub manifests: Vec<String>,
    /// The number of their partitions, by day.
    pub partitions: usize,
    /// The rows in these.
    pub rows: u64,
    /// Bad lines.
    pub bad_lines: u64,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manifests, partitions, rows, bad_lines } = self;
        let names = match &manifests[..] {
            few @ ([_] | [_, _] | [_, _, _]) => escape_for_terminal(&few.join(", ")),
            many => plural(many.len() as u64, "manifest"),
        };
        write!(
            f,
            "they match {names}: {}, {}, {}",
            plural(*partitions as u64, "partition"),
            plural(*rows, "row"),
            plural(*bad_lines, "bad line")
        )
    }
}

/// Reads manifests, and joins them.
pub(super) fn read(paths: &[PathBuf]) -> Result<Option<Manifest>, Error> {
    let manifests = paths.iter().map(|path| read_one(path)).collect::<Result<_, _>>()?;
    Manifest::join(manifests).map_err(|JoinError { manifests: (first, second), message }| {
        Error::Manifest(format!("{} and {}: {message}", paths[first].display(), paths[second].display()))
    })
}

fn read_one(path: &Path) -> Result<Manifest, Error> {
    let file = fs_err::File::open(path).map_err(Error::ManifestFile)?;
    let name = path.display();
    Manifest::read(BufReader::new(file)).map_err(|error| match error {
        ManifestError::Io(error) => Error::ManifestFile(error),
        ManifestError::Syntax { line, message } => Error::Manifest(format!("{name}:{line}: {message}")),
        ManifestError::Content { place, message } => Error::Manifest(format!("{name}: {place}: {message}")),
    })
}

/// Domain and name.
type EventType = (String, String);

/// What was found in the target, to be compared with the manifest.
pub(super) struct Against<'m> {
    manifest: &'m Manifest,
    /// Where it was read from.
    files: &'m [PathBuf],
    layout: (Layout, PartitionUnit),
    /// By event type, the name of its directory in its partitions' paths.
    directories: HashMap<EventType, String>,
    partitions: BTreeMap<(i64, EventType), Found>,
    /// By event type and difference: the partitions whose columns differ in this way.
    other_columns: BTreeMap<(EventType, String), BTreeSet<String>>,
    bad_lines: Counts,
}

/// A partition's rows.
#[derive(Default)]
struct Found {
    content: Content,
    /// Whether the contents of its rows are unknown.
    is_counted_only: bool,
}

impl<'m> Against<'m> {
    pub(super) fn new(manifest: &'m Manifest, files: &'m [PathBuf], recorded: &Recorded) -> Self {
        let layout = recorded.layout.unwrap_or((Layout::Plain, PartitionUnit::Day));
        let directory = |(path, file): (&String, &RecordedFile)| {
            let directory = layout.0.directory_in(directory_of(path));
            Some((file.event_type.clone()?, directory.to_owned()))
        };
        Self {
            manifest,
            files,
            layout,
            directories: recorded.files.iter().filter_map(directory).collect(),
            partitions: BTreeMap::new(),
            other_columns: BTreeMap::new(),
            bad_lines: Counts::new(),
        }
    }

    /// Adds the rows of a file.
    pub(super) fn add(&mut self, path: &str, event_type: &EventType, contents: Contents) {
        for (day, content) in contents.days {
            let found = self.partitions.entry((day, event_type.clone())).or_default();
            found.content.add_all(&content);
            found.is_counted_only |= contents.other_columns.is_some();
        }
        if let Some(difference) = contents.other_columns {
            let partitions = self.other_columns.entry((event_type.clone(), difference)).or_default();
            partitions.insert(directory_of(path).to_owned());
        }
    }

    /// Adds the bad lines of a quarantine file. Returns a problem if it can't be read.
    pub(super) fn add_bad_lines(&mut self, target: &Location, path: &str) -> Option<Problem> {
        let problem = quarantine::count(target, path, &mut self.bad_lines).err()?;
        Some(Problem::new(path, format!("has a line that is not a quarantine record: {problem}")))
    }

    /// "The manifest has", if there is one.
    fn expects(&self) -> &'static str {
        if self.files.len() == 1 { "the manifest has" } else { "the manifests have" }
    }

    fn unexpected(&self, rows: u64) -> String {
        let place = if self.files.len() == 1 { "the manifest" } else { "any manifest" };
        format!("is not in {place}: {}", plural(rows, "row"))
    }

    /// All differences from the manifests.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<_> = self.other_columns.iter().map(column_problem).collect();
        let mut missing: BTreeMap<(i64, EventType), &PartitionTruth> = self
            .manifest
            .partitions
            .iter()
            .map(|truth| ((truth.day.epoch_days(), (truth.domain.clone(), truth.event_type.clone())), truth))
            .collect();
        for (key, found) in &self.partitions {
            let table = self.manifest.event_type(&key.1.0, &key.1.1);
            let problem = match (missing.remove(key), table) {
                (Some(truth), Some(table)) => found.compare(truth, table, self.expects()),
                _ => Some(self.unexpected(found.content.rows)),
            };
            problems.extend(problem.map(|problem| Problem::new(&self.directory(key), problem)));
        }
        for (key, truth) in missing {
            let problem = format!("is missing: {} {} for it", self.expects(), plural(truth.rows, "row"));
            problems.push(Problem::new(&self.directory(&key), problem));
        }
        problems.extend(self.compare_bad_lines());
        problems.sort();
        problems
    }

    /// The summary, if nothing differs.
    pub(super) fn compared(&self) -> Compared {
        Compared {
            manifests: self.files.iter().map(|path| path.display().to_string()).collect(),
            partitions: self.partitions.len(),
            rows: self.partitions.values().map(|found| found.content.rows).sum(),
            bad_lines: self.bad_lines.values().sum(),
        }
    }

    fn compare_bad_lines(&self) -> Vec<Problem> {
        let expected = &self.manifest.report.quarantined.by_reason;
        let reasons: BTreeSet<_> = expected.keys().chain(self.bad_lines.keys()).collect();
        let compare = |reason: &String| {
            let of = |counts: &Counts| counts.get(reason).copied().unwrap_or(0);
            let (found, expected) = (of(&self.bad_lines), of(expected));
            let problem = || {
                let lines = plural(found, "bad line");
                format!(
                    "has {lines} with {}, {} {}",
                    escape_for_terminal(reason),
                    self.expects(),
                    grouped(expected)
                )
            };
            (found != expected).then(|| Problem::new(QUARANTINE, problem()))
        };
        reasons.into_iter().filter_map(compare).collect()
    }

    /// The directory of the rows of an event type and day; with hours, a pattern for all of them.
    fn directory(&self, (day, event_type): &(i64, EventType)) -> String {
        let directory = self.directories.get(event_type).unwrap_or(&event_type.1);
        let (layout, unit) = self.layout;
        let path = layout.path(PartitionUnit::Day, *day, directory);
        let hours = match (unit, layout) {
            (PartitionUnit::Day, _) => return path,
            (PartitionUnit::Hour, Layout::Plain) => "*",
            (PartitionUnit::Hour, Layout::Hive | Layout::HiveWithEventType) => "hour=*",
            (PartitionUnit::Hour, Layout::Delta) => return format!("{path}/hour=*"),
            (PartitionUnit::Hour, Layout::Database) => return format!("{path}T*"),
        };
        let (day, directory) = path.rsplit_once('/').unwrap_or(("", &path));
        format!("{day}/{hours}/{directory}")
    }
}

fn column_problem((key, partitions): (&(EventType, String), &BTreeSet<String>)) -> Problem {
    let ((domain, name), difference) = key;
    let places = match partitions.len() {
        0 | 1 => String::new(),
        number => format!(", in {number} partitions"),
    };
    let path = partitions.first().map_or("", String::as_str);
    Problem::new(
        path,
        format!(
            "the columns of {domain}/{name} differ from the manifest{places}: {difference}; load the events \
             with the catalog of the manifest's world"
        ),
    )
}

impl Found {
    fn compare(&self, truth: &PartitionTruth, table: &EventTypeTruth, expects: &str) -> Option<String> {
        let content = &self.content;
        let mut differences = Vec::new();
        if content.rows != truth.rows {
            differences.push(format!(
                "has {}, {expects} {}",
                plural(content.rows, "row"),
                grouped(truth.rows)
            ));
        } else if !self.is_counted_only && content.checksum != truth.checksum {
            differences.push("its rows differ from the manifest: same number, other content".to_owned());
        }
        if !self.is_counted_only {
            for ((column, found), expected) in table.sums.iter().zip(&content.sums).zip(&truth.sums) {
                let found = found.text();
                if found != *expected {
                    differences.push(format!("{column} adds up to {found}, {expects} {expected}"));
                }
            }
        }
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}
