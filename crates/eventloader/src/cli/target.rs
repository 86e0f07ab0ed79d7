//! `eventloader accept`, `list`, `recover` and `verify` → the settings of these commands.
//!
//! Invariant: the target has the same default as for a load.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, builder::RangedU64ValueParser};
use event_target::Location;

use super::{THREADS_MAX, stores::StoreArgs, threads_of, values::age};
use crate::{
    commands::verify::VerifySettings,
    error::Error,
    runtime::{database_of, memory},
};

/// `accept`
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Also forget which sources were loaded, so that --skip-loaded reads them again
    ///
    /// Merging a source again changes nothing but what is missing.
    #[arg(long)]
    pub reload: bool,

    /// The number of threads [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,

    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl AcceptArgs {
    /// The target.
    ///
    /// # Errors
    /// Its name can't be used.
    pub fn location(&self) -> Result<Location, Error> {
        self.stores.location(&self.target, None)
    }

    /// The number of threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        threads_of(self.threads)
    }
}

/// `recover`
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Also delete what no table and no record refers to: files of killed runs, and replaced files
    ///
    /// For targets of tables; another target has no such files. Readers of old versions lose the files that
    /// were replaced so long ago.
    #[arg(long)]
    sweep: bool,

    /// How long nothing must have referred to a file
    ///
    /// It must be longer than any run takes: a run's files are referred to once it commits.
    #[arg(long, value_name = "AGE", value_parser = age, default_value = "7d", requires = "sweep")]
    older_than: Duration,

    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl RecoverArgs {
    /// How old the files are that are swept; `None` if none are.
    ///
    /// # Errors
    /// The target is in a database.
    pub fn sweep_older_than(&self) -> Result<Option<Duration>, Error> {
        if self.sweep && database_of(&self.target).is_some() {
            return Err(Error::Usage(
                "--sweep: a database has no files that nothing refers to; leave it out".to_owned(),
            ));
        }
        Ok(self.sweep.then_some(self.older_than))
    }

    /// The target.
    ///
    /// # Errors
    /// Its name can't be used.
    pub fn location(&self) -> Result<Location, Error> {
        self.stores.location(&self.target, None)
    }
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,

    /// Write a page for a browser to this file; - for standard output
    ///
    /// It shows rows by day and event type, loads, superseded rows, bad lines and sizes, in one file without
    /// scripts. The file is replaced when the page is complete.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
}

/// Where a page goes.
#[derive(Debug)]
pub enum PageOutput<'a> {
    /// To standard output.
    StandardOutput,
    /// To a file.
    File(&'a Path),
}

impl ListArgs {
    /// Where the page goes that was asked for.
    #[must_use]
    pub fn page(&self) -> Option<PageOutput<'_>> {
        let file = self.html.as_deref()?;
        // A file that a shell has opened as standard output must not be replaced by another one.
        let is_output = ["-", "/dev/stdout"].iter().any(|name| file == Path::new(name));
        Some(if is_output { PageOutput::StandardOutput } else { PageOutput::File(file) })
    }

    /// The target.
    ///
    /// # Errors
    /// Its name can't be used.
    pub fn location(&self) -> Result<Location, Error> {
        self.stores.location(&self.target, None)
    }
}

/// `verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Compare the target with this file, which `datagen --manifest` wrote with the events
    ///
    /// All of the events must have been loaded into the target, with the catalog of their world. Compares
    /// rows, contents and sums by day and event type, and bad lines by reason, for any layout, flat or
    /// nested. Events that several runs wrote have a manifest for each: give all of them, each with its own
    /// --against. docs/manifest.md describes the format.
    #[arg(long, value_name = "MANIFEST")]
    against: Vec<PathBuf>,

    /// The memory that the process may use: 512MiB, 2GiB, …; ids beyond it are compared in several passes
    /// [default: 2GiB, or half of what there is]
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_size)]
    memory: Option<usize>,

    /// The number of threads [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,

    /// Print only problems and errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl VerifyArgs {
    /// The settings given by the command line.
    ///
    /// # Errors
    /// The name of the target can't be used.
    pub fn settings(&self) -> Result<VerifySettings, Error> {
        Ok(VerifySettings {
            target: self.stores.location(&self.target, None)?,
            against: self.against.clone(),
            memory_bytes: self.memory.unwrap_or_else(memory::default_bytes),
            threads: threads_of(self.threads),
        })
    }
}
