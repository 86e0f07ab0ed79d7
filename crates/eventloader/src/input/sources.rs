//! Paths as given → the files to read, in input order.
//!
//! A path is a file, a directory (all files below it), a glob, or `-` for standard input. In directories,
//! names that begin with `_` or `.` are skipped, as in Spark and Hive: they are private files of other
//! programs. Pipes, sockets and devices are skipped, too: their content has no end. They are read if they are
//! named themselves.
//!
//! Invariant: input order is the order of the paths as bytes, over all sources together, with standard input
//! last. A file that is named twice is read once, by whatever links, and so is a directory: one that leads
//! back into itself is not followed forever. The order decides ties, so it depends neither on the directory's
//! own order nor on the command line.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    fmt::Debug,
    fs::Metadata,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use event_target::Fingerprint;

use crate::error::Error;

/// One input.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its name as given, or as found below a directory; for messages.
    pub(crate) name: String,
    /// Where its bytes are.
    pub(crate) origin: Origin,
    /// What distinguishes it from all other sources: the canonical path, or `-`.
    pub(crate) identity: String,
    /// Its content when it was screened, if it was; only this much is read.
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// Where the bytes of a source are.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
    /// Lines that another part of the program provides.
    Records(Arc<dyn Records>),
}

/// Lines that another part of the program provides. They are lines, even if they begin with `[`.
pub(crate) trait Records: Debug + Send + Sync {
    /// Opens a reader of their text.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;

    /// Whether a line that was read, counted from 1, comes behind the rows of the target. All others were
    /// there before these.
    fn is_behind_existing(&self, line: u64) -> bool;
}

impl Source {
    /// The length of the file, if it is one.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        let Origin::File(path) = &self.origin else { return None };
        storage::find(path).ok()?.filter(Metadata::is_file).map(|found| found.len())
    }
}

/// Lists the inputs, at least one; see [`list_any`].
pub(crate) fn list_sources(given: &[String], target: Option<&Path>) -> Result<Vec<Source>, Error> {
    let sources = list_any(given, target)?;
    if sources.is_empty() { Err(no_source(&given.join(", "), "has no file to read")) } else { Ok(sources) }
}

/// Lists the inputs, and refuses a target inside a source or the other way round.
pub(crate) fn list_any(given: &[String], target: Option<&Path>) -> Result<Vec<Source>, Error> {
    let target = target.map(canonical_ancestor);
    let mut paths = BinaryHeap::new();
    for name in given.iter().filter(|name| *name != "-") {
        paths.extend(expand(name)?.into_iter().map(InOrder::new));
    }
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    // The entries of a directory sort behind the directory itself, so the first path in the queue is always
    // the next.
    while let Some(Reverse(InOrder { name, path })) = paths.pop() {
        let unreadable = |error: std::io::Error| no_source(&name, &error.to_string());
        let real = storage::canonical(&path).map_err(unreadable)?;
        if let Some(target) = &target {
            refuse_overlap(&path, &real, target)?;
        }
        if !seen.insert(real.clone()) {
            continue;
        }
        if storage::is_directory(&real) {
            let names = storage::names_in(&path).map_err(unreadable)?;
            for entry in names.ok_or_else(|| no_source(&name, "the directory no longer exists"))? {
                let is_private = entry.to_string_lossy().starts_with(['_', '.']);
                let entry = path.join(entry);
                let is_odd = || {
                    let found = storage::find(&entry).ok().flatten();
                    found.is_some_and(|found| !found.is_dir() && !found.is_file())
                };
                if !is_private && !is_odd() {
                    paths.push(InOrder::new(entry));
                }
            }
        } else {
            // If the name is not UTF-8, its bytes are spelt out, in a form that no path has: two names that
            // look alike are still two files.
            let spelt_out = || format!("b\"{}\"", real.as_os_str().as_encoded_bytes().escape_ascii());
            let identity = real.to_str().map_or_else(spelt_out, str::to_owned);
            sources.push(Source { name, origin: Origin::File(path), identity, fingerprint: None });
        }
    }
    if given.iter().any(|name| name == "-") {
        let (name, identity) = ("-".to_owned(), "-".to_owned());
        sources.push(Source { name, origin: Origin::StandardInput, identity, fingerprint: None });
    }
    Ok(sources)
}

/// A path that orders by its text, not by its parts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InOrder {
    name: String,
    path: PathBuf,
}

impl InOrder {
    fn new(path: PathBuf) -> Reverse<Self> {
        Reverse(Self { name: path.to_string_lossy().into_owned(), path })
    }
}

fn no_source(path: &str, problem: &str) -> Error {
    Error::Source { path: path.to_owned(), problem: problem.to_owned() }
}

/// The paths that a name stands for: itself if it exists, otherwise its matches as a glob.
fn expand(name: &str) -> Result<Vec<PathBuf>, Error> {
    let path = Path::new(name);
    if storage::find(path).is_ok_and(|found| found.is_some()) {
        return Ok(vec![path.to_owned()]);
    }
    if !name.contains(['*', '?', '[']) {
        return Err(no_source(name, "no such file or directory"));
    }
    let matches = glob::glob(name).map_err(|error| no_source(name, &format!("not a glob: {error}")))?;
    let paths = matches
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| no_source(&error.path().to_string_lossy(), &error.error().to_string()))?;
    if paths.is_empty() { Err(no_source(name, "matches no file")) } else { Ok(paths) }
}

/// Refuses overlapping paths: a run that reads its own output could load it twice.
fn refuse_overlap(source: &Path, real: &Path, target: &Path) -> Result<(), Error> {
    let problem = if storage::is_directory(real) && target.starts_with(real) {
        "is inside the source"
    } else if !storage::is_file(target) && real.starts_with(target) {
        "contains the source"
    } else {
        return Ok(());
    };
    Err(Error::Overlap { target: target.to_owned(), problem, source_path: source.to_owned() })
}

/// The canonical form of a path whose last parts need not exist yet.
fn canonical_ancestor(path: &Path) -> PathBuf {
    if let Ok(canonical) = storage::canonical(path) {
        return canonical;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            canonical_ancestor(parent).join(name)
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_paths_each_once_standard_input_last() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        for name in ["b.json", "a/2.json", "a/1.json", "a/_private/x.json", "a/.hidden", "a-b/3.json"] {
            let path = dir.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        let given = ["-".to_owned(), at("b.json"), at("*"), at("a/../b.json")];
        let sources = list_sources(&given, Some(Path::new("elsewhere"))).unwrap();
        let names: Vec<_> = sources.iter().map(|s| s.name.replace(&at(""), "")).collect();
        assert_eq!(names, ["a-b/3.json", "a/../b.json", "a/1.json", "a/2.json", "-"]);
    }

    #[test]
    fn a_target_inside_a_source_is_refused_also_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("x.json"), "").unwrap();
        let source = dir.path().to_string_lossy().into_owned();
        let error = list_sources(&[source], Some(&dir.path().join("new/target"))).unwrap_err();
        assert!(matches!(error, Error::Overlap { .. }), "{error}");
    }
}
