//! Sources → the draft of a catalog, or catalog files with what they lack: as text, as a file or as a file
//! per domain, and a summary.
//!
//! Invariant: every catalog that is returned was read back. A file appears when it is complete.

use std::{fmt::Write as _, path::PathBuf};

use super::{
    ReadSettings,
    detect::{Detected, Sample, Unknown, detect},
    draft::{self, DomainDraft},
    extend::{Extension, domains_in_words, extend},
    infer_files::{Destination, WRITING, refuse_source, write_drafts, write_extension},
    observe::{self, Observed},
};
use crate::{
    commands::{catalog_files::CatalogFile, new_file},
    error::Error,
    input::{Listed, Source, list_sources},
    runtime::{escape_for_terminal, open_store, plural},
};

/// The settings of a draft.
#[derive(Debug, Clone)]
pub struct InferSettings {
    /// The input.
    pub read: ReadSettings,
    /// The catalog files to extend; without any, a catalog is drafted.
    pub catalogs: Vec<CatalogFile>,
    /// The envelope that was asked for by its name.
    pub envelope: Option<String>,
    /// Only find out whether the catalog files lack something.
    pub check: bool,
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
    /// Whether catalog files lack something, where that was the question.
    pub is_found_lacking: bool,
}

/// Drafts a catalog from data, or extends the catalog files that are given.
///
/// # Errors
/// A source can't be read, it has no event to draft, or too many kinds of them; or a file already exists.
pub fn infer(settings: &InferSettings) -> Result<Draft, Error> {
    let InferSettings { read, with_known, lines_max, output, force, .. } = settings;
    let open = |root: &str| open_store(root, &read.stores);
    let Listed { mut sources, dangling } = list_sources(&read.sources, output.as_deref(), &open)?;
    if let Some(output) = output {
        refuse_source(&sources, output)?;
    }
    if !settings.catalogs.is_empty() {
        let leads_nowhere = dangling.iter().map(|link| format!("{link} leads nowhere")).collect();
        return extended(settings, &sources, leads_nowhere);
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
    draft.notes.extend(first_lines_note(&observed, *lines_max));
    draft.notes.extend(draft.domains.iter().filter_map(DomainDraft::open_note));
    draft.notes.extend(dangling.iter().map(|link| format!("{link} leads nowhere")));
    if draft.domains.is_empty() {
        return Err(nothing_to_draft(draft.notes, &observed, detected));
    }
    let text = draft.text();
    read.catalog.extended(&[("(draft)", &text)])?;
    let mut summary = draft.notes.join("\n");
    let written = match Destination::of(output.as_deref()) {
        Destination::Print => {
            return Ok(Draft { document: Some(text), summary, is_found_lacking: false });
        }
        Destination::File(path) => {
            new_file::write(path, &text, *force, WRITING)?;
            vec![path.to_owned()]
        }
        Destination::Directory(dir) => write_drafts(&draft, dir, *force)?,
    };
    for path in written {
        let _ = write!(summary, "\nwrote {}", path.display());
    }
    Ok(Draft { document: None, summary, is_found_lacking: false })
}

/// Extends the catalog files.
fn extended(
    settings: &InferSettings,
    sources: &[Source],
    leads_nowhere: Vec<String>,
) -> Result<Draft, Error> {
    let InferSettings { read, catalogs, envelope, check, with_known, lines_max, output, force } = settings;
    let destination = Destination::of(output.as_deref());
    let is_one = catalogs.len() == 1;
    if !is_one && !check && !matches!(destination, Destination::Directory(_)) {
        return Err(Error::ManyCatalogs(catalogs.len()));
    }
    let observed = observe::observe(read, sources, *lines_max)?;
    if observed.of_any_type.is_some() {
        return Err(Error::Draft("too many event types to be told apart: none was looked at".to_owned()));
    }
    if observed.event_types.is_empty() && !observed.bad.is_empty() {
        return Err(nothing_to_draft(draft::notes(&observed, &read.catalog), &observed, Detected::Base));
    }
    let takes_domains = is_one && !matches!(destination, Destination::Directory(_));
    let how = (*with_known, takes_domains);
    let mut extension = extend(catalogs, (&read.catalog, envelope.as_deref()), &observed, how)?;
    extension.notes.extend(first_lines_note(&observed, *lines_max));
    extension.notes.extend(leads_nowhere);
    let mut summary = in_words(&extension, catalogs);
    if *check {
        return Ok(Draft { document: None, summary, is_found_lacking: extension.is_change() });
    }
    if let (Destination::Print, [(text, _)]) = (&destination, &extension.files[..]) {
        return Ok(Draft { document: Some(text.clone()), summary, is_found_lacking: false });
    }
    for path in write_extension(&extension, catalogs, &destination, *force)? {
        let _ = write!(summary, "\nwrote {}", path.display());
    }
    Ok(Draft { document: None, summary, is_found_lacking: false })
}

/// That not all lines were read, if so.
fn first_lines_note(observed: &Observed, lines_max: Option<u64>) -> Option<String> {
    let lines = observed.lines;
    let verb = if lines == 1 { "was" } else { "were" };
    let first = plural(lines, "line");
    lines_max
        .is_some_and(|lines_max| lines >= lines_max)
        .then(|| format!("Only the first {first} {verb} read: later ones may not fit"))
}

/// What was seen, and what changes in which file.
fn in_words(extension: &Extension, catalogs: &[CatalogFile]) -> String {
    let notes = extension.notes.iter().map(|note| escape_for_terminal(note));
    let mut summary = notes.collect::<Vec<_>>().join("\n");
    for (CatalogFile { name, .. }, (_, changes)) in catalogs.iter().zip(&extension.files) {
        let _ = match changes.len() {
            0 => write!(summary, "\n{name}: no change"),
            count => write!(summary, "\n{name}: {}", plural(count as u64, "change")),
        };
        for change in changes {
            let _ = write!(summary, "\n  {}", escape_for_terminal(change));
        }
    }
    for domain in domains_in_words(&extension.new) {
        let _ = write!(summary, "\n{}, in a file of its own", escape_for_terminal(&domain));
    }
    summary
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
