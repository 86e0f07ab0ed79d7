//! An error → the line that is printed for it: what went wrong, and which flags help.
//!
//! Invariant: a message is one line.

use crate::{
    config::{change_list::ChangeListError, fault_list::FaultListError},
    error::Error,
};

/// The text of an error, in terms of the command line.
#[must_use]
pub fn message(error: &Error) -> String {
    match error {
        Error::EndsBeforeStart { start_date, end_date } => {
            format!("--end-date {end_date} is before --start-date {start_date}")
        }
        Error::FirstEventOfContinuedRun => {
            "--first-event cannot be used with --if-exists append and new-file: \
             they begin after the last existing event"
                .to_owned()
        }
        Error::CheckLedgerFromMiddle => format!("--first-event: {error}{}", advice(error)),
        Error::Faults(_) | Error::FaultInEnvelope { .. } => format!("--faults: {error}{}", advice(error)),
        Error::Changes(_) => format!("--changes: {error}{}", advice(error)),
        Error::ContinuedDocument { .. } | Error::ChangesOfContinuedRun => {
            format!("--if-exists: {error}{}", advice(error))
        }
        Error::BytesOfDocument { .. } => format!("--bytes: {error}{}", advice(error)),
        _ => format!("{error}{}", advice(error)),
    }
}

/// What a user can do about an error.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::SameOutput { .. } | Error::ReservedName { .. } => {
            ": choose another path for --manifest, --faults-log or --changes-log"
        }
        Error::CalendarEnds { .. } => ": ask for fewer events or an earlier --start-date",
        Error::AccountsEnd { .. } => ": ask for fewer events",
        Error::UnknownId { .. } => {
            ": give the --seed that its line came from (a line that was inserted as a fault belongs to no \
             event)"
        }
        Error::CheckEnvelope => ": check the same run without --envelope",
        Error::ContinuedDocument { .. } => ": give --first-event and another --base-path",
        Error::BytesOfDocument { .. } => ": give --num-events, --end-date or --duration instead of --bytes",
        Error::CheckLedgerFromMiddle => ": give the earlier files too, and no --first-event",
        Error::EventsFile { .. } => {
            ": check the free space and the permissions there, or choose another --base-path"
        }
        Error::NumbersEnd { .. } => ": ask for fewer --files, or choose another --base-path",
        Error::OtherStream { .. } => {
            ": give the --world, --envelope, --seed, --start-date and --events-per-day that they were made with, or \
             choose another --base-path, or --if-exists overwrite"
        }
        Error::Faults(FaultListError::TooMany { .. }) => ": ask for fewer faults or a larger --num-events",
        Error::Changes(ChangeListError::TooManyForRun { .. }) => ": ask for fewer, or a larger --num-events",
        Error::ChangesOfContinuedRun => {
            ": make all events in one run, with --rotate or --files if there are to be several files"
        }
        Error::Record { .. } => ": check the free space and the permissions there",
        _ => "",
    }
}
