//! All that the tasks have answered → one commit, and the report.
//!
//! Each split must have been counted once, each bucket resolved once, each partition written once. Beyond
//! that, all counts are compared with each other as those of any load are: lines where they were read, rows
//! where they were stored, resolved, left out and written.
//!
//! Invariant: where an engine has lost or doubled anything, nothing is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Instant,
};

use arrow::array::RecordBatch;
use event_parser::Plan;
use event_rows::{PartitionKey, Position};
use event_target::{Action, Change, History, Mode};
use events_core::table::TableColumns;

use super::{
    answers::Answers,
    held::HeldFile,
    job::{Begun, Job},
    parse::SplitCounts,
    resolve::ResolvedBuckets,
    task::type_index,
    wire::{TypeName, broken},
    write::WrittenFacts,
};
use crate::{
    commands::{
        conclude::{Checked, Done, OtherSources},
        facts::what_is_loaded,
        load::quarantine_changes,
        sink::ReadyCommit,
        ties::{LastRows, Ties},
    },
    error::Error,
    existing::{Existing, Record},
    ingest::InputCounts,
    input::Screened,
    latest::SupersededTotals,
    output::{
        SupersededPartition, Written, WrittenPartition, action_of, in_publication_order, table_schemas,
    },
    quarantine::Quarantine,
    report::Report,
    rows::{ExistingCounts, RowLedger, RowsOut},
    runtime::{MEMORY_BYTES_DEFAULT, Stage, Stages},
};

/// What became of each partition.
type Facts = BTreeMap<(TypeName, i64), WrittenFacts>;

/// So many partitions are compared with the record at once: each mostly waits for the disk or the network.
const ACTIONS_AT_ONCE: usize = 16;

/// What was read.
struct Read {
    input: InputCounts,
    ledger: RowLedger,
    quarantine: Quarantine,
}

