//! Bad lines → `<target>/_quarantine/`, one JSON-lines file per source, with place, reason and the exact bytes.
//!
//! A source's file is a set: it is merged with the bad lines of each run that reads the source, so a line is kept once
//! however often it is read, and none is forgotten. Records are in the order of their lines.
//!
//! Invariant: `raw` (or `raw_base64` decoded) is the line, byte for byte, without its newline. An over-long line is several
//! records of consecutive `fragment`s. Memory does not grow with the number of bad lines.

mod replay;

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, BufWriter, Lines, Write},
    iter::Enumerate,
    path::{Path, PathBuf},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use events_core::truth::Counts;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

pub use self::replay::ReplaySelection;
pub(crate) use self::replay::{ReplayText, sources};
use crate::{
    commit::Change,
    disk::{self, File},
    error::Error,
    fault::Detail,
    lines::BadLine,
    parquet::{StagedFile, checksum_of},
    sources::Source,
};

/// Directory of the quarantine in a target.
pub(crate) const DIRECTORY: &str = "_quarantine";

/// One line of a quarantine file.
#[derive(Debug, Serialize)]
struct Record<'a> {
    source: &'a str,
    line: u64,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fragment: Option<u64>,
    reason: &'a str,
    detail: &'a Detail,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

/// What orders and tells apart the records of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct RecordKey {
    line: u64,
    offset: u64,
    fragment: Option<u64>,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    raw_base64: Option<String>,
}

/// What is counted of a record.
#[derive(Debug, Deserialize)]
struct Counted {
    fragment: Option<u64>,
    reason: String,
}

/// Adds the bad lines of a file to the counts by reason; one that is kept in fragments is one.
pub(crate) fn count(path: &Path, by_reason: &mut Counts) -> Result<(), serde_json::Error> {
    let file = File::open(path).map_err(serde_json::Error::io)?;
    // Not by lines: a record may be long, and nothing of it is kept.
    for record in serde_json::Deserializer::from_reader(BufReader::new(file)).into_iter::<Counted>() {
        let Counted { fragment, reason } = record?;
        if fragment.unwrap_or(0) == 0 {
            *by_reason.entry(reason).or_default() += 1;
        }
    }
    Ok(())
}

/// Collects the bad lines of a run, source by source, in input order.
#[derive(Debug)]
pub(crate) struct Quarantine {
    /// Where files are staged; none in a dry run.
    staging: Option<PathBuf>,
    open: Option<(usize, BufWriter<File>)>,
    staged: BTreeMap<usize, PathBuf>,
}

impl Quarantine {
    pub(crate) fn new(staging: Option<PathBuf>) -> Self {
        Self { staging, open: None, staged: BTreeMap::new() }
    }

    /// Adds a line of a source; lines come in input order.
    pub(crate) fn add(
        &mut self,
        source_index: usize,
        source: &Source,
        line: u64,
        bad: &BadLine,
    ) -> Result<(), Error> {
        let Some(staging) = self.staging.clone() else { return Ok(()) };
        let doing = "staging the quarantine";
        if self.open.as_ref().is_none_or(|(open, _)| *open != source_index) {
            self.close()?;
            let path = staging.join(format!("bad-lines-{source_index:06}.new"));
            let file = File::create(&path).map_err(Error::io(doing))?;
            self.staged.insert(source_index, path);
            self.open = Some((source_index, BufWriter::new(file)));
        }
        let Some((_, writer)) = &mut self.open else { return Ok(()) };
        write_record(writer, &source.identity, line, bad).map_err(Error::io(doing))
    }

    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some((_, mut writer)) => writer.flush().map_err(Error::io("staging the quarantine")),
            None => Ok(()),
        }
    }

    /// Merges each source's bad lines with those that the target holds of it; returns what has to change there.
    pub(crate) fn finish(mut self, sources: &[Source], target: &Path) -> Result<Vec<Change>, Error> {
        self.close()?;
        let Some(staging) = &self.staging else { return Ok(Vec::new()) };
        let mut changes = Vec::new();
        if sources.iter().any(|source| source.replay.is_some()) {
            return self.finish_replay(sources, staging);
        }
        for (&index, new) in &self.staged {
            let name = file_name(&sources[index]);
            let live = target.join(DIRECTORY).join(&name);
            let staged = format!("quarantine-{index:06}.staged");
            merge_files(&live, new, &staging.join(&staged))?;
            let (bytes, checksum) =
                checksum_of(&staging.join(&staged)).map_err(Error::io("staging the quarantine"))?;
            changes.push(Change::file(DIRECTORY, &StagedFile { name, staged, rows: 0, bytes, checksum }));
        }
        Ok(changes)
    }

    /// Takes what holds by now out of the files that were replayed.
    fn finish_replay(&self, sources: &[Source], staging: &Path) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let (Some(live), Some(selection)) = (&source.path, &source.replay) else { continue };
            let name = live.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let staged = format!("quarantine-{index:06}.staged");
            let again = self.staged.get(&index).map(PathBuf::as_path);
            let left = replay::rewrite(live, again, selection, &staging.join(&staged))?;
            changes.push(if left == 0 {
                Change::removal(DIRECTORY, name)
            } else {
                let (bytes, checksum) =
                    checksum_of(&staging.join(&staged)).map_err(Error::io("staging the quarantine"))?;
                Change::file(DIRECTORY, &StagedFile { name, staged, rows: 0, bytes, checksum })
            });
        }
        Ok(changes)
    }
}

