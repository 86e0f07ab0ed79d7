//! What became of the chunks, in order → the files beside the stream: the manifest (what a right load must leave) and the log of
//! faults (which line is which fault).
//!
//! Both are written while the stream is, so that they need no memory: the manifest's days are written when no event of them can come
//! any more. They appear under their names when they are complete.
//!
//! Invariant: they say what was written, and are there only if all of it was.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use events_core::partition::Day;
use events_core::truth::{Generator, ManifestWriter};
use tempfile::NamedTempFile;

use crate::faults::FaultCounts;
use crate::render::{Part, Rendered};
use crate::truth::{Tables, Truth};
use crate::{Config, Error, STREAM_VERSION, WorldName};

/// Which records are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPaths {
    /// Where the manifest goes.
    pub manifest: Option<PathBuf>,
    /// Where the log of faults goes.
    pub faults_log: Option<PathBuf>,
}

/// The records of a run, while they are written.
#[derive(Debug, Default)]
pub(crate) struct Records {
    manifest: Option<Manifest>,
    faults_log: Option<FaultsLog>,
}

#[derive(Debug)]
struct Manifest {
    writer: ManifestWriter<BufWriter<NamedTempFile>>,
    path: PathBuf,
    tables: Tables,
    /// Of the days that are not written yet.
    truth: Truth,
    faults: FaultCounts,
}

#[derive(Debug)]
struct FaultsLog {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    /// The file that was written last, and how many lines are in it.
    file: Option<i64>,
    lines: u64,
}

impl Records {
    pub(crate) fn begin(paths: &RecordPaths, config: &Config) -> Result<Self, Error> {
        let manifest = paths.manifest.as_deref().map(|path| Manifest::begin(path, config)).transpose()?;
        let faults_log = paths.faults_log.as_deref().map(FaultsLog::begin).transpose()?;
        Ok(Self { manifest, faults_log })
    }

    /// Whether the truth of chunks is asked for.
    pub(crate) fn want_truth(&self) -> bool {
        self.manifest.is_some()
    }

    /// Takes note of a chunk; `name_of` gives the name of a file, if there are several.
    pub(crate) fn take(
        &mut self,
        rendered: &Rendered,
        name_of: impl Fn(i64) -> Option<String>,
    ) -> Result<(), Error> {
        if let Some(manifest) = &mut self.manifest {
            manifest.take(rendered).map_err(|source| failed(&manifest.path, source))?;
        }
        if let Some(log) = &mut self.faults_log {
            log.take(rendered, name_of).map_err(|source| failed(&log.path, source))?;
        }
        Ok(())
    }

    /// Gives the records their names.
    pub(crate) fn publish(self) -> Result<(), Error> {
        if let Some(manifest) = self.manifest {
            manifest.publish()?;
        }
        if let Some(FaultsLog { out, path, .. }) = self.faults_log {
            publish(out, &path)?;
        }
        Ok(())
    }
}

impl Manifest {
    fn begin(path: &Path, config: &Config) -> Result<Self, Error> {
        let generator = Generator {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stream_version: STREAM_VERSION,
            world: config.world.name().to_owned(),
            seed: config.seed,
            start_date: Day::from_epoch_days(config.start_date.to_epoch_days().into()),
            events_per_day: (config.world == WorldName::Ledger).then_some(config.events_per_day),
            first_event: config.first_event,
            num_events: config.num_events,
            faults: config.faults.to_string(),
        };
        let tables = Tables::of(config.world.catalog());
        let writer = ManifestWriter::begin(temporary_for(path)?, &generator, &tables.event_types);
        let writer = writer.map_err(|source| failed(path, source))?;
        Ok(Self { writer, path: path.to_owned(), tables, truth: Truth::default(), faults: config.faults })
    }

    fn take(&mut self, rendered: &Rendered) -> io::Result<()> {
        // Versions of events are never earlier than the event.
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

    fn publish(mut self) -> Result<(), Error> {
        let path = self.path.clone();
        let written = self.write_before(i64::MAX).and_then(|()| {
            let faults = self.faults.iter().map(|(fault, count)| (fault.name().to_owned(), count)).collect();
            self.writer.finish(&faults, &self.truth.report)
        });
        publish(written.map_err(|source| failed(&path, source))?, &path)
    }
}

impl FaultsLog {
    fn begin(path: &Path) -> Result<Self, Error> {
        Ok(Self { out: temporary_for(path)?, path: path.to_owned(), file: None, lines: 0 })
    }

    fn take(&mut self, rendered: &Rendered, name_of: impl Fn(i64) -> Option<String>) -> io::Result<()> {
        let mut log = rendered.log.iter().peekable();
        let mut lines_before = 0;
        for Part { piece, .. } in rendered.parts() {
            let file = piece.place.file;
            if self.file != Some(file) {
                (self.file, self.lines) = (Some(file), 0);
            }
            let lines_behind = lines_before + piece.lines;
            let mut name = None;
            while let Some(logged) = log.next_if(|logged| logged.line <= lines_behind) {
                let name = name.get_or_insert_with(|| name_of(file));
                let line = self.lines + logged.line - lines_before;
                logged.write(name.as_deref(), line, &mut self.out)?;
            }
            self.lines += piece.lines;
            lines_before = lines_behind;
        }
        Ok(())
    }
}

/// A temporary file beside `path`, which becomes it.
fn temporary_for(path: &Path) -> Result<BufWriter<NamedTempFile>, Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Under the umask, as any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.prefix(".datagen.").suffix(".tmp").tempfile_in(directory);
    file.map(BufWriter::new).map_err(|source| failed(path, source))
}

fn publish(out: BufWriter<NamedTempFile>, path: &Path) -> Result<(), Error> {
    let file = out.into_inner().map_err(|error| failed(path, error.into_error()))?;
    file.as_file().sync_all().map_err(|source| failed(path, source))?;
    file.persist(path).map(drop).map_err(|error| failed(path, error.error))
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Record { path: path.to_owned(), source }
}
