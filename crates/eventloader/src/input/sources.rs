//! Paths as given → the files to read, in input order.
//!
//! A path is a file, a directory (all files below it), a glob, or `-` for standard input. In directories,
//! names that begin with `_` or `.` are skipped, as in Spark and Hive, and so are those that end like files
//! that are being written: they are private files of other programs. Pipes, sockets and devices are skipped,
//! too: their content has no end. They are read if they are named themselves. A link that leads nowhere is
//! passed over, and named.
//!
//! Invariant: input order is the order of the paths as bytes, over all sources together, with standard input
//! last. A file that is named twice is read once, by whatever links, and so is a directory: one that leads
//! back into itself is not followed forever. The order decides ties, so it depends neither on the directory's
//! own order nor on the command line.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    ffi::OsStr,
    fmt::Debug,
    fs::Metadata,
    io::{self, ErrorKind, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use event_target::Fingerprint;
use rustix::io::Errno;

use super::head::Begun;
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
    /// What can be read once, and was looked at.
    Begun(Begun),
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

/// The inputs.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) sources: Vec<Source>,
    /// Links found in directories and by globs that lead nowhere.
    pub(crate) dangling: Vec<String>,
}

/// Lists the inputs, at least one; see [`list_any`].
pub(crate) fn list_sources(given: &[PathBuf], target: Option<&Path>) -> Result<Listed, Error> {
    let listed = list_any(given, target)?;
    if listed.sources.is_empty() {
        let given: Vec<_> = given.iter().map(|path| path.to_string_lossy()).collect();
        return Err(no_source(&given.join(", "), "has no file to read"));
    }
    Ok(listed)
}

/// Lists the inputs, and refuses a target inside a source or the other way round.
pub(crate) fn list_any(given: &[PathBuf], target: Option<&Path>) -> Result<Listed, Error> {
    let target = target.map(canonical_ancestor);
    let mut paths = BinaryHeap::new();
    let (standard_input, others): (Vec<_>, Vec<_>) = given.iter().partition(|path| is_standard_input(path));
    for path in others {
        paths.extend(expand(path)?);
    }
    let mut listed = Listed::default();
    let mut seen = HashSet::new();
    // The entries of a directory sort behind the directory itself, so the first path in the queue is always
    // the next.
    while let Some(Reverse(InOrder { name, path, is_given })) = paths.pop() {
        let unreadable = |error: io::Error| no_source(&name, &error.to_string());
        let real = match storage::canonical(&path) {
            Ok(real) => real,
            // A pipe of the shell (`<(…)`), or an open file that was deleted: it is there, and has no place.
            Err(error)
                if leads_nowhere(&error) && storage::find(&path).is_ok_and(|found| found.is_some()) =>
            {
                path.clone()
            }
            Err(error) if is_given || !leads_nowhere(&error) => return Err(unreadable(error)),
            Err(error) => match storage::look_at(&path).map_err(unreadable)? {
                Some(link) if link.is_symlink() => {
                    listed.dangling.push(name);
                    continue;
                }
                Some(_) => return Err(unreadable(error)),
                // It was moved away since the directory was listed.
                None => continue,
            },
        };
        if let Some(target) = &target {
            refuse_overlap(&path, &real, target)?;
        }
        if !seen.insert(real.clone()) {
            continue;
        }
        if storage::is_directory(&real) {
            let names = storage::names_in(&path).map_err(unreadable)?;
            let names = names.ok_or_else(|| no_source(&name, "the directory no longer exists"))?;
            let entries = names.iter().filter(|name| !is_private(name)).map(|name| path.join(name));
            paths.extend(entries.filter(|entry| !is_odd(entry)).map(InOrder::found));
        } else {
            // If the name is not UTF-8, its bytes are spelt out, in a form that no path has: two names that
            // look alike are still two files.
            let spelt_out = || format!("b\"{}\"", real.as_os_str().as_encoded_bytes().escape_ascii());
            let identity = real.to_str().map_or_else(spelt_out, str::to_owned);
            listed.sources.push(Source { name, origin: Origin::File(path), identity, fingerprint: None });
        }
    }
    if let Some(path) = standard_input.first() {
        let (name, identity) = (path.to_string_lossy().into_owned(), "-".to_owned());
        listed.sources.push(Source { name, origin: Origin::StandardInput, identity, fingerprint: None });
    }
    Ok(listed)
}

