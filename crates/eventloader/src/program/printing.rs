//! Results → standard output; messages → standard error.
//!
//! Invariant: a reader of standard output that has enough is no error, and a message that nobody hears isn't
//! one either.

use std::{
    fmt::Display,
    io::{self, Write},
};

use crate::{error::Error, runtime::escape_for_terminal};

/// Prints a result to standard output.
pub(super) fn print(text: &str) -> Result<(), Error> {
    print_to_stdout(text.as_bytes()).map_err(Error::Output)
}

pub(super) fn print_to_stdout(bytes: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(bytes) {
        // The reader has closed the pipe because it needs no more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

pub(super) fn print_error(message: &str) {
    print_message(&format_args!("error: {}", escape_for_terminal(message)));
}

/// Prints to standard error. If that is closed, nobody is listening.
pub(super) fn print_message(message: &dyn Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
