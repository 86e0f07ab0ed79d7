//! `eventloader rewrite` → the settings of a rewrite.
//!
//! Invariant: what no flag says is as the target was written last.

use std::path::PathBuf;

use clap::Args;
use event_parser::DayRange;
use events_core::partition::Day;

use super::{
    INPUT, OUTPUT, SELECTION, TARGET, catalogs_of, envelope_names, parse_day,
    resources::ResourceArgs,
    stores::StoreArgs,
    values::{CodecArg, EncodingsArg, LayoutArg, Unit},
};
use crate::{
    commands::{catalog_files, rewrite::RewriteSettings},
    error::Error,
    runtime::database_of,
};

/// `rewrite`
#[derive(Debug, Args)]
pub struct RewriteArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// The event types: a catalog file (TOML) or a directory of them; can be given several times
    ///
    /// They are added to the built-in ones. All event types of the target must be in them, with all columns
    /// that the target has, of the same types or of wider ones.
    #[arg(long, value_name = "FILE|DIR", help_heading = INPUT)]
    catalog: Vec<PathBuf>,

    /// The envelope that the target was loaded with [default: the `[envelope]` of the catalogs]
    #[arg(long, value_name = "NAME", value_parser = envelope_names(), help_heading = INPUT)]
    envelope: Option<String>,

    /// Rewrite only the partitions from this day on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_day, help_heading = SELECTION)]
    since: Option<Day>,

    /// Rewrite only the partitions up to and including this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_day, help_heading = SELECTION)]
    until: Option<Day>,

    /// The names of the partition directories, for all days [default: as they are]
    #[arg(long, value_enum, help_heading = TARGET)]
    layout: Option<LayoutArg>,

    /// The time span of a partition, for all days [default: as it is]
    #[arg(long, value_name = "UNIT", value_enum, help_heading = TARGET)]
    partition_by: Option<Unit>,

    /// The compression of the Parquet pages [default: as the target was written last]
    #[arg(long, value_name = "CODEC", value_enum, help_heading = TARGET)]
    compression: Option<CodecArg>,

    /// The encodings in the Parquet pages [default: as the target was written last]
    #[arg(long, value_name = "ENCODINGS", value_enum, help_heading = TARGET)]
    encodings: Option<EncodingsArg>,

    #[command(flatten)]
    resources: ResourceArgs,

    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub quiet: bool,

    /// Print more: the times per stage
    #[arg(short, long, help_heading = OUTPUT)]
    pub verbose: bool,
}

impl RewriteArgs {
    /// The settings given by the command line; reads the catalogs.
    ///
    /// # Errors
    /// A catalog can't be read or used.
    pub fn settings(&self) -> Result<RewriteSettings, Error> {
        let days = match (self.since, self.until) {
            (None, None) => None,
            (first, last) => Some(DayRange { first, last }),
        };
        if database_of(&self.target).is_some() {
            return Err(Error::Usage(
                "rewrite: a database keeps rows in pages of its own; a load brings its tables to the catalog, \
                 and `VACUUM FULL` or `REINDEX`, by the server, makes them smaller"
                    .to_owned(),
            ));
        }
        Ok(RewriteSettings {
            target: self.stores.location_within(&self.target, None, Some(self.resources.memory_bytes()))?,
            catalog: catalog_files::read(&catalogs_of(&self.catalog), self.envelope.as_deref())?,
            days,
            layout: self.layout.map(Into::into),
            partition_unit: self.partition_by.map(Into::into),
            codec: self.compression.map(Into::into),
            encodings: self.encodings.map(Into::into),
            memory_bytes: self.resources.memory_bytes(),
            threads: self.resources.threads(),
        })
    }
}
