//! Pieces of a run in, its events files out: one, or one after the other, each complete when it appears.
//!
//! Invariant: one file is open at a time, and what is remembered of the others is how many there are, the first and the last; only a
//! run that replaces files knows the names of those that it has not written again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::ValueEnum;
use fs_err as fs;

use crate::Error;
use crate::compression::Compression;
use crate::events_file::{EventsFile, remove_leftovers};
use crate::file_names::{EventsFileName, Kind, NUMBER_MAX, files_in};
use crate::pieces::Files;

/// What to do with events files that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IfExists {
    /// Put the new events in its place. Files of --files and --rotate are one set: those that this run has not written again are
    /// removed at its end, so that the directory has this run's events and no others; files that new-file made are left
    Overwrite,
    /// Continue the stream: the first event is the one behind the last that is there, so that two runs of 500 events are one of
    /// 1000. They come behind those that are there (with --rotate in the file of their day or hour, with --files in more files)
    Append,
    /// Continue the stream as well, but leave every file alone and write the first free of events-1.json, events-2.json, …
    NewFile,
}

/// How the events are shared out among files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// All are in one.
    #[default]
    Whole,
    /// So many files.
    Number(NonZero<u32>),
    /// A file for each day or hour.
    Rotate(Rotation),
}

/// When a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rotation {
    /// A file for each day, as events-2024-10-10.json
    Day,
    /// A file for each hour, as events-2024-10-10T13.json
    Hour,
}

const HOURS_PER_DAY: i64 = 24;
const HOUR_MICROS: i64 = 3_600_000_000;

impl Sharing {
    /// How that cuts the stream.
    pub(crate) fn files(self) -> Files {
        match self {
            Self::Whole => Files::Whole,
            Self::Number(files) => Files::Equal(files.into()),
            Self::Rotate(Rotation::Day) => Files::ByTime { unit_micros: HOURS_PER_DAY * HOUR_MICROS },
            Self::Rotate(Rotation::Hour) => Files::ByTime { unit_micros: HOUR_MICROS },
        }
    }
}

/// Which files were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilesWritten {
    pub(crate) count: u64,
    /// By their names.
    pub(crate) first: String,
    pub(crate) last: String,
}

/// The files of a run, while they are written.
#[derive(Debug)]
pub(crate) struct EventsFiles {
    directory: PathBuf,
    sharing: Sharing,
    compression: Compression,
    if_exists: IfExists,
    /// How many numbered files there are already.
    numbered: u32,
    open: Option<Open>,
    written: FilesWritten,
    /// Those that have another name than they would have had in an empty directory.
    renamed: BTreeMap<i64, EventsFileName>,
    /// Files of earlier runs that are still to be replaced.
    replaced: BTreeSet<String>,
}

#[derive(Debug)]
struct Open {
    file: i64,
    name: EventsFileName,
    contents: EventsFile,
}

impl EventsFiles {
    /// Makes the directory, and sees to what is there.
    pub(crate) fn begin(
        directory: &Path,
        sharing: Sharing,
        compression: Compression,
        if_exists: IfExists,
    ) -> Result<Self, Error> {
        let mut files = Self {
            directory: directory.to_owned(),
            sharing,
            compression,
            if_exists,
            numbered: 0,
            open: None,
            written: FilesWritten::default(),
            renamed: BTreeMap::new(),
            replaced: BTreeSet::new(),
        };
        files.prepare().map_err(|source| files.failed(source))?;
        if let Sharing::Number(more) = sharing
            && files.numbered + more.get() > NUMBER_MAX
        {
            return Err(Error::NumbersEnd {
                there: files.numbered,
                more: more.get(),
                number_max: NUMBER_MAX,
            });
        }
        Ok(files)
    }

    fn prepare(&mut self) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        remove_leftovers(&self.directory);
        match (self.if_exists, self.sharing) {
            (IfExists::Overwrite, _) => {
                let there = files_in(&self.directory)?.into_iter().filter(|name| is_replaced(*name));
                self.replaced = there.map(|name| name.to_string()).collect();
            }
            (_, Sharing::Number(_)) => {
                let numbers = files_in(&self.directory)?.into_iter().map(|name| match name.kind {
                    Kind::Number(number) => number,
                    _ => 0,
                });
                self.numbered = numbers.max().unwrap_or_default();
            }
            _ => {}
        }
        // A run without events is a file without lines.
        if self.sharing == Sharing::Whole { self.open(0).map(drop) } else { Ok(()) }
    }

    /// Puts bytes behind those that the file has; the file before it is complete then.
    pub(crate) fn write(&mut self, file: i64, bytes: &[u8]) -> Result<(), Error> {
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

    /// Completes the last file, and removes what this run replaces.
    pub(crate) fn finish(mut self) -> Result<FilesWritten, Error> {
        self.complete()?;
        for name in &self.replaced {
            fs::remove_file(self.directory.join(name)).map_err(Error::NotReplaced)?;
        }
        Ok(self.written)
    }

    /// The name that a file of this run has, or will have if nobody else takes it; none if it is the only one.
    pub(crate) fn name_of(&self, file: i64) -> Option<String> {
        let open = self.open.as_ref().filter(|open| open.file == file).map(|open| open.name);
        let name = open.or_else(|| self.renamed.get(&file).copied()).unwrap_or_else(|| self.name(file));
        (self.sharing != Sharing::Whole).then(|| name.to_string())
    }

    fn name(&self, file: i64) -> EventsFileName {
        let date =
            |day: i64| i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap_or_default();
        let kind = match self.sharing {
            Sharing::Whole => Kind::Whole,
            Sharing::Number(_) => Kind::Number(self.numbered + 1 + u32::try_from(file).unwrap_or(NUMBER_MAX)),
            Sharing::Rotate(Rotation::Day) => Kind::Day(date(file)),
            Sharing::Rotate(Rotation::Hour) => {
                let hour = u8::try_from(file.rem_euclid(HOURS_PER_DAY)).unwrap_or_default();
                Kind::Hour(date(file.div_euclid(HOURS_PER_DAY)), hour)
            }
        };
        EventsFileName::new(kind, self.compression)
    }

    fn open(&mut self, file: i64) -> io::Result<&mut Open> {
        let mut name = self.name(file);
        while self.if_exists == IfExists::NewFile && self.directory.join(name.to_string()).exists() {
            name = name.next_copy();
        }
        let mut contents = EventsFile::begin(&self.directory)?;
        if self.if_exists == IfExists::Append {
            contents.copy_old(&self.directory.join(name.to_string()), self.compression)?;
        }
        Ok(self.open.insert(Open { file, name, contents }))
    }

    fn complete(&mut self) -> Result<(), Error> {
        let Some(Open { file, name, contents }) = self.open.take() else { return Ok(()) };
        let path = self.directory.join(name.to_string());
        let published = if self.if_exists == IfExists::NewFile {
            contents.publish_at_free(&self.directory, name)
        } else {
            contents.publish(&path).map(|()| name)
        };
        let complete = self.written.count;
        let name = published.map_err(|source| Error::Publish { path, source, complete })?;
        if name != self.name(file) {
            self.renamed.insert(file, name);
        }
        let name = name.to_string();
        self.replaced.remove(&name);
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

/// Whether a run that overwrites takes the place of this file: not of those that other runs put beside `events.json`.
fn is_replaced(name: EventsFileName) -> bool {
    name.kind != Kind::Whole || name.copy == 0
}
