//! `eventloader quarantine`: the bad lines of a target → groups of them with the first of each, or the lines
//! themselves.
//!
//! It takes no lock, so that what it prints can be loaded into the same target. Files of the quarantine are
//! replaced whole, so each is read as one load left it.
//!
//! Invariant: nothing is changed. Memory grows with the number of groups, up to a limit, and not with that of
//! lines. A damaged record is named, and the others are read.

mod groups;

use std::{
    fmt,
    io::{self, ErrorKind, Write},
};

use event_target::{Location, TargetError};

pub(super) use self::groups::Group;
use self::groups::Groups;
use crate::{
    error::Error,
    quarantine::{
        self,
        record::{Record, RecordReader},
    },
    runtime::plural,
    settings::BadLineSelection,
};

/// What is printed of bad lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Their groups, for people.
    Text,
    /// Their groups, each as a JSON object.
    Json,
    /// The bytes of each line and a newline.
    Raw,
}

/// What to print.
#[derive(Debug, Clone)]
pub struct QuarantineSettings {
    /// The target.
    pub target: Location,
    /// Which bad lines.
    pub selection: BadLineSelection,
    /// In which form.
    pub view: View,
}

/// What was printed.
#[derive(Debug, Default)]
pub struct Looked {
    /// The bad lines that were selected.
    pub lines: u64,
    /// The sources that they are of.
    pub sources: u64,
    /// The records that could not be read.
    pub damaged: u64,
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", plural(self.lines, "bad line"), plural(self.sources, "source"))
    }
}

/// All bad lines of a target, in groups.
#[derive(Debug)]
pub(super) struct Grouped {
    pub(super) looked: Looked,
    pub(super) groups: Groups,
}

/// Groups all bad lines of a target; `name` gets what is wrong with damaged records.
pub(super) fn group(target: &Location, name: impl FnMut(&Error)) -> Result<Grouped, Error> {
    let (selection, view) = (BadLineSelection::default(), View::Json);
    let settings = QuarantineSettings { target: target.clone(), selection, view };
    let mut output = Output { output: &mut io::sink(), has_reader: true };
    let (looked, groups) = read(&settings, &mut output, name)?;
    Ok(Grouped { looked, groups })
}

/// Writes the selected bad lines to `output`; `name` gets what is wrong with damaged records.
///
/// # Errors
/// [`TargetError::Unusable`] if nothing was ever loaded, [`Error::Source`] for a source without a bad line,
/// and read and write errors.
pub fn look(
    settings: &QuarantineSettings,
    output: &mut impl Write,
    name: impl FnMut(&Error),
) -> Result<Looked, Error> {
    let mut output = Output { output, has_reader: true };
    let (looked, groups) = read(settings, &mut output, name)?;
    if !output.has_reader {
        return Ok(looked);
    }
    match settings.view {
        View::Raw => {}
        View::Text => groups.each(|group| output.write(group.to_string().as_bytes()))?,
        View::Json => groups.each(|group| {
            let line = serde_json::to_string(group).map_err(|error| Error::Output(error.into()))?;
            output.write(line.as_bytes())?;
            output.write(b"\n")
        })?,
    }
    output.end()?;
    Ok(looked)
}

/// Reads the selected bad lines: into groups or, of the lines themselves, to `output`.
fn read(
    settings: &QuarantineSettings,
    output: &mut Output<'_, impl Write>,
    mut name: impl FnMut(&Error),
) -> Result<(Looked, Groups), Error> {
    let QuarantineSettings { target, selection, view } = settings;
    if target.layout()?.is_none() {
        let problem = "no load has ever committed anything there; check the path".to_owned();
        return Err(TargetError::Unusable { path: target.root(), problem }.into());
    }
    let (mut looked, mut groups, mut there) = (Looked::default(), Groups::default(), Vec::new());
    for file in quarantine::files(target, None)? {
        let mut has_source = false;
        let mut before = looked.lines;
        let mut records = match RecordReader::open_in(target, &file) {
            Ok(records) => records,
            // A replay or a discard has taken its last line meanwhile.
            Err(Error::Io { source, .. })
                if source.kind() == ErrorKind::NotFound
                    && !quarantine::files(target, None)?.contains(&file) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut lines = RawLines::default();
        loop {
            let record = match records.next() {
                Ok(Some((record, _))) => record,
                Ok(None) => break,
                Err(error @ Error::Target(TargetError::Damaged { .. })) => {
                    looked.damaged += 1;
                    name(&error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !std::mem::replace(&mut has_source, true) {
                there.push(record.source.clone().into_owned());
            }
            if !selection.wants(&record) {
                continue;
            }
            if record.counts() {
                looked.lines += 1;
                looked.sources += u64::from(std::mem::replace(&mut before, u64::MAX) < looked.lines);
            }
            match view {
                View::Raw => lines.write(record, output)?,
                View::Text | View::Json => groups.add(record)?,
            }
        }
        lines.end(output)?;
        if !output.has_reader {
            return Ok((looked, groups));
        }
    }
    selection.check_sources(&there)?;
    Ok((looked, groups))
}

/// Lines that are written one behind the other; the fragments of one are one line.
#[derive(Debug, Default)]
struct RawLines {
    is_open: bool,
}

impl RawLines {
    fn write(&mut self, record: Record<'_>, output: &mut Output<'_, impl Write>) -> Result<(), Error> {
        if record.counts() {
            self.end(output)?;
        }
        self.is_open = true;
        output.write(&record.into_raw().map_err(Error::Output)?)
    }

    fn end(&mut self, output: &mut Output<'_, impl Write>) -> Result<(), Error> {
        if std::mem::take(&mut self.is_open) { output.write(b"\n") } else { Ok(()) }
    }
}

/// Where it is written to, while somebody reads it.
struct Output<'o, W> {
    output: &'o mut W,
    has_reader: bool,
}

impl<W: Write> Output<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.has_reader {
            let written = self.output.write_all(bytes);
            self.judge(written)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        let flushed = self.output.flush();
        self.judge(flushed)
    }

    /// A reader that closes the pipe needs no more.
    fn judge(&mut self, written: io::Result<()>) -> Result<(), Error> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.has_reader = false;
                Ok(())
            }
            written => written.map_err(Error::Output),
        }
    }
}
