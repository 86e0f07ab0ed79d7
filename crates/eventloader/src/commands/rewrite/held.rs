//! What a target holds → its event types, each with what today's catalog makes of it, and the pieces that
//! are rewritten one by one.
//!
//! Invariant: each file of the days that are rewritten is in one piece, and is as the target's record says.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use event_parser::DayRange;
use event_target::{
    DedupeScope, History, Location, PartitionFile, Partitions, Reads, StoredFile, TargetError, TargetLayout,
};
use events_core::{
    catalog::EventType,
    partition::{Day, Layout, PartitionUnit},
};

use super::{RewriteSettings, Wanted};
use crate::{error::Error, existing::Record};

/// The event types of a target, and their partitions.
pub(super) struct Held {
    pub(super) types: Vec<HeldType>,
    /// By the number of the type and the unit of time.
    partitions: Partitions,
    pub(super) layout: Layout,
    pub(super) unit: PartitionUnit,
}

/// An event type that a target holds.
pub(super) struct HeldType {
    /// As today's catalog has it.
    pub(super) event_type: EventType,
    /// The name of its directories as they are.
    pub(super) directory: String,
}

impl HeldType {
    /// The event type with the columns of its envelope alone.
    pub(super) fn without_payload(&self) -> EventType {
        let (fields, version) = (Arc::from([]), Vec::new());
        EventType { fields, version, is_json: false, ..self.event_type.clone() }
    }
}

impl Held {
    /// What a rewrite is made from.
    pub(super) fn reads(&self) -> Reads {
        let name = |held: &HeldType| (held.event_type.domain.clone(), held.event_type.name.clone());
        Reads { event_types: self.types.iter().map(name).collect(), ..Reads::default() }
    }
}

/// Partitions that are rewritten together.
pub(super) struct Piece<'h> {
    /// The number of its event type.
    pub(super) type_index: usize,
    /// In the order of time.
    pub(super) partitions: Vec<(i64, &'h [PartitionFile])>,
    pub(super) first_instant: i64,
    pub(super) bytes: u64,
    pub(super) scope: DedupeScope,
    /// The fields by which the latest version of each event was decided.
    pub(super) version: Vec<String>,
}

/// The layout of a target.
pub(super) fn layout_of(target: &Location) -> Result<(Layout, PartitionUnit), Error> {
    let unusable = |problem: &str| {
        Error::from(TargetError::Unusable { path: target.root(), problem: problem.to_owned() })
    };
    let Some(layout) = target.layout()? else {
        return Err(unusable("no load has ever committed anything there; check the path"));
    };
    layout.parts().ok_or_else(|| unusable("its layout is that of another eventloader; use that eventloader"))
}

impl Held {
    /// Reads what is there. The catalog must have all types, and what is rewritten must be as recorded.
    pub(super) fn read(
        settings: &RewriteSettings,
        record: &mut Record<'_>,
        (layout, unit): (Layout, PartitionUnit),
        wanted: Wanted,
    ) -> Result<Self, Error> {
        let target = &settings.target;
        let directories = record.history().directories();
        let names: Vec<_> = directories.keys().copied().collect();
        let listed: Vec<_> =
            directories.values().enumerate().map(|(index, directory)| (index, *directory)).collect();
        let mut found =
            target.list_partitions(record.history(), &TargetLayout::new(layout, unit), &listed)?;
        if let Some(days) = settings.days {
            let days = day_numbers(days);
            found.retain(|(_, unit_index), _| days.contains(&unit.day_of(*unit_index)));
        }
        let (mut types, mut numbers) = (Vec::new(), BTreeMap::new());
        let with_rows: BTreeSet<_> = found.keys().map(|(index, _)| *index).collect();
        for index in with_rows {
            let (domain, name) = names[index];
            let Some(event_type) = settings.catalog.event_type(domain, name) else {
                let event_type = format!("{domain}/{name}");
                return Err(Error::UnknownHeld { root: target.root(), event_type });
            };
            numbers.insert(index, types.len());
            let (event_type, directory) = (event_type.into_owned(), listed[index].1.to_owned());
            types.push(HeldType { event_type, directory });
        }
        let partitions = found.into_iter().map(|((index, unit), files)| ((numbers[&index], unit), files));
        let partitions = partitions.collect();
        let held = Self { types, partitions, layout, unit };
        record.check_versions(held.types.iter().map(|held| &held.event_type))?;
        if settings.days.is_some() && held.moves(wanted) {
            return Err(Error::PartlyMoved { root: target.root() });
        }
        held.compare(target, record, settings.days.is_none())?;
        Ok(held)
    }

