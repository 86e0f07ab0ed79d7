//! The command line → [`Settings`]; a bad value fails here, before any source is opened.

mod advice;
mod catalog;
mod help;
mod replay;
mod resources;
mod target;
mod values;

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::{ArgAction, ArgGroup, Parser, Subcommand, builder::RangedU64ValueParser};
use command_line::Document;
use event_parser::{DayRange, Selection};
use events_core::partition::Day;

pub use self::{
    advice::explain,
    catalog::{CatalogCommand, CheckArgs, InferArgs, ShowArgs},
    replay::ReplayArgs,
    target::{ListArgs, RecoverArgs, VerifyArgs},
};
use self::{
    help::{EXAMPLES, LONG_ABOUT, USAGE},
    resources::{ResourceArgs, THREADS_MAX, threads_of},
    values::{CodecArg, LayoutArg, Mode, Scope, Unit},
};
use crate::{
    commands::catalog_files,
    error::Error,
    settings::{BadLinesMax, Input, Settings},
};

/// Superseded rows are held in memory to be named, and nobody looks at more.
const SAMPLES_MAX: u64 = 10_000;

/// Names catalogs where `--catalog` names none.
const CATALOG_VARIABLE: &str = "EVENTLOADER_CATALOG";

const SOURCE: &str = "What to read";
const SELECT: &str =
    "What to load of it (all domains and types where nothing is said; the days must be said)";
const TARGET: &str = "Where and how to write";
const RUN: &str = "How to run";
const SAY: &str = "What to say";

/// Loads JSON events into Parquet, partitioned by day and event type, without losing or doubling one.
#[derive(Debug, Parser)]
#[command(
    name = "eventloader",
    version = command_line::version!(),
    about,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES,
    override_usage = USAGE,
    help_expected = true,
    max_term_width = 100,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    group = ArgGroup::new("days").required(true).multiple(true).args(["date", "since", "until", "backfill", "generate"])
)]
pub struct Cli {
    /// Something else than a load.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// A file, a directory, a glob, or - for standard input; may be given several times
    ///
    /// JSON lines, or one JSON array of events, pretty-printed or not: what begins with [ is an array. Plain or compressed
    /// with gzip or zstd (told by content, not by name). Of a directory all files below it are read, but for names that
    /// begin with _ or a dot. All files are read in the order of their paths, standard input last, each once.
    #[arg(short, long = "source-file", value_name = "PATH", required = true, help_heading = SOURCE)]
    source_file: Vec<String>,

    /// Pass over sources that the target holds already, and those that are still being written (with --mode merge)
    ///
    /// A source is known by its content, whatever it is called, if the same (catalog, domains, types, days) was merged of it since
    /// anything was overwritten. One whose last line or array has no end yet, or whose compressed data breaks off, is left for a later run, and
    /// named. So one command line loads a directory that fills up, for ever.
    #[arg(long, help_heading = SOURCE)]
    skip_loaded: bool,

    /// Event types of your own: a catalog file (TOML), or a directory of such; may be given several times
    ///
    /// They are added to those that are built in, and replace them where domain and type are the same. Where the flag is
    /// not given, the environment variable `EVENTLOADER_CATALOG` is read: paths with a colon between them. docs/catalog.md has the
    /// format.
    #[arg(long, value_name = "FILE|DIR", help_heading = SOURCE)]
    catalog: Vec<PathBuf>,

    /// Only events of this domain; may be given several times
    #[arg(short = 'D', long, value_name = "DOMAIN", help_heading = SELECT)]
    domain: Vec<String>,

    /// Only events of this type; may be given several times
    #[arg(short, long, value_name = "TYPE", help_heading = SELECT)]
    event_type: Vec<String>,

    /// Load this day, in UTC
    #[arg(
        short, long, value_name = "YYYY-MM-DD", value_parser = parse_day, conflicts_with_all = ["since", "until", "backfill"],
        help_heading = SELECT
    )]
    date: Option<Day>,

    /// Load the days from this one on
    #[arg(
        long, value_name = "YYYY-MM-DD", value_parser = parse_day, conflicts_with = "backfill", help_heading = SELECT
    )]
    since: Option<Day>,

    /// Load the days up to this one, itself included
    #[arg(
        long, value_name = "YYYY-MM-DD", value_parser = parse_day, conflicts_with = "backfill", help_heading = SELECT
    )]
    until: Option<Day>,

    /// Load every day in the source
    #[arg(short, long, help_heading = SELECT)]
    backfill: bool,

    /// Where "the latest version of an event" is decided [default: input; with --mode merge target]
    #[arg(long, value_name = "SCOPE", value_enum, help_heading = SELECT)]
    dedupe_scope: Option<Scope>,

    /// The directory of the partitions; created when missing
    #[arg(short, long, value_name = "DIR", default_value = "data/target/", help_heading = TARGET)]
    target_path: PathBuf,

    /// One column per value of the payload (true), or all of it in one struct column (false)
    #[arg(
        short, long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, help_heading = TARGET
    )]
    flatten: bool,

    /// How the directories are named
    #[arg(long, value_enum, default_value_t = LayoutArg::Plain, help_heading = TARGET)]
    layout: LayoutArg,

    /// How much time a partition spans
    #[arg(long, value_name = "UNIT", value_enum, default_value_t = Unit::Day, help_heading = TARGET)]
    partition_by: Unit,

    /// What happens to what the target holds
    #[arg(long, value_enum, default_value_t = Mode::Overwrite, help_heading = TARGET)]
    mode: Mode,

    /// Codec of the Parquet pages
    #[arg(long, value_name = "CODEC", value_enum, default_value_t = CodecArg::Zstd, help_heading = TARGET)]
    compression: CodecArg,

    #[command(flatten)]
    resources: ResourceArgs,

    /// Commit nothing and exit with 3 if more lines than this are bad: a number, or a share like 0.5% [default: no limit]
    #[arg(long, value_name = "N|P%", value_parser = BadLinesMax::parse, allow_hyphen_values = true, help_heading = RUN)]
    max_bad_lines: Option<BadLinesMax>,

    /// Do everything but the commit: exact counts, and the partitions that would be written
    #[arg(long, help_heading = RUN)]
    dry_run: bool,

    /// Write the run report as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE", help_heading = SAY)]
    pub report: Option<PathBuf>,

    /// Name the first N superseded rows, each with the one that is kept: in the report, and with -v in the summary
    ///
    /// In input order, with event type, id, timestamp, source and line (in a JSON array the element's number), and whether it was
    /// redelivered (the same content) or corrected.
    #[arg(
        long, value_name = "N", default_value_t = 0, value_parser = RangedU64ValueParser::<usize>::new().range(0..=SAMPLES_MAX),
        help_heading = SAY
    )]
    superseded_samples: usize,

    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = SAY)]
    pub quiet: bool,

    /// Name every partition in the summary
    #[arg(short, long, help_heading = SAY)]
    pub verbose: bool,

    /// Print the man page or a shell's completions, and load nothing
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = SAY)]
    pub generate: Option<Document>,
}

