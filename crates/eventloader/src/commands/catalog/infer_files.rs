//! Drafts and extended catalogs → files.
//!
//! Invariant: a file appears when it is complete. An existing one is replaced only on request, or if it is
//! what was extended, and a source never.
#![expect(clippy::disallowed_methods, reason = "a catalog is neither source nor target")]

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    draft::{DomainDraft, Draft},
    extend::Extension,
};
use crate::{
    commands::{catalog_files::CatalogFile, new_file},
    error::Error,
    input::Source,
};

/// What errors say of it.
pub(super) const WRITING: &str = "writing the draft";

/// Where catalogs go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Destination<'o> {
    Print,
    File(&'o Path),
    /// A file for each domain, or for each file that is extended.
    Directory(&'o Path),
}

impl<'o> Destination<'o> {
    /// An output is one file if it exists as such, or has the name of a catalog.
    pub(super) fn of(output: Option<&'o Path>) -> Self {
        let Some(path) = output else { return Self::Print };
        let is_named_so = || path.extension().is_some_and(|is| is == "toml");
        let is_file = path.metadata().map_or_else(|_| is_named_so(), |found| !found.is_dir());
        if is_file { Self::File(path) } else { Self::Directory(path) }
    }
}

pub(super) fn refuse_source(sources: &[Source], output: &Path) -> Result<(), Error> {
    let Ok(real) = output.canonicalize() else { return Ok(()) };
    let Some(source) = sources.iter().find(|source| real.to_str() == Some(&source.identity)) else {
        return Ok(());
    };
    let (target, source_path) = (output.to_owned(), PathBuf::from(&source.name));
    Err(Error::Overlap { target, problem: "is the source", source_path })
}

/// Writes one file per domain; none if one of them already exists.
pub(super) fn write_drafts(draft: &Draft, dir: &Path, force: bool) -> Result<Vec<PathBuf>, Error> {
    let names = file_names(&draft.domains, HashSet::new());
    let paths: Vec<_> = names.into_iter().map(|name| dir.join(name)).collect();
    let texts = draft.domains.iter().map(|domain| draft.text_of(domain));
    let files: Vec<_> = paths.into_iter().zip(texts).map(|(path, text)| (path, text, force)).collect();
    write_all(dir, files)
}

/// Writes the files that were extended, where they were if that is the destination: then only those that have
/// changed. New domains go into files of their own beside them.
pub(super) fn write_extension(
    extension: &Extension,
    catalogs: &[CatalogFile],
    destination: &Destination<'_>,
    force: bool,
) -> Result<Vec<PathBuf>, Error> {
    let dir = match *destination {
        Destination::Directory(dir) => dir,
        Destination::File(path) => path.parent().unwrap_or(Path::new("")),
        Destination::Print => return Ok(Vec::new()),
    };
    let (mut files, mut names) = (Vec::new(), HashSet::new());
    for (catalog, (text, changes)) in catalogs.iter().zip(&extension.files) {
        let path = match *destination {
            Destination::File(path) => path.to_owned(),
            _ => dir.join(catalog.path.file_name().unwrap_or_default()),
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        if !names.insert(stem) {
            let path = path.display();
            return Err(Error::Draft(format!("{path}: two of the catalog files have this name")));
        }
        let is_itself =
            path.canonicalize().is_ok_and(|real| catalog.path.canonicalize().is_ok_and(|it| it == real));
        if !is_itself || !changes.is_empty() {
            files.push((path, text.clone(), force || is_itself));
        }
    }
    let new = file_names(&extension.new.domains, names).into_iter().zip(&extension.new.domains);
    files.extend(new.map(|(name, domain)| (dir.join(name), extension.new.text_of(domain), force)));
    write_all(dir, files)
}

/// Writes files, each with whether it may replace one; none if one may not.
fn write_all(dir: &Path, files: Vec<(PathBuf, String, bool)>) -> Result<Vec<PathBuf>, Error> {
    if let Some((path, ..)) = files.iter().find(|(path, _, may_replace)| !may_replace && path.is_file()) {
        return Err(Error::DraftExists(path.clone()));
    }
    if !dir.as_os_str().is_empty() {
        fs_err::create_dir_all(dir).map_err(Error::io(WRITING))?;
    }
    let mut written = Vec::new();
    for (path, text, may_replace) in files {
        new_file::write(&path, &text, may_replace, WRITING)?;
        written.push(path);
    }
    Ok(written)
}

/// For each domain a file name: its own if possible, with a number if another domain has it. Some file
/// systems ignore case, so names that differ only in case count as the same.
fn file_names(domains: &[DomainDraft], mut taken: HashSet<String>) -> Vec<String> {
    let is_safe = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let mut name_of = |domain: &DomainDraft| {
        let safe: String = domain.name.chars().take(50).map(|c| if is_safe(&c) { c } else { '_' }).collect();
        let numbered =
            (1..).map(|number| if number == 1 { safe.clone() } else { format!("{safe}-{number}") });
        let mut free = numbered.filter(|name| !name.is_empty() && taken.insert(name.to_lowercase()));
        free.next().unwrap_or_default() + ".toml"
    };
    domains.iter().map(&mut name_of).collect()
}
