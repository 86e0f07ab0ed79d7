//! The command line → [`Settings`](crate::settings::Settings), or the settings of a subcommand.
//!
//! Invariant: a bad value fails here, before any source is opened.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "what documents a flag is its help, as it is shown"
)]

mod advice;
mod catalog;
mod help;
mod job;
mod load;
mod quarantine;
mod replay;
mod resources;
mod rewrite;
mod stores;
mod target;
mod usage;
mod values;

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::{
    ArgAction, ArgGroup, Parser, Subcommand,
    builder::{PossibleValuesParser, RangedU64ValueParser},
};
use command_line::Document;
use events_core::{envelope::PRESETS, partition::Day};

pub use self::{
    advice::explain,
    catalog::{CatalogCommand, CheckArgs, DiffArgs, InferArgs, ShowArgs},
    help::BEGINNING,
    job::JobArguments,
    quarantine::{DiscardArgs, QuarantineArgs},
    replay::ReplayArgs,
    rewrite::RewriteArgs,
    target::{AcceptArgs, ListArgs, PageOutput, RecoverArgs, VerifyArgs},
    usage::reword,
};
use self::{
    help::{EXAMPLES, LONG_ABOUT, USAGE},
    resources::{ResourceArgs, THREADS_MAX, threads_of},
    stores::StoreArgs,
    values::{FormatArgs, FramingArg, LayoutArgs, Mode, Scope},
};
use crate::settings::BadLinesMax;

/// Sampled rows stay in memory, and nobody reads more of them.
const SAMPLES_MAX: u64 = 10_000;

/// Names the catalogs if `--catalog` is not given.
const CATALOG_VARIABLE: &str = "EVENTLOADER_CATALOG";

const INPUT: &str = "Input";
const SELECTION: &str = "Selection";
const TARGET: &str = "Target";
const RESOURCES: &str = "Resources";
const OUTPUT: &str = "Output";
const STORES: &str = "Object stores";

/// Loads JSON events into Parquet, partitioned by day and event type, each event exactly once.
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
    group = ArgGroup::new("days")
        .required(true)
        .multiple(true)
        .args(["date", "since", "until", "backfill", "generate"])
)]
pub struct Cli {
    /// What to do instead of loading.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// A file, directory, glob, s3:// address, or - for standard input; can be given several times
    ///
    /// The content is JSON lines, one JSON array (it begins with [), or JSON documents one behind the other,
    /// pretty-printed or not, plain or compressed with gzip or zstd. Formats are recognised by content, not
    /// by name. A directory stands for all files below it, except names that begin with _ or a dot, or end
    /// with .tmp, .part, .swp or ~. An address (s3://, gs://, az://, abfss://) that ends with / stands for
    /// all objects below it, likewise; any other for an object, or as a glob. All are read in the order of
    /// their names, each once; standard input comes last.
    #[arg(short, long = "source-file", value_name = "PATH", required = true, help_heading = INPUT)]
    source_file: Vec<PathBuf>,

    /// Skip sources that are already loaded or still being written (with --mode merge)
    ///
    /// A source is recognised by its content, whatever its name. It counts as loaded if the same selection
    /// (catalog, domains, types, days) of it was merged and nothing was overwritten since. A source whose
    /// last line, array or document is incomplete, or whose compressed data breaks off, is reported and left
    /// for a later run. So the same command can load a growing directory again and again. A damaged source,
    /// or one in a format that is not read, is left out and named; the others load, and the exit code is 6.
    #[arg(long, help_heading = INPUT)]
    skip_loaded: bool,

