//! Arguments in, events and an exit code out.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use datagen::cli::Cli;
use datagen::destination::deliver;

/// Clap's own exit code for wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match deliver(&cli.config(), &cli.destination()) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => {
            say(&report);
            ExitCode::SUCCESS
        }
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            say(&format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Help and version as clap shows them; a bad value in one line, because it says itself what to do.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    match (error.kind(), text.lines().next()) {
        (ErrorKind::ValueValidation, Some(first_line)) => say(&first_line),
        // A closed terminal is no reason to fail.
        _ => drop(error.print()),
    }
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

/// One line on standard error; if that is closed, there is nobody to tell.
fn say(message: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
