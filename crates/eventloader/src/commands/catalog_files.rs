//! The paths of `--catalog` → the catalog of the run: the named files on top of the built-in one.
//!
//! Invariant: the result does not depend on the order in which a file system lists a directory. A file that
//! is named twice is read once.
#![expect(clippy::disallowed_methods, reason = "a catalog is neither source nor target")]

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use events_core::{
    catalog::{BUILT_IN, Catalog},
    envelope::{self, Envelope},
};

use crate::error::Error;

/// A catalog file.
#[derive(Debug, Clone)]
pub struct CatalogFile {
    /// Its path, as given.
    pub path: PathBuf,
    /// The same for messages.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The built-in catalog, extended by `paths`: catalog files, and directories of them; with the envelope of
/// this name, if one is given.
///
/// # Errors
/// [`Error::Usage`] for a path that can't be read, [`Error::Catalog`] for a file that can't be used.
pub fn read(paths: &[PathBuf], envelope: Option<&str>) -> Result<Catalog, Error> {
    catalog_of(&texts(paths)?, envelope)
}

/// The files that `paths` stand for, each once, with their texts.
///
/// # Errors
/// One can't be read.
pub fn texts(paths: &[PathBuf]) -> Result<Vec<CatalogFile>, Error> {
    let mut seen = HashSet::new();
    let mut texts = Vec::new();
    for path in files(paths)? {
        // The name in messages is the path as given; two links to the same file count once.
        if seen.insert(path.canonicalize().map_err(unreadable(&path))?) {
            texts.push(CatalogFile { name: path.display().to_string(), text: text_of(&path)?, path });
        }
    }
    Ok(texts)
}

/// The same as [`read`], of files that were read before.
///
/// # Errors
/// One of them can't be used, or there is no such envelope.
pub fn catalog_of(files: &[CatalogFile], envelope: Option<&str>) -> Result<Catalog, Error> {
    match envelope {
        None => with(files, None),
        Some(name) => match envelope::preset(name)? {
            Some(preset) => with(files, Some((name, preset))),
            None => Err(Error::Usage(format!("--envelope: there is no envelope {name:?}"))),
        },
    }
}

/// The same as [`read`] with any envelope, which has a name for messages.
///
/// # Errors
/// A file can't be read or used.
pub(crate) fn read_with(paths: &[PathBuf], envelope: (&str, Envelope)) -> Result<Catalog, Error> {
    with(&texts(paths)?, Some(envelope))
}

fn with(files: &[CatalogFile], envelope: Option<(&str, Envelope)>) -> Result<Catalog, Error> {
    let files: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    let Some((name, envelope)) = envelope else { return Ok(BUILT_IN.extended(&files)?) };
    // Before the files, which may name its fields as a version.
    Ok(BUILT_IN.with_envelope(name, envelope)?.extended(&files)?)
}

/// The files that `paths` stand for: catalog files, and directories of them.
///
/// # Errors
/// A directory can't be read, or has no catalog.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(files_in(path)?) } else { files.push(path.clone()) }
    }
    Ok(files)
}

/// The catalog files of a directory, by name, without hidden files.
fn files_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = dir.read_dir().map_err(unreadable(dir))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let is_hidden =
        |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_catalog = |path: &PathBuf| path.extension().is_some_and(|e| e == "toml") && !is_hidden(path);
    let mut files: Vec<_> = paths.map_err(unreadable(dir))?.into_iter().filter(is_catalog).collect();
    if files.is_empty() {
        let dir = dir.display();
        return Err(Error::CatalogFile(format!("{dir}: the directory has no catalog, a file *.toml")));
    }
    files.sort();
    Ok(files)
}

fn text_of(file: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(file).map_err(unreadable(file))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', valid).count();
        Error::CatalogFile(format!("{}:{line}: a catalog is UTF-8, this line is not", file.display()))
    })
}

/// The path and the system's reason; what was being done with it tells a user nothing.
fn unreadable(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| Error::CatalogFile(format!("{}: {error}", path.display()))
}
