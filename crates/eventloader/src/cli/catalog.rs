//! `eventloader catalog …` → the settings of its commands.
//!
//! Invariant: flags that a load also has mean the same here.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use event_parser::Selection;
use events_core::{
    catalog::Catalog,
    envelope::preset_text,
    partition::{Day, Layout, PartitionUnit},
};

use super::{
    THREADS_MAX, catalogs_of, envelope_names, parse_day,
    stores::StoreArgs,
    threads_of,
    values::{FramingArg, LayoutArgs},
};
use crate::{
    commands::{
        catalog::{
            DiffSettings, Engine, Format, InferSettings, ReadSettings, ShowSettings, Side, StatementSettings,
        },
        catalog_files,
    },
    error::Error,
    runtime::{Progress, database_of, memory},
};

/// The commands for catalogs.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Draft a catalog from events
    ///
    /// Reads all of the input once and prints a catalog (TOML) that --catalog accepts. If the records are in
    /// an envelope that is known by name, or in none, the draft finds out; otherwise give one with --envelope
    /// or --catalog. Every field gets a type that fits all values seen, so the same input then loads without
    /// quarantined lines, except for lines that no catalog could accept. A comment behind each field says
    /// what was seen: how often, the range, examples, the reason for the type, and a narrower type if only a
    /// few lines rule it out. Review the draft: data cannot tell a price from a measurement.
    ///
    /// With --catalog, extends these files instead: keeps what they say, byte for byte, adds fields and event
    /// types that are new, and widens types that no longer take all values. Prints what has changed.
    #[command(after_long_help = INFER_EXAMPLES)]
    Infer(InferArgs),

    /// Check events against a catalog, without writing anything
    ///
    /// Judges every line as a load would. Prints, for each event type, how many lines would load, how many
    /// would be quarantined, for which reason and where the first of them is, and which fields the catalog
    /// does not have. The exit code is 0 if no line would be quarantined, otherwise 3.
    Check(CheckArgs),

    /// Compare two catalogs, or a target with a catalog: what would a merge add, widen, refuse or lose?
    ///
    /// Prints the event types and columns that differ. Each of the two is a catalog file, a directory of
    /// them, or a target, whose columns are those of its files. The exit code is 0 if a merge with the second
    /// one is accepted, and 1 if it would be refused as soon as it reads a file that differs.
    #[command(after_long_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),

    /// Show the tables that a catalog describes
    ///
    /// As text with types and descriptions, as Arrow schemas, or as CREATE TABLE statements with the types
    /// that an engine gives to the columns of the files. Without --catalog, shows the tables of the built-in
    /// event types. With --envelope and without --catalog, prints the envelope as a catalog has it.
    #[command(after_long_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
}

const INFER_EXAMPLES: &str = "\
Examples:
  eventloader catalog infer events.json -o shop.toml            draft a catalog; review it, then
  eventloader -s events.json --backfill --catalog shop.toml     load with it
  eventloader catalog infer 'in/*.json.gz' --output catalogs/   write one file per domain
  eventloader catalog infer huge.json --sample-lines 1000000    read only the first lines
  eventloader catalog infer new.json --catalog shop.toml -o shop.toml    extend it by what is new
  eventloader catalog infer new.json --catalog shop.toml --check         does it lack something?";

const DIFF_EXAMPLES: &str = "\
Examples:
  eventloader catalog diff lake shop.toml                       may this catalog be merged into the target?
  eventloader catalog diff old/ new/ --json                     what is different between two catalogs
  git show HEAD:shop.toml > old.toml; eventloader catalog diff old.toml shop.toml";

const SHOW_EXAMPLES: &str = "\
Examples:
  eventloader catalog show --catalog shop.toml
  eventloader catalog show --envelope stripe
  eventloader catalog show --catalog shop.toml -e order-placed --format duckdb | duckdb lake.db";

/// The input of `infer` and `check`.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// A file, directory, glob, s3:// address, or - for standard input
    ///
    /// Read as a load reads it.
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,

    #[command(flatten)]
    stores: StoreArgs,

    /// How a source is divided into events
    #[arg(long, value_name = "FORM", value_enum, default_value_t = FramingArg::Auto)]
    framing: FramingArg,

    #[command(flatten)]
    catalog: CatalogArgs,

    /// The number of threads [default: all cores]
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX)
    )]
    threads: Option<usize>,
}

