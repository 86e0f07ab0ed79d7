//! What the commits of a target recorded → the sources that it has, and an error if its files are not so.
//!
//! A merge keeps what it finds. If a file were missing, or had fewer rows, the next commit would record the
//! rest as all that there is, and nobody would ever know. So what a merge relies on is compared first: the
//! quarantine and the partitions of its event types; with `--skip-loaded` everything, because a source is
//! passed over only for rows that are there. A load that overwrites relies on nothing but the files of the
//! quarantine to which it adds bad lines.
//!
//! Invariant: a run that passes has not changed anything yet.

mod columns;

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use event_parser::Plan;
use event_target::{
    Change, Compared, DedupeScope, Difference, Differences, History, Location, Merged, Mode, QUARANTINE,
    Stamp, StoredFile, TargetError,
};
use events_core::{catalog::EventType, partition::Layout};

use super::{Existing, database::without_rows};
use crate::{
    error::Error,
    settings::{Input, Settings},
};

/// The record of a target.
#[derive(Debug)]
pub(crate) struct Record<'s> {
    target: &'s Location,
    threads: usize,
    /// Where the load decides "latest".
    scope: DedupeScope,
    history: History,
    /// Whether all files were compared.
    is_checked: bool,
    /// Whether a commit was interrupted, which only a dry run meets: its files may be in their places, or not
    /// yet.
    is_unfinished: bool,
    /// Stamps that are to be recorded, so that the next run does not read these files.
    stamps: BTreeMap<String, Stamp>,
}

impl<'s> Record<'s> {
    /// Reads the record, and compares what can be compared before the input is read.
    pub(crate) fn read(settings: &'s Settings) -> Result<Self, Error> {
        let &Settings { ref target, threads, dedupe_scope: scope, .. } = settings;
        let history = target.history(|_, _| {})?;
        let mut record = Self {
            target,
            threads,
            scope,
            history,
            is_checked: false,
            is_unfinished: false,
            stamps: BTreeMap::new(),
        };
        // Of a replay, only the types of its lines count.
        if matches!(settings.input, Input::Sources { .. }) {
            record.check_catalog(settings)?;
        }
        record.is_unfinished = settings.dry_run && target.is_unfinished()?;
        if settings.mode == Mode::Merge && !record.is_unfinished {
            record.require(record.history.lost_records())?;
            let all = matches!(settings.input, Input::Sources { skip_loaded: true, .. });
            let is_file = target.database_of().is_none();
            record.compare(|_, file| all && is_file || file.event_type.is_none())?;
            if all {
                record.require(without_rows(target, &record.history)?)?;
            }
            record.is_checked = all;
        }
        Ok(record)
    }

    /// Reads the record of a target that is to be rewritten, and compares nothing yet.
    pub(crate) fn to_rewrite(target: &'s Location, threads: usize) -> Result<Self, Error> {
        let history = target.history(|_, _| {})?;
        let (is_checked, is_unfinished) = (false, false);
        let (scope, stamps) = (DedupeScope::Input, BTreeMap::new());
        let record = Self { target, threads, scope, history, is_checked, is_unfinished, stamps };
        record.require(record.history.lost_records())?;
        Ok(record)
    }

    /// What the commits recorded.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Refuses a catalog with event types that the target holds otherwise, whether they are read or not.
    pub(crate) fn check_catalog(&self, Settings { catalog, layout, .. }: &Settings) -> Result<(), Error> {
        self.check_directories(catalog.event_types(), *layout)?;
        // A type without a version may be one that nobody thinks of, as the built-in ones are.
        self.check_versions(catalog.event_types().iter().filter(|known| !known.version.is_empty()))
    }

