//! Bad lines → `<target>/_quarantine/`, one JSON lines file per source, with position, reason and the exact
//! bytes.
//!
//! A source's file is a set: it is merged with the bad lines of each run that reads the source. So a line is
//! kept once, however often it is read, and none is forgotten, until a replay makes it a row or it is
//! discarded. Records are in the order of their lines.
//!
//! Invariant: `raw` (or `raw_base64` decoded) is the line, byte for byte, without its newline. An over-long
//! line is several records with consecutive `fragment`s. Memory does not grow with the number of bad lines.

mod discard;
mod files;
pub(crate) mod record;
mod replay;
mod selection;

use std::{
    collections::BTreeMap,
    io::{BufReader, BufWriter, Read, Write},
    path::PathBuf,
};

use event_parser::BadLine;
use event_rows::Position;
use event_target::{Change, History, Location, Place, QUARANTINE, StagedWriter, Staging};
use events_core::{envelope::Envelope, truth::Counts};
use storage::File;
use xxhash_rust::xxh3::xxh3_64;

use self::record::{READING, Record, RecordReader, STAGING};
pub(crate) use self::{
    files::files,
    replay::{envelopes_of, sources},
};
use crate::{
    error::Error,
    input::{Lines, Origin, Source},
    settings::{BadLineSelection, ReadWith},
};

/// Adds the bad lines of a file, given by its path, to the counts by reason. A line in fragments counts once.
pub(crate) fn count(target: &Location, path: &str, by_reason: &mut Counts) -> Result<(), Error> {
    let mut records = RecordReader::open_in(target, name_of(path))?;
    while let Some((record, _)) = records.next()? {
        if record.counts() {
            *by_reason.entry(record.reason.into_owned()).or_default() += 1;
        }
    }
    Ok(())
}

/// A bad line, with what it is read with of the objects around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadText<'b> {
    pub(crate) line: &'b [u8],
    pub(crate) enclosing: &'b [u8],
}

/// Bad lines by their place in the input: whether they came after the row of the same event and timestamp.
pub(crate) type LastOnes = BTreeMap<Position, bool>;

/// The extension of a file of the quarantine.
const EXTENSION: &str = "jsonl";

/// How the name of an envelope begins that is none of the presets: that of a catalog.
const OF_CATALOG: &str = "catalog";

/// How records name an envelope: by its preset or, if it is that of a catalog, by its meaning.
pub(crate) fn envelope_name(envelope: &Envelope) -> ReadWith {
    let of_catalog = || format!("{OF_CATALOG}:{:016x}", xxh3_64(envelope.meaning().as_bytes()));
    (!envelope.is_base()).then(|| envelope.preset_name().map_or_else(of_catalog, str::to_owned))
}

/// Whether an envelope is that of a catalog.
pub(crate) fn is_of_catalog(name: &str) -> bool {
    name.split(':').next() == Some(OF_CATALOG)
}

/// Collects the bad lines of a run, source by source, in input order.
#[derive(Debug)]
pub(crate) struct Quarantine {
    staging: Staging,
    /// The name of the run's envelope.
    envelope: ReadWith,
    /// The file of the last source with a bad line.
    open: Option<(usize, BufWriter<File>)>,
    /// The files of the run's bad lines, by source.
    new: BTreeMap<usize, PathBuf>,
}

impl Quarantine {
    pub(crate) fn new(staging: Staging, envelope: &Envelope) -> Self {
        let envelope = envelope_name(envelope);
        Self { staging, envelope, open: None, new: BTreeMap::new() }
    }

    /// Adds a line of a source; lines come in input order.
    pub(crate) fn add(
        &mut self,
        source_index: usize,
        source: &Source,
        line: u64,
        bad: &BadLine,
    ) -> Result<(), Error> {
        let record =
            Record::new(&source.identity, line, bad).with_envelope(self.envelope.clone()).at(bad.position);
        self.put(source_index, &record)
    }

    /// Notes a line that is replayed and not judged: it stays as it is. Comes in its turn between bad lines.
    pub(crate) fn leave(&mut self, source_index: usize, line: u64) -> Result<(), Error> {
        self.put(source_index, &Record::left(line))
    }

