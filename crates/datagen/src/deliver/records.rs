//! Rendered chunks, in order → the files next to the stream: the manifest (what a correct load leaves), the
//! faults log (which line has which fault) and the changes log (what changes where).
//!
//! They are written along with the stream, so they need no memory: a day goes into the manifest when no event
//! of it can follow. They appear under their names when they are complete. A run that continues a stream
//! leaves the records of the runs before it alone: `truth.json` is then followed by `truth-1.json`.
//!
//! Invariant: they describe what was written, and exist only if all of it was.

use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use events_core::{
    partition::Day,
    truth::{Generator, ManifestWriter},
};

use super::replacement::{RECORD_PREFIX, Replacement, remove_leftovers};
use crate::{
    changes::{Changes, tables},
    config::{Config, WorldName, fault_list::FaultCounts},
    dress::Dress,
    error::{Error, OutputName},
    render::{Part, Rendered},
    stream::STREAM_VERSION,
    truth::{Tables, Truth},
};

/// The records to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPaths {
    /// The path of the manifest.
    pub manifest: Option<PathBuf>,
    /// The path of the faults log.
    pub faults_log: Option<PathBuf>,
    /// The path of the changes log.
    pub changes_log: Option<PathBuf>,
}

/// The records of a run, while they are written.
#[derive(Debug, Default)]
pub(super) struct Records {
    manifest: Option<Manifest>,
    faults_log: Option<FaultsLog>,
    /// The changes log, which is complete, and its path.
    changes_log: Option<(BufWriter<Replacement>, PathBuf)>,
    /// Whether records that are there stay.
    keeps_old: bool,
}

/// A record under another name than the one that was asked for, which was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Renamed {
    pub(super) record: OutputName,
    pub(super) path: PathBuf,
}

#[derive(Debug)]
struct Manifest {
    writer: ManifestWriter<BufWriter<Replacement>>,
    path: PathBuf,
    tables: Tables,
    /// The days that are not written yet.
    truth: Truth,
    faults: FaultCounts,
}

#[derive(Debug)]
struct FaultsLog {
    out: BufWriter<Replacement>,
    path: PathBuf,
    /// The current events file, and how many lines it has.
    file: Option<i64>,
    lines: u64,
}

impl Records {
    /// Begins the records of a run. With `keeps_old`, it does not replace those that are there.
    pub(super) fn begin(
        paths: &RecordPaths,
        config: &Config,
        changes: Option<&Changes>,
        keeps_old: bool,
    ) -> Result<Self, Error> {
        let manifest = paths.manifest.as_deref();
        let manifest = manifest.map(|path| Manifest::begin(path, config, changes)).transpose()?;
        let faults_log = paths.faults_log.as_deref().map(FaultsLog::begin).transpose()?;
        let changes_log = paths.changes_log.as_deref();
        let changes_log = changes_log.map(|path| begin_changes_log(path, changes)).transpose()?;
        Ok(Self { manifest, faults_log, changes_log, keeps_old })
    }

    /// Whether the truth of chunks is needed.
    pub(super) fn want_truth(&self) -> bool {
        self.manifest.is_some()
    }

    /// Records a chunk; `file_name` gives the name of a file, if there are several.
    pub(super) fn take(
        &mut self,
        rendered: &Rendered,
        file_name: impl Fn(i64) -> Option<String>,
    ) -> Result<(), Error> {
        if let Some(manifest) = &mut self.manifest {
            manifest.take(rendered).map_err(|source| failed(&manifest.path, source))?;
        }
        if let Some(log) = &mut self.faults_log {
            log.take(rendered, file_name).map_err(|source| failed(&log.path, source))?;
        }
        Ok(())
    }

    /// Gives the records their names, and returns those that are not as asked for.
    pub(super) fn publish(self) -> Result<Vec<Renamed>, Error> {
        let keeps_old = self.keeps_old;
        let mut renamed = Vec::new();
        if let Some(manifest) = self.manifest {
            let (out, path) = manifest.finish()?;
            renamed.extend(publish(OutputName::Manifest, out, &path, keeps_old)?);
        }
        if let Some(FaultsLog { out, path, .. }) = self.faults_log {
            renamed.extend(publish(OutputName::FaultsLog, out, &path, keeps_old)?);
        }
        if let Some((out, path)) = self.changes_log {
            renamed.extend(publish(OutputName::ChangesLog, out, &path, keeps_old)?);
        }
        Ok(renamed)
    }
}