    /// How a source is divided into events
    ///
    /// auto takes a text that begins with [ for one array, and for documents one behind the other a text
    /// whose first one goes on over several lines, whose only line has several, or that begins with 0x1E
    /// (RFC 7464). All else is one document per line.
    #[arg(
        long, value_name = "FORM", value_enum, default_value_t = FramingArg::Auto,
        help_heading = INPUT
    )]
    framing: FramingArg,

    /// Add event types: a catalog file (TOML) or a directory of them; can be given several times
    ///
    /// They are added to the built-in ones, and replace those with the same domain and type. Without this
    /// flag, the environment variable `EVENTLOADER_CATALOG` is used: paths separated by colons.
    /// docs/catalog.md describes the format.
    #[arg(long, value_name = "FILE|DIR", help_heading = INPUT)]
    catalog: Vec<PathBuf>,

    /// Read records with this envelope: which parts of them are the id, the time, the type, the payload
    ///
    /// Without this flag, the `[envelope]` of the catalogs is used, or else the base contract. `catalog show
    /// --envelope NAME` prints an envelope; docs/envelopes.md describes them.
    #[arg(long, value_name = "NAME", value_parser = envelope_names(), help_heading = INPUT)]
    envelope: Option<String>,

    /// Load only events of this domain [default: all]; can be given several times
    #[arg(short = 'D', long, value_name = "DOMAIN", help_heading = SELECTION)]
    domain: Vec<String>,

    /// Load only events of this type [default: all]; can be given several times
    #[arg(short, long, value_name = "TYPE", help_heading = SELECTION)]
    event_type: Vec<String>,

    /// Load this day (UTC)
    #[arg(
        short, long, value_name = "YYYY-MM-DD", value_parser = parse_day, help_heading = SELECTION,
        conflicts_with_all = ["since", "until", "backfill"]
    )]
    date: Option<Day>,

    /// Load from this day on
    #[arg(
        long, value_name = "YYYY-MM-DD", value_parser = parse_day, conflicts_with = "backfill",
        help_heading = SELECTION
    )]
    since: Option<Day>,

    /// Load up to and including this day
    #[arg(
        long, value_name = "YYYY-MM-DD", value_parser = parse_day, conflicts_with = "backfill",
        help_heading = SELECTION
    )]
    until: Option<Day>,

    /// Load all days of the input
    ///
    /// The days to load must always be given: with this flag, --date, --since or --until.
    #[arg(short, long, help_heading = SELECTION)]
    backfill: bool,

    /// Among which events the latest version is chosen [default: input; with --mode merge: target]
    #[arg(long, value_name = "SCOPE", value_enum, help_heading = SELECTION)]
    dedupe_scope: Option<Scope>,

    /// The directory of the target, created if missing; or an address: s3://bucket/key, gs://…, az://…,
    /// abfss://…, postgresql://user@host/database?schema=lake
    #[arg(short, long, value_name = "DIR", default_value = "data/target/", help_heading = TARGET)]
    target_path: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Write one column per payload value (true), or the whole payload in one struct column (false)
    #[arg(
        short, long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set,
        help_heading = TARGET
    )]
    flatten: bool,

    #[command(flatten)]
    layout: LayoutArgs,

    /// What happens to rows that the target already has
    #[arg(long, value_enum, default_value_t = Mode::Overwrite, help_heading = TARGET)]
    mode: Mode,

    #[command(flatten)]
    format: FormatArgs,

    #[command(flatten)]
    resources: ResourceArgs,

    /// Exit with 3 and commit nothing if more lines than this are bad: a number, or a share like 0.5%
    /// [default: if all are]
    ///
    /// Without this flag, a run fails if all of its lines are bad. 100% quarantines them all the same.
    #[arg(
        long, value_name = "N|P%", value_parser = BadLinesMax::parse, allow_hyphen_values = true,
        help_heading = TARGET
    )]
    max_bad_lines: Option<BadLinesMax>,

    /// Do everything except the commit, and print exact counts
    #[arg(long, help_heading = TARGET)]
    dry_run: bool,

    /// Write the run report as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub report: Option<PathBuf>,

    /// List the first N superseded rows, each with the row that replaced it, in the report and with -v
    ///
    /// In input order, with event type, id, timestamp, source and line (in a JSON array: element). Each is
    /// marked as redelivered (the same content) or corrected.
    #[arg(
        long, value_name = "N", default_value_t = 0, help_heading = OUTPUT,
        value_parser = RangedU64ValueParser::<usize>::new().range(0..=SAMPLES_MAX)
    )]
    superseded_samples: usize,

    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub quiet: bool,

    /// Print more: every partition, conversions, times per stage
    #[arg(short, long, help_heading = OUTPUT)]
    pub verbose: bool,

    /// Print the man page or a shell's completions instead of loading
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = OUTPUT)]
    pub generate: Option<Document>,
}

