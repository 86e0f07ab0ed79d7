//! The paths of `--catalog` → the catalog of the run: the named files on top of the built-in one. Also checks
//! a catalog against a layout.
//!
//! Invariant: the result does not depend on the order in which a file system lists a directory. A file that
//! is named twice is read once.
#![expect(clippy::disallowed_methods, reason = "a catalog is neither source nor target")]

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use event_parser::Selection;
use events_core::{
    catalog::{self, BUILT_IN, Catalog, EventType},
    directory_name::{self, NAME_BYTES_MAX},
    envelope,
    partition::{Layout, PartitionUnit},
    schema,
};

use crate::error::Error;

/// The built-in catalog, extended by `paths`: catalog files, and directories of them; with the envelope of
/// this name, if one is given.
///
/// # Errors
/// [`Error::Usage`] for a path that can't be read, [`Error::Catalog`] for a file that can't be used.
pub fn read(paths: &[PathBuf], envelope: Option<&str>) -> Result<Catalog, Error> {
    let mut seen = HashSet::new();
    let mut texts = Vec::new();
    for file in files(paths)? {
        // The name in messages is the path as given; two links to the same file count once.
        if seen.insert(file.canonicalize().map_err(unreadable(&file))?) {
            texts.push((file.display().to_string(), text_of(&file)?));
        }
    }
    let files: Vec<_> = texts.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    let Some(name) = envelope else { return Ok(BUILT_IN.extended(&files)?) };
    let Some(preset) = envelope::preset(name)? else {
        return Err(Error::Usage(format!("--envelope: there is no envelope {name:?}")));
    };
    // Before the files, which may name its fields as a version.
    Ok(BUILT_IN.with_envelope(name, preset)?.extended(&files)?)
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

/// Refuses fields and event types that do not fit a layout. `folds_case` tells whether the target's file
/// system takes names for one that differ in case.
///
/// # Errors
/// [`Error::Catalog`] at the first such field or type among the selected event types.
pub(crate) fn check_layout(
    catalog: &Catalog,
    selection: &Selection,
    (layout, unit): (Layout, PartitionUnit),
    flatten: bool,
    folds_case: bool,
) -> Result<(), Error> {
    let mut owners = HashMap::new();
    for (index, event_type) in catalog.event_types().iter().enumerate() {
        if !selection.wants_type(event_type) {
            continue;
        }
        let directory = layout.directory(event_type);
        let key = if folds_case { directory.to_lowercase().into() } else { directory };
        let other = owners.insert(key, event_type);
        let misfit = flatten.then(|| taken_column(event_type, layout.reserved_names(unit))).flatten();
        let misfit = misfit.or_else(|| directory_misfit(event_type, layout));
        let misfit = misfit.or_else(|| other.map(|other| shared_directory(event_type, other, layout)));
        if let Some(Misfit { path, problem }) = misfit {
            return Err(catalog.error_at(index, &path, format!("{event_type}: {problem}")).into());
        }
    }
    Ok(())
}

/// A field or event type that a layout can't have.
struct Misfit {
    /// Its place in the catalog.
    path: String,
    problem: String,
}

/// A column of the flat table that has the name of one that engines read from the directories. DuckDB, Polars
/// and Spark would silently show the directory's value instead of the event's; pyarrow fails if the types
/// differ.
fn taken_column(event_type: &EventType, taken: &[&str]) -> Option<Misfit> {
    let is_taken = |name: &str| taken.iter().any(|taken| taken.eq_ignore_ascii_case(name));
    let column = schema::columns(event_type).into_iter().find(|column| is_taken(&column.name))?;
    let problem = format!(
        "{} would be the column {:?}, which engines read from the directories of the layout hive: give it \
         another name with `column = \"…\"`, or load with the layout plain",
        column.path, column.name
    );
    Some(Misfit { path: column.path, problem })
}

/// A type whose directory can't have its name, where engines read the type from the directories.
fn directory_misfit(event_type: &EventType, layout: Layout) -> Option<Misfit> {
    if layout.has_event_type_column() {
        return None;
    }
    let EventType { name, directory, .. } = event_type;
    if *directory != directory_name::as_plain(name) {
        let problem = format!(
            "engines read the event type from the directories of the layout hive, so they are named as the \
             type: remove `directory = {directory:?}`, or load with the layout plain"
        );
        return Some(Misfit { path: catalog::DIRECTORY.to_owned(), problem });
    }
    let path = layout.path(PartitionUnit::Day, 0, &layout.directory(event_type));
    let bytes = path.rsplit('/').next().map_or(0, str::len);
    let problem = format!(
        "its directory in the layout hive would have a name of {bytes} bytes, and a directory's has at most \
         {NAME_BYTES_MAX}: load with the layout plain"
    );
    (bytes > NAME_BYTES_MAX).then(|| Misfit { path: String::new(), problem })
}

/// A type that would share the directory of another one, because the file system ignores case: any other
/// clash is one of the catalog.
fn shared_directory(event_type: &EventType, other: &EventType, layout: Layout) -> Misfit {
    let directory = layout.directory(event_type);
    let problem = format!(
        "on this file system, which ignores case, it would share the directory {directory:?} with {other}: load \
         only one of them, or into another target"
    );
    Misfit { path: String::new(), problem }
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
