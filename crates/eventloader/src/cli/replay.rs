//! `eventloader replay` → the settings of a load whose input are bad lines of the target's quarantine.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use event_parser::{Reason, Selection};
use event_target::{DedupeScope, Mode, TargetLayout};
use events_core::partition::{Layout, PartitionUnit};

use super::{CodecArg, RUN, SAY, SOURCE, TARGET, catalogs_of, resources::ResourceArgs};
use crate::{
    commands::catalog_files,
    error::Error,
    settings::{Input, ReplaySelection, Settings},
};

const WHICH: &str = "Which bad lines";

/// `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The directory of the partitions
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    /// Event types of your own: a catalog file (TOML), or a directory of such; may be given several times
    #[arg(long, value_name = "FILE|DIR", help_heading = SOURCE)]
    catalog: Vec<PathBuf>,

    /// Only bad lines of this reason (`unknown_event`, …); may be given several times
    #[arg(long, value_name = "REASON", help_heading = WHICH)]
    reason: Vec<String>,

    /// Only bad lines of this source, as the quarantine names it, or the end of its path; may be given several times
    #[arg(long, value_name = "PATH", help_heading = WHICH)]
    source: Vec<String>,

    /// One column per value of the payload (true), or all of it in one struct column (false); as the target was loaded
    #[arg(
        short, long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, help_heading = TARGET
    )]
    flatten: bool,

    /// Codec of the Parquet pages
    #[arg(long, value_name = "CODEC", value_enum, default_value_t = CodecArg::Zstd, help_heading = TARGET)]
    compression: CodecArg,

    #[command(flatten)]
    resources: ResourceArgs,

    /// Do everything but the commit
    #[arg(long, help_heading = RUN)]
    dry_run: bool,

    /// Write the run report as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE", help_heading = SAY)]
    pub report: Option<PathBuf>,

    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = SAY)]
    pub quiet: bool,

    /// Name every partition in the summary
    #[arg(short, long, help_heading = SAY)]
    pub verbose: bool,
}

impl ReplayArgs {
    /// What the command line asks for, in full; reads the catalogs, and how the target is laid out.
    ///
    /// # Errors
    /// A catalog can't be read or used, a reason is none, or no load has ever been there.
    pub fn settings(&self) -> Result<Settings, Error> {
        let codes = Reason::ALL.map(Reason::code);
        if let Some(unknown) = self.reason.iter().find(|reason| !codes.contains(&reason.as_str())) {
            return Err(Error::Usage(format!(
                "--reason: there is no {unknown:?}. Known: {}",
                codes.join(", ")
            )));
        }
        let layout = TargetLayout::remembered(&self.target)?.and_then(|layout| layout.parts());
        let (layout, partition_unit) = layout.unwrap_or((Layout::Plain, PartitionUnit::Day));
        Ok(Settings {
            input: Input::Replay(ReplaySelection {
                reasons: self.reason.clone(),
                sources: self.source.clone(),
            }),
            target: self.target.clone(),
            catalog: catalog_files::read(&catalogs_of(&self.catalog))?,
            selection: Selection::default(),
            flatten: self.flatten,
            layout,
            partition_unit,
            mode: Mode::Merge,
            dedupe_scope: DedupeScope::Target,
            codec: self.compression.into(),
            memory_bytes: self.resources.memory,
            threads: self.resources.threads(),
            bad_lines_max: None,
            superseded_samples_max: 0,
            dry_run: self.dry_run,
        })
    }

    /// The target as it was given, for messages.
    #[must_use]
    pub fn target(&self) -> String {
        self.target.display().to_string()
    }
}
