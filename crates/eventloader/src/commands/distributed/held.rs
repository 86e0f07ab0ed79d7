//! The files that a target has, in a merge → the ids of their rows, by bucket; and, once it is known which of
//! them the input has, these rows.
//!
//! Invariant: of an event that the input has, every row in the target competes, as in a merge on one machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use event_parser::Plan;
use event_rows::{Id, Place};
use event_target::{History, PartitionFile, TargetLayout};
use serde::{Deserialize, Serialize};

use super::{
    partitions_read::Partitions,
    task::{Task, type_index},
    wire::{Kind, Message, TypeName, broken},
};
use crate::{
    error::Error,
    existing::{Record, each_id, rows_at},
    latest::{RANGES, SpilledContenders, TextContender, UuidContender, Version},
    settings::Settings,
};

/// About so many bytes of files are searched by one task.
const BYTES_PER_TASK: u64 = 256 << 20;

/// A file of the target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HeldFile {
    pub(super) event_type: TypeName,
    pub(super) unit: i64,
    path: String,
    bytes: Option<u64>,
    number: u32,
}

impl HeldFile {
    pub(super) fn file(&self) -> PartitionFile {
        PartitionFile { path: self.path.clone(), bytes: self.bytes, number: self.number }
    }
}

/// Files of the target, in the order of their numbers, and which of them each task searches.
pub(super) type HeldFiles = (Vec<HeldFile>, Vec<(usize, usize)>);

/// How many rows of the target a task has seen.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeldCount {
    pub(super) task: usize,
    pub(super) rows: u64,
}

/// The event types of the target that the input may have, and their directories.
pub(super) fn held_types<'h>(
    (settings, plan, history): (&Settings, &Plan, &'h History),
) -> Vec<(usize, &'h str)> {
    let types = history.directories().into_iter().filter_map(|((domain, name), directory)| {
        let index = plan.index_of(domain.as_bytes(), name.as_bytes())?;
        settings.selection.wants_type(plan.event_type(index)).then_some((index, directory))
    });
    types.collect()
}