/// `<the source's own name>-<hash of what identifies it>.jsonl`
fn file_name(source: &Source) -> String {
    let name = source.path.as_deref().and_then(Path::file_name);
    let name = name.map_or_else(|| "stdin".into(), |name| name.to_string_lossy());
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.chars().take(40).map(safe).collect();
    format!("{name}-{:016x}.jsonl", xxh3_64(source.identity.as_bytes()))
}

/// Writes the record of a bad line, which is the `line`th of its source.
pub(crate) fn write_record(
    output: &mut impl Write,
    source: &str,
    line: u64,
    bad: &BadLine,
) -> io::Result<()> {
    let text = std::str::from_utf8(&bad.raw).ok();
    let record = Record {
        source,
        line,
        offset: bad.offset,
        fragment: bad.fragment,
        reason: bad.fault.reason.code(),
        detail: &bad.fault.detail,
        raw: text,
        raw_base64: text.is_none().then(|| BASE64_STANDARD.encode(&bad.raw)),
    };
    serde_json::to_writer(&mut *output, &record)?;
    output.write_all(b"\n")
}

/// Records of a file, one after the other, with their keys.
pub(crate) struct Records<R> {
    path: PathBuf,
    lines: Enumerate<Lines<R>>,
}

impl Records<BufReader<File>> {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("reading the quarantine"))?;
        Ok(Self::new(path.to_owned(), BufReader::new(file)))
    }
}

impl<R: BufRead> Records<R> {
    /// `path` names the file, for messages.
    pub(crate) fn new(path: PathBuf, text: R) -> Self {
        Self { path, lines: text.lines().enumerate() }
    }

    fn next(&mut self) -> Result<Option<(RecordKey, String)>, Error> {
        let Some((index, line)) = self.lines.next() else { return Ok(None) };
        let line = line.map_err(Error::io("reading the quarantine"))?;
        let key = serde_json::from_str(&line).map_err(|error| Error::Damaged {
            path: self.path.clone(),
            line: index + 1,
            problem: format!("no quarantine record: {error}"),
        })?;
        Ok(Some((key, line)))
    }
}

impl RecordKey {
    fn place(&self) -> (u64, u64, Option<u64>) {
        (self.line, self.offset, self.fragment)
    }
}

fn merge_files(live: &Path, new: &Path, merged: &Path) -> Result<(), Error> {
    let output = File::create(merged).map_err(Error::io("staging the quarantine"))?;
    let is_there = disk::is_there(live).map_err(Error::io("reading the quarantine"))?;
    let old = if is_there { Some(Records::open(live)?) } else { None };
    merge(old, Records::open(new)?, BufWriter::new(output))
}

/// The union of two files that are sorted by place. Of one line the new record is kept: its reason is today's.
pub(crate) fn merge<R: BufRead, W: Write>(
    old: Option<Records<R>>,
    mut new: Records<R>,
    mut output: W,
) -> Result<(), Error> {
    let doing = "staging the quarantine";
    let mut put = |line: &str| {
        output.write_all(line.as_bytes()).and_then(|()| output.write_all(b"\n")).map_err(Error::io(doing))
    };
    let mut next_new = new.next()?;
    if let Some(mut old) = old {
        while let Some((old_key, old_line)) = old.next()? {
            while let Some((key, line)) = next_new.take_if(|(key, _)| key.place() < old_key.place()) {
                put(&line)?;
                drop(key);
                next_new = new.next()?;
            }
            // The same place with other bytes is a line of an earlier content of the source: both stay.
            if next_new.as_ref().is_none_or(|(key, _)| *key != old_key) {
                put(&old_line)?;
            }
        }
    }
    while let Some((_, line)) = next_new {
        put(&line)?;
        next_new = new.next()?;
    }
    output.flush().map_err(Error::io(doing))
}
