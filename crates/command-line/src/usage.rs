//! clap's explanation of a wrong command line, in several paragraphs → one line, and the exit code.
//!
//! Invariant: wrong usage is one line on standard error and exit code 2.

use std::io::{self, Write};

use clap::error::ErrorKind;

/// The exit code for wrong usage, the same as clap's.
const USAGE: u8 = 2;

/// Prints help and version as clap does, and wrong usage as one line that says what to do; returns the exit
/// code.
///
/// `reword` may replace that line if a program has a better explanation than clap.
pub fn explain(error: &clap::Error, reword: impl Fn(&clap::Error, &str) -> Option<String>) -> u8 {
    if !error.use_stderr() {
        // A closed terminal is not a failure.
        drop(error.print());
        return 0;
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    let line = said.join(" ");
    // The message for a bad value says what is allowed.
    let see = if error.kind() == ErrorKind::ValueValidation { "" } else { "; see --help" };
    let line = reword(error, &line).map_or_else(|| format!("{line}{see}"), |line| format!("error: {line}"));
    drop(writeln!(io::stderr(), "{line}"));
    USAGE
}
