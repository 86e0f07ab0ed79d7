//! What is given → the sources, in input order.
//!
//! A path stands for files ([`files`]), a URL for objects of a bucket ([`objects`]), and `-` for standard
//! input.
//!
//! Invariant: input order is the order of the names as bytes, over all sources together, with standard input
//! last. A file or an object that is named twice is read once. The order decides ties, so it depends neither
//! on that of a directory nor on that of the command line.

use std::{
    fmt::Debug,
    fs::Metadata,
    io::{self, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use event_target::Fingerprint;

use super::{
    files::{self, no_source},
    head::Begun,
    lines::Lines,
    objects::{self, OpenStore, StoredObject},
};
use crate::{
    error::Error,
    runtime::{address_of, database_of, shown},
};

/// One input.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its name as given, or as found below a directory; for messages.
    pub(crate) name: String,
    /// Where its bytes are.
    pub(crate) origin: Origin,
    /// What distinguishes it from all other sources: the canonical path, the URL, or `-`.
    pub(crate) identity: String,
    /// Its content when it was screened, if it was; only this much is read.
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// Where the bytes of a source are.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A file.
    File(PathBuf),
    /// Some lines of a file or an object of lines.
    Lines(Lines),
    /// An object of a bucket.
    Object(StoredObject),
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
    /// The length of the file or object, if it is one; then it can be read again.
    pub(crate) fn stored_bytes(&self) -> Option<u64> {
        match &self.origin {
            Origin::File(path) => {
                storage::find(path).ok()?.filter(Metadata::is_file).map(|found| found.len())
            }
            Origin::Object(object) => Some(object.bytes()),
            Origin::Lines(_) | Origin::StandardInput | Origin::Records(_) | Origin::Begun(_) => None,
        }
    }

    /// The offset of its first byte in the whole text.
    pub(crate) fn first_offset(&self) -> u64 {
        if let Origin::Lines(lines) = &self.origin { lines.start() } else { 0 }
    }

    /// The object, if it is one, or a part of one.
    pub(crate) fn object(&self) -> Option<&StoredObject> {
        match &self.origin {
            Origin::Object(object) => Some(object),
            Origin::Lines(lines) => lines.object(),
            _ => None,
        }
    }
}

/// Whether some of these sources are objects.
pub(crate) fn reads_objects(sources: &[Source]) -> bool {
    sources.iter().any(|source| source.object().is_some())
}

/// The inputs.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) sources: Vec<Source>,
    /// Links found in directories and by globs that lead nowhere.
    pub(crate) dangling: Vec<String>,
}

/// Lists the inputs, at least one; see [`list_any`].
pub(crate) fn list_sources(
    given: &[PathBuf],
    target: Option<&Path>,
    open_store: &OpenStore<'_>,
) -> Result<Listed, Error> {
    let listed = list_any(given, target, open_store)?;
    if listed.sources.is_empty() {
        let names: Vec<_> = given.iter().map(|path| path.to_string_lossy()).collect();
        let are_urls = given.iter().all(|path| address_of(path).is_some());
        let problem = if are_urls { "has no object to read" } else { "has no file to read" };
        return Err(no_source(&names.join(", "), problem));
    }
    Ok(listed)
}

/// Lists the inputs, and refuses a target inside a source or the other way round.
pub(crate) fn list_any(
    given: &[PathBuf],
    target: Option<&Path>,
    open_store: &OpenStore<'_>,
) -> Result<Listed, Error> {
    if let Some(database) = given.iter().find(|path| database_of(path).is_some()) {
        return Err(no_source(&shown(database), "is a database, and sources are files or objects"));
    }
    let (urls, paths): (Vec<_>, Vec<_>) = given.iter().partition(|path| address_of(path).is_some());
    let (standard_input, paths): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| is_standard_input(path));
    let mut listed = files::list(&paths, target.filter(|target| address_of(target).is_none()))?;
    let urls: Vec<_> = urls.into_iter().filter_map(|url| address_of(url)).collect();
    let objects = objects::list(&urls, target.and_then(address_of), open_store)?;
    if !objects.is_empty() {
        listed.sources.extend(objects);
        // Stable: files whose names only look alike stay in the order of their bytes.
        listed.sources.sort_by(|one, other| one.name.cmp(&other.name));
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

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
mod tests {
    use storage::Store;

    use super::*;

    fn no_store(url: &str) -> Result<Arc<dyn Store>, Error> {
        Err(no_source(url, "no store"))
    }

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
        let listed = list_sources(&given, Some(Path::new("elsewhere")), &no_store).unwrap();
        let names: Vec<_> = listed.sources.iter().map(|s| s.name.replace(&at(""), "")).collect();
        assert_eq!(names, ["a-b/3.json", "a/../b.json", "a/1.json", "a/2.json", "-"]);
    }

    #[test]
    fn a_target_inside_a_source_is_refused_also_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("x.json"), "").unwrap();
        let source = dir.path().to_owned();
        let error = list_sources(&[source], Some(&dir.path().join("new/target")), &no_store).unwrap_err();
        assert!(matches!(error, Error::Overlap { .. }), "{error}");
    }
}