    fn put(&mut self, source_index: usize, record: &Record<'_>) -> Result<(), Error> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != source_index) {
            self.close()?;
            let Some(path) = self.staging.scratch(&format!("bad-lines-{source_index:06}.new")) else {
                return Ok(());
            };
            let file = File::create(&path).map_err(Error::io(STAGING))?;
            self.new.insert(source_index, path);
            self.open = Some((source_index, BufWriter::new(file)));
        }
        let Some((_, writer)) = &mut self.open else { return Ok(()) };
        record.write_to(writer).map_err(Error::io(STAGING))
    }

    /// Calls `take` with each bad line of the run and its place in the input, except for over-long lines.
    pub(crate) fn each_new(
        &mut self,
        mut take: impl FnMut(Position, BadText<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.close()?;
        for new in self.new.values() {
            let mut records = RecordReader::open(new)?;
            while let Some((record, _)) = records.next()? {
                let Some(position) = record.position().filter(|_| record.fragment.is_none()) else {
                    continue;
                };
                let enclosing = record.enclosing();
                let line = record.into_raw().map_err(Error::io(READING))?;
                take(position, BadText { line: &line, enclosing: &enclosing })?;
            }
        }
        Ok(())
    }

    /// The file of the bad lines of the only source, if it has any.
    pub(crate) fn into_file(mut self) -> Result<Option<PathBuf>, Error> {
        self.close()?;
        Ok(self.new.into_values().next())
    }

    /// Adds the bad lines of a part of a source from such a file, given by its name and its text; so many
    /// lines of the source come before it.
    pub(crate) fn add_part(
        &mut self,
        source_index: usize,
        (name, text): (&str, Box<dyn Read + Send>),
        lines_before: u64,
    ) -> Result<(), Error> {
        let mut records = RecordReader::new(name.into(), BufReader::new(text));
        while let Some((mut record, _)) = records.next()? {
            record.line += lines_before;
            self.put(source_index, &record)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some((_, mut writer)) => writer.flush().map_err(Error::io(STAGING)),
            None => Ok(()),
        }
    }

    /// Merges each source's bad lines with its existing ones in the target, and returns the changes.
    /// `is_judged` says whether a line was judged at all; if not, it stays as the last run has judged it.
    pub(crate) fn finish(
        mut self,
        sources: &[Source],
        (target, history): (&Location, &History),
        lasts: &LastOnes,
        is_judged: impl Fn(BadText<'_>) -> bool,
    ) -> Result<Vec<Change>, Error> {
        self.close()?;
        let mut finish = |record: &mut Record<'static>, old: Option<&Record<'static>>| {
            let judged = record.position().and_then(|position| lasts.get(&position)).copied();
            record.wins_tie = judged.unwrap_or_else(|| {
                let is_judged = || {
                    let (line, enclosing) =
                        (record.clone().into_raw().unwrap_or_default(), record.enclosing());
                    is_judged(BadText { line: &line, enclosing: &enclosing })
                };
                old.is_some_and(|old| old.wins_tie) && !is_judged()
            });
        };
        let mut changes = Vec::new();
        for (&index, new) in &self.new {
            let stem = file_stem(&sources[index]);
            let place = Place { directory: QUARANTINE, stem: &stem, extension: EXTENSION };
            let live = target.quarantine_file(history, place).map_err(Error::io(READING))?;
            let old = live.as_ref().map(|name| RecordReader::open_in(target, name)).transpose()?;
            changes.push(stage(&self.staging, index, (place, live), |output| {
                record::merge_judged(old, RecordReader::open(new)?, &mut finish, output)
            })?);
        }
        Ok(changes)
    }

    /// Removes the lines that are good now from the files that were replayed, and returns the changes.
    pub(crate) fn finish_replay(
        mut self,
        sources: &[Source],
        target: &Location,
        selection: &BadLineSelection,
        lasts: &LastOnes,
    ) -> Result<Vec<Change>, Error> {
        self.close()?;
        if self.staging.is_discarded() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let name = name_of(&source.name);
            let records = RecordReader::open_in(target, name)?;
            let again = self.new.get(&index).map(PathBuf::as_path);
            let mut left = 0;
            let place = target.quarantine_place(name);
            let name = name.to_owned();
            let change = stage(&self.staging, index, (place, Some(name.clone())), |output| {
                left = replay::rewrite(records, again, (selection, lasts), output)?;
                Ok(())
            })?;
            changes.push(if left == 0 { Change::removal(QUARANTINE, name) } else { change });
        }
        Ok(changes)
    }
}

/// Takes the selected lines out of a quarantine; counts them by reason, and returns the changes.
pub(crate) fn discard(
    (target, history): (&Location, &History),
    selection: &BadLineSelection,
    staging: &Staging,
) -> Result<(Vec<Change>, Counts), Error> {
    let mut discarded = Counts::new();
    let mut changes = Vec::new();
    let selected = files::selected((target, history), selection)?;
    for (index, (_, name)) in selected.into_iter().enumerate() {
        let before: u64 = discarded.values().sum();
        let mut left = 0;
        let (place, replaced) = (target.quarantine_place(&name), Some(name.clone()));
        let change = stage(staging, index, (place, replaced), |output| {
            let records = RecordReader::open_in(target, &name)?;
            left = discard::rewrite(records, selection, &mut discarded, output)?;
            Ok(())
        })?;
        if discarded.values().sum::<u64>() > before {
            changes.push(if left == 0 { Change::removal(QUARANTINE, name) } else { change });
        }
    }
    Ok((changes, discarded))
}

/// Stages the file of a source, with the contents from `write`; it takes the place of the one that it
/// `replaces`.
fn stage(
    staging: &Staging,
    index: usize,
    (place, replaces): (Place<'_>, Option<String>),
    write: impl FnOnce(&mut BufWriter<StagedWriter>) -> Result<(), Error>,
) -> Result<Change, Error> {
    let staged =
        staging.create(format!("quarantine-{index:06}.staged"), place).map_err(Error::io(STAGING))?;
    let mut output = BufWriter::new(staged);
    write(&mut output)?;
    let staged = output.into_inner().map_err(|error| Error::io(STAGING)(error.into_error()))?;
    let (file, _) = staged.finish(0).map_err(Error::io(STAGING))?;
    Ok(Change::file(QUARANTINE, &file, replaces))
}

/// The name of a file of the quarantine, given its path in the target.
fn name_of(path: &str) -> &str {
    path.strip_prefix(QUARANTINE).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

/// `<the source's own name>-<hash of its identity>`
fn file_stem(source: &Source) -> String {
    let name = match &source.origin {
        Origin::File(path) => path.file_name().map(|name| name.to_string_lossy()),
        Origin::Lines(Lines::OfFile { path, .. }) => path.file_name().map(|name| name.to_string_lossy()),
        Origin::Object(object) | Origin::Lines(Lines::OfObject(object)) => Some(object.file_name().into()),
        Origin::StandardInput | Origin::Records(_) | Origin::Begun(_) => None,
    };
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.unwrap_or_else(|| "stdin".into()).chars().take(40).map(safe).collect();
    format!("{name}-{:016x}", xxh3_64(source.identity.as_bytes()))
}
