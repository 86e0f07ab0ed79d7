//! `eventloader catalog …` → what its commands need to know.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use event_parser::Selection;

use super::{
    THREADS_MAX, catalogs_of, threads_of,
    values::{LayoutArg, Unit},
};
use crate::{
    commands::{
        catalog::{Format, InferSettings, ReadSettings, ShowSettings},
        catalog_files,
    },
    error::Error,
    runtime::{Progress, memory},
};

/// What to do with catalogs.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Draft a catalog from events
    ///
    /// Reads all of the input once and prints a catalog, as TOML, that --catalog takes as it is. Every type holds for all
    /// values that were seen, so what was read loads without a line in the quarantine, but for lines that are bad whatever
    /// a catalog says. Behind each field stands what was seen: how often, from what to what, examples, why this type, and a
    /// narrower one if only few lines object to it. Go over the draft: data can't tell a price from a measurement.
    #[command(after_long_help = INFER_EXAMPLES)]
    Infer(InferArgs),

    /// Prove a catalog against events, without writing anything
    ///
    /// Judges every line as a load would, and says for each event type how many would load, how many would be quarantined
    /// for which reason with the first of them, and which fields the catalog doesn't know. Exit code 0 if no line would be
    /// quarantined, otherwise 3.
    Check(CheckArgs),

    /// Show the tables that a catalog makes
    ///
    /// As text with types and descriptions, as Arrow schemas, or as CREATE TABLE statements with the types that an engine
    /// gives to the files' columns. Without --catalog: the tables of the built-in event types.
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
}

const INFER_EXAMPLES: &str = "\
Examples:
  eventloader catalog infer events.json > shop.toml             a draft; now go over it, then
  eventloader -s events.json --backfill --catalog shop.toml     load with it
  eventloader catalog infer 'in/*.json.gz' --output catalogs/   a file for each domain
  eventloader catalog infer huge.json --sample-lines 1000000    of its first lines";

const SHOW_EXAMPLES: &str = "\
Examples:
  eventloader catalog show --catalog shop.toml
  eventloader catalog show --catalog shop.toml -e order-placed --format duckdb | duckdb lake.db";

/// What `infer` and `check` read.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// A file, a directory, a glob, or - for standard input
    ///
    /// Read as a load reads it.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,

    #[command(flatten)]
    catalog: CatalogArgs,

    /// How many threads work [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,
}

/// Which catalog, and what of it.
#[derive(Debug, Args)]
pub(super) struct CatalogArgs {
    /// Event types of your own: a catalog file (TOML), or a directory of such; may be given several times
    ///
    /// They come over those that are built in. Where the flag is not given, EVENTLOADER_CATALOG is read.
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Vec<PathBuf>,

    /// Only events of this domain; may be given several times
    #[arg(short = 'D', long, value_name = "DOMAIN")]
    domain: Vec<String>,

    /// Only events of this type; may be given several times
    #[arg(short, long, value_name = "TYPE")]
    event_type: Vec<String>,
}

/// `catalog infer`
#[derive(Debug, Args)]
pub struct InferArgs {
    #[command(flatten)]
    read: ReadArgs,

    /// Draft event types that the catalog has already, too: the draft replaces them
    #[arg(long)]
    all: bool,

    /// Read only so many lines, the first ones; what comes later may not fit the draft
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample_lines: Option<u64>,

    /// Write a file for each domain into this directory, created when missing
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Replace files that are there
    #[arg(long, requires = "output")]
    force: bool,

    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// `catalog check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    read: ReadArgs,
}

/// `catalog show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    catalog: CatalogArgs,

    /// What to show of each table
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,

    /// One column per value of the payload (true), or all of it in one struct column (false)
    #[arg(short, long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    flatten: bool,

    /// How the directories are named: with hive, engines make columns of them
    #[arg(long, value_enum, default_value_t = LayoutArg::Plain)]
    layout: LayoutArg,

    /// How much time a partition spans
    #[arg(long, value_name = "UNIT", value_enum, default_value_t = Unit::Day)]
    partition_by: Unit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// Columns with their types and descriptions
    Text,
    /// The Arrow schema
    Arrow,
    /// CREATE TABLE for DuckDB
    Duckdb,
    /// CREATE TABLE for Spark SQL, USING parquet
    Spark,
    /// CREATE TABLE for PostgreSQL; what it has no type for is jsonb
    Postgres,
}

impl CatalogArgs {
    fn selection(&self) -> Selection {
        Selection { domains: self.domain.clone(), event_types: self.event_type.clone(), days: None }
    }
}

impl ReadArgs {
    fn settings(&self, progress: Progress) -> Result<ReadSettings, Error> {
        Ok(ReadSettings {
            sources: self.sources.clone(),
            catalog: catalog_files::read(&catalogs_of(&self.catalog.catalog))?,
            selection: self.catalog.selection(),
            memory_bytes: memory::MEMORY_BYTES_DEFAULT,
            threads: threads_of(self.threads),
            progress,
        })
    }
}

impl InferArgs {
    /// What the command line asks for; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<InferSettings, Error> {
        Ok(InferSettings {
            read: self.read.settings(Progress::on_terminal(self.quiet))?,
            with_known: self.all,
            lines_max: self.sample_lines,
            output: self.output.clone(),
            force: self.force,
        })
    }

    /// Whether to say nothing but errors.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.quiet
    }
}

impl CheckArgs {
    /// What the command line asks for; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<ReadSettings, Error> {
        self.read.settings(Progress::on_terminal(false))
    }
}

impl ShowArgs {
    /// What the command line asks for; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<ShowSettings, Error> {
        Ok(ShowSettings {
            catalog: catalog_files::read(&catalogs_of(&self.catalog.catalog))?,
            selection: self.catalog.selection(),
            flatten: self.flatten,
            layout: self.layout.into(),
            partition_unit: self.partition_by.into(),
            format: match self.format {
                FormatArg::Text => Format::Text,
                FormatArg::Arrow => Format::Arrow,
                FormatArg::Duckdb => Format::DuckDb,
                FormatArg::Spark => Format::Spark,
                FormatArg::Postgres => Format::Postgres,
            },
        })
    }
}
