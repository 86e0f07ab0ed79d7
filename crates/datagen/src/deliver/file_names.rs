//! A file of a run ↔ its name.
//!
//! ```text
//! events.json                  the whole run
//! events-00001.json            --files
//! events-2024-10-10.json       --rotate day
//! events-2024-10-10T13.json    --rotate hour
//! ```
//!
//! The stem is followed by `-1`, `-2` and so on where `--if-exists new-file` found the name taken
//! (`events-1.json`), and the name ends in `.gz` or `.zst` if the file is compressed.
//!
//! Invariant: a name that is written is parsed as the same name, and no other name is parsed. Names of one
//! kind without `-1` sort in the order of their events.

use std::{fmt, io, path::Path};

use chrono::{Datelike, NaiveDate};
use fs_err as fs;

use crate::render::compression::Compression;

const STEM: &str = "events";
const EXTENSION: &str = ".json";

/// Digits of a file's number; always as many, so that names sort.
const NUMBER_DIGITS: usize = 5;

/// The highest number of a file.
pub const FILE_NUMBER_MAX: u32 = 99_999;

/// The name of an events file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventsFileName {
    pub(super) kind: FileKind,
    /// If not 0, the names with smaller numbers were taken.
    pub(super) copy: u64,
    pub(super) compression: Compression,
}

/// The file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// The only one.
    Whole,
    /// One of several, numbered from 1.
    Number(u32),
    /// That of a day.
    Day(NaiveDate),
    /// That of an hour of a day.
    Hour(NaiveDate, u8),
}

impl EventsFileName {
    pub(super) fn new(kind: FileKind, compression: Compression) -> Self {
        Self { kind, copy: 0, compression }
    }

    /// The name to try if this one is taken.
    pub(super) fn next_copy(self) -> Self {
        Self { copy: self.copy + 1, ..self }
    }

    /// Parses a name; `None` if it is not one of an events file.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let compressions = [Compression::Gzip, Compression::Zstd];
        let compressed = compressions.into_iter().find(|compression| name.ends_with(compression.suffix()));
        let compression = compressed.unwrap_or_default();
        let stem = name.strip_suffix(compression.suffix())?.strip_suffix(EXTENSION)?;
        let (kind, rest) = parse_kind(stem.strip_prefix(STEM)?)?;
        let name = Self { kind, copy: parse_copy(rest)?, compression };
        Some(name)
    }
}

/// Parses the kind that the text after the stem begins with; returns it and the rest.
fn parse_kind(text: &str) -> Option<(FileKind, &str)> {
    let Some(part) = text.strip_prefix('-') else { return Some((FileKind::Whole, text)) };
    if let Some((date, rest)) = part.split_at_checked("2024-10-10".len())
        && let Some(day) = parse_date(date)
    {
        return match rest.strip_prefix('T').map(|rest| rest.split_at_checked(2)) {
            None => Some((FileKind::Day(day), rest)),
            Some(hour) => {
                let (hour, rest) = hour?;
                let hour = parse_digits(hour).filter(|hour| *hour < 24)?;
                Some((FileKind::Hour(day, u8::try_from(hour).ok()?), rest))
            }
        };
    }
    if let Some((number, rest)) = part.split_at_checked(NUMBER_DIGITS)
        && let Some(number) = parse_digits(number)
        && !rest.starts_with(|next: char| next.is_ascii_digit())
    {
        return Some((FileKind::Number(u32::try_from(number).ok().filter(|number| *number > 0)?), rest));
    }
    Some((FileKind::Whole, text))
}

fn parse_copy(text: &str) -> Option<u64> {
    let Some(copy) = text.strip_prefix('-') else { return text.is_empty().then_some(0) };
    parse_digits(copy).filter(|_| !copy.starts_with('0'))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = (text.get(..4)?, text.get(4..7)?, text.get(7..)?);
    let [year, month, day] =
        [Some(year), month.strip_prefix('-'), day.strip_prefix('-')].map(|part| parse_digits(part?));
    NaiveDate::from_ymd_opt(
        i32::try_from(year?).ok()?,
        u32::try_from(month?).ok()?,
        u32::try_from(day?).ok()?,
    )
}

/// Parses a number that consists of digits only.
fn parse_digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for EventsFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STEM)?;
        match self.kind {
            FileKind::Whole => {}
            FileKind::Number(number) => write!(f, "-{number:0NUMBER_DIGITS$}")?,
            FileKind::Day(day) => write_date(f, day)?,
            FileKind::Hour(day, hour) => {
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
pub(super) fn files_in(directory: &Path) -> io::Result<Vec<EventsFileName>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link to a file counts as one; a directory is not ours, whatever its name.
        if let Some(name) = entry.file_name().to_str().and_then(EventsFileName::parse)
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
    fn names_are_parsed_as_they_are_written() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let kinds = [
            (FileKind::Whole, "events"),
            (FileKind::Number(1), "events-00001"),
            (FileKind::Number(FILE_NUMBER_MAX), "events-99999"),
            (FileKind::Day(day), "events-2024-02-29"),
            (FileKind::Hour(day, 7), "events-2024-02-29T07"),
        ];
        let compressions =
            [(Compression::None, ".json"), (Compression::Gzip, ".json.gz"), (Compression::Zstd, ".json.zst")];
        for ((kind, stem), (compression, end)) in
            kinds.into_iter().flat_map(|kind| compressions.map(|compression| (kind, compression)))
        {
            for (copy, between) in [(0, ""), (1, "-1"), (27, "-27")] {
                let name = EventsFileName { kind, copy, compression };
                assert_eq!(name.to_string(), format!("{stem}{between}{end}"));
                assert_eq!(EventsFileName::parse(&name.to_string()), Some(name));
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
            assert_eq!(EventsFileName::parse(name), None, "{name}");
        }
    }
}
