//! `eventloader replay` → the settings of a load that reads bad lines from the target's quarantine.
//!
//! Invariant: layout, scope, columns and codec are those that the target was loaded with, unless a flag says
//! otherwise.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use event_parquet::Format;
use event_parser::{Framing, Selection};
use event_target::{DedupeScope, History, Mode};
use events_core::partition::{Layout, PartitionUnit};

use super::{
    INPUT, OUTPUT, SELECTION, Scope, TARGET, catalogs_of, envelope_names,
    load::report_file,
    quarantine::BadLineArgs,
    resources::ResourceArgs,
    stores::StoreArgs,
    values::{self, CodecArg, EncodingsArg, format_of},
};
use crate::{
    commands::replayed_catalog,
    error::Error,
    runtime::shown,
    settings::{Input, Settings},
};

/// `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The directory of the target, or an address: s3://bucket/key, gs://…, az://…, abfss://…,
    /// postgresql://…
    #[arg(value_name = "TARGET", default_value = "data/target/")]
    target: PathBuf,

    #[command(flatten)]
    stores: StoreArgs,

    /// Add event types: a catalog file (TOML) or a directory of them; can be given several times
    #[arg(long, value_name = "FILE|DIR", help_heading = INPUT)]
    catalog: Vec<PathBuf>,

    /// Read all bad lines with this envelope [default: the `[envelope]` of the catalogs, or for each line
    /// what it was read with]
    #[arg(long, value_name = "NAME", value_parser = envelope_names(), help_heading = INPUT)]
    envelope: Option<String>,

    #[command(flatten)]
    lines: BadLineArgs,

    /// Among which events the latest version is chosen [default: as the target was loaded]
    #[arg(long, value_name = "SCOPE", value_enum, help_heading = SELECTION)]
    dedupe_scope: Option<Scope>,

    /// One column per payload value (true), or the whole payload in one struct column (false) [default: as
    /// the target was loaded]
    #[arg(short, long, value_name = "BOOL", action = ArgAction::Set, help_heading = TARGET)]
    flatten: Option<bool>,

    /// The compression of the Parquet pages [default: as the target was loaded]
    #[arg(long, value_name = "CODEC", value_enum, help_heading = TARGET)]
    compression: Option<CodecArg>,

    /// The encodings in the Parquet pages [default: as the target was loaded]
    #[arg(long, value_name = "ENCODINGS", value_enum, help_heading = TARGET)]
    encodings: Option<EncodingsArg>,

    #[command(flatten)]
    resources: ResourceArgs,

    /// Do everything except the commit, and print exact counts
    #[arg(long, help_heading = TARGET)]
    dry_run: bool,

    /// Write the run report as JSON to this file; - for standard output
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub report: Option<PathBuf>,

    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub quiet: bool,

    /// Print more: every partition, conversions, times per stage
    #[arg(short, long, help_heading = OUTPUT)]
    pub verbose: bool,
}

impl ReplayArgs {
    /// The settings given by the command line, of each run; reads the catalogs and the target's layout. Also
    /// whether lines are left because nobody knows their envelope.
    ///
    /// # Errors
    /// A catalog can't be read or used, a reason does not exist, or nothing was ever loaded into the target.
    pub fn settings(&self) -> Result<(Vec<Settings>, bool), Error> {
        let selection = self.lines.selection()?;
        let target = self.stores.location_within(&self.target, None, Some(self.resources.memory_bytes()))?;
        if target.database_of().is_some() {
            values::refuse_in_database(self.compression.is_some(), self.encodings.is_some())?;
        }
        let layout = target.layout()?.and_then(|layout| layout.parts());
        let (layout, partition_unit) = layout.unwrap_or((Layout::Plain, PartitionUnit::Day));
        let history = target.history(|_, _| {})?;
        let catalogs = catalogs_of(&self.catalog);
        let envelope = self.envelope.as_deref();
        let replayed = replayed_catalog::read(&catalogs, envelope, (&target, &history), &selection)?;
        let report = report_file(self.report.as_deref(), &catalogs)?;
        let dedupe_scope = self.dedupe_scope(&history)?;
        let settings = |(selection, catalog)| Settings {
            input: Input::Replay(selection),
            framing: Framing::Lines,
            stores: self.stores.options(),
            target: target.clone(),
            catalog,
            selection: Selection::default(),
            flatten: self.flatten.or(history.form.as_ref().map(|form| form.flatten)).unwrap_or(true),
            layout,
            partition_unit,
            mode: Mode::Merge,
            dedupe_scope,
            format: self.format(&history),
            memory_bytes: self.resources.memory_bytes(),
            threads: self.resources.threads(),
            bad_lines_max: None,
            superseded_samples_max: 0,
            dry_run: self.dry_run,
            report: report.clone(),
        };
        Ok((replayed.runs.into_iter().map(settings).collect(), replayed.leaves_lines))
    }

    /// Where the loads of the target decided "latest".
    fn dedupe_scope(&self, history: &History) -> Result<DedupeScope, Error> {
        match self.dedupe_scope {
            Some(Scope::Input) => {
                return Err(Error::Usage(
                    "--dedupe-scope input: rows of the target take part in a replay; use target or day"
                        .to_owned(),
                ));
            }
            Some(scope) => return Ok(scope.into()),
            None => {}
        }
        let (mut by_day, mut once) = (false, false);
        for scope in history.scopes() {
            *if scope == DedupeScope::Day { &mut by_day } else { &mut once } = true;
        }
        match (by_day, once) {
            (true, true) => Err(Error::Usage(
                "--dedupe-scope: some partitions of the target were loaded with day, others were not; say which \
                 holds for the bad lines"
                    .to_owned(),
            )),
            (true, false) => Ok(DedupeScope::Day),
            (false, _) => Ok(DedupeScope::Target),
        }
    }

    /// The codec and the encodings with which the target was written last.
    fn format(&self, history: &History) -> Format {
        let form = history.form.as_ref();
        let codec = || CodecArg::from_str(&form?.compression, false).ok();
        let encodings = || EncodingsArg::from_str(&form?.encodings, false).ok();
        format_of(
            self.compression.or_else(codec).unwrap_or(CodecArg::Zstd),
            self.encodings.or_else(encodings).unwrap_or(EncodingsArg::Compact),
        )
    }

    /// The target as given, for messages.
    #[must_use]
    pub fn target(&self) -> String {
        shown(&self.target)
    }
}
