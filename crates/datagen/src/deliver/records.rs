//! Rendered chunks, in order → the files next to the stream: the manifest (what a correct load leaves) and
//! the faults log (which line has which fault).
//!
//! Both are written along with the stream, so they need no memory: a day goes into the manifest when no event
//! of it can follow. They appear under their names when they are complete.
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
use tempfile::NamedTempFile;

use crate::{
    config::{Config, WorldName, fault_list::FaultCounts},
    error::Error,
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
}

/// The records of a run, while they are written.
#[derive(Debug, Default)]
pub(super) struct Records {
    manifest: Option<Manifest>,
    faults_log: Option<FaultsLog>,
}

#[derive(Debug)]
struct Manifest {
    writer: ManifestWriter<BufWriter<NamedTempFile>>,
    path: PathBuf,
    tables: Tables,
    /// The days that are not written yet.
    truth: Truth,
    faults: FaultCounts,
}

#[derive(Debug)]
struct FaultsLog {
    out: BufWriter<NamedTempFile>,
    path: PathBuf,
    /// The current events file, and how many lines it has.
    file: Option<i64>,
    lines: u64,
}

impl Records {
    pub(super) fn begin(paths: &RecordPaths, config: &Config) -> Result<Self, Error> {
        let manifest = paths.manifest.as_deref().map(|path| Manifest::begin(path, config)).transpose()?;
        let faults_log = paths.faults_log.as_deref().map(FaultsLog::begin).transpose()?;
        Ok(Self { manifest, faults_log })
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

    /// Gives the records their names.
    pub(super) fn publish(self) -> Result<(), Error> {
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
        let tables = Tables::new(config.world.catalog());
        let writer = ManifestWriter::begin(temporary_for(path)?, &generator, &tables.event_types);
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

/// A temporary file in the directory of `path`, which will replace it.
fn temporary_for(path: &Path) -> Result<BufWriter<NamedTempFile>, Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Subject to the umask, like any other file.
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