/// The catalog, and the part of it to use.
#[derive(Debug, Args)]
pub(super) struct CatalogArgs {
    /// Add event types: a catalog file (TOML) or a directory of them; can be given several times
    ///
    /// They are added to the built-in ones. Without this flag, the environment variable EVENTLOADER_CATALOG
    /// is used.
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Vec<PathBuf>,

    /// Read records with this envelope [default: the `[envelope]` of the catalogs, or the base contract]
    #[arg(long, value_name = "NAME", value_parser = envelope_names())]
    envelope: Option<String>,

    /// Only events of this domain; can be given several times
    #[arg(short = 'D', long, value_name = "DOMAIN")]
    domain: Vec<String>,

    /// Only events of this type; can be given several times
    #[arg(short, long, value_name = "TYPE")]
    event_type: Vec<String>,
}

/// `catalog infer`
#[derive(Debug, Args)]
pub struct InferArgs {
    #[command(flatten)]
    read: ReadArgs,

    /// Also draft the built-in event types, and those that "*" loads as JSON
    ///
    /// The draft replaces the built-in ones. A type that "*" stands for keeps its directory.
    #[arg(long)]
    all: bool,

    /// Read only the first N lines; later lines may not fit the draft
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample_lines: Option<u64>,

    /// Write the draft to this file, or one file per domain into this directory
    ///
    /// A name that ends in .toml is that of a file, any other that of a directory, unless it exists. A file
    /// appears when it is complete, and a directory is created if it is missing.
    #[arg(short, long, value_name = "FILE|DIR")]
    output: Option<PathBuf>,

    /// Replace existing files; one that is extended needs no --force
    #[arg(long, requires = "output")]
    force: bool,

    /// Write nothing; exit with 1 if the catalog lacks something
    ///
    /// Prints what would change. For a pipeline that has to stop where a catalog no longer fits its events.
    #[arg(long)]
    check: bool,

    /// Print only errors
    #[arg(short, long)]
    quiet: bool,
}

/// `catalog check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    read: ReadArgs,
}

/// `catalog diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What is there: a catalog, or a target
    #[arg(value_name = "BEFORE")]
    before: PathBuf,

    /// What would come: a catalog, or a target
    #[arg(value_name = "AFTER")]
    after: PathBuf,

    /// The envelope of the catalogs [default: their `[envelope]`, or the base contract]
    #[arg(long, value_name = "NAME", value_parser = envelope_names())]
    envelope: Option<String>,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    stores: StoreArgs,
}

/// `catalog show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    catalog: CatalogArgs,

    /// What to show of each table
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,

    /// One column per payload value (true), or the whole payload in one struct column (false)
    #[arg(short, long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    flatten: bool,

    #[command(flatten)]
    layout: LayoutArgs,

    /// Where the engine finds the target: s3://bucket/path, gs://…, a path, @STAGE/path for Snowflake
    ///
    /// With it, the statements make tables over the files of a target, of --layout or --table. DuckDB, Spark
    /// and PostgreSQL have tables of their own without it.
    #[arg(short, long, value_name = "ADDRESS", help_heading = STATEMENTS)]
    target_path: Option<String>,

    /// The schema, dataset or database that the tables are in
    #[arg(long, value_name = "NAME", help_heading = STATEMENTS)]
    schema: Option<String>,

    /// Make tables of the engine's own, and load them from the target
    ///
    /// For Snowflake, BigQuery, Redshift and ClickHouse. Redshift and BigQuery load days, each with --date.
    #[arg(long, help_heading = STATEMENTS)]
    load: bool,

    /// Only what a day needs: its partitions (Redshift) or, with --load, its rows, replaced
    #[arg(short, long, value_name = "YYYY-MM-DD", value_parser = parse_day, help_heading = STATEMENTS)]
    date: Option<Day>,
}

const STATEMENTS: &str = "Statements";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// Columns with their types and descriptions
    Text,
    /// The Arrow schema
    Arrow,
    /// Tables of DuckDB or, with --target-path, views
    Duckdb,
    /// Tables of Spark SQL
    Spark,
    /// Tables of PostgreSQL; jsonb where it has no matching type
    Postgres,
    /// External tables of Snowflake, or COPY INTO
    Snowflake,
    /// External tables of BigQuery, or LOAD DATA
    Bigquery,
    /// External tables of Redshift (Spectrum), or COPY
    Redshift,
    /// External tables of Athena
    Athena,
    /// Tables of Trino's connectors for Hive and Delta Lake
    Trino,
    /// Tables of ClickHouse over files, or INSERT
    Clickhouse,
}

