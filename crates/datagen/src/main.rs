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

/// Help and version as clap shows them; wrong usage in one line that says what to do.
fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed terminal is no reason to fail.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let said: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    // A bad value's own message says what is allowed.
    let see = if error.kind() == ErrorKind::ValueValidation { "" } else { "; see --help" };
    say(&format_args!("{}{see}", said.join(" ")));
    ExitCode::from(USAGE)
}

/// One line on standard error; if that is closed, there is nobody to tell.
fn say(message: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
