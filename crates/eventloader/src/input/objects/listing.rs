//! URLs as given → the objects that they stand for.
//!
//! A URL that ends at a `/`, or that names a bucket, stands for all objects below it but for private ones, as
//! a directory does. Any other stands for the object of that key; or else for what is below it; or else, if
//! it is a glob, for what matches it. A key is taken letter by letter.
//!
//! Invariant: the same tree as files and as objects has the same sources, each once.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    io,
    path::PathBuf,
    sync::Arc,
};

use storage::{Found, Store};

use super::{
    OpenStore, StoredObject,
    pattern::{KeyPattern, is_glob, literal_prefix},
};
use crate::{
    error::Error,
    input::{
        files::{is_private, no_source},
        sources::{Origin, Source},
    },
};

const LISTING: fn(io::Error) -> Error = |source| Error::Io { doing: "looking for the sources", source };

/// What a URL stands for.
struct Expanded {
    found: Vec<Found>,
    /// The prefix, if it stands for all below it.
    directory: Option<String>,
}

/// Lists the objects of these URLs, and refuses a target inside of one or the other way round. The target is
/// a URL, too.
pub(in crate::input) fn list(
    given: &[&str],
    target: Option<&str>,
    open_store: &OpenStore<'_>,
) -> Result<Vec<Source>, Error> {
    let mut stores = BTreeMap::<&str, Arc<dyn Store>>::new();
    let (mut sources, mut seen) = (Vec::new(), HashSet::new());
    let target = target.map(canonical);
    let target = target.as_deref();
    let given: Vec<_> = given.iter().map(|url| canonical(url)).collect();
    for url in given.iter().map(AsRef::as_ref) {
        storage::refuse_secrets(url)?;
        let (root, key) = divided(url);
        let store = match stores.get(root) {
            Some(store) => store,
            None => stores.entry(root).or_insert(open_store(root)?),
        };
        let Expanded { found, directory } = expand(url, store.as_ref(), key)?;
        if let (Some(target), Some(directory)) = (target, directory)
            && below(target).starts_with(&below(&store.address(&directory)))
        {
            return Err(overlap(target, "is inside the source", url));
        }
        for found in found {
            let name = store.address(&found.key);
            if let Some(target) = target.filter(|target| name.starts_with(&below(target))) {
                return Err(overlap(target, "contains the source", &name));
            }
            if seen.insert(name.clone()) {
                let origin = Origin::Object(StoredObject::new(Arc::clone(store), found));
                sources.push(Source { identity: name.clone(), name, origin, fingerprint: None });
            }
        }
    }
    Ok(sources)
}

/// The one name of what has several.
fn canonical(url: &str) -> Cow<'_, str> {
    url.strip_prefix("s3a://").map_or(url.into(), |rest| format!("s3://{rest}").into())
}

/// The root of a URL, and the key: `s3://bucket` and `in/a.json`.
fn divided(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    match url[start..].find('/') {
        Some(slash) => (&url[..start + slash], &url[start + slash + 1..]),
        None => (url, ""),
    }
}

/// What the URLs of all objects below a URL begin with.
fn below(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

fn overlap(target: &str, problem: &'static str, source: &str) -> Error {
    Error::Overlap { target: PathBuf::from(target), problem, source_path: PathBuf::from(source) }
}

fn expand(url: &str, store: &dyn Store, key: &str) -> Result<Expanded, Error> {
    let list = |prefix: &str| store.list_after(prefix, "").map_err(LISTING);
    let is_directory = key.is_empty() || key.ends_with('/');
    let inside = if is_directory { key.to_owned() } else { format!("{key}/") };
    if !is_glob(key) {
        if is_directory {
            return Ok(Expanded::below(inside, &list(key)?));
        }
        if let Some(found) = store.find(key).map_err(LISTING)? {
            return Ok(Expanded { found: vec![found], directory: None });
        }
        let all = list(&inside)?;
        if all.is_empty() {
            return Err(no_source(url, "no such object, and none below it"));
        }
        return Ok(Expanded::below(inside, &all));
    }
    let all = list(literal_prefix(key))?;
    // What looks like a glob is first of all a name.
    if let Some(found) = all.iter().find(|found| found.key == key) {
        return Ok(Expanded { found: vec![found.clone()], directory: None });
    }
    if all.iter().any(|found| found.key.starts_with(&inside)) {
        return Ok(Expanded::below(inside, &all));
    }
    let pattern = KeyPattern::new(key).map_err(|error| no_source(url, &format!("not a glob: {error}")))?;
    let found = without_markers(&all, |key| pattern.stands_for(key));
    if found.is_empty() {
        return Err(no_source(url, "matches no object"));
    }
    Ok(Expanded { found, directory: None })
}

impl Expanded {
    /// The objects below a prefix, but for private ones.
    fn below(prefix: String, all: &[Found]) -> Self {
        let is_public = |inside: &str| !inside.split('/').any(|name| is_private(name.as_bytes()));
        let found = without_markers(all, |key| key.strip_prefix(prefix.as_str()).is_some_and(is_public));
        Self { found, directory: Some(prefix) }
    }
}

/// The objects whose keys are wanted, without those that consoles and file systems on top of a bucket put in
/// the place of a directory: they are empty, and end with a `/` or have others below them.
fn without_markers(all: &[Found], is_wanted: impl Fn(&str) -> bool) -> Vec<Found> {
    let is_marker = |found: &Found| {
        let inside = format!("{}/", found.key);
        let next = all.partition_point(|other| other.key < inside);
        found.key.ends_with('/') || all.get(next).is_some_and(|next| next.key.starts_with(&inside))
    };
    let wanted = all.iter().filter(|found| is_wanted(&found.key));
    wanted.filter(|found| found.bytes > 0 || !is_marker(found)).cloned().collect()
}
