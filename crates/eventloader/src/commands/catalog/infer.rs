//! Sources → the draft of a catalog, as text or as files, and a summary.
//!
//! Invariant: every draft that is returned was read back as a catalog. An existing file is replaced only on
//! request.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a draft is neither source nor target"
)]

use std::{
    collections::HashSet,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    ReadSettings,
    draft::{self, DomainDraft},
    observe,
};
use crate::{error::Error, input::list_sources, runtime::plural};

/// The settings of a draft.
#[derive(Debug, Clone)]
pub struct InferSettings {
    /// The input.
    pub read: ReadSettings,
    /// Also draft event types that the catalog has.
    pub with_known: bool,
    /// Read only the first lines, up to this number.
    pub lines_max: Option<u64>,
    /// The directory for one file per domain; otherwise the draft is one document.
    pub output: Option<PathBuf>,
    /// Replace existing files.
    pub force: bool,
}

/// A drafted catalog.
#[derive(Debug)]
pub struct Draft {
    /// The catalog, unless it was written to files.
    pub document: Option<String>,
    /// A short summary of what was read and drafted.
    pub summary: String,
}

/// Drafts a catalog from data.
///
/// # Errors
/// A source can't be read, it has no event to draft, or too many kinds of them; or a file already exists.
pub fn infer(settings: &InferSettings) -> Result<Draft, Error> {
    let InferSettings { read, with_known, lines_max, output, force } = settings;
    let sources = list_sources(&read.sources, output.as_deref())?;
    let observed = observe::observe(read, &sources, *lines_max)?;
    let mut draft = draft::draft(&observed, &read.catalog, *with_known);
    if lines_max.is_some_and(|lines_max| observed.lines >= lines_max) {
        draft.notes.push(format!(
            "Only the first {} were read: later ones may not fit",
            plural(observed.lines, "line")
        ));
    }
    if draft.domains.is_empty() {
        return Err(Error::Draft(format!("nothing to draft: {}", draft.notes.join(". "))));
    }
    let text = draft.text();
    read.catalog.extended(&[("(draft)", &text)])?;
    let mut summary = draft.notes.join("\n");
    let Some(dir) = output else { return Ok(Draft { document: Some(text), summary }) };
    for path in write_files(&draft, dir, *force)? {
        let _ = write!(summary, "\nwrote {}", path.display());
    }
    Ok(Draft { document: None, summary })
}

/// Writes one file per domain; none if one of them already exists.
fn write_files(draft: &draft::Draft, dir: &Path, force: bool) -> Result<Vec<PathBuf>, Error> {
    fs_err::create_dir_all(dir).map_err(Error::io("writing the draft"))?;
    let paths: Vec<_> = file_names(&draft.domains).into_iter().map(|name| dir.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.exists() && !force) {
        return Err(Error::DraftExists(path.clone()));
    }
    for (domain, path) in draft.domains.iter().zip(&paths) {
        let mut file = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .create_new(!force)
            .truncate(force)
            .open(path)
            .map_err(Error::io("writing the draft"))?;
        file.write_all(draft.text_of(domain).as_bytes()).map_err(Error::io("writing the draft"))?;
    }
    Ok(paths)
}

/// For each domain a file name: its own if possible, with a number if another domain has it. Some file
/// systems ignore case, so names that differ only in case count as the same.
fn file_names(domains: &[DomainDraft]) -> Vec<String> {
    let is_safe = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let mut taken = HashSet::new();
    let mut name_of = |domain: &DomainDraft| {
        let safe: String = domain.name.chars().take(50).map(|c| if is_safe(&c) { c } else { '_' }).collect();
        let numbered =
            (1..).map(|number| if number == 1 { safe.clone() } else { format!("{safe}-{number}") });
        let mut free = numbered.filter(|name| !name.is_empty() && taken.insert(name.to_lowercase()));
        free.next().unwrap_or_default() + ".toml"
    };
    domains.iter().map(&mut name_of).collect()
}