/// Whether a path is `-`, or leads to the pipe that standard input is, as `/dev/stdin` may: such a pipe can't
/// be opened by its name everywhere, and is read once.
fn is_standard_input(path: &Path) -> bool {
    let is_same = |found: &Metadata| {
        let kind = found.file_type();
        (kind.is_fifo() || kind.is_socket())
            && storage::metadata_of(io::stdin()).is_ok_and(|input| storage::is_one(&input, found))
    };
    path == Path::new("-")
        || storage::find(path).is_ok_and(|found| found.is_some_and(|found| is_same(&found)))
}

/// Whether a path can't be resolved because nothing is at its end; of other errors nothing is known.
fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Whether a name in a directory belongs to another program, which may be writing the file.
fn is_private(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"_")
        || name.starts_with(b".")
        || [&b".tmp"[..], b".part", b".swp", b"~"].iter().any(|end| name.ends_with(end))
}

/// Whether an entry of a directory is a pipe, a socket or a device.
fn is_odd(entry: &Path) -> bool {
    let found = storage::find(entry).ok().flatten();
    found.is_some_and(|found| !found.is_dir() && !found.is_file())
}

/// A path that orders by its text, not by its parts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InOrder {
    name: String,
    path: PathBuf,
    /// Whether the path was named itself, rather than found.
    is_given: bool,
}

impl InOrder {
    fn found(path: PathBuf) -> Reverse<Self> {
        Reverse(Self { name: path.to_string_lossy().into_owned(), path, is_given: false })
    }

    fn given(path: &Path) -> Reverse<Self> {
        let name = path.to_string_lossy().into_owned();
        Reverse(Self { name, path: path.to_owned(), is_given: true })
    }
}

fn no_source(path: &str, problem: &str) -> Error {
    Error::Source { path: path.to_owned(), problem: problem.to_owned() }
}

/// The paths that a name stands for: itself if it exists, otherwise its matches as a glob.
fn expand(path: &Path) -> Result<Vec<Reverse<InOrder>>, Error> {
    if storage::find(path).is_ok_and(|found| found.is_some()) {
        return Ok(vec![InOrder::given(path)]);
    }
    let name = path.to_string_lossy();
    let glob = path.to_str().filter(|name| name.contains(['*', '?', '[']));
    let Some(glob) = glob else {
        return Err(no_source(&name, "no such file or directory"));
    };
    let matches = glob::glob(glob).map_err(|error| no_source(&name, &format!("not a glob: {error}")))?;
    let paths = matches
        .map(|found| found.map(InOrder::found))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| no_source(&error.path().to_string_lossy(), &error.error().to_string()))?;
    if paths.is_empty() { Err(no_source(&name, "matches no file")) } else { Ok(paths) }
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
        let given = ["-".into(), at("b.json").into(), at("*").into(), at("a/../b.json").into()];
        let listed = list_sources(&given, Some(Path::new("elsewhere"))).unwrap();
        let names: Vec<_> = listed.sources.iter().map(|s| s.name.replace(&at(""), "")).collect();
        assert_eq!(names, ["a-b/3.json", "a/../b.json", "a/1.json", "a/2.json", "-"]);
    }

    #[test]
    fn a_target_inside_a_source_is_refused_also_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("x.json"), "").unwrap();
        let source = dir.path().to_owned();
        let error = list_sources(&[source], Some(&dir.path().join("new/target"))).unwrap_err();
        assert!(matches!(error, Error::Overlap { .. }), "{error}");
    }
}
