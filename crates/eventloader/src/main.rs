//! Arguments in; a load or what else was asked for, its summary and an exit code out.

use std::{
    fmt::Display,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};
use eventloader::{
    catalog_command,
    cli::{CatalogCommand, Cli, Command},
    error::Error,
    pipeline,
    report::{Report, Summary},
};

/// Where the JSON report goes.
enum ReportOutput {
    Nowhere,
    StandardOutput,
    File {
        file: File,
        /// Deleted again if the load fails; none where the file was there before.
        created: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let done = match &cli.command {
        None => load(&cli).map(|()| ExitCode::SUCCESS),
        Some(Command::Catalog(command)) => run_catalog(command),
    };
    match done {
        Ok(exit_code) => exit_code,
        Err(error) => {
            say(&format_args!("error: {error}"));
            error.exit_code()
        }
    }
}

fn run_catalog(command: &CatalogCommand) -> Result<ExitCode, Error> {
    match command {
        CatalogCommand::Infer(args) => {
            let draft = catalog_command::infer(&args.settings()?)?;
            print(draft.document.as_deref().unwrap_or_default())?;
            if !args.quiet() {
                say(&draft.summary.trim_end());
            }
        }
        CatalogCommand::Check(args) => {
            let checked = catalog_command::check(&args.settings()?)?;
            print(&checked.to_string())?;
            if checked.quarantined() > 0 {
                return Ok(ExitCode::from(3));
            }
        }
        CatalogCommand::Show(args) => print(&catalog_command::show(&args.settings()?)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn load(cli: &Cli) -> Result<(), Error> {
    let settings = cli.settings()?;
    let output = ReportOutput::open(cli.report.as_deref())?;
    let report = match pipeline::load(&settings) {
        Ok(report) => report,
        Err(error) => {
            output.abandon();
            return Err(error);
        }
    };
    if !cli.quiet {
        let summary = Summary { report: &report, target: &cli.target(), verbose: cli.verbose };
        say(&summary.to_string().trim_end());
    }
    output.write(&report).map_err(Error::Report)
}

impl ReportOutput {
    /// Opens the output before the load, so that a wrong path costs nothing.
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        match path {
            None => Ok(Self::Nowhere),
            Some(path) if path == Path::new("-") => Ok(Self::StandardOutput),
            Some(path) => {
                let created = (!path.exists()).then(|| path.to_owned());
                let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path);
                let file = file.map_err(|error| Error::Usage(format!("--report: {error}")))?;
                Ok(Self::File { file: file.into(), created })
            }
        }
    }

    /// The load failed: there is nothing to report.
    fn abandon(self) {
        if let Self::File { created: Some(path), .. } = self {
            drop(fs_err::remove_file(path));
        }
    }

    fn write(self, report: &Report) -> io::Result<()> {
        let text = report.to_json()?;
        match self {
            Self::Nowhere => Ok(()),
            Self::StandardOutput => print_to_stdout(&text),
            Self::File { mut file, .. } => {
                file.write_all(text.as_bytes())?;
                file.set_len(text.len() as u64)
            }
        }
    }
}

/// A result that was asked for.
fn print(text: &str) -> Result<(), Error> {
    print_to_stdout(text).map_err(Error::Output)
}

fn print_to_stdout(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever closed the pipe has read all that was wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
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
    let line = said.join(" ");
    if error.kind() == ErrorKind::MissingRequiredArgument
        && line.contains("--backfill")
        && !line.contains("--source-file")
    {
        say(
            &"error: say which days to load: --backfill for all, --date YYYY-MM-DD for one, --since/--until for a range",
        );
    } else {
        // A bad value's own message says what is allowed.
        let see = if error.kind() == ErrorKind::ValueValidation { "" } else { "; see --help" };
        say(&format_args!("{line}{see}"));
    }
    ExitCode::from(2)
}

/// To standard error; if that is closed, there is nobody to tell.
fn say(message: &dyn Display) {
    drop(writeln!(io::stderr(), "{message}"));
}