    /// Whether any partition gets another path.
    fn moves(&self, wanted: Wanted) -> bool {
        let is_elsewhere = |of: &HeldType| wanted.layout.directory(&of.event_type) != of.directory;
        (self.layout, self.unit) != (wanted.layout, wanted.unit) || self.types.iter().any(is_elsewhere)
    }

    /// Compares the files that are rewritten with the record; `all`: those that are recorded, also where
    /// nothing is left of a partition.
    fn compare(&self, target: &Location, record: &mut Record<'_>, all: bool) -> Result<(), Error> {
        fn directory(path: &str) -> &str {
            path.rsplit_once('/').map_or("", |(directory, _)| directory)
        }
        let files = self.partitions.values().flatten();
        let directories: BTreeSet<_> = files.map(|file| directory(&file.path)).collect();
        let is_wanted = |path: &str, file: &StoredFile| {
            file.event_type.is_some() && (all || directories.contains(directory(path)))
        };
        record.compare(is_wanted)?;
        record.require(target.foreign(record.history(), &self.partitions)?)
    }

    /// Refuses two event types in one directory, and one where the target has another type.
    pub(super) fn check_directories(
        &self,
        record: &Record<'_>,
        wanted: Wanted,
        folds_case: bool,
    ) -> Result<(), Error> {
        let key = |directory: &str| if folds_case { directory.to_lowercase() } else { directory.to_owned() };
        let mut owners = BTreeMap::new();
        for HeldType { event_type, .. } in &self.types {
            let directory = wanted.layout.directory(event_type).into_owned();
            if let Some(other) = owners.insert(key(&directory), event_type.to_string()) {
                let (remembered, asked) = (other, event_type.to_string());
                return Err(TargetError::OtherEventType { directory, remembered, asked }.into());
            }
        }
        // Where directories change their owners, no order of changes would be safe.
        let is_same = (self.layout.name(), self.unit) == (wanted.layout.name(), wanted.unit);
        for ((domain, name), directory) in record.history().directories() {
            let remembered = format!("{domain}/{name}");
            let asked = owners.get(&key(directory)).filter(|asked| is_same && **asked != remembered);
            if let Some(asked) = asked.cloned() {
                return Err(TargetError::OtherEventType {
                    directory: directory.to_owned(),
                    remembered,
                    asked,
                }
                .into());
            }
        }
        Ok(())
    }

    /// The path of a partition as it is.
    pub(super) fn path(&self, type_index: usize, unit_index: i64) -> String {
        self.layout.path(self.unit, unit_index, &self.types[type_index].directory)
    }

    /// The pieces: partitions or, if the unit of time changes, days.
    pub(super) fn pieces(&self, history: &History, wanted: PartitionUnit) -> Vec<Piece<'_>> {
        let is_same = self.unit == wanted;
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        let mut last = None;
        for (&(type_index, unit_index), files) in &self.partitions {
            let place = (type_index, if is_same { unit_index } else { self.unit.day_of(unit_index) });
            if last != Some(place) {
                last = Some(place);
                pieces.push(Piece {
                    type_index,
                    partitions: Vec::new(),
                    first_instant: self.unit.instants_of(unit_index).start,
                    bytes: 0,
                    scope: DedupeScope::Input,
                    version: Vec::new(),
                });
            }
            if let Some(piece) = pieces.last_mut() {
                piece.partitions.push((unit_index, files));
                piece.add(history.of_directory(&self.path(type_index, unit_index)));
            }
        }
        pieces
    }
}

impl Piece<'_> {
    /// Adds what is recorded of files: of different scopes that count which promises least.
    fn add<'f>(&mut self, files: impl Iterator<Item = &'f StoredFile>) {
        for StoredFile { bytes, dedupe_scope, version, .. } in files {
            self.bytes += bytes;
            self.scope = match (self.scope, *dedupe_scope) {
                (DedupeScope::Day, _) | (_, DedupeScope::Day) => DedupeScope::Day,
                (DedupeScope::Target, _) | (_, DedupeScope::Target) => DedupeScope::Target,
                _ => DedupeScope::Input,
            };
            if self.version.is_empty() {
                self.version.clone_from(version);
            }
        }
    }
}

fn day_numbers(DayRange { first, last }: DayRange) -> RangeInclusive<i64> {
    first.map_or(i64::MIN, Day::epoch_days)..=last.map_or(i64::MAX, Day::epoch_days)
}
