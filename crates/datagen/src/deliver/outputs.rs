//! Everything that a run writes → an error if two of these are one file.
//!
//! Paths are compared by where they lead: through links, through `..`, whatever their case, since not every
//! file system tells that apart. Standard output counts, if it goes to a file. A record can't have the name
//! of an events file either: a later run would take it for one.
//!
//! Invariant: nothing is written here, so a run that is refused has changed nothing.

use std::{
    fs::Metadata,
    io,
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::{
    file_names::EventsFileName,
    real_path::real_path,
    records::RecordPaths,
    replacement::is_temporary,
    run_spec::{Destination, RunSpec},
    turn::TURN_FILE,
};
use crate::error::{Error, OutputName};

/// A file to write.
struct Output {
    name: OutputName,
    /// Where it is. Standard output has no path.
    path: Option<PathBuf>,
    /// The device and the number of what is there.
    id: Option<(u64, u64)>,
}

/// Fails if two outputs of a run would be one file.
pub(super) fn check(spec: &RunSpec) -> Result<(), Error> {
    let RecordPaths { manifest, faults_log, changes_log } = &spec.records;
    let mut outputs = Vec::new();
    for (name, path) in [
        (OutputName::Manifest, manifest),
        (OutputName::FaultsLog, faults_log),
        (OutputName::ChangesLog, changes_log),
    ] {
        if let Some(path) = path {
            let failed = |source| Error::Record { path: path.clone(), source };
            let output = Output::at(name, path).map_err(failed)?;
            let Some(output) = output else { continue };
            output.check_among(&outputs, path)?;
            if let Destination::EventsFiles { base_path, .. } = &spec.output.destination {
                let is_reserved = output.is_reserved_in(base_path).map_err(failed)?;
                if is_reserved {
                    return Err(Error::ReservedName { output: name, path: path.clone() });
                }
                let events = events_files(base_path).map_err(failed)?;
                output.check_among(&events, path)?;
            } else {
                output.check_among(standard_output().as_slice(), path)?;
            }
            outputs.push(output);
        }
    }
    Ok(())
}

impl Output {
    /// What a path leads to; `None` if that takes any number of outputs, as `/dev/null` does.
    fn at(name: OutputName, path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::metadata(path).ok();
        if metadata.as_ref().is_some_and(|metadata| metadata.file_type().is_char_device()) {
            return Ok(None);
        }
        let id = metadata.as_ref().map(id_of);
        Ok(Some(Self { name, path: Some(real_path(path)?), id }))
    }

    fn check_among(&self, others: &[Self], path: &Path) -> Result<(), Error> {
        match others.iter().find(|other| self.is_same(other)) {
            Some(other) => Err(Error::SameOutput { outputs: (self.name, other.name), path: path.to_owned() }),
            None => Ok(()),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(id), Some(other)) => id == other,
            _ => match (&self.path, &other.path) {
                (Some(path), Some(other)) => folded(path) == folded(other),
                _ => false,
            },
        }
    }

    /// Whether it has the name of an events file of a directory, or of a file that helps to write these.
    fn is_reserved_in(&self, directory: &Path) -> io::Result<bool> {
        let Some((parent, name)) =
            self.path.as_deref().and_then(|path| Some((path.parent()?, path.file_name()?)))
        else {
            return Ok(false);
        };
        let name = name.to_string_lossy().to_lowercase();
        // The only capital in a name is that of an hour.
        let mut before = ' ';
        let with_hour = name.chars().map(|character| {
            let is_of_hour = character == 't' && before.is_ascii_digit();
            before = character;
            if is_of_hour { 'T' } else { character }
        });
        let is_reserved = EventsFileName::parse(&with_hour.collect::<String>()).is_some()
            || is_temporary(&name)
            || name == TURN_FILE;
        Ok(is_reserved && folded(parent) == folded(&real_path(directory)?))
    }
}

/// What is there under names of events files. Unlike in `files_in`, a link that leads nowhere counts: a run
/// writes the file that it leads to.
fn events_files(directory: &Path) -> io::Result<Vec<Output>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().and_then(EventsFileName::parse).is_some() {
            files.extend(Output::at(OutputName::Events, &entry.path())?);
        }
    }
    Ok(files)
}

/// Standard output, unless it is closed or takes any number of outputs.
fn standard_output() -> Option<Output> {
    let file = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok().filter(|metadata| !metadata.file_type().is_char_device())?;
    Some(Output { name: OutputName::StandardOutput, path: None, id: Some(id_of(&metadata)) })
}

fn id_of(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn folded(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}
