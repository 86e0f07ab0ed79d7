//! A load that an engine distributes, as a program: arguments → a job; the answers of its tasks → its summary
//! and its report, as those of a load.
//!
//! Invariant: flags, messages and exit codes are those of a load on one machine.

use std::{ffi::OsString, sync::Arc, time::Instant};

use arrow::array::RecordBatch;
use clap::Parser;

use super::{
    loading::{output_of, summarize},
    report_output::ReportOutput,
};
use crate::{
    cli::{self, Cli, JobArguments},
    commands::distributed::{Division, Job, Task},
    error::Error,
};

/// A load that an engine distributes.
pub struct DistributedLoad {
    cli: Cli,
    job: Job,
    report: ReportOutput,
    started: Instant,
}

/// Why there is no load, or no commit.
#[derive(Debug)]
pub struct Ended {
    /// The exit code of a program that fails so.
    pub exit_code: u8,
    /// What a person should be told, with advice; `None` if it was printed.
    pub message: Option<String>,
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self { exit_code: error.exit_code(), message: Some(cli::explain(&error, None)) }
    }
}

impl std::fmt::Debug for DistributedLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DistributedLoad").field("job", &self.job).finish_non_exhaustive()
    }
}

impl DistributedLoad {
    /// Lists the sources, locks the target, and divides the work. The first argument is the program's name.
    ///
    /// # Errors
    /// Wrong arguments, for which clap has printed what is wrong, or help, which it has printed; any error of
    /// a load before it reads.
    pub fn open(arguments: &[OsString], division: Division) -> Result<Self, Ended> {
        let started = Instant::now();
        let cli = Cli::try_parse_from(arguments).map_err(|error| Ended {
            exit_code: command_line::explain(&error, cli::reword),
            message: None,
        })?;
        if cli.command.is_some() || cli.generate.is_some() {
            let refused = "an engine distributes loads only; run this command with eventloader";
            return Err(Error::Usage(refused.to_owned()).into());
        }
        let portable = JobArguments::of(&cli, arguments)?;
        let portable = serde_json::to_string(&portable).map_err(|error| Error::Usage(error.to_string()))?;
        let settings = cli.settings()?;
        let report = ReportOutput::open(cli.report.as_deref())?;
        match Job::open(&settings, portable, division) {
            Ok(job) => Ok(Self { cli, job, report, started }),
            Err(error) => {
                report.abandon();
                Err(error.into())
            }
        }
    }

    /// What a task finds the job by.
    #[must_use]
    pub fn handle(&self) -> String {
        self.job.handle()
    }

    /// The number of splits.
    #[must_use]
    pub fn split_count(&self) -> usize {
        self.job.split_count()
    }

    /// Proves the counts, commits, and prints the summary; returns the report as JSON.
    ///
    /// # Errors
    /// Those of [`Job::commit`], and that the report can't be written.
    pub fn commit(self, answers: &[RecordBatch]) -> Result<String, Ended> {
        let Self { cli, job, report: report_output, started } = self;
        let settings = job.settings().clone();
        let report = match job.commit(answers, started) {
            Ok(report) => report,
            Err(error) => {
                report_output.abandon();
                return Err(error.into());
            }
        };
        summarize(&report, &settings, &output_of(&cli));
        let committed = report.is_committed();
        let reports = [report];
        report_output.write(&reports).map_err(|source| Error::Report { committed, source })?;
        let [report] = reports;
        Ok(report.to_json().unwrap_or_default())
    }

    /// Ends without a commit. The target is left as it was found.
    pub fn abandon(self) {
        self.report.abandon();
        self.job.abandon();
    }
}

/// A task of a job.
///
/// # Errors
/// Those of [`Task::open`].
pub fn task(handle: &str) -> Result<Arc<Task>, Ended> {
    let settings = |arguments: &str| {
        let arguments: JobArguments =
            serde_json::from_str(arguments).map_err(|error| Error::Usage(error.to_string()))?;
        arguments.settings()
    };
    Ok(Arc::new(Task::open(handle, settings)?))
}
