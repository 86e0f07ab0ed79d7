//! Which file of a run → its name, and back: which names are ours.
//!
//! ```text
//! events.json                  the whole run
//! events-00001.json            --files
//! events-2024-10-10.json       --rotate day
//! events-2024-10-10T13.json    --rotate hour
//! ```
//!
//! With `-1`, `-2`, … behind the stem where `--if-exists new-file` found the name taken (`events-1.json`), and `.gz` or `.zst` at
//! the end if they are compressed.
//!
//! Invariant: what is written is read as the same name, and nothing else is read. Names of one kind without `-1` sort in
//! the order of their events.

use std::fmt;
use std::io;
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use fs_err as fs;

use crate::compression::Compression;

const STEM: &str = "events";
const EXTENSION: &str = ".json";

/// Digits of the numbers of files; so many that names sort.
const NUMBER_DIGITS: usize = 5;

/// The highest number of a file.
pub(crate) const NUMBER_MAX: u32 = 99_999;

/// The name of an events file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventsFileName {
    pub(crate) kind: Kind,
    /// Not 0: the name was taken, and those before this one.
    pub(crate) copy: u64,
    pub(crate) compression: Compression,
}

/// Which file of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The only one.
    Whole,
    /// One of several, counted from 1.
    Number(u32),
    /// That of a day.
    Day(NaiveDate),
    /// That of an hour of a day.
    Hour(NaiveDate, u8),
}

impl EventsFileName {
    pub(crate) fn new(kind: Kind, compression: Compression) -> Self {
        Self { kind, copy: 0, compression }
    }

    /// The name that is tried if this one is taken.
    pub(crate) fn next_copy(self) -> Self {
        Self { copy: self.copy + 1, ..self }
    }

    /// Reads a name; `None` if it is none of ours.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let compressions = [Compression::Gzip, Compression::Zstd];
        let compressed = compressions.into_iter().find(|compression| name.ends_with(compression.suffix()));
        let compression = compressed.unwrap_or_default();
        let stem = name.strip_suffix(compression.suffix())?.strip_suffix(EXTENSION)?;
        let (kind, rest) = kind_of(stem.strip_prefix(STEM)?)?;
        let name = Self { kind, copy: copy_of(rest)?, compression };
        Some(name)
    }
}

/// The kind that a text behind the stem begins with, and the rest of it.
fn kind_of(text: &str) -> Option<(Kind, &str)> {
    let Some(part) = text.strip_prefix('-') else { return Some((Kind::Whole, text)) };
    if let Some((date, rest)) = part.split_at_checked("2024-10-10".len())
        && let Some(day) = date_of(date)
    {
        return match rest.strip_prefix('T').map(|rest| rest.split_at_checked(2)) {
            None => Some((Kind::Day(day), rest)),
            Some(hour) => {
                let (hour, rest) = hour?;
                let hour = digits(hour).filter(|hour| *hour < 24)?;
                Some((Kind::Hour(day, u8::try_from(hour).ok()?), rest))
            }
        };
    }
    if let Some((number, rest)) = part.split_at_checked(NUMBER_DIGITS)
        && let Some(number) = digits(number)
        && !rest.starts_with(|next: char| next.is_ascii_digit())
    {
        return Some((Kind::Number(u32::try_from(number).ok().filter(|number| *number > 0)?), rest));
    }
    Some((Kind::Whole, text))
}

fn copy_of(text: &str) -> Option<u64> {
    let Some(copy) = text.strip_prefix('-') else { return text.is_empty().then_some(0) };
    digits(copy).filter(|_| !copy.starts_with('0'))
}

fn date_of(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = (text.get(..4)?, text.get(4..7)?, text.get(7..)?);
    let [year, month, day] =
        [Some(year), month.strip_prefix('-'), day.strip_prefix('-')].map(|part| digits(part?));
    NaiveDate::from_ymd_opt(
        i32::try_from(year?).ok()?,
        u32::try_from(month?).ok()?,
        u32::try_from(day?).ok()?,
    )
}

/// A number that is written with digits alone.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for EventsFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STEM)?;
        match self.kind {
            Kind::Whole => {}
            Kind::Number(number) => write!(f, "-{number:0NUMBER_DIGITS$}")?,
            Kind::Day(day) => write_date(f, day)?,
            Kind::Hour(day, hour) => {
                write_date(f, day)?;
                write!(f, "T{hour:02}")?;
            }
        }
        if self.copy > 0 {
            write!(f, "-{}", self.copy)?;
        }
        write!(f, "{EXTENSION}{}", self.compression.suffix())
    }
}

fn write_date(f: &mut fmt::Formatter<'_>, day: NaiveDate) -> fmt::Result {
    write!(f, "-{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

/// The events files in a directory; none if there is no directory.
pub(crate) fn files_in(directory: &Path) -> io::Result<Vec<EventsFileName>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link to a file is as good as one; a directory is not ours, whatever its name.
        if let Some(name) = entry.file_name().to_str().and_then(EventsFileName::of)
            && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file())
        {
            names.push(name);
        }
    }
    names.sort_by_cached_key(EventsFileName::to_string);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let kinds = [
            (Kind::Whole, "events"),
            (Kind::Number(1), "events-00001"),
            (Kind::Number(NUMBER_MAX), "events-99999"),
            (Kind::Day(day), "events-2024-02-29"),
            (Kind::Hour(day, 7), "events-2024-02-29T07"),
        ];
        let compressions =
            [(Compression::None, ".json"), (Compression::Gzip, ".json.gz"), (Compression::Zstd, ".json.zst")];
        for ((kind, stem), (compression, end)) in
            kinds.into_iter().flat_map(|kind| compressions.map(|compression| (kind, compression)))
        {
            for (copy, between) in [(0, ""), (1, "-1"), (27, "-27")] {
                let name = EventsFileName { kind, copy, compression };
                assert_eq!(name.to_string(), format!("{stem}{between}{end}"));
                assert_eq!(EventsFileName::of(&name.to_string()), Some(name));
            }
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "events",
            "events.jsonl",
            "my-events.json",
            ".events.json.x.tmp",
            "events.json.bz2",
            "events.gz",
            "events-.json",
            "events--1.json",
            "events-0.json",
            "events-01.json",
            "events-x.json",
            "events-00000.json",
            "events-1-1.json",
            "events-00001-0.json",
            "events-2024-02-30.json",
            "events-2024-2-28.json",
            "events-2024-02-28T24.json",
            "events-2024-02-28T7.json",
            "events-2024-02-28T.json",
            "events-2024-02-28x.json",
            "events-+1.json",
            "events-ä2024-10-1.json",
            "eventS.json",
        ] {
            assert_eq!(EventsFileName::of(name), None, "{name}");
        }
    }
}
