//! The pieces of a run → its events files: one, or one after the other, each complete when it appears.
//!
//! Invariant: one file is open at a time. Of the others, only the count and the first and last names are
//! kept, except that a run that replaces files knows the names that it has not written again yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    num::NonZero,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use fs_err as fs;

use super::{
    continued::Torn,
    events_file::EventsFile,
    file_names::{EventsFileName, FILE_NUMBER_MAX, FileKind, files_in},
    replacement::remove_leftovers,
};
use crate::{error::Error, lines::pieces::FileSplit, render::compression::Compression};

/// What to do with existing events files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Replace them. Numbered and rotated files are one set: those that this run did not write are removed at
    /// its end, so the directory has this run's events and no others. Files of `NewFile` runs stay.
    Overwrite,
    /// Continue the stream after the last existing event, in the same files: at the end of the file, or of
    /// that of the day or hour. Numbered files are added.
    Append,
    /// Continue the stream after the last existing event, in new files: the first free of `events-1.json`,
    /// `events-2.json` and so on.
    NewFile,
}

/// How the events are distributed over files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileLayout {
    /// One file.
    #[default]
    Single,
    /// This many numbered files.
    Numbered(NonZero<u32>),
    /// A file for each day or hour.
    Rotated(Rotation),
}

/// When a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Each day, as in `events-2024-10-10.json`.
    Day,
    /// Each hour, as in `events-2024-10-10T13.json`.
    Hour,
}

const HOURS_PER_DAY: i64 = 24;
const HOUR_MICROS: i64 = 3_600_000_000;

impl IfExists {
    /// Whether the run goes on where the existing events end.
    pub(super) fn continues(self) -> bool {
        match self {
            Self::Append | Self::NewFile => true,
            Self::Overwrite => false,
        }
    }
}

impl FileLayout {
    /// How that splits the stream.
    pub(super) fn split(self) -> FileSplit {
        match self {
            Self::Single => FileSplit::Single,
            Self::Numbered(files) => FileSplit::Equal(files.into()),
            Self::Rotated(Rotation::Day) => FileSplit::ByTime { unit_micros: HOURS_PER_DAY * HOUR_MICROS },
            Self::Rotated(Rotation::Hour) => FileSplit::ByTime { unit_micros: HOUR_MICROS },
        }
    }
}

/// The files that were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FilesWritten {
    pub(super) count: u64,
    pub(super) first: String,
    pub(super) last: String,
}

/// The files of a run, while they are written.
#[derive(Debug)]
pub(super) struct EventsFiles {
    directory: PathBuf,
    layout: FileLayout,
    compression: Compression,
    if_exists: IfExists,
    /// The highest number of an existing file.
    highest_number: u32,
    open: Option<Open>,
    written: FilesWritten,
    /// The names of files that are not those that they would have in an empty directory.
    renamed: BTreeMap<i64, EventsFileName>,
    /// Files of earlier runs that have not been replaced yet.
    outdated: BTreeSet<String>,
    /// A file whose last line is written again, until it has been cut.
    torn: Option<Torn>,
}

#[derive(Debug)]
struct Open {
    file: i64,
    name: EventsFileName,
    contents: EventsFile,
}

impl EventsFiles {
    /// Looks at what the directory contains.
    pub(super) fn begin(
        directory: &Path,
        layout: FileLayout,
        compression: Compression,
        if_exists: IfExists,
        torn: Option<Torn>,
    ) -> Result<Self, Error> {
        let mut files = Self {
            directory: directory.to_owned(),
            layout,
            compression,
            if_exists,
            highest_number: 0,
            open: None,
            written: FilesWritten::default(),
            renamed: BTreeMap::new(),
            outdated: BTreeSet::new(),
            torn,
        };
        files.prepare().map_err(|source| files.failed(source))?;
        if let FileLayout::Numbered(more) = layout
            && files.highest_number + more.get() > FILE_NUMBER_MAX
        {
            return Err(Error::NumbersEnd {
                highest: files.highest_number,
                more: more.get(),
                number_max: FILE_NUMBER_MAX,
            });
        }
        Ok(files)
    }

    fn prepare(&mut self) -> io::Result<()> {
        remove_leftovers(&self.directory);
        match (self.if_exists, self.layout) {
            (IfExists::Overwrite, _) => {
                let existing = files_in(&self.directory)?.into_iter().filter(|name| is_replaced(*name));
                self.outdated = existing.map(|name| name.to_string()).collect();
            }
            (_, FileLayout::Numbered(_)) => {
                let numbers = files_in(&self.directory)?.into_iter().map(|name| match name.kind {
                    FileKind::Number(number) => number,
                    _ => 0,
                });
                self.highest_number = numbers.max().unwrap_or_default();
            }
            _ => {}
        }
        // A run without events gives a file without lines.
        if self.layout == FileLayout::Single { self.open(0).map(drop) } else { Ok(()) }
    }

