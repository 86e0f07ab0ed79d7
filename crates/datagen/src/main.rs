//! Arguments in, events and an exit code out.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use command_line::Document;
use datagen::Error;
use datagen::check::check;
use datagen::cli::{CheckArgs, Cli, Command, ExplainArgs};
use datagen::destination::deliver;
use datagen::explain::explain;
use events_core::catalog::LEDGER;

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
    let done = match &cli.command {
        Some(Command::Explain(args)) => show(args),
        Some(Command::Check(args)) => match prove(args) {
            Ok(false) => return ExitCode::FAILURE,
            done => done.map(drop),
        },
        Some(Command::Catalog) => io::stdout().write_all(LEDGER.as_bytes()).map_err(Error::Write),
        None => deliver(&cli.order()).map(|report| report.iter().for_each(|report| say(report))),
    };
    match done {
        Err(error) if !error.is_broken_pipe() => {
            say(&format_args!("error: {error}"));
            if error.is_usage() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
        _ => ExitCode::SUCCESS,
    }
}

/// What there is to say of one event.
fn show(args: &ExplainArgs) -> Result<(), Error> {
    let explanation = explain(&args.config(), args.which(), args.history_max())?;
    io::stdout().write_all(explanation.to_string().as_bytes()).map_err(Error::Write)
}

/// Whether all rules hold.
fn prove(args: &CheckArgs) -> Result<bool, Error> {
    let mut out = io::stdout().lock();
    let checked = check(&args.settings(), &mut |finding| writeln!(out, "{finding}").map_err(Error::Write))?;
    if !args.quiet {
        say(&checked);
    }
    Ok(checked.problems == 0)
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
