//! Catalog files, and what was seen in new events → the files with what they lack.
//!
//! ```text
//! assign: which file says something of an event type
//! domain, walk: the fields of a file, with what was seen of each → widen: the type that it needs
//! drafts: what is new → fields, as a draft has them        file: all of that → the file's new text
//! ```
//!
//! Invariant: the new files are valid together, and what they said before they still say, with wider types at
//! most. A file that lacks nothing stays as it is.

mod assign;
mod directories;
mod domain;
mod drafts;
mod file;
mod retype;
mod users;
mod walk;
mod widen;

use std::{collections::HashSet, path::PathBuf};

use events_core::catalog::{Catalog, OTHERS, document::Outline};

use self::{
    assign::{assign, type_names},
    directories::directories_of,
    file::File,
};
use super::{
    draft::{self, Draft},
    observe::Observed,
};
use crate::{
    commands::catalog_files::{self, CatalogFile},
    error::Error,
    runtime::plural,
};

/// Catalog files with what they lacked.
pub(super) struct Extension {
    /// Of each file that was given: its text, and what has changed in it.
    pub(super) files: Vec<(String, Vec<String>)>,
    /// What belongs to none of them: domains that go into files of their own, if there are any.
    pub(super) new: Draft,
    /// What was seen and changes nothing.
    pub(super) notes: Vec<String>,
}

impl Extension {
    /// Whether something has changed.
    pub(super) fn is_change(&self) -> bool {
        !self.new.domains.is_empty() || self.files.iter().any(|(_, changes)| !changes.is_empty())
    }
}

/// Extends these files, of which `catalog` was read in an envelope that may be given by its name, by what was
/// seen. A single file that `takes_domains` gets new domains, too. With `all`, also what the built-in types
/// and a `"*"` stand for is drafted.
pub(super) fn extend(
    texts: &[CatalogFile],
    (catalog, envelope): (&Catalog, Option<&str>),
    observed: &Observed,
    (all, takes_domains): (bool, bool),
) -> Result<Extension, Error> {
    let mut files = Vec::new();
    for CatalogFile { name, text, .. } in texts {
        files.push(File::read(name, text)?);
    }
    let outlines: Vec<Outline> = files.iter().map(|file| file.outline.clone()).collect();
    let assigned = assign(observed, &outlines, catalog, all);
    let taken = if takes_domains { outlines.iter().flat_map(type_names).collect() } else { HashSet::new() };
    let mut new = draft::draft_new_domains(&assigned.new_domains, catalog, taken);
    let directories = directories_of(&assigned, &mut new.domains, catalog);
    let mut notes = draft::notes(observed, catalog);
    new.notes.extend(notes.first().cloned());
    notes.extend(assigned.notes.iter().cloned());
    let mut extended = Vec::new();
    for (index, mut file) in files.into_iter().enumerate() {
        file.extend(index, (observed, &assigned), catalog, &directories);
        if takes_domains && index + 1 == texts.len() && !new.domains.is_empty() {
            file.changes.extend(domains_in_words(&new));
            file.document.add_tables(file.document.end(), new.body());
            new.domains.clear();
        }
        notes.append(&mut file.kept);
        extended.push((file.document.changed(), file.changes));
    }
    let extension = Extension { files: extended, new, notes };
    let after = catalog_files::catalog_of(&new_files(&extension, texts), envelope)?;
    check(catalog, &after, &outlines)?;
    Ok(extension)
}

/// The domains of a draft, in words.
pub(super) fn domains_in_words(draft: &Draft) -> Vec<String> {
    let words = draft.domains.iter().map(|domain| {
        let types = plural(domain.event_types.len() as u64, "event type");
        match domain.name.as_str() {
            OTHERS => "\"*\": new, for all other domains".to_owned(),
            name if domain.others.is_empty() => format!("{name}: new, {types}"),
            name => format!("{name}: new, {types} and \"*\""),
        }
    });
    words.collect()
}

/// The files as they are now, and new domains as a file.
fn new_files(extension: &Extension, texts: &[CatalogFile]) -> Vec<CatalogFile> {
    let known = texts.iter().zip(&extension.files);
    let known = known.map(|(file, (text, _))| CatalogFile { text: text.clone(), ..file.clone() });
    let new = (!extension.new.domains.is_empty()).then(|| CatalogFile {
        path: PathBuf::new(),
        name: "(new)".to_owned(),
        text: extension.new.text(),
    });
    known.chain(new).collect()
}

/// Finds out whether something that the files said is gone or narrower.
fn check(before: &Catalog, after: &Catalog, outlines: &[Outline]) -> Result<(), Error> {
    let domains = outlines.iter().flat_map(|outline| &outline.domains);
    let named = domains.flat_map(|domain| {
        domain.event_types.iter().map(|of_type| (domain.name.as_str(), of_type.name.as_str()))
    });
    for (domain, name) in named {
        let (Some(old), Some(new)) = (before.event_type(domain, name), after.event_type(domain, name)) else {
            continue;
        };
        for field in old.fields.iter() {
            let found = new.fields.iter().find(|found| found.name == field.name);
            if !found.is_some_and(|found| field.kind.widens_to(&found.kind)) {
                let name = &field.name;
                return Err(Error::Draft(format!(
                    "{old}: the field data.{name} can't be extended in the form in which the catalog has it"
                )));
            }
        }
    }
    Ok(())
}
