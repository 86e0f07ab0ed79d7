//! What the tasks have answered → the answers of each kind, of which none is missing and none is there twice.
//!
//! Invariant: where an engine has lost or doubled what rows depend on, it is found out here or by the counts.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::{
    held::HeldCount,
    parse::SplitCounts,
    resolve::ResolvedBuckets,
    wire::{Kind, TypeName, broken, messages},
    write::WrittenFacts,
};
use crate::{error::Error, runtime::Stages};

/// The answers of all tasks.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// By split.
    pub(super) counts: BTreeMap<usize, SplitCounts>,
    /// By task: how many rows of the target it has seen.
    held: BTreeMap<usize, u64>,
    pub(super) resolved: ResolvedBuckets,
    pub(super) written: BTreeMap<(TypeName, i64), WrittenFacts>,
}

impl Answers {
    /// `stages` collects how long the tasks took.
    pub(super) fn of(batches: &[RecordBatch], samples_max: usize, stages: &Stages) -> Result<Self, Error> {
        let mut answers = Self::default();
        for batch in batches {
            for message in messages(batch)? {
                match (message.kind, &message.event_type, message.unit) {
                    (Kind::Counts, ..) => {
                        let counts: SplitCounts = message.read()?;
                        let split = counts.split;
                        if answers.counts.insert(split, counts).is_some() {
                            return Err(broken(&format!("split {split} was counted twice")));
                        }
                    }
                    (Kind::HeldCount, ..) => {
                        let HeldCount { task, rows } = message.read()?;
                        if answers.held.insert(task, rows).is_some() {
                            return Err(broken(&format!(
                                "files of the target were searched twice, by task {task}"
                            )));
                        }
                    }
                    (Kind::Times, ..) => stages.add(&message.read()?),
                    (Kind::Resolved, ..) => answers.resolved.append(message.read()?)?,
                    (Kind::Written, Some((domain, name)), Some(unit)) => {
                        let key = ((domain.clone(), name.clone()), unit);
                        if answers.written.insert(key, message.read()?).is_some() {
                            return Err(broken(&format!("a partition of {domain}/{name} was written twice")));
                        }
                    }
                    (kind, ..) => return Err(broken(&format!("no task has taken a message: {kind:?}"))),
                }
            }
        }
        answers.resolved.samples.sort_by_key(|(_, sample)| sample.row.position);
        answers.resolved.samples.truncate(samples_max);
        Ok(answers)
    }

    /// Refuses rows of which nobody has decided whether they are the latest.
    pub(super) fn check(&self, splits: usize, held_tasks: usize) -> Result<(), Error> {
        if let Some(missing) = (0..splits).find(|split| !self.counts.contains_key(split)) {
            return Err(broken(&format!("split {missing} was not read, or its counts were lost")));
        }
        let contenders: u64 = self.counts.values().map(|counts| counts.contenders).sum();
        if contenders != self.resolved.contenders {
            let resolved = self.resolved.contenders;
            return Err(broken(&format!("{contenders} rows were to be resolved, {resolved} were")));
        }
        let named: u64 = self.counts.values().map(|counts| counts.named).sum();
        if named != self.resolved.named {
            let resolved = self.resolved.named;
            return Err(broken(&format!("{named} bad lines were to be compared with rows, {resolved} were")));
        }
        let (held, resolved) = (self.held.values().sum::<u64>(), self.resolved.held);
        if self.held.len() != held_tasks || held != resolved {
            let tasks = self.held.len();
            return Err(broken(&format!(
                "{held_tasks} tasks were to search the target, {tasks} did, with {held} rows, of which {resolved} \
                 were compared"
            )));
        }
        Ok(())
    }
}

impl ResolvedBuckets {
    fn append(&mut self, mut other: Self) -> Result<(), Error> {
        if let Some(twice) = self.buckets.intersection(&other.buckets).next() {
            return Err(broken(&format!("the rows of bucket {twice} were resolved apart from each other")));
        }
        self.buckets.append(&mut other.buckets);
        self.contenders += other.contenders;
        self.held += other.held;
        self.named += other.named;
        self.existing_rows += other.existing_rows;
        self.moves.append(&mut other.moves);
        self.redelivered += other.redelivered;
        self.corrected += other.corrected;
        for (source, rows) in other.by_source {
            *self.by_source.entry(source).or_default() += rows;
        }
        self.samples.append(&mut other.samples);
        self.last_rows.append(&mut other.last_rows);
        Ok(())
    }
}
