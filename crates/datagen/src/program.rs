//! The program: arguments → events and an exit code.
//!
//! The binary is nothing else, and neither is the command of the Python package, so both behave alike.
//!
//! Invariant: standard output has data only; everything else is on standard error.

use std::{
    ffi::OsString,
    fmt::Display,
    io::{self, Write},
};

use clap::{CommandFactory, Parser};
use command_line::Document;

use crate::{
    check::check,
    cli::{self, CheckArgs, Cli, Command, ExplainArgs},
    deliver::deliver,
    error::Error,
    explain::explain,
};

const SUCCESS: u8 = 0;

/// The exit code of output that can't be written, and of lines that are no stream.
const FAILURE: u8 = 1;

/// The exit code of wrong usage, which is clap's, too.
const WRONG_USAGE: u8 = 2;

/// Runs the program; returns its exit code. The first argument is its name, as help and errors show it.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    command_line::fail_at_file_size_limit();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return command_line::explain(&error, |_, _| None),
    };
    if let Some(document) = cli.generate {
        return match print(document) {
            Ok(()) => SUCCESS,
            Err(error) => {
                report(&format_args!("error: cannot write to standard output: {error}"));
                FAILURE
            }
        };
    }
    let done = match &cli.command {
        Some(Command::Explain(args)) => run_explain(args),
        Some(Command::Check(args)) => match run_check(args) {
            Ok(false) => return FAILURE,
            done => done.map(drop),
        },
        Some(Command::Catalog(args)) => {
            args.text().and_then(|text| io::stdout().write_all(text.as_bytes()).map_err(Error::Write))
        }
        None => run_generate(&cli),
    };
    match done {
        Err(error) if !error.is_broken_pipe() => {
            report(&format_args!("error: {}", cli::message(&error)));
            if error.is_usage() { WRONG_USAGE } else { FAILURE }
        }
        _ => SUCCESS,
    }
}

fn run_generate(cli: &Cli) -> Result<(), Error> {
    let files = deliver(&cli.run_spec(), &cli.progress(|message| report(message)))?;
    if let Some(files) = files.filter(|_| !cli.is_quiet()) {
        report(&files);
    }
    Ok(())
}

fn run_explain(args: &ExplainArgs) -> Result<(), Error> {
    let explanation = explain(&args.config(), args.which(), args.history_max())?;
    io::stdout().write_all(explanation.to_string().as_bytes()).map_err(Error::Write)
}

/// Returns whether all rules hold.
fn run_check(args: &CheckArgs) -> Result<bool, Error> {
    let mut out = io::stdout().lock();
    let checked = check(&args.settings(), &mut |finding| writeln!(out, "{finding}").map_err(Error::Write))?;
    if !args.quiet {
        let hint = if checked.reported < checked.problems { " (--max-problems 0 shows all)" } else { "" };
        report(&format_args!("{checked}{hint}"));
    }
    Ok(checked.problems == 0)
}

/// Prints a document instead of events.
fn print(document: Document) -> io::Result<()> {
    match io::stdout().write_all(&document.of(Cli::command())?) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Prints a line on standard error; if that is closed, there is nobody to tell.
fn report(message: &dyn Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