    /// Refuses event types whose directories are others than those in which the target holds them; the first
    /// by name.
    fn check_directories<'t>(
        &self,
        event_types: impl IntoIterator<Item = &'t EventType>,
        layout: Layout,
    ) -> Result<(), Error> {
        let remembered = self.history.directories();
        let mut event_types: Vec<_> = event_types.into_iter().collect();
        event_types.sort_by_key(|event_type| (&event_type.domain, &event_type.name));
        for event_type in event_types {
            let (EventType { domain, name, .. }, asked) = (event_type, layout.directory(event_type));
            let remembered = remembered.get(&(domain.as_str(), name.as_str()));
            if let Some(remembered) = remembered.filter(|remembered| **remembered != asked) {
                let refused = TargetError::OtherDirectory {
                    root: self.target.root(),
                    event_type: format!("{domain}/{name}"),
                    remembered: (*remembered).to_owned(),
                    asked: asked.into_owned(),
                };
                return Err(Error::from(refused).of_type(event_type));
            }
        }
        Ok(())
    }

    /// Refuses event types that were read, where the target holds them otherwise.
    pub(crate) fn check_read<'t>(
        &self,
        event_types: impl Iterator<Item = &'t EventType> + Clone,
        layout: Layout,
    ) -> Result<(), Error> {
        self.check_directories(event_types.clone(), layout)?;
        self.check_versions(event_types)
    }

    /// Refuses event types whose latest versions the target's loads decided by other fields. A type may get a
    /// version, but not lose it.
    pub(crate) fn check_versions<'c>(
        &self,
        event_types: impl Iterator<Item = &'c EventType>,
    ) -> Result<(), Error> {
        let remembered = self.history.versions();
        for event_type in event_types {
            let key = (event_type.domain.as_str(), event_type.name.as_str());
            let asked = event_type.version_names();
            if let Some(remembered) = remembered.get(&key).filter(|remembered| **remembered != asked) {
                let refused = TargetError::OtherVersion {
                    root: self.target.root(),
                    event_type: event_type.to_string(),
                    remembered: format!("{remembered:?}"),
                    asked: format!("{asked:?}"),
                };
                return Err(Error::from(refused).of_type(event_type));
            }
        }
        Ok(())
    }

    /// The same for event types that the catalog does not name, and that were found. Refuses also those whose
    /// directory the target has for another type; on a file system that ignores case, in any spelling.
    pub(crate) fn check_found(&self, plan: &Plan, layout: Layout, folds_case: bool) -> Result<(), Error> {
        self.check_directories(plan.found_types(), layout)?;
        let key = |directory: &str| if folds_case { directory.to_lowercase() } else { directory.to_owned() };
        let remembered = self.history.directories();
        let owners: BTreeMap<_, _> =
            remembered.iter().map(|(name, directory)| (key(directory), (name, directory))).collect();
        let clashes = plan.found_types().filter_map(|found| {
            let ((domain, name), directory) = owners.get(&key(&layout.directory(found)))?;
            let is_another = (*domain, *name) != (found.domain.as_str(), found.name.as_str());
            is_another.then(|| (found, format!("{domain}/{name}"), **directory))
        });
        match clashes.min_by_key(|(found, ..)| (&found.domain, &found.name)) {
            None => Ok(()),
            Some((found, remembered, directory)) => {
                let (directory, asked) = (directory.to_owned(), found.to_string());
                Err(Error::from(TargetError::OtherEventType { directory, remembered, asked }).of_type(found))
            }
        }
    }

    /// Whether anything was ever committed.
    pub(crate) fn has_commit(&self) -> bool {
        self.history.commits() > 0
    }

    /// What was merged with the same selection.
    pub(crate) fn merged(&mut self, what: &str) -> Merged {
        self.history.merged(what)
    }

    /// Compares the partitions of the event types that the merge has rows of.
    pub(crate) fn check(&mut self, existing: &Existing<'_>, plan: &Plan) -> Result<(), Error> {
        let names = existing.types().map(|index| {
            let event_type = plan.event_type(index);
            (event_type.domain.as_str(), event_type.name.as_str())
        });
        let names: BTreeSet<_> = names.collect();
        let is_wanted = |path: &str, file: &StoredFile| {
            let name = file.event_type.as_ref().filter(|_| !existing.is_replaced(path));
            name.is_some_and(|(domain, name)| names.contains(&(domain.as_str(), name.as_str())))
        };
        self.check_scope(is_wanted)?;
        // What a load changes in a database is compared when its tables are locked.
        if self.is_unfinished || self.target.database_of().is_some() {
            return Ok(());
        }
        if !self.is_checked {
            self.compare(is_wanted)?;
        }
        self.require(self.target.foreign(&self.history, existing.partitions())?)
    }

    /// Whether the load overwrites partitions of a target in which merges have kept each event once.
    pub(crate) fn is_merged(&self) -> bool {
        self.history.scopes().any(|scope| scope == DedupeScope::Target)
    }

    /// Whether the target is a database whose tables have each id once: all but those in which loads have
    /// kept events once a day.
    pub(crate) fn has_unique_ids(&self) -> bool {
        self.target.database_of().is_some() && self.history.scopes().all(|scope| scope != DedupeScope::Day)
    }

    /// Refuses to keep events once in a target that keeps them once a day.
    fn check_scope(&self, wanted: impl Fn(&str, &StoredFile) -> bool) -> Result<(), Error> {
        let of_day = |(path, file): &(&String, &StoredFile)| {
            file.dedupe_scope == DedupeScope::Day && wanted(path, file)
        };
        match self.history.files.iter().find(of_day) {
            Some((path, _)) if self.scope != DedupeScope::Day => {
                let partition = path.rsplit_once('/').map_or(path.as_str(), |(partition, _)| partition);
                let (root, partition) = (self.target.root(), partition.to_owned());
                Err(TargetError::OtherScope { root, partition }.into())
            }
            _ => Ok(()),
        }
    }

    /// Refuses changes that would replace rows of another event type, or add lines to a file of the
    /// quarantine that has lost some. Where that file is missing, nothing is added to what is left.
    pub(crate) fn check_changes(&mut self, changes: &[Change]) -> Result<(), Error> {
        for change in changes {
            self.history.check_types(slice::from_ref(change)).map_err(|refused| {
                match &change.event_type {
                    Some(event_type) => {
                        Error::OfType { event_type: event_type.clone(), source: Box::new(refused.into()) }
                    }
                    None => refused.into(),
                }
            })?;
        }
        let of_quarantine = changes.iter().filter(|change| change.event_type.is_none());
        let names = of_quarantine
            .filter(|change| !change.files.is_empty())
            .flat_map(|change| change.files.iter().map(|file| &file.name).chain(&change.removes));
        let paths: BTreeSet<_> = names.map(|name| format!("{QUARANTINE}/{name}")).collect();
        let target = self.target;
        let is_there = |path: &str| target.is_there(path).unwrap_or(true);
        self.compare(|path, _| paths.contains(path) && is_there(path))
    }

    /// The stamps that the commit records.
    pub(crate) fn into_stamps(self) -> BTreeMap<String, Stamp> {
        self.stamps
    }

    /// Refuses recorded files that are `wanted` and are not as recorded.
    pub(crate) fn compare(&mut self, wanted: impl Fn(&str, &StoredFile) -> bool) -> Result<(), Error> {
        let Compared { differences, stamps } = self.target.compare(&self.history, self.threads, wanted)?;
        self.stamps.extend(stamps);
        self.require(differences)
    }

    /// Refuses a target with differences.
    pub(crate) fn require(&self, differences: Vec<Difference>) -> Result<(), Error> {
        if differences.is_empty() {
            return Ok(());
        }
        let (root, differences) = (self.target.root(), Box::new(Differences(differences)));
        Err(TargetError::NotAsRecorded { root, differences }.into())
    }
}
