//! An error of a command → its message, with the flags that the user can change.
//!
//! Errors themselves state facts and know no flags.
//!
//! Invariant: a message never names a flag that its command does not have.

use event_parser::SelectionError;
use event_target::TargetError;

use super::Command;
use crate::error::Error;

/// The message for an error of this command; `None` stands for a load.
#[must_use]
pub fn explain(error: &Error, command: Option<&Command>) -> String {
    let advice = match command {
        None => advice_for_load(error),
        Some(Command::Catalog(_)) => advice_for_catalog(error).to_owned(),
        Some(Command::Replay(_)) => advice_for_differences(error).unwrap_or_default(),
        Some(_) => String::new(),
    };
    format!("{}{error}{advice}", flags_of(error))
}

/// The flags that the message begins with: those whose value is wrong.
fn flags_of(error: &Error) -> &'static str {
    match error {
        Error::CatalogFile(_) => "--catalog (or EVENTLOADER_CATALOG): ",
        Error::ManifestFile(_) => "--against: ",
        Error::Selection(SelectionError::Domain(_)) => "--domain: ",
        Error::Selection(SelectionError::EventType { .. }) => "--event-type: ",
        Error::TooManyBadLines { .. } => "--max-bad-lines: ",
        _ => "",
    }
}

/// What the message ends with.
fn advice_for_load(error: &Error) -> String {
    if let Some(advice) = advice_for_differences(error) {
        return advice;
    }
    let advice = match error {
        Error::Source { .. } => "; check --source-file",
        Error::Selection(SelectionError::Days { .. }) => "; swap --since and --until",
        Error::Target(TargetError::OtherScope { .. }) => {
            "; add --dedupe-scope day, or load everything again with --mode overwrite"
        }
        Error::Target(TargetError::OtherLayout { remembered, .. }) => match remembered.parts() {
            Some((layout, unit)) => {
                let flags = format!("--layout {} --partition-by {}", layout.name(), unit.name());
                return format!("; load with {flags}, or into another --target-path");
            }
            None => "; choose another --target-path",
        },
        Error::Overlap { .. } | Error::Target(TargetError::Unwritable { .. }) => {
            "; choose another --target-path"
        }
        _ => "",
    };
    advice.to_owned()
}

/// What to do about a target that is not as its loads left it.
fn advice_for_differences(error: &Error) -> Option<String> {
    let Error::Target(TargetError::NotAsRecorded { root, .. }) = error else { return None };
    let root = root.display();
    Some(format!(
        ". `eventloader verify {root}` lists everything; put the files back, or record the target as it is with \
         `eventloader accept {root}`; with --reload, sources that were loaded are loaded again"
    ))
}

fn advice_for_catalog(error: &Error) -> &'static str {
    match error {
        Error::DraftFields(_) => {
            "; draft fewer event types at once with --domain or --event-type, or read fewer lines with \
             --sample-lines"
        }
        Error::DraftExists(_) => "; --force replaces it",
        _ => "",
    }
}
