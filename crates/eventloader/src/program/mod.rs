//! The program: arguments → the requested command, its output and an exit code.
//!
//! The binary is nothing else, and neither is the command of the Python package, so both behave alike. A
//! process runs the program once and ends with its code: the program handles signals from then on, and a
//! signal that interrupts a load ends the process.
//!
//! Invariant: results go to standard output, messages to standard error.

pub mod distributed;
mod loading;
mod printing;
mod report_output;

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
};

use clap::{CommandFactory, Parser};
use command_line::Document;

use self::{
    loading::{load, output_of, replay, rewrite},
    printing::{print, print_error, print_message, print_to_stdout},
};
use crate::{
    cli::{
        self, AcceptArgs, CatalogCommand, Cli, Command, DiscardArgs, ListArgs, PageOutput, QuarantineArgs,
        RecoverArgs, VerifyArgs,
    },
    commands::{accept, catalog, discard, list, quarantine, recover, verify},
    error::Error,
    runtime::end_process,
};

const SUCCESS: u8 = 0;

/// The exit code of a question that is answered by no: a target with problems, a catalog that lacks a field.
const FAILURE: u8 = 1;

/// The exit code of wrong usage, which is clap's, too.
const WRONG_USAGE: u8 = 2;

/// The exit code of events that would be quarantined, as of a load with too many of them.
const BAD_LINES: u8 = 3;

/// The exit code of a load that left out damaged or foreign sources.
const LEFT_OUT: u8 = 6;

/// Runs the program; returns its exit code. The first argument is its name, as help and errors show it.
///
/// It may end the process instead, by a signal that interrupted it.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    command_line::fail_at_file_size_limit();
    let arguments: Vec<_> = arguments.into_iter().collect();
    // Somebody who looks at it for the first time. A script has forgotten something, and is told what.
    if arguments.len() < 2 && io::stderr().is_terminal() {
        print_message(&cli::BEGINNING);
        return WRONG_USAGE;
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return command_line::explain(&error, cli::reword),
    };
    match run_command(&cli) {
        Ok(exit_code) => exit_code,
        Err(error) => {
            print_error(&cli::explain(&error, cli.command.as_ref()));
            if let Error::DraftEnvelope { skeleton, .. } = &error {
                print_message(&format_args!("\n{}", skeleton.trim_end()));
            }
            error.signal().into_iter().for_each(end_process);
            error.exit_code()
        }
    }
}

fn run_command(cli: &Cli) -> Result<u8, Error> {
    match (&cli.command, cli.generate) {
        (None, Some(document)) => generate(document).map(|()| SUCCESS),
        (None, None) => cli.settings().and_then(|settings| load(&[settings], &output_of(cli))),
        (Some(Command::Replay(args)), _) => replay(args),
        (Some(Command::Catalog(command)), _) => run_catalog(command),
        (Some(Command::Accept(args)), _) => accept(args).map(|()| SUCCESS),
        (Some(Command::Recover(args)), _) => recover(args).map(|()| SUCCESS),
        (Some(Command::Discard(args)), _) => discard(args).map(|()| SUCCESS),
        (Some(Command::Quarantine(args)), _) => quarantine(args),
        (Some(Command::List(args)), _) => list(args).map(|()| SUCCESS),
        (Some(Command::Rewrite(args)), _) => rewrite(args).map(|()| SUCCESS),
        (Some(Command::Verify(args)), _) => verify(args),
    }
}

fn run_catalog(command: &CatalogCommand) -> Result<u8, Error> {
    match command {
        CatalogCommand::Infer(args) => {
            let settings = args.settings()?;
            let draft = settings.read.progress.during(|| catalog::infer(&settings))?;
            print(draft.document.as_deref().unwrap_or_default())?;
            if !args.quiet() {
                print_message(&draft.summary.trim_end());
            }
            if draft.is_found_lacking {
                return Ok(FAILURE);
            }
        }
        CatalogCommand::Check(args) => {
            let settings = args.settings()?;
            let checked = settings.progress.during(|| catalog::check(&settings))?;
            print(&checked.to_string())?;
            if checked.quarantined() > 0 {
                return Ok(BAD_LINES);
            }
        }
        CatalogCommand::Diff(args) => {
            let diff = catalog::diff(&args.settings()?)?;
            let text = if args.json {
                diff.to_json().map_err(|error| Error::Output(error.into()))?
            } else {
                diff.to_string()
            };
            print(&text)?;
            if diff.refused() > 0 {
                return Ok(FAILURE);
            }
        }
        CatalogCommand::Show(args) => match args.envelope() {
            Some(envelope) => print(envelope)?,
            None => print(&catalog::show(&args.settings()?)?)?,
        },
    }
    Ok(SUCCESS)
}

fn recover(args: &RecoverArgs) -> Result<(), Error> {
    let recovery = recover::recover(&args.location()?, args.sweep_older_than()?)?;
    if !args.quiet {
        print_message(&recovery);
    }
    Ok(())
}

fn accept(args: &AcceptArgs) -> Result<(), Error> {
    let acceptance = accept::accept(&args.location()?, args.reload, args.threads())?;
    if !args.quiet {
        print_message(&acceptance);
    }
    Ok(())
}

fn discard(args: &DiscardArgs) -> Result<(), Error> {
    let discarded = discard::discard(&args.location()?, &args.selection()?, args.threads())?;
    if !args.quiet {
        print_message(&discarded);
    }
    Ok(())
}

fn quarantine(args: &QuarantineArgs) -> Result<u8, Error> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    let looked = quarantine::look(&args.settings()?, &mut output, |error| print_error(&error.to_string()))?;
    if !args.quiet {
        print_message(&looked);
    }
    Ok(if looked.damaged == 0 { SUCCESS } else { FAILURE })
}

fn list(args: &ListArgs) -> Result<(), Error> {
    let target = args.location()?;
    let name = |error: &Error| print_error(&error.to_string());
    match args.page() {
        Some(PageOutput::StandardOutput) => return print(&list::page(&target, name)?),
        Some(PageOutput::File(file)) => return list::write_page(&target, file, name),
        None => {}
    }
    let runs = list::list(&target)?;
    let text = if args.json {
        runs.to_json().map_err(|error| Error::Output(error.into()))?
    } else {
        runs.to_string()
    };
    print(&text)
}

fn verify(args: &VerifyArgs) -> Result<u8, Error> {
    let verified = verify::verify(&args.settings()?, |problem| print(&format!("{problem}\n")))?;
    if !args.quiet {
        print_message(&verified);
    }
    Ok(if verified.problems == 0 { SUCCESS } else { FAILURE })
}

fn generate(document: Document) -> Result<(), Error> {
    let bytes = document.of(Cli::command()).map_err(Error::Output)?;
    print_to_stdout(&bytes).map_err(Error::Output)
}
