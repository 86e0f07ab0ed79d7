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
        Some(Command::Catalog(_)) => (flags_of_selection(error), String::new()),
        Some(_) => ("", String::new()),
    };
    format!("{flags}{error}{advice}")
}

/// The flags that the message begins with, and the advice that it ends with.
fn advice_for_load(error: &Error) -> (&'static str, String) {
    let advice = |text: &str| ("", text.to_owned());
    match error {
        Error::Source { .. } => advice("; check --source-file"),
        Error::TooManyBadLines { .. } => ("--max-bad-lines: ", String::new()),
        Error::Selection(SelectionError::Days { .. }) => advice("; swap --since and --until"),
        Error::Target(TargetError::OtherLayout { remembered, .. }) => match remembered.parts() {
            Some((layout, unit)) => {
                let flags = format!("--layout {} --partition-by {}", layout.name(), unit.name());
                advice(&format!("; load with {flags}, or into another --target-path"))
            }
            None => advice("; choose another --target-path"),
        },
        Error::Overlap { .. } | Error::Target(TargetError::Unwritable { .. }) => {
            advice("; choose another --target-path")
        }
        _ => (flags_of_selection(error), String::new()),
    }
}

fn flags_of_selection(error: &Error) -> &'static str {
    match error {
        Error::Selection(SelectionError::Domain(_)) => "--domain: ",
        Error::Selection(SelectionError::EventType { .. }) => "--event-type: ",
        _ => "",
    }
}
