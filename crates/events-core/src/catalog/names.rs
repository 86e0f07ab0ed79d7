//! Checks which names a catalog may give to directories and columns, and that no two things get the same
//! name.
//!
//! Invariant: names of columns that differ only in case count as the same, as they do in Spark and DuckDB.

use std::collections::{HashMap, HashSet};

use super::{CatalogError, Entry, EventType, Field, FieldKind};
use crate::{directory_name, event, schema};

/// Longest name of a directory or column, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The names that [`is_safe_directory`] accepts, for messages.
pub(super) const EXPECTED_DIRECTORY: &str =
    "letters, digits, `-`, `_` and `.`, up to 100 bytes, not beginning with `_`, `.` or `-`";

/// The names that [`is_safe_column`] accepts, for messages.
pub(super) const EXPECTED_COLUMN: &str =
    "letters, digits, `_` and `-`, up to 100 bytes, beginning with a letter or `_`";

/// Whether a name can be a directory on every file system, and is not skipped by readers (as with `_` or `.`
/// in front).
#[must_use]
pub fn is_safe_directory(name: &str) -> bool {
    is_of(name, directory_name::is_safe) && !name.starts_with(['_', '.', '-'])
}

/// Whether every engine accepts a column name (Spark refuses some punctuation, dots mean nesting).
pub(super) fn is_safe_column(name: &str) -> bool {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    is_of(name, safe) && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn is_of(name: &str, safe: impl Fn(char) -> bool) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(safe)
}

/// Leaves out built-in types whose directory one of the files' types has.
pub(super) fn leave_out_built_in(entries: &mut Vec<Entry>) {
    let own = entries.iter().filter(|entry| !entry.places.is_built_in);
    let taken: HashSet<_> = own.map(|entry| entry.event_type.directory.clone()).collect();
    entries.retain(|entry| !entry.places.is_built_in || !taken.contains(&entry.event_type.directory));
}

/// Refuses two event types with one directory. Names that differ in case are two directories, except on file
/// systems that fold case: a load sees to that.
pub(super) fn check_directories(entries: &[Entry]) -> Result<(), CatalogError> {
    let mut owners: HashMap<&str, &Entry> = HashMap::new();
    // Which directories types that it does not name will have is known when they are read.
    for entry in entries.iter().filter(|entry| !entry.event_type.is_open) {
        let Some(earlier) = owners.insert(&entry.event_type.directory, entry) else { continue };
        // A type of the earlier catalog can only share its directory with one that was read now.
        let (new, other) = if entry.place.is_some() { (entry, earlier) } else { (earlier, entry) };
        if let Some(place) = &new.place {
            let at =
                other.place.as_ref().map_or_else(|| " (built in)".to_owned(), |place| format!(" ({place})"));
            return Err(place.error(format!(
                "{} and {}{at} would share the directory {:?}: give one of them another with \
                 `directory = \"…\"`",
                new.event_type, other.event_type, new.event_type.directory
            )));
        }
    }
    Ok(())
}

/// Two fields with one name: the path of the second, and what is wrong with it.
pub(super) struct Clash {
    pub(super) path: String,
    pub(super) message: String,
}

/// Refuses two fields that would share a column of the flat table, or a member of the nested one.
pub(super) fn check_columns(event_type: &EventType) -> Result<(), Clash> {
    let base = [event::EVENT_ID, event::TIMESTAMP, event::DOMAIN, event::EVENT_TYPE];
    let mut owners: HashMap<String, String> =
        base.map(|name| (name.to_owned(), format!("the event's own {name}"))).into();
    for column in schema::columns(event_type) {
        if let Some(other) = owners.insert(column.name.to_lowercase(), column.path.clone()) {
            let message = format!(
                "{event_type}: {other} and {} would share the column {:?}: name one of the fields with \
                 `column = \"…\"`",
                column.path, column.name
            );
            return Err(Clash { path: column.path, message });
        }
    }
    check_members(event_type, event::DATA, &event_type.fields)
}

fn check_members(event_type: &EventType, path: &str, fields: &[Field]) -> Result<(), Clash> {
    let mut owners = HashMap::new();
    for field in fields {
        let path = format!("{path}.{}", field.name);
        if let Some(other) = owners.insert(field.member_name().to_lowercase(), path.clone()) {
            let message = format!(
                "{event_type}: the fields {other} and {path} would share the name {:?} in their object: give \
                 one of them another with `column = \"…\"`",
                field.member_name()
            );
            return Err(Clash { path, message });
        }
        if let FieldKind::Object(fields) = field.kind.innermost() {
            check_members(event_type, &path, fields)?;
        }
    }
    Ok(())
}
