//! The recorded files of a target → what its loads had in common, and an error for a load that differs.
//!
//! Invariant: only what the target still holds counts. What is gone binds no later load.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use events_core::{partition::Layout, table::TableColumns};

use crate::{Change, DedupeScope, History, TargetError, TargetLayout};

impl History {
    /// Where the target has the rows of each domain and type: the part of a partition's path that is named
    /// after the type, without the name of its column.
    #[must_use]
    pub fn directories(&self) -> BTreeMap<(&str, &str), &str> {
        let layout = self.layout.as_ref().and_then(TargetLayout::parts).map(|(layout, _)| layout);
        let layout = layout.unwrap_or(Layout::Plain);
        let mut directories = BTreeMap::new();
        for (path, file) in &self.files {
            if let Some((domain, name)) = &file.event_type {
                let partition = path.rsplit_once('/').map_or("", |(partition, _)| partition);
                directories.insert((domain.as_str(), name.as_str()), layout.directory_in(partition));
            }
        }
        directories
    }

    /// The fields by which the latest version of each domain's and type's events was decided, where the type
    /// has such fields.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<(&str, &str), &[String]> {
        let mut versions = BTreeMap::new();
        for file in self.files.values().filter(|file| !file.version.is_empty()) {
            if let Some((domain, name)) = &file.event_type {
                versions.insert((domain.as_str(), name.as_str()), file.version.as_slice());
            }
        }
        versions
    }

    /// The columns that the files of each domain and type have: those of each table once, that of the last
    /// commit first. Files of older loads, which did not record them, don't count.
    #[must_use]
    pub fn tables_by_type(&self) -> BTreeMap<(&str, &str), Vec<&TableColumns>> {
        let mut last_commits = BTreeMap::<_, BTreeMap<_, u64>>::new();
        for file in self.files.values() {
            if let (Some((domain, name)), Some(table)) = (&file.event_type, &file.table) {
                let of_type = last_commits.entry((domain.as_str(), name.as_str())).or_default();
                let last = of_type.entry(table).or_default();
                *last = file.commit.max(*last);
            }
        }
        let in_order = |of_type: BTreeMap<_, u64>| {
            let mut tables: Vec<_> = of_type.into_iter().collect();
            tables.sort_by_key(|(_, last)| Reverse(*last));
            tables.into_iter().filter_map(|(table, _)| self.tables.get(table)).collect()
        };
        last_commits.into_iter().map(|(event_type, of_type)| (event_type, in_order(of_type))).collect()
    }

    /// Forgets the columns that no file has any more.
    pub(crate) fn forget_unused_tables(&mut self) {
        let used: BTreeSet<_> = self.files.values().filter_map(|file| file.table.as_ref()).collect();
        self.tables.retain(|name, _| used.contains(name));
    }

    /// The scopes of the loads that wrote the files with rows.
    pub fn scopes(&self) -> impl Iterator<Item = DedupeScope> {
        self.files.values().filter(|file| file.event_type.is_some()).map(|file| file.dedupe_scope)
    }

    /// Refuses changes of partitions that have rows of another event type.
    ///
    /// # Errors
    /// [`TargetError::OtherEventType`]
    pub fn check_types(&self, changes: &[Change]) -> Result<(), TargetError> {
        let text = |(domain, name): &(String, String)| format!("{domain}/{name}");
        for Change { directory, event_type, .. } in changes {
            let Some(asked) = event_type else { continue };
            let mut there = self.of_directory(directory).filter_map(|file| file.event_type.as_ref());
            if let Some(other) = there.find(|there| *there != asked) {
                let (remembered, asked) = (text(other), text(asked));
                return Err(TargetError::OtherEventType { directory: directory.clone(), remembered, asked });
            }
        }
        Ok(())
    }
}
