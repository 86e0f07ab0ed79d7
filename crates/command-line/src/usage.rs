//! What clap says of a wrong command line, in several paragraphs → one line, and the exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::error::ErrorKind;

/// Exit code for wrong usage, as clap itself has it.
const USAGE: u8 = 2;

/// Prints help and version as clap shows them; of wrong usage, one line that says what to do, and gives the
/// exit code.
///
/// `reword` may replace the line where a program knows better words than clap.
pub fn explain(error: &clap::Error, reword: impl Fn(&clap::Error, &str) -> Option<&'static str>) -> ExitCode {
    if !error.use_stderr() {
        // A closed terminal is no reason to fail.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    let line = said.join(" ");
    // A bad value's own message says what is allowed.
    let see = if error.kind() == ErrorKind::ValueValidation { "" } else { "; see --help" };
    let line = reword(error, &line).map_or_else(|| format!("{line}{see}"), |line| format!("error: {line}"));
    drop(writeln!(io::stderr(), "{line}"));
    ExitCode::from(USAGE)
}
