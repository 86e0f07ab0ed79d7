//! Arguments in, events and an exit code out.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use command_line::Document;
use datagen::cli::Cli;
use datagen::destination::deliver;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return command_line::explain(&error, |_, _| None),
    };
    if let Some(document) = cli.generate {
        return match print(document) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format_args!("error: can't write to standard output: {error}"));
                ExitCode::FAILURE
            }
        };
    }
    let config = match cli.config() {
        Ok(config) => config,
        Err(error) => {
            say(&format_args!("error: --faults: {error}"));
            return ExitCode::from(2);
        }
    };
    match deliver(&config, &cli.destination(), &cli.records()) {
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

/// What was asked for instead of events.
fn print(document: Document) -> io::Result<()> {
    match io::stdout().write_all(&document.of(Cli::command())?) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// One line on standard error; if that is closed, there is nobody to tell.
fn say(message: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
