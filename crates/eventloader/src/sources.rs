//! Paths as given → the files to read, in input order.
//!
//! A path is a file, a directory (all files below it), a glob, or `-` for standard input. Names that begin with `_` or `.`
//! are left out of directories, as Spark and Hive do: they are other programs' private files. So are pipes, sockets and devices,
//! which have no end that belongs to a load; they are read where they are named themselves.
//!
//! Invariant: input order is the order of the paths as bytes, over all sources together, standard input last; a file that
//! is named twice is read once, by whatever links, and so is a directory: one that leads back into itself comes to an end.
//! The order decides ties, so it never depends on the directory's own order, or on that of the command line.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    path::{Path, PathBuf},
};

use crate::{disk, error::Error, quarantine::ReplaySelection, raw_content::RawContent};

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// As it was given, or found below a directory; for people.
    pub(crate) name: String,
    /// Where it is; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    /// What tells it from all others: the canonical path, or `-`.
    pub(crate) identity: String,
    /// What it held when it was looked at, if it was: so much of it is read.
    pub(crate) surveyed: Option<RawContent>,
    /// Of a file of the quarantine, which of its records are lines.
    pub(crate) replay: Option<ReplaySelection>,
}

/// Lists the inputs, at least one; see [`list_any`].
pub(crate) fn list(given: &[String], target: Option<&Path>) -> Result<Vec<Source>, Error> {
    let sources = list_any(given, target)?;
    if sources.is_empty() { Err(no_source(&given.join(", "), "holds no file to read")) } else { Ok(sources) }
}

/// Lists the inputs, and refuses a target that lies in a source or the other way round.
pub(crate) fn list_any(given: &[String], target: Option<&Path>) -> Result<Vec<Source>, Error> {
    let target = target.map(canonical_ancestor);
    let mut paths = BinaryHeap::new();
    for name in given.iter().filter(|name| *name != "-") {
        paths.extend(expand(name)?.into_iter().map(InOrder::new));
    }
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    // What a directory holds comes behind it in the order of paths: so the first to be taken is always the next.
    while let Some(Reverse(InOrder { name, path })) = paths.pop() {
        let unreadable = |error: std::io::Error| no_source(&name, &error.to_string());
        let real = path.canonicalize().map_err(unreadable)?;
        if let Some(target) = &target {
            refuse_overlap(&path, &real, target)?;
        }
        if !seen.insert(real.clone()) {
            continue;
        }
        if real.is_dir() {
            let names = disk::names_in(&path).map_err(unreadable)?;
            for entry in names.ok_or_else(|| no_source(&name, "no such directory any more"))? {
                let is_private = entry.to_string_lossy().starts_with(['_', '.']);
                let entry = path.join(entry);
                let is_odd = || entry.metadata().is_ok_and(|found| !found.is_dir() && !found.is_file());
                if !is_private && !is_odd() {
                    paths.push(InOrder::new(entry));
                }
            }
        } else {
            // Of a name that is no text, its bytes are spelt out, in a way that no path begins: two that look alike are still two files.
            let spelt_out = || format!("b\"{}\"", real.as_os_str().as_encoded_bytes().escape_ascii());
            let identity = real.to_str().map_or_else(spelt_out, str::to_owned);
            sources.push(Source { name, path: Some(path), identity, surveyed: None, replay: None });
        }
    }
    if given.iter().any(|name| name == "-") {
        sources.push(Source {
            name: "-".to_owned(),
            path: None,
            identity: "-".to_owned(),
            surveyed: None,
            replay: None,
        });
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

/// The paths that a name means: itself if it exists, else what it matches as a glob.
fn expand(name: &str) -> Result<Vec<PathBuf>, Error> {
    let path = Path::new(name);
    if path.exists() {
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

/// Reading what the same run writes could load it twice: each must lie outside the other.
fn refuse_overlap(source: &Path, real: &Path, target: &Path) -> Result<(), Error> {
    let problem = if real.is_dir() && target.starts_with(real) {
        "lies in the source"
    } else if !target.is_file() && real.starts_with(target) {
        "holds the source"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!(
        "the target {} {problem} {}: choose another --target-path",
        target.display(),
        source.display()
    )))
}

/// The canonical path, of a path whose last parts need not exist yet.
fn canonical_ancestor(path: &Path) -> PathBuf {
    if let Ok(canonical) = path.canonicalize() {
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
        let sources = list(&given, Some(Path::new("elsewhere"))).unwrap();
        let names: Vec<_> = sources.iter().map(|s| s.name.replace(&at(""), "")).collect();
        assert_eq!(names, ["a-b/3.json", "a/../b.json", "a/1.json", "a/2.json", "-"]);
    }

    #[test]
    fn a_target_inside_a_source_is_refused_also_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("x.json"), "").unwrap();
        let source = dir.path().to_string_lossy().into_owned();
        let error = list(&[source], Some(&dir.path().join("new/target"))).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }
}