impl CatalogArgs {
    fn catalog(&self) -> Result<Catalog, Error> {
        catalog_files::read(&catalogs_of(&self.catalog), self.envelope.as_deref())
    }

    fn selection(&self) -> Selection {
        Selection {
            domains: self.domain.clone(),
            event_types: self.event_type.clone(),
            ..Selection::default()
        }
    }
}

impl ReadArgs {
    fn settings(&self, progress: Progress) -> Result<ReadSettings, Error> {
        Ok(ReadSettings {
            sources: self.sources.clone(),
            stores: self.stores.options(),
            framing: self.framing.into(),
            catalog: self.catalog.catalog()?,
            selection: self.catalog.selection(),
            memory_bytes: memory::default_bytes(),
            threads: threads_of(self.threads),
            progress,
        })
    }
}

impl InferArgs {
    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<InferSettings, Error> {
        let catalogs = catalog_files::texts(&catalogs_of(&self.read.catalog.catalog))?;
        if self.check && catalogs.is_empty() {
            return Err(Error::Usage("--check compares with a catalog: give one with --catalog".to_owned()));
        }
        Ok(InferSettings {
            read: self.read.settings(Progress::on_terminal(self.quiet))?,
            catalogs,
            envelope: self.read.catalog.envelope.clone(),
            check: self.check,
            with_known: self.all,
            lines_max: self.sample_lines,
            output: self.output.clone(),
            force: self.force,
        })
    }

    /// Whether to print only errors.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.quiet
    }
}

impl CheckArgs {
    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<ReadSettings, Error> {
        self.read.settings(Progress::on_terminal(false))
    }
}

impl DiffArgs {
    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<DiffSettings, Error> {
        let side = |path: &PathBuf| {
            let target = self.stores.location(path, None)?;
            // The address of a database is no path of catalogs.
            if database_of(path).is_some() {
                drop(target.lock_to_read()?);
                return Ok(Side::Target(target));
            }
            if target.is_target()? {
                return Ok(Side::Target(target));
            }
            let catalog = catalog_files::read(std::slice::from_ref(path), self.envelope.as_deref())?;
            Ok::<_, Error>(Side::Catalog(path.clone(), catalog))
        };
        Ok(DiffSettings { before: side(&self.before)?, after: side(&self.after)?, threads: threads_of(None) })
    }
}

impl ShowArgs {
    /// The envelope to print as it is: one is asked for, and no tables are.
    #[must_use]
    pub fn envelope(&self) -> Option<&'static str> {
        let CatalogArgs { envelope, catalog, .. } = &self.catalog;
        envelope.as_deref().filter(|_| catalog.is_empty()).and_then(preset_text)
    }

    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<ShowSettings, Error> {
        Ok(ShowSettings {
            catalog: self.catalog.catalog()?,
            selection: self.catalog.selection(),
            flatten: self.flatten,
            layout: self.layout.layout().unwrap_or(Layout::Plain),
            partition_unit: self.layout.unit().unwrap_or(PartitionUnit::Day),
            format: self.format()?,
        })
    }
    fn format(&self) -> Result<Format, Error> {
        let Self { target_path, schema, load, date, .. } = self;
        let engine = match self.format {
            FormatArg::Text | FormatArg::Arrow => None,
            FormatArg::Duckdb => Some(Engine::DuckDb),
            FormatArg::Spark => Some(Engine::Spark),
            FormatArg::Postgres => Some(Engine::Postgres),
            FormatArg::Snowflake => Some(Engine::Snowflake),
            FormatArg::Bigquery => Some(Engine::BigQuery),
            FormatArg::Redshift => Some(Engine::Redshift),
            FormatArg::Athena => Some(Engine::Athena),
            FormatArg::Trino => Some(Engine::Trino),
            FormatArg::Clickhouse => Some(Engine::ClickHouse),
        };
        if let Some(engine) = engine {
            return Ok(Format::Statements(StatementSettings {
                engine,
                address: target_path.clone(),
                schema: schema.clone(),
                load: *load,
                day: *date,
            }));
        }
        if target_path.is_some() || schema.is_some() || *load || date.is_some() {
            let problem = "--target-path, --schema, --load and --date say which statements to make: choose an \
                           engine with --format";
            return Err(Error::Usage(problem.to_owned()));
        }
        Ok(if matches!(self.format, FormatArg::Arrow) { Format::Arrow } else { Format::Text })
    }
}