/// What to do instead of loading.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record the files of a target as they are as what is meant
    ///
    /// A merge refuses a target from which files were deleted, or in which they were changed, because it
    /// would record what is left as all that there is. `verify` lists such files. This command records them
    /// as they are: days that were deleted on purpose stay deleted, and the sources that were loaded stay
    /// loaded. To load deleted days again, add --reload. No file but the record changes.
    Accept(AcceptArgs),

    /// Draft a catalog from events, check events against one, compare two, or show the tables of one
    #[command(subcommand)]
    Catalog(CatalogCommand),

    /// Take bad lines out of a target's quarantine for good
    ///
    /// All of them, or those with some reasons or of some sources; `quarantine` shows them beforehand. The
    /// commit records how many went for which reason, and `list` shows it. A source that is loaded again
    /// brings its bad lines back; with --skip-loaded it is not read again. The exit code is 1 if no line is
    /// selected.
    Discard(DiscardArgs),

    /// Finish or undo what an interrupted load left in a target
    ///
    /// Every load does this first, so it is only needed to clean up a target before reading it. A recorded
    /// commit is finished; files of a load that had not recorded its commit are deleted.
    Recover(RecoverArgs),

    /// List the loads of a target: when, from which sources, with which result
    ///
    /// Prints one line per load to standard output, the latest last. Of loads whose commit files were folded,
    /// the last 1000 are listed. With --html, makes a page that also shows what the target holds.
    List(ListArgs),

    /// Show the bad lines in a target's quarantine, by reason, source and field
    ///
    /// Prints each group of them to standard output, with their number, and the first one: its place, what
    /// was expected and found, and its beginning. With --raw, prints the lines themselves. Waits for no load,
    /// and changes nothing. The exit code is 1 if a record of the quarantine is damaged.
    Quarantine(QuarantineArgs),

    /// Load the bad lines in a target's quarantine again, with the current catalog
    ///
    /// Lines that are good now are merged into the target and leave the quarantine in the same commit. The
    /// others stay, with their current reason; those of event types that do not fit what the target has of
    /// them stay as they are, and the types are named. Over-long lines are not replayed. Lines that were read
    /// with several envelopes are replayed in a run for each.
    Replay(ReplayArgs),

    /// Write the rows of a target again: in today's catalog, compression, encodings and layout
    ///
    /// Columns get the types of the catalog where these are wider, and new columns are null. Payloads that
    /// are one column of JSON text, because no catalog named their type, get the columns of a catalog that
    /// names it. Small files of a partition become one, very large ones several. Rows and their order stay,
    /// which is proved by a digest of what was read and of what was written. Partitions that are as they
    /// should be are left alone. All in one commit: of all partitions or, with --since and --until, of some
    /// days.
    Rewrite(RewriteArgs),

    /// Check a whole target: its files, its rows, and optionally a manifest
    ///
    /// Compares all bytes with the checksums recorded by the commits, decodes all pages, and checks that each
    /// row belongs to its partition, is in order, and occurs once. With --against, also compares the target
    /// with what the generated events must result in. Prints one line per problem to standard output, with
    /// the file's path. The exit code is 0 if there is no problem, otherwise 1. Changes nothing.
    Verify(VerifyArgs),
}

fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected an existing day, for example 2024-10-10".to_owned())
}

/// The names that `--envelope` takes.
fn envelope_names() -> PossibleValuesParser {
    PRESETS.map(|(name, _)| name).into()
}

/// The catalogs given on the command line, or else by the environment.
fn catalogs_of(given: &[PathBuf]) -> Vec<PathBuf> {
    if !given.is_empty() {
        return given.to_owned();
    }
    let paths = env::var_os(CATALOG_VARIABLE).unwrap_or_default();
    env::split_paths(&paths).filter(|path| *path != Path::new("")).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
        let settings = Cli::parse_from(["eventloader", "-s", "x", "-b"]).settings().unwrap();
        assert_eq!(settings.selection.days, None);
    }
}
