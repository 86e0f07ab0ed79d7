//! Paths as given → the files to read, in input order.
//!
//! A path is a file, a directory (all files below it), or a glob. In directories, names that begin with `_`
//! or `.` are skipped, as in Spark and Hive, and so are those that end like files that are being written:
//! they are private files of other programs. Pipes, sockets and devices are skipped, too: their content has
//! no end. They are read if they are named themselves. A link that leads nowhere is passed over, and named.
//!
//! Invariant: the files are in the order of their paths as bytes. A file that is named twice is read once, by
//! whatever links, and so is a directory: one that leads back into itself is not followed forever.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use super::sources::{Listed, Origin, Source};
use crate::error::Error;

/// Lists the files that these paths stand for, and refuses a target inside of one or the other way round.
pub(super) fn list(given: &[&PathBuf], target: Option<&Path>) -> Result<Listed, Error> {
    let target = target.map(canonical_ancestor);
    let mut paths = BinaryHeap::new();
    for path in given {
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
            let entries =
                names.iter().filter(|name| !is_private(name.as_encoded_bytes())).map(|name| path.join(name));
            paths.extend(entries.filter(|entry| !is_odd(entry)).map(InOrder::found));
        } else {
            // If the name is not UTF-8, its bytes are spelt out, in a form that no path has: two names that
            // look alike are still two files.
            let spelt_out = || format!("b\"{}\"", real.as_os_str().as_encoded_bytes().escape_ascii());
            let identity = real.to_str().map_or_else(spelt_out, str::to_owned);
            listed.sources.push(Source { name, origin: Origin::File(path), identity, fingerprint: None });
        }
    }
    Ok(listed)
}

/// Whether a path can't be resolved because nothing is at its end; of other errors nothing is known.
fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Whether a name in a directory belongs to another program, which may be writing the file.
pub(super) fn is_private(name: &[u8]) -> bool {
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

pub(super) fn no_source(path: &str, problem: &str) -> Error {
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