impl Manifest {
    fn begin(path: &Path, config: &Config, changes: Option<&Changes>) -> Result<Self, Error> {
        let generator = Generator {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stream_version: STREAM_VERSION,
            world: config.world.name().to_owned(),
            envelope: config.envelope.map(|envelope| envelope.name().to_owned()),
            seed: config.seed,
            start_date: Day::from_epoch_days(config.start_date.to_epoch_days().into()),
            events_per_day: (config.world == WorldName::Ledger).then_some(config.events_per_day),
            first_event: config.first_event,
            num_events: config.num_events,
            faults: config.faults.to_string(),
            changes: changes.map(|_| config.changes.to_string()),
        };
        let tables = manifest_tables(config, changes);
        let writer = ManifestWriter::begin(begin(path)?, &generator, &tables.event_types);
        let writer = writer.map_err(|source| failed(path, source))?;
        Ok(Self { writer, path: path.to_owned(), tables, truth: Truth::default(), faults: config.faults })
    }

    fn take(&mut self, rendered: &Rendered) -> io::Result<()> {
        // No version of an event is earlier than the event itself.
        if let Some(day) = rendered.first_day {
            self.write_before(day)?;
        }
        self.truth.add(&rendered.truth);
        Ok(())
    }

    fn write_before(&mut self, day: i64) -> io::Result<()> {
        let done = self.truth.take_before(day, &self.tables);
        done.into_iter().try_for_each(|partition| self.writer.partition(partition))
    }

    fn finish(mut self) -> Result<(BufWriter<Replacement>, PathBuf), Error> {
        let path = self.path.clone();
        let written = self.write_before(i64::MAX).and_then(|()| {
            let faults = self.faults.iter().map(|(fault, count)| (fault.name().to_owned(), count)).collect();
            self.writer.finish(&faults, &self.truth.report)
        });
        Ok((written.map_err(|source| failed(&path, source))?, path))
    }
}

/// The tables of a run.
fn manifest_tables(config: &Config, changes: Option<&Changes>) -> Tables {
    let own = tables(config.world, changes);
    if let Some(envelope) = config.envelope {
        let dress = Dress::new(envelope, config.world, &own);
        let names: Vec<_> = (0..own.len()).map(|table| dress.names(table)).collect();
        return Tables::new(&dress.catalog(), &names, &own);
    }
    let names: Vec<_> = own.iter().map(|table| (&*table.domain, &*table.event_type)).collect();
    match changes {
        None => Tables::new(config.world.catalog(), &names, &own),
        Some(changes) => Tables::new(&changes.catalog(config.world), &names, &own),
    }
}

/// Writes the log of the changes, of which there may be none.
fn begin_changes_log(
    path: &Path,
    changes: Option<&Changes>,
) -> Result<(BufWriter<Replacement>, PathBuf), Error> {
    let mut out = begin(path)?;
    let written = changes.map_or(Ok(()), |changes| changes.write_log(&mut out));
    written.map_err(|source| failed(path, source))?;
    Ok((out, path.to_owned()))
}

impl FaultsLog {
    fn begin(path: &Path) -> Result<Self, Error> {
        Ok(Self { out: begin(path)?, path: path.to_owned(), file: None, lines: 0 })
    }

    fn take(&mut self, rendered: &Rendered, file_name: impl Fn(i64) -> Option<String>) -> io::Result<()> {
        let mut log = rendered.log.iter().peekable();
        let mut lines_before = 0;
        for Part { piece, .. } in rendered.parts() {
            let file = piece.key.file;
            if self.file != Some(file) {
                (self.file, self.lines) = (Some(file), 0);
            }
            let lines_after = lines_before + piece.lines;
            let mut name = None;
            while let Some(logged) = log.next_if(|logged| logged.line <= lines_after) {
                let name = name.get_or_insert_with(|| file_name(file));
                let line = self.lines + logged.line - lines_before;
                logged.write(name.as_deref(), line, &mut self.out)?;
            }
            self.lines += piece.lines;
            lines_before = lines_after;
        }
        Ok(())
    }
}

/// Begins the file that will be at `path`.
fn begin(path: &Path) -> Result<BufWriter<Replacement>, Error> {
    remove_leftovers(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    Replacement::begin(path, RECORD_PREFIX).map(BufWriter::new).map_err(|source| failed(path, source))
}

fn publish(
    record: OutputName,
    out: BufWriter<Replacement>,
    path: &Path,
    keeps_old: bool,
) -> Result<Option<Renamed>, Error> {
    let file = out.into_inner().map_err(|error| failed(path, error.into_error()))?;
    if !keeps_old {
        return file.publish().map(|()| None).map_err(|source| failed(path, source));
    }
    let real = file.path().to_owned();
    let names = std::iter::once(real.clone()).chain((1_u64..).map(|copy| numbered(&real, copy)));
    let taken = file.publish_new(names).map_err(|source| failed(path, source))?;
    let other = taken.filter(|taken| *taken != real);
    Ok(other
        .map(|taken| Renamed { record, path: path.with_file_name(taken.file_name().unwrap_or_default()) }))
}

/// `truth.json` → `truth-1.json`.
fn numbered(path: &Path, copy: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{copy}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Record { path: path.to_owned(), source }
}
