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
    let (flags, advice) = match command {
        None => advice_for_load(error),
        Some(Command::Catalog(_)) => (flags_of_selection(error), ""),
        Some(_) => ("", ""),
    };
    format!("{flags}{error}{advice}")
}

/// The flags that the message begins with, and the advice that it ends with.
fn advice_for_load(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::Source { .. } => ("", "; check --source-file"),
        Error::TooManyBadLines { .. } => ("--max-bad-lines: ", ""),
        Error::Selection(SelectionError::Days { .. }) => ("", "; swap --since and --until"),
        Error::Target(TargetError::OtherLayout { .. }) => {
            ("", "; use the same --layout and --partition-by, or another --target-path")
        }
        Error::Overlap { .. } | Error::Target(TargetError::Unwritable { .. }) => {
            ("", "; choose another --target-path")
        }
        _ => (flags_of_selection(error), ""),
    }
}

fn flags_of_selection(error: &Error) -> &'static str {
    match error {
        Error::Selection(SelectionError::Domain(_)) => "--domain: ",
        Error::Selection(SelectionError::EventType { .. }) => "--event-type: ",
        _ => "",
    }
}
