//! Sources → the draft of a catalog, as text, as a file or as a file per domain, and a summary.
//!
//! Invariant: every draft that is returned was read back as a catalog. A file appears when it is complete; an
//! existing one is replaced only on request, and a source never.
#![expect(clippy::disallowed_methods, reason = "a draft is neither source nor target")]

use std::{
    collections::HashSet,
    fmt::Write as _,
    fs::Permissions,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    ReadSettings,
    detect::{Detected, Sample, Unknown, detect},
    draft::{self, DomainDraft},
    observe::{self, Observed},
};
use crate::{
    error::Error,
    input::{Listed, Source, list_sources},
    runtime::plural,
};

/// The settings of a draft.
#[derive(Debug, Clone)]
pub struct InferSettings {
    /// The input.
    pub read: ReadSettings,
    /// Also draft event types that the catalog has.
    pub with_known: bool,
    /// Read only the first lines, up to this number.
    pub lines_max: Option<u64>,
    /// The file to write, or the directory for one file per domain; otherwise the draft is only returned.
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
    let Listed { mut sources, dangling } = list_sources(&read.sources, output.as_deref())?;
    if let Some(output) = output {
        refuse_source(&sources, output)?;
    }
    // An envelope that is given is the one.
    let detected = if read.catalog.envelope().is_base() {
        detect(&Sample::of(&mut sources, &read.progress)?)
    } else {
        Detected::Base
    };
    let envelope = if let Detected::Known(recognised) = &detected { Some(recognised.toml()) } else { None };
    let files = envelope.as_deref().map(|text| ("(recognised)", text));
    let catalog = read.catalog.extended(files.as_slice())?;
    let read = &ReadSettings { catalog, ..read.clone() };
    let observed = observe::observe(read, &sources, *lines_max)?;
    let mut draft = draft::draft(&observed, &read.catalog, *with_known);
    draft.envelope = envelope;
    if let Detected::Known(recognised) = &detected {
        draft.notes.insert(0, recognised.note());
    } else if !read.catalog.envelope().is_base() {
        draft.notes.push("The records are in the envelope that was given: a load needs it, too".to_owned());
    }
    if lines_max.is_some_and(|lines_max| observed.lines >= lines_max) {
        draft.notes.push(format!(
            "Only the first {} {} read: later ones may not fit",
            plural(observed.lines, "line"),
            if observed.lines == 1 { "was" } else { "were" }
        ));
    }
    draft.notes.extend(draft.domains.iter().filter_map(DomainDraft::open_note));
    draft.notes.extend(dangling.iter().map(|link| format!("{link} leads nowhere")));
    if draft.domains.is_empty() {
        return Err(nothing_to_draft(draft.notes, &observed, detected));
    }
    let text = draft.text();
    read.catalog.extended(&[("(draft)", &text)])?;
    let mut summary = draft.notes.join("\n");
    let Some(output) = output else { return Ok(Draft { document: Some(text), summary }) };
    let written = if is_file(output) {
        write_file(output, &text, *force)?;
        vec![output.clone()]
    } else {
        write_files(&draft, output, *force)?
    };
    for path in written {
        let _ = write!(summary, "\nwrote {}", path.display());
    }
    Ok(Draft { document: None, summary })
}

/// The error for records of which none is an event.
fn nothing_to_draft(mut notes: Vec<String>, observed: &Observed, detected: Detected) -> Error {
    let missing = observed.keys_of_bad.missing();
    let Detected::Unknown(Unknown { keys, skeleton }) = detected else {
        if !missing.is_empty() {
            let keys = observed.keys_of_bad.names();
            notes.push(format!("The bad lines lack {}; keys seen: {keys}", missing.join(", ")));
        }
        return Error::Draft(format!("nothing to draft: {}", notes.join(". ")));
    };
    if skeleton.is_empty() {
        return Error::Draft(format!("nothing to draft: {}", notes.join(". ")));
    }
    if !missing.is_empty() {
        notes.push(format!("The bad lines lack {}, and are of no known kind", missing.join(", ")));
    }
    let problem = format!("nothing to draft: {}; keys seen: {keys}", notes.join(". "));
    Error::DraftEnvelope { problem, skeleton }
}

/// Whether an output is one file: it exists as such, or has the name of a catalog.
fn is_file(output: &Path) -> bool {
    output
        .metadata()
        .map_or_else(|_| output.extension().is_some_and(|is| is == "toml"), |found| !found.is_dir())
}

fn refuse_source(sources: &[Source], output: &Path) -> Result<(), Error> {
    let Ok(real) = output.canonicalize() else { return Ok(()) };
    let Some(source) = sources.iter().find(|source| real.to_str() == Some(&source.identity)) else {
        return Ok(());
    };
    let (target, source_path) = (output.to_owned(), PathBuf::from(&source.name));
    Err(Error::Overlap { target, problem: "is the source", source_path })
}

/// Writes one file per domain; none if one of them already exists.
fn write_files(draft: &draft::Draft, dir: &Path, force: bool) -> Result<Vec<PathBuf>, Error> {
    fs_err::create_dir_all(dir).map_err(Error::io("writing the draft"))?;
    let paths: Vec<_> = file_names(&draft.domains).into_iter().map(|name| dir.join(name)).collect();
    if let Some(path) = paths.iter().find(|path| path.exists() && !force) {
        return Err(Error::DraftExists(path.clone()));
    }
    for (domain, path) in draft.domains.iter().zip(&paths) {
        write_file(path, &draft.text_of(domain), force)?;
    }
    Ok(paths)
}

/// Writes a file, which appears when it is complete. What is no regular file (`/dev/stdout`, a pipe) can't be
/// replaced, and is written to.
fn write_file(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    let failed = |error: io::Error| {
        Error::io("writing the draft")(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    let found = path.metadata().ok();
    match &found {
        Some(found) if !found.is_file() => return fs_err::write(path, text).map_err(failed),
        Some(_) if !force => return Err(Error::DraftExists(path.to_owned())),
        _ => {}
    }
    // Through a link, if it is one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = found.map_or(0o666, |found| found.permissions().mode());
    let builder = &mut tempfile::Builder::new();
    let builder = builder.prefix(".draft-").permissions(Permissions::from_mode(mode));
    let mut file = builder.tempfile_in(dir).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let persisted = if force { file.persist(&path) } else { file.persist_noclobber(&path) };
    persisted.map(drop).map_err(|error| failed(error.error))
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