    /// Appends bytes to a file. A change of file completes the previous one.
    pub(super) fn write(&mut self, file: i64, bytes: &[u8]) -> Result<(), Error> {
        if self.open.as_ref().is_some_and(|open| open.file != file) {
            self.complete()?;
        }
        let open = match &mut self.open {
            Some(open) => Ok(open),
            None => self.open(file),
        };
        let written = open.and_then(|open| open.contents.write(bytes));
        written.map_err(|source| self.failed(source))
    }

    /// Completes the last file, and removes what this run replaces: files of earlier runs, or a torn line in
    /// a file that it had no events for.
    pub(super) fn finish(mut self) -> Result<FilesWritten, Error> {
        self.complete()?;
        if let Some(Torn { name, kept }) = self.torn.take() {
            let path = self.directory.join(name.to_string());
            let cut = EventsFile::append(&path, name.compression, Some(kept)).and_then(EventsFile::publish);
            let complete = self.written.count;
            cut.map_err(|source| Error::Publish { path, source, complete })?;
        }
        for name in &self.outdated {
            fs::remove_file(self.directory.join(name)).map_err(Error::NotReplaced)?;
        }
        Ok(self.written)
    }

    /// The name that a file of this run has, or will have unless another program takes it; none if it is the
    /// only file.
    pub(super) fn file_name(&self, file: i64) -> Option<String> {
        let open = self.open.as_ref().filter(|open| open.file == file).map(|open| open.name);
        let name = open.or_else(|| self.renamed.get(&file).copied()).unwrap_or_else(|| self.name(file));
        (self.layout != FileLayout::Single).then(|| name.to_string())
    }

    fn name(&self, file: i64) -> EventsFileName {
        let date =
            |day: i64| i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap_or_default();
        let kind = match self.layout {
            FileLayout::Single => FileKind::Whole,
            FileLayout::Numbered(_) => {
                FileKind::Number(self.highest_number + 1 + u32::try_from(file).unwrap_or(FILE_NUMBER_MAX))
            }
            FileLayout::Rotated(Rotation::Day) => FileKind::Day(date(file)),
            FileLayout::Rotated(Rotation::Hour) => {
                let hour = u8::try_from(file.rem_euclid(HOURS_PER_DAY)).unwrap_or_default();
                FileKind::Hour(date(file.div_euclid(HOURS_PER_DAY)), hour)
            }
        };
        EventsFileName::new(kind, self.compression)
    }

    fn open(&mut self, file: i64) -> io::Result<&mut Open> {
        let mut name = self.name(file);
        // A link takes a name, too, even if it leads nowhere.
        let is_taken =
            |name: EventsFileName| self.directory.join(name.to_string()).symlink_metadata().is_ok();
        while self.if_exists == IfExists::NewFile && is_taken(name) {
            name = name.next_copy();
        }
        let path = self.directory.join(name.to_string());
        let contents = if self.if_exists == IfExists::Append {
            let torn = self.torn.take_if(|torn| torn.name == name);
            EventsFile::append(&path, self.compression, torn.map(|torn| torn.kept))?
        } else {
            EventsFile::begin(&path)?
        };
        Ok(self.open.insert(Open { file, name, contents }))
    }

    fn complete(&mut self) -> Result<(), Error> {
        let Some(Open { file, name, contents }) = self.open.take() else { return Ok(()) };
        let path = self.directory.join(name.to_string());
        let published = if self.if_exists == IfExists::NewFile {
            contents.publish_under_free_name(&self.directory, name)
        } else {
            contents.publish().map(|()| name)
        };
        let complete = self.written.count;
        let name = published.map_err(|source| Error::Publish { path, source, complete })?;
        if name != self.name(file) {
            self.renamed.insert(file, name);
        }
        let name = name.to_string();
        self.outdated.remove(&name);
        if self.written.count == 0 {
            self.written.first.clone_from(&name);
        }
        self.written.last = name;
        self.written.count += 1;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::EventsFile { source, complete: self.written.count }
    }
}

/// Whether a run that overwrites replaces this file. It leaves those that `NewFile` runs put next to
/// `events.json`.
fn is_replaced(name: EventsFileName) -> bool {
    name.kind != FileKind::Whole || name.copy == 0
}
