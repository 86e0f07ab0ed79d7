//! `eventloader quarantine` and `discard`, and which bad lines these and `replay` are about.
//!
//! Invariant: a reason is one that there is.

use std::path::PathBuf;

use clap::{Args, builder::RangedU64ValueParser};
use event_parser::Reason;
use event_target::Location;

use super::{SELECTION, THREADS_MAX, stores::StoreArgs, threads_of};
use crate::{
    commands::quarantine::{QuarantineSettings, View},
    error::Error,
    settings::BadLineSelection,
};

/// Which bad lines of a quarantine.
#[derive(Debug, Args)]
pub(super) struct BadLineArgs {
    /// Only bad lines with this reason (`unknown_event`, …); can be given several times
    #[arg(long, value_name = "REASON", help_heading = SELECTION)]
    reason: Vec<String>,

    /// Only bad lines of this source: its name in the quarantine, or the end of its path; can be given
    /// several times
    #[arg(long, value_name = "PATH", help_heading = SELECTION)]
    source: Vec<String>,
}

impl BadLineArgs {
    /// The lines that were asked for.
    ///
    /// # Errors
    /// A reason does not exist.
    pub(super) fn selection(&self) -> Result<BadLineSelection, Error> {
        let codes = Reason::ALL.map(Reason::code);
        if let Some(unknown) = self.reason.iter().find(|reason| !codes.contains(&reason.as_str())) {
            return Err(Error::Usage(format!(
                "--reason: unknown reason {unknown:?}; the reasons are {}",
                codes.join(", ")
            )));
        }
        let (reasons, sources) = (self.reason.clone(), self.source.clone());
        Ok(BadLineSelection { reasons, sources, envelope: None })
    }
}

/// `quarantine`
#[derive(Debug, Args)]
pub struct QuarantineArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    #[command(flatten)]
    lines: BadLineArgs,

    /// Print one JSON object per group of lines
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// Print the lines themselves, byte for byte, each with a newline behind it
    ///
    /// An element of an array, a document or a record is printed without what stood around it, and may have
    /// newlines of its own.
    #[arg(long)]
    raw: bool,

    /// Print only the lines and errors, no summary
    #[arg(short, long)]
    pub quiet: bool,
}

impl QuarantineArgs {
    /// The settings given by the command line.
    ///
    /// # Errors
    /// A reason does not exist.
    pub fn settings(&self) -> Result<QuarantineSettings, Error> {
        let view = match (self.json, self.raw) {
            (true, _) => View::Json,
            (false, true) => View::Raw,
            (false, false) => View::Text,
        };
        Ok(QuarantineSettings {
            target: self.stores.location(&self.target, None)?,
            selection: self.lines.selection()?,
            view,
        })
    }
}

/// `discard`
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    #[command(flatten)]
    lines: BadLineArgs,

    /// The number of threads [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,

    /// Print only errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl DiscardArgs {
    /// The target.
    ///
    /// # Errors
    /// Its name can't be used.
    pub fn location(&self) -> Result<Location, Error> {
        self.stores.location(&self.target, None)
    }

    /// The lines that were asked for.
    ///
    /// # Errors
    /// A reason does not exist.
    pub fn selection(&self) -> Result<BadLineSelection, Error> {
        self.lines.selection()
    }

    /// The number of threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        threads_of(self.threads)
    }
}
