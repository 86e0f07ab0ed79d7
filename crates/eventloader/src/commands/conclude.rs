//! What was read and written, whoever has done it → the checks that it must pass, the report, and what is
//! committed.
//!
//! A load on one machine comes here, and one in pieces, whose rows other processes have read and written.
//!
//! Invariant: nothing is ready to be committed whose counts do not balance.

use std::{collections::BTreeSet, mem};

use event_parser::Plan;
use event_target::{Change, DedupeScope, Fingerprint, LoadFacts, LoadedSource, Merged, Mode, Reads};
use events_core::catalog::EventType;

use super::{
    bad_lines,
    facts::{self, new_envelopes, what_is_loaded},
    layout_fit::LayoutFit,
    load::layout_fit,
    sink::ReadyCommit,
};
use crate::{
    error::Error,
    existing::Record,
    ingest::InputCounts,
    input::SkippedSource,
    latest::SupersededTotals,
    output::Written,
    report::{Balance, LoadOutcome, Report},
    rows::RowLedger,
    settings::{Input, Settings},
};

/// What was read, to be checked against the target.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a RowLedger,
}

impl Checked<'_> {
    /// Refuses what can't be loaded into the target; returns what the load reads of the target.
    pub(super) fn check_read(self, input: &InputCounts, record: &Record<'_>) -> Result<Reads, Error> {
        let Self { settings, plan, ledger } = self;
        bad_lines::check(settings, input, record.has_commit())?;
        let folds_case = settings.target.folds_case()?;
        let types_read: BTreeSet<_> = ledger.partition_keys().map(|(index, _)| index).collect();
        let fit = layout_fit(settings, folds_case);
        fit.check_found(plan)?;
        record.check_found(plan, settings.layout, folds_case)?;
        if matches!(settings.input, Input::Replay(_)) {
            if types_read.is_empty() {
                // No line holds, so the replay is refused as a load would be.
                fit.check().and_then(|()| record.check_catalog(settings)).map_err(Error::into_cause)?;
            }
            LayoutFit { only: Some(&types_read), ..fit }.check()?;
        }
        let types_read: Vec<_> = types_read.into_iter().map(|index| plan.event_type(index)).collect();
        record.check_read(types_read.iter().copied(), settings.layout)?;
        let reads = reads_of(settings, &types_read);
        record.check_columns(types_read, settings)?;
        Ok(reads)
    }
}

/// What a load reads of its target that another one may change meanwhile.
fn reads_of(settings: &Settings, types: &[&EventType]) -> Reads {
    let name = |event_type: &&EventType| (event_type.domain.clone(), event_type.name.clone());
    let has_rows = settings.mode == Mode::Merge || settings.dedupe_scope == DedupeScope::Target;
    Reads {
        event_types: types.iter().filter(|_| has_rows).map(name).collect(),
        sources: matches!(settings.input, Input::Sources { skip_loaded: true, .. }),
        everything: false,
    }
}

/// What was read and written, by whomever.
pub(super) struct Done<'a> {
    pub(super) input: &'a InputCounts,
    pub(super) superseded: &'a SupersededTotals,
    pub(super) written: Written,
    pub(super) changes: Vec<Change>,
    pub(super) reads: Reads,
}

/// The sources, beside those that were read.
pub(super) struct OtherSources<'a> {
    /// What the target has of all.
    pub(super) known: &'a Merged,
    pub(super) skipped: Vec<SkippedSource>,
    pub(super) recognised: Vec<LoadedSource>,
}

impl Checked<'_> {
    /// Proves the counts; returns the report, and what is to be committed.
    pub(super) fn conclude(
        self,
        mut record: Record<'_>,
        done: Done<'_>,
        others: OtherSources<'_>,
    ) -> Result<(Report, ReadyCommit), Error> {
        let Self { settings, plan, ledger } = self;
        let Done { input, superseded, mut written, changes, reads } = done;
        let OtherSources { known, skipped, recognised } = others;
        let (tables, schemas) = (mem::take(&mut written.tables), mem::take(&mut written.schemas));
        let outcome = LoadOutcome { settings, plan, input, ledger, superseded, written: &written };
        Balance::of(outcome).check()?;
        let report = Report::new(outcome, skipped);
        record.check_changes(&changes)?;
        let tables = record.new_tables(tables, &changes);
        let envelopes = new_envelopes(settings.catalog.envelope(), record.history());
        let stamps = record.into_stamps();
        let (facts, what) = (facts::of(settings, &report, input), what_is_loaded(settings));
        let load = LoadFacts { what, tables, envelopes, stamps, recognised, ..facts };
        let is_new = |content: &Fingerprint| !known.contents.contains(content);
        let is_new_source = load.sources.iter().filter_map(|source| source.content.as_ref()).any(is_new);
        // Stamps and objects that were not recorded would be missed by every later run.
        let is_news = is_new_source || !load.stamps.is_empty() || !load.recognised.is_empty();
        let commit = ReadyCommit { changes, load, is_news, reads, schemas };
        Ok((report, commit))
    }
}