/// The files of all event types that the input may have.
pub(super) fn held_files(settings: &Settings, plan: &Plan, history: &History) -> Result<HeldFiles, Error> {
    let types = held_types((settings, plan, history));
    let layout = TargetLayout::new(settings.layout, settings.partition_unit);
    let partitions = settings.target.list_partitions(history, &layout, &types)?;
    let mut files = Vec::new();
    for ((type_index, unit), of_partition) in partitions {
        let event_type = plan.event_type(type_index);
        files.extend(of_partition.into_iter().map(|PartitionFile { path, bytes, number }| HeldFile {
            event_type: (event_type.domain.clone(), event_type.name.clone()),
            unit,
            path,
            bytes,
            number,
        }));
    }
    files.sort_by_key(|file| file.number);
    let (mut tasks, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (index, file) in files.iter().enumerate() {
        bytes += file.bytes.unwrap_or(BYTES_PER_TASK / 64);
        if bytes >= BYTES_PER_TASK || index + 1 == files.len() {
            tasks.push((first, index + 1));
            (first, bytes) = (index + 1, 0);
        }
    }
    Ok((files, tasks))
}

impl Task {
    /// The messages of a task that searches files of the target.
    pub(super) fn ids_held(&self, task: usize) -> Result<Vec<Message>, Error> {
        let range = self.job.held_tasks.get(task).copied();
        let (first, end) = range.ok_or_else(|| broken(&format!("there is no task {task}")))?;
        let buckets = self.job.buckets;
        let mut by_bucket = BTreeMap::<(TypeName, u32), SpilledContenders>::new();
        let mut rows = 0;
        for file in &self.job.held[first..end] {
            // Where days are apart, the day of a row is that of its partition.
            let micros = self.settings.partition_unit.instants_of(file.unit).start;
            each_id(&self.settings, &file.file(), |id, position| {
                rows += 1;
                let bucket = self.deduper.bucket_of_event(id, micros, buckets);
                let of_bucket = by_bucket.entry((file.event_type.clone(), bucket)).or_default();
                let version = Version { micros, content: 0, position };
                match Id::of(id) {
                    Id::Uuid(uuid) => of_bucket.uuids.push(UuidContender { uuid, version }),
                    Id::Text(text) => of_bucket.texts.push(TextContender { text: text.into(), version }),
                }
            })?;
        }
        let message = |((event_type, bucket), ids): (_, SpilledContenders)| Message {
            kind: Kind::Held,
            bucket,
            event_type: Some(event_type),
            unit: None,
            body: ids.to_bytes(),
        };
        let mut messages: Vec<_> = by_bucket.into_iter().map(message).collect();
        messages.push(Message::json(Kind::HeldCount, 0, &HeldCount { task, rows })?);
        messages.extend(self.converted_in(first..end));
        Ok(messages)
    }

    /// The messages about the partitions of some files that may have to be written again.
    fn converted_in(&self, files: Range<usize>) -> Vec<Message> {
        let files = self.job.held[files].iter();
        let converted: BTreeSet<_> = files
            .filter(|file| self.job.converted.contains(&file.event_type))
            .map(|file| (&file.event_type, file.unit))
            .collect();
        let buckets = (0..self.job.buckets.max(1)).cycle();
        let message = |((event_type, unit), bucket): ((&TypeName, i64), u32)| Message {
            kind: Kind::Converted,
            bucket,
            event_type: Some(event_type.clone()),
            unit: Some(unit),
            body: Vec::new(),
        };
        converted.into_iter().zip(buckets).map(message).collect()
    }

    /// The rows of the target that have an id of the input, as contenders; but for those of partitions that
    /// are overwritten.
    pub(super) fn rows_held(
        &self,
        event_type: &TypeName,
        (input, held): (&SpilledContenders, &SpilledContenders),
        overwritten: Option<&Partitions>,
    ) -> Result<SpilledContenders, Error> {
        let Self { plan, settings, deduper, .. } = self;
        if held.len() == 0 {
            return Ok(SpilledContenders::default());
        }
        let mut ids = BTreeSet::new();
        input.each(|id, row| {
            ids.insert((id_text(id), deduper.day_of(row.micros)));
        });
        let mut by_file = BTreeMap::<u32, Vec<u32>>::new();
        held.each(|id, row| {
            if let Place::Existing { file, row: number } = row.position.place()
                && ids.contains(&(id_text(id), deduper.day_of(row.micros)))
            {
                by_file.entry(file).or_default().push(number);
            }
        });
        let type_index = type_index(plan, event_type)?;
        let mut found = SpilledContenders::default();
        for (number, mut rows) in by_file {
            rows.sort_unstable();
            if rows.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err(broken("the ids of a file of the target came twice"));
            }
            let at = self.job.held.binary_search_by_key(&number, |file| file.number);
            let file = at.map_err(|_| broken(&format!("the target has no file {number}")))?;
            let file = &self.job.held[file];
            if overwritten.is_some_and(|read| read.contains(&(event_type.clone(), file.unit))) {
                continue;
            }
            let file = file.file();
            rows_at((settings, plan), (type_index, &file), &rows, |batch| {
                let mut split = vec![SpilledContenders::default(); RANGES];
                deduper.split_for_spill(&batch, &mut split);
                for contenders in split {
                    found.append(contenders);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Why rows of the target can't be read: if its record says that, as a load on one machine says it.
    pub(super) fn why_not_read(&self, event_type: &TypeName, error: Error) -> Error {
        let check = || {
            let type_index = type_index(&self.plan, event_type)?;
            let record = Record::read(&self.settings)?;
            record.check_columns([self.plan.event_type(type_index)], &self.settings)
        };
        check().err().unwrap_or(error)
    }

    /// The files of a partition.
    pub(super) fn files_of(&self, event_type: &TypeName, unit: i64) -> Vec<PartitionFile> {
        let indices = self.held_by_partition.get(&(event_type.clone(), unit));
        indices.into_iter().flatten().map(|index| self.job.held[*index].file()).collect()
    }
}

fn id_text(id: Id<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    id.write_to(&mut text);
    text
}
