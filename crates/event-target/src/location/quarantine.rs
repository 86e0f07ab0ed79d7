//! The files of the quarantine: one for each source with bad lines.
//!
//! Invariant: only regular files count; of tables, only those that the last record names.

use std::io;

use super::{Kind, Location};
use crate::{
    History, Place, QUARANTINE,
    partitions::listing,
    tables::{self, Tables},
};

impl Location {
    /// The names of the files of the quarantine, sorted. `history` is what was read of it, if it was.
    ///
    /// # Errors
    /// It can't be read.
    pub fn quarantine_files(&self, history: Option<&History>) -> io::Result<Vec<String>> {
        match &self.kind {
            Kind::Partitions { root } => listing::quarantine_files(root),
            Kind::Tables(tables) => match history {
                Some(history) => Ok(Tables::bad_lines(history)),
                None => Ok(Tables::bad_lines(&tables.history(|_, _| {}).map_err(io::Error::other)?)),
            },
            Kind::Database(schema) => schema.quarantine_files().map_err(io::Error::other),
        }
    }

    /// The name of the file of the quarantine that has the bad lines of a source, given by the place that a
    /// new one has; `None` if there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub fn quarantine_file(&self, history: &History, place: Place<'_>) -> io::Result<Option<String>> {
        match &self.kind {
            Kind::Partitions { root } => {
                let name = place.file_name();
                let is_there = storage::is_there(&root.join(QUARANTINE).join(&name))?;
                Ok(is_there.then_some(name))
            }
            Kind::Database(schema) => {
                let name = place.file_name();
                let path = format!("{QUARANTINE}/{name}");
                let is_there =
                    history.files.contains_key(&path) || schema.is_there(&path).map_err(io::Error::other)?;
                Ok(is_there.then_some(name))
            }
            Kind::Tables(_) => Ok(Tables::bad_lines_of(history, place.stem)),
        }
    }

    /// The place that a file of the quarantine has in each commit that writes it anew.
    #[must_use]
    pub fn quarantine_place<'n>(&self, name: &'n str) -> Place<'n> {
        match &self.kind {
            Kind::Partitions { .. } | Kind::Database(_) => {
                let parts = name.rsplit_once('.').filter(|(_, extension)| !extension.is_empty());
                let (stem, extension) = parts.unwrap_or((name, ""));
                Place { directory: QUARANTINE, stem, extension }
            }
            Kind::Tables(_) => {
                let (stem, extension) = tables::stem_and_extension(name);
                Place { directory: QUARANTINE, stem, extension }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_partitions_a_file_that_is_written_anew_keeps_its_name() {
        let target = Location::partitions("lake".into());
        for name in ["events.json-3f.jsonl", "lines.txt", "lines", ".jsonl", "a."] {
            assert_eq!(target.quarantine_place(name).file_name(), name);
        }
    }
}