impl Job {
    /// Proves the counts of all tasks, and commits; the batches are what the tasks have answered at last, in
    /// any order.
    ///
    /// # Errors
    /// An answer is missing or there twice, or any error of a load. Nothing was changed, except with
    /// [`event_target::TargetError::Unfinished`].
    pub fn commit(self, batches: &[RecordBatch], started: Instant) -> Result<Report, Error> {
        let stages = Stages::default();
        let mut clock = stages.clock();
        match self.begun.stage(batches, &stages) {
            Ok((mut report, ReadyCommit { changes, load, is_news, reads, schemas })) => {
                let Self { target, begun: Begun { layout, settings, .. } } = self;
                let new = event_target::NewCommit { changes, layout, load, is_news, reads, schemas };
                target.commit(new, settings.threads)?;
                report.committed = true;
                clock.lap(Stage::Commit);
                report.stages = stages.report();
                report.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                Ok(report)
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }
}

impl Begun {
    fn stage(&self, batches: &[RecordBatch], stages: &Stages) -> Result<(Report, ReadyCommit), Error> {
        let Self { settings, screened, spec, .. } = self;
        let answers = Answers::of(batches, settings.superseded_samples_max, stages)?;
        answers.check(spec.splits.len(), spec.held_tasks.len())?;
        let plan = Plan::for_layout(&settings.catalog, settings.layout);
        let Answers { counts, mut resolved, written, .. } = answers;
        let Read { input, ledger, mut quarantine } = self.read(&plan, counts)?;
        let mut record = Record::read(settings)?;
        let checked = Checked { settings, plan: &plan, ledger: &ledger };
        let reads = checked.check_read(&input, &record)?;
        if settings.mode == Mode::Merge || spec.overwrites_merged {
            record.check(&Existing::list(settings, &plan, &ledger, record.history())?, &plan)?;
        }
        self.check_converted(&plan, &ledger, &written)?;
        let moves = mem::take(&mut resolved.moves);
        let written = self.compared(written, record.history())?;
        let (written, mut changes) = self.written((&plan, &ledger), written, moves)?;
        let last_rows = resolved.last_rows.iter();
        let last_rows: BTreeMap<_, _> =
            last_rows.map(|&(line, row)| (Position::from_bits(line), Position::from_bits(row))).collect();
        let ties = Ties {
            settings,
            plan: &plan,
            history: record.history(),
            ledger: &ledger,
            last_rows: LastRows::Found(&last_rows),
            database: None,
            bytes_max: MEMORY_BYTES_DEFAULT / 8,
        };
        let lasts = ties.judge(&mut quarantine)?;
        changes.extend(quarantine_changes(
            (settings, &plan, record.history()),
            (quarantine, &screened.sources),
            &lasts,
        )?);
        let superseded = totals(&plan, resolved)?;
        let known = record.merged(&what_is_loaded(settings));
        let done = Done { input: &input, superseded: &superseded, written, changes, reads };
        let Screened { skipped, recognised, .. } = screened.clone();
        let others = OtherSources { known: &known, skipped, recognised };
        checked.conclude(record, done, others)
    }

    /// Adds the counts and the bad lines of all splits up, in input order.
    fn read(&self, plan: &Plan, counts: BTreeMap<usize, SplitCounts>) -> Result<Read, Error> {
        let Self { settings, screened, spec, staging, .. } = self;
        let (mut input, mut ledger) = (InputCounts::of(&screened.sources), RowLedger::default());
        let mut quarantine = Quarantine::new(staging.clone(), settings.catalog.envelope());
        let mut lines_before = BTreeMap::<usize, u64>::new();
        for (number, counts) in counts {
            let split =
                spec.splits.get(number).ok_or_else(|| broken(&format!("there is no split {number}")))?;
            let before = lines_before.entry(split.source).or_default();
            ledger.add_blocks(split.source, split.first_block, &counts.blocks);
            for (event_type, unit, rows) in &counts.partitions {
                ledger.add_read((type_index(plan, event_type)?, *unit), *rows);
            }
            if let Some(file) = &counts.bad_lines {
                let text =
                    self.exchange.reader(file).map_err(Error::io("reading the bad lines of a split"))?;
                quarantine.add_part(split.source, (file, text), *before)?;
            }
            input.append(split.source, *before, counts.counts);
            *before += counts.newlines;
        }
        Ok(Read { input, ledger, quarantine })
    }

    /// Refuses a partition that had to be written again and was not.
    fn check_converted(&self, plan: &Plan, ledger: &RowLedger, facts: &Facts) -> Result<(), Error> {
        let types_read: BTreeSet<_> = ledger.partition_keys().map(|(type_index, _)| type_index).collect();
        for HeldFile { event_type, unit, .. } in &self.spec.held {
            let is_due = self.spec.converted.contains(event_type)
                && types_read.contains(&type_index(plan, event_type)?);
            let is_done = || facts.get(&(event_type.clone(), *unit)).is_some_and(|facts| facts.is_converted);
            if is_due && !is_done() {
                let (domain, name) = event_type;
                return Err(broken(&format!("a partition of {domain}/{name} was to be written again")));
            }
        }
        Ok(())
    }

    /// In a target of tables, finds out by its record what the changes of partitions do; tasks don't have it.
    fn compared(&self, mut facts: Facts, history: &History) -> Result<Facts, Error> {
        let settings = &self.settings;
        if !settings.target.is_of_tables() {
            return Ok(facts);
        }
        let changes: Vec<_> = facts.values().map(|facts| facts.change.as_ref()).collect();
        let actions = workers::map(ACTIONS_AT_ONCE, changes.len(), |number| {
            changes[number].map(|change| action_of((settings, history), change)).transpose()
        })?;
        for (facts, action) in facts.values_mut().zip(actions) {
            let (Some(files), Some(action)) = (&mut facts.files, action) else { continue };
            files.action = action;
            if files.files == 0 && action != Action::Removed {
                facts.files = None;
            }
            facts.change.take_if(|_| action == Action::Unchanged);
        }
        Ok(facts)
    }

    /// What was written, and the changes in the order of time.
    fn written(
        &self,
        (plan, ledger): (&Plan, &RowLedger),
        facts: Facts,
        moves: BTreeSet<(TypeName, i64, i64)>,
    ) -> Result<(Written, Vec<Change>), Error> {
        let (mut written, mut changes) = (Written::default(), BTreeMap::new());
        let (mut files, mut types) = (BTreeMap::new(), BTreeSet::new());
        for ((event_type, unit), facts) in facts {
            let key = (type_index(plan, &event_type)?, unit);
            types.insert(key.0);
            let WrittenFacts {
                by_source,
                left_out,
                existing: (read, of_existing),
                files: of_partition,
                change,
                ..
            } = facts;
            let mut out = RowsOut::default();
            for (source, rows) in by_source {
                out.add_written(source, rows);
            }
            out.add_left_out(key, left_out);
            out.add_existing(key, ExistingCounts { read, left_out: of_existing });
            written.out.add(out);
            if let Some(change) = change {
                changes.insert((unit, change.directory.clone()), change);
            }
            files.extend(of_partition.map(|files| (key, files)));
        }
        let mut counts = ledger.partitions(&written.out);
        for (key, files) in files {
            written.partitions.push(WrittenPartition {
                key,
                path: files.path,
                files: files.files,
                rows: files.rows,
                bytes: files.bytes,
                action: files.action,
                counts: counts.remove(&key).unwrap_or_default(),
            });
        }
        let path = |key: PartitionKey| self.settings.partition_path(plan.event_type(key.0), key.1);
        let superseded = counts.into_iter();
        written.superseded =
            superseded.map(|(key, counts)| SupersededPartition { path: path(key), counts }).collect();
        written.superseded.sort_by(|a, b| a.path.cmp(&b.path));
        written.partitions.sort_by(|a, b| a.path.cmp(&b.path));
        written.schemas = table_schemas((&self.settings, plan), &types)?;
        let columns = types.into_iter().map(|index| {
            let columns = TableColumns::of(plan.event_type(index), self.settings.table_form());
            (columns.fingerprint(), columns)
        });
        written.tables = columns.collect();
        let mut places = BTreeSet::new();
        // The commit of tables is one moment for all partitions of an event type.
        for (event_type, from, to) in moves.into_iter().filter(|_| !self.settings.target.is_of_tables()) {
            let type_index = type_index(plan, &event_type)?;
            places.insert(((from, path((type_index, from))), (to, path((type_index, to)))));
        }
        let changes = in_publication_order(places, changes);
        let changes = changes.map_err(|path| broken(&format!("{path}: rows that move were lost")))?;
        Ok((written, changes))
    }
}

fn totals(plan: &Plan, resolved: ResolvedBuckets) -> Result<SupersededTotals, Error> {
    let ResolvedBuckets { redelivered, corrected, existing_rows, by_source, samples, .. } = resolved;
    let samples = samples.into_iter().map(|(event_type, mut sample)| {
        sample.type_index = type_index(plan, &event_type)?;
        Ok(sample)
    });
    Ok(SupersededTotals {
        rows: redelivered + corrected,
        redelivered,
        corrected,
        existing_rows,
        by_source,
        samples: samples.collect::<Result<_, Error>>()?,
    })
}