/// What there is besides loading.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draft a catalog from events, prove one against events, or show its tables
    #[command(subcommand)]
    Catalog(CatalogCommand),

    /// Finish or undo what an interrupted load left in a target, and do nothing else
    ///
    /// Every load does that first, so nobody has to: it is for those who want a target in order before they read it. A commit
    /// that was recorded is carried to its end; what had not come so far is deleted.
    Recover(RecoverArgs),

    /// Show the loads that were committed to a target: when, what from, what became of it
    ///
    /// One line for each on standard output, the last one last; of folded commits the last 1000.
    List(ListArgs),

    /// Load the bad lines of a target's quarantine again, by today's catalog: those that hold now are merged
    ///
    /// They leave the quarantine in the same commit; the others stay, with today's reason. Lines that were too long are left.
    Replay(ReplayArgs),

    /// Read a whole target back, and say what is not as its loads left it, or not what a manifest says
    ///
    /// All bytes are compared with the checksums that the commits recorded, all pages decoded, and every row is asked whether it
    /// belongs to its partition, stands in order, and is there once. With --against, what is there is also compared with what must come of
    /// the events that were generated. Each problem is a line on standard output, with the file's path.
    /// Exit code 0 if there is none, otherwise 1. Nothing is changed.
    Verify(VerifyArgs),
}

fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected a day that exists, like 2024-10-10".to_owned())
}

/// The catalogs of the command line, or else those of the environment.
fn catalogs_of(given: &[PathBuf]) -> Vec<PathBuf> {
    if !given.is_empty() {
        return given.to_owned();
    }
    let paths = env::var_os(CATALOG_VARIABLE).unwrap_or_default();
    env::split_paths(&paths).filter(|path| *path != Path::new("")).collect()
}

impl Cli {
    /// What the command line asks for, in full; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<Settings, Error> {
        let days = match (self.date, self.since, self.until) {
            (Some(day), ..) => Some(DayRange { first: Some(day), last: Some(day) }),
            (None, None, None) => None,
            (None, first, last) => Some(DayRange { first, last }),
        };
        Ok(Settings {
            input: Input::Sources { paths: self.source_file.clone(), skip_loaded: self.skip_loaded()? },
            target: self.target_path.clone(),
            catalog: catalog_files::read(&catalogs_of(&self.catalog))?,
            selection: Selection { domains: self.domain.clone(), event_types: self.event_type.clone(), days },
            flatten: self.flatten,
            layout: self.layout.into(),
            partition_unit: self.partition_by.into(),
            mode: self.mode.into(),
            dedupe_scope: self.dedupe_scope()?.into(),
            codec: self.compression.into(),
            memory_bytes: self.resources.memory,
            threads: self.resources.threads(),
            bad_lines_max: self.max_bad_lines,
            superseded_samples_max: self.superseded_samples,
            dry_run: self.dry_run,
        })
    }

    fn skip_loaded(&self) -> Result<bool, Error> {
        if self.skip_loaded && self.mode == Mode::Overwrite {
            let problem = "--skip-loaded: what is replaced by --mode overwrite is no longer known to be there; add --mode merge";
            return Err(Error::Usage(problem.to_owned()));
        }
        Ok(self.skip_loaded)
    }

    fn dedupe_scope(&self) -> Result<Scope, Error> {
        match (self.mode, self.dedupe_scope) {
            (Mode::Overwrite, None) => Ok(Scope::Input),
            (Mode::Merge, None) => Ok(Scope::Target),
            (Mode::Overwrite, Some(Scope::Target)) => Err(Error::Usage(
                "--dedupe-scope target: what the target holds takes part with --mode merge only; add that"
                    .to_owned(),
            )),
            (Mode::Merge, Some(Scope::Input)) => Err(Error::Usage(
                "--dedupe-scope input: with --mode merge the rows of the target take part; use target or day"
                    .to_owned(),
            )),
            (_, Some(scope)) => Ok(scope),
        }
    }

    /// The target as it was given, for messages.
    #[must_use]
    pub fn target(&self) -> String {
        self.target_path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::runtime::memory;

    #[test]
    fn the_command_line_is_well_formed_and_its_default_memory_is_the_documented_one() {
        Cli::command().debug_assert();
        let settings = Cli::parse_from(["eventloader", "-s", "x", "-b"]).settings().unwrap();
        assert_eq!(settings.memory_bytes, memory::MEMORY_BYTES_DEFAULT);
        assert_eq!(settings.selection.days, None);
    }
}
