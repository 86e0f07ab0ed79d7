//! Arguments → the requested command, its output and an exit code.
//!
//! Invariant: results go to standard output, messages to standard error.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the report is neither source nor target"
)]

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser};
use command_line::Document;
use eventloader::{
    cli::{
        self, AcceptArgs, CatalogCommand, Cli, Command, DiscardArgs, ListArgs, PageOutput, QuarantineArgs,
        RecoverArgs, ReplayArgs, RewriteArgs, VerifyArgs,
    },
    commands::{accept, catalog, discard, list, load, quarantine, recover, rewrite, verify},
    error::Error,
    report::{Report, Summary},
    runtime::{
        Controls, Interruption, Progress, end_process, escape_for_terminal, is_standard_output_closed,
    },
    settings::Settings,
};

/// The exit code of wrong usage, which is clap's, too.
const WRONG_USAGE: u8 = 2;

/// The exit code of a load that left out damaged or foreign sources.
const LEFT_OUT: u8 = 6;

/// The destination of the JSON report.
enum ReportOutput {
    Nowhere,
    StandardOutput,
    File {
        file: fs_err::File,
        /// Deleted again if the load fails; `None` if the file already existed.
        created: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    command_line::fail_at_file_size_limit();
    // Somebody who looks at it for the first time. A script has forgotten something, and is told what.
    if env::args_os().len() < 2 && io::stderr().is_terminal() {
        print_message(&cli::BEGINNING);
        return ExitCode::from(WRONG_USAGE);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return command_line::explain(&error, cli::reword),
    };
    let done = match (&cli.command, cli.generate) {
        (None, Some(document)) => generate(document).map(|()| ExitCode::SUCCESS),
        (None, None) => cli.settings().and_then(|settings| load(&[settings], &output_of(&cli))),
        (Some(Command::Replay(args)), _) => replay(args),
        (Some(Command::Catalog(command)), _) => run_catalog(command),
        (Some(Command::Accept(args)), _) => accept(args).map(|()| ExitCode::SUCCESS),
        (Some(Command::Recover(args)), _) => recover(args).map(|()| ExitCode::SUCCESS),
        (Some(Command::Discard(args)), _) => discard(args).map(|()| ExitCode::SUCCESS),
        (Some(Command::Quarantine(args)), _) => quarantine(args),
        (Some(Command::List(args)), _) => list(args).map(|()| ExitCode::SUCCESS),
        (Some(Command::Rewrite(args)), _) => rewrite(args).map(|()| ExitCode::SUCCESS),
        (Some(Command::Verify(args)), _) => verify(args),
    };
    match done {
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

fn run_catalog(command: &CatalogCommand) -> Result<ExitCode, Error> {
    match command {
        CatalogCommand::Infer(args) => {
            let settings = args.settings()?;
            let draft = settings.read.progress.during(|| catalog::infer(&settings))?;
            print(draft.document.as_deref().unwrap_or_default())?;
            if !args.quiet() {
                print_message(&draft.summary.trim_end());
            }
            if draft.is_found_lacking {
                return Ok(ExitCode::FAILURE);
            }
        }
        CatalogCommand::Check(args) => {
            let settings = args.settings()?;
            let checked = settings.progress.during(|| catalog::check(&settings))?;
            print(&checked.to_string())?;
            if checked.quarantined() > 0 {
                return Ok(ExitCode::from(3));
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
                return Ok(ExitCode::FAILURE);
            }
        }
        CatalogCommand::Show(args) => match args.envelope() {
            Some(envelope) => print(envelope)?,
            None => print(&catalog::show(&args.settings()?)?)?,
        },
    }
    Ok(ExitCode::SUCCESS)
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

fn quarantine(args: &QuarantineArgs) -> Result<ExitCode, Error> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    let looked = quarantine::look(&args.settings()?, &mut output, |error| print_error(&error.to_string()))?;
    if !args.quiet {
        print_message(&looked);
    }
    Ok(if looked.damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

fn verify(args: &VerifyArgs) -> Result<ExitCode, Error> {
    let verified = verify::verify(&args.settings()?, |problem| print(&format!("{problem}\n")))?;
    if !args.quiet {
        print_message(&verified);
    }
    Ok(if verified.problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn generate(document: Document) -> Result<(), Error> {
    let bytes = document.of(Cli::command()).map_err(Error::Output)?;
    print_to_stdout(&bytes).map_err(Error::Output)
}

/// What a load prints, and where.
struct LoadOutput<'a> {
    report: Option<&'a Path>,
    target: String,
    catalog: Option<String>,
    quiet: bool,
    verbose: bool,
    is_replay: bool,
}

fn output_of(cli: &Cli) -> LoadOutput<'_> {
    LoadOutput {
        report: cli.report.as_deref(),
        target: cli.target(),
        catalog: cli.catalog(),
        quiet: cli.quiet,
        verbose: cli.verbose,
        is_replay: false,
    }
}

fn replay(args: &ReplayArgs) -> Result<ExitCode, Error> {
    let report = args.report.as_deref();
    let (quiet, verbose) = (args.quiet, args.verbose);
    let output = LoadOutput { report, target: args.target(), catalog: None, quiet, verbose, is_replay: true };
    let (runs, leaves_lines) = args.settings()?;
    let exit_code = load(&runs, &output);
    if leaves_lines {
        print_error(
            "left the bad lines where they are that were read with the [envelope] of a catalog, which no commit \
             has recorded: name it with --catalog or --envelope",
        );
    }
    exit_code
}

fn rewrite(args: &RewriteArgs) -> Result<(), Error> {
    let settings = args.settings()?;
    let controls = controls(args.quiet);
    let rewritten = controls.progress.during(|| rewrite::rewrite(&settings, &controls))?;
    if !args.quiet {
        print_message(&rewritten);
    }
    if args.verbose {
        print_message(&rewritten.stages());
    }
    Ok(())
}

fn controls(quiet: bool) -> Controls {
    let print_last_words = |error: &Error| print_error(&error.to_string());
    Controls {
        progress: Progress::on_terminal(quiet),
        // Without a listener, a signal ends the process as usual.
        interruption: Interruption::listen(print_last_words).unwrap_or_default(),
    }
}

/// Loads, or makes all runs of a replay: one that fails does not keep the others from being made.
fn load(runs: &[Settings], output: &LoadOutput<'_>) -> Result<ExitCode, Error> {
    let controls = controls(output.quiet);
    let report_output = ReportOutput::open(output.report)?;
    let (mut reports, mut failed) = (Vec::new(), None);
    for settings in runs {
        match controls.progress.during(|| load::load(settings, &controls)) {
            Ok(report) => {
                summarize(&report, settings, output);
                reports.push(report);
            }
            Err(error) if failed.is_some() && error.signal().is_none() => print_error(&error.to_string()),
            Err(error) => failed = Some(error),
        }
        if failed.as_ref().is_some_and(|error| error.signal().is_some()) {
            break;
        }
    }
    let committed = reports.iter().any(Report::is_committed);
    if reports.is_empty() {
        report_output.abandon();
    } else {
        report_output.write(&reports).map_err(|source| Error::Report { committed, source })?;
    }
    let leaves_out = reports.iter().any(|report| report.left_out().next().is_some());
    match failed {
        Some(error) => Err(error),
        None => Ok(if leaves_out { ExitCode::from(LEFT_OUT) } else { ExitCode::SUCCESS }),
    }
}

fn summarize(report: &Report, settings: &Settings, output: &LoadOutput<'_>) {
    if !output.quiet {
        let &Settings { memory_bytes, threads, .. } = settings;
        let &LoadOutput { ref target, ref catalog, verbose, is_replay, .. } = output;
        let catalog = catalog.as_deref();
        // As it was given, it may have a password.
        let database = settings.target.database_of().map(|database| database.address());
        let is_database = database.is_some();
        let target = database.as_ref().unwrap_or(target);
        let summary =
            Summary { report, target, is_database, catalog, memory_bytes, threads, verbose, is_replay };
        print_message(&summary.to_string().trim_end());
    }
    report.left_out_types().chain(report.left_out()).for_each(|left_out| print_error(&left_out));
}

impl ReportOutput {
    /// Opens the output before the load, so that a wrong path fails early.
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        match path {
            None => Ok(Self::Nowhere),
            Some(path) if path == Path::new("-") => Ok(Self::StandardOutput),
            Some(path) => {
                let created = (!path.exists()).then(|| path.to_owned());
                let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path);
                let file = file.map_err(|error| Error::Usage(format!("--report: {error}")))?;
                Ok(Self::File { file, created })
            }
        }
    }

    /// The load failed, so there is nothing to report.
    fn abandon(self) {
        if let Self::File { created: Some(path), .. } = self {
            drop(fs_err::remove_file(path));
        }
    }

    /// Writes the reports, one behind the other.
    fn write(self, reports: &[Report]) -> io::Result<()> {
        let text = reports.iter().map(Report::to_json).collect::<Result<String, _>>()?;
        match self {
            Self::Nowhere => Ok(()),
            Self::StandardOutput if is_standard_output_closed() => {
                Err(io::Error::other("standard output is closed"))
            }
            Self::StandardOutput => print_to_stdout(text.as_bytes()),
            Self::File { mut file, .. } => {
                file.write_all(text.as_bytes())?;
                // A pipe or a device has no length.
                if file.metadata()?.is_file() { file.set_len(text.len() as u64) } else { Ok(()) }
            }
        }
    }
}

/// Prints a result to standard output.
fn print(text: &str) -> Result<(), Error> {
    print_to_stdout(text.as_bytes()).map_err(Error::Output)
}

fn print_to_stdout(bytes: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(bytes) {
        // The reader has closed the pipe because it needs no more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn print_error(message: &str) {
    print_message(&format_args!("error: {}", escape_for_terminal(message)));
}

/// Prints to standard error. If that is closed, nobody is listening.
fn print_message(message: &dyn Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
