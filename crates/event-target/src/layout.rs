//! The layout of a target's directories, recorded with its first commit: `<target>/_eventloader/layout.json`.
//!
//! Invariant: this program writes partitions of only one layout and one unit of time to a target; otherwise
//! readers would see each event twice or not at all. A rewrite may bring all of them into another one.

use std::{fmt, io, path::Path};

use events_core::partition::{Layout, PartitionUnit};
use serde::{Deserialize, Serialize};

use crate::{History, PRIVATE, TargetError, journal, json_file};

const NAME: &str = "layout.json";

/// The layouts by their names in the file. `hive` was written when its files had a column `event_type`.
const RECORDED: [(&str, Layout); 5] = [
    ("plain", Layout::Plain),
    ("hive", Layout::HiveWithEventType),
    ("hive-2", Layout::Hive),
    ("delta", Layout::Delta),
    ("database", Layout::Database),
];

/// The layout as a target records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetLayout {
    layout: String,
    partition_by: String,
}

impl TargetLayout {
    /// The layout that a load asks for.
    #[must_use]
    pub fn new(layout: Layout, unit: PartitionUnit) -> Self {
        let name = RECORDED.iter().find(|(_, recorded)| *recorded == layout).map_or("", |(name, _)| name);
        Self { layout: name.to_owned(), partition_by: unit.name().to_owned() }
    }

    /// The layout and unit; `None` if they are unknown.
    #[must_use]
    pub fn parts(&self) -> Option<(Layout, PartitionUnit)> {
        let (_, layout) = RECORDED.iter().find(|(name, _)| *name == self.layout)?;
        let units = [PartitionUnit::Day, PartitionUnit::Hour];
        Some((*layout, units.into_iter().find(|unit| unit.name() == self.partition_by)?))
    }

    /// The recorded layout of a target of partitions: in its own file or, if that is gone, in its commits. A
    /// commit that was interrupted counts: whoever opens the target finishes it first.
    pub(crate) fn remembered(root: &Path) -> Result<Option<Self>, TargetError> {
        if let Some(commit) = journal::unfinished(root)? {
            return Ok(Some(commit.layout));
        }
        let own = json_file::read(&root.join(PRIVATE).join(NAME), "reading the target's layout")?;
        own.map_or_else(|| Ok(History::read(root, |_, _| {})?.layout), |layout| Ok(Some(layout)))
    }

    /// The same unit of time in tables: a target of tables in which nothing was committed has no other kind.
    pub(crate) fn in_tables(&self) -> Option<Self> {
        self.parts().map(|(_, unit)| Self::new(Layout::Delta, unit))
    }

    /// The same unit of time in a database: a schema in which nothing was committed has no other kind.
    pub(crate) fn in_database(&self) -> Option<Self> {
        self.parts().map(|(_, unit)| Self::new(Layout::Database, unit))
    }

    /// Refuses a target that has remembered another layout.
    pub(crate) fn check(&self, remembered: Option<Self>, root: &Path) -> Result<(), TargetError> {
        let Some(remembered) = remembered else { return Ok(()) };
        if remembered == *self {
            return Ok(());
        }
        Err(TargetError::OtherLayout {
            root: root.to_owned(),
            remembered: Box::new(remembered),
            asked: Box::new(self.clone()),
        })
    }

    /// Records the layout, unless that was done before and it can't be another one now.
    pub(crate) fn remember(&self, root: &Path, may_change: bool) -> io::Result<()> {
        let private = root.join(PRIVATE);
        if !may_change && storage::is_there(&private.join(NAME))? {
            return Ok(());
        }
        json_file::replace(&private, NAME, self)
    }
}

impl fmt::Display for TargetLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Some((Layout::Delta, unit)) => write!(f, "Delta tables by {}", unit.name()),
            Some((Layout::Database, unit)) => write!(f, "tables of a database by {}", unit.name()),
            Some((layout, unit)) => write!(f, "the layout {} by {}", layout.name(), unit.name()),
            None => write!(f, "the layout {} by {}", self.layout, self.partition_by),
        }
    }
}

/// Whether the file system of a target takes names for one that differ in case.
pub(crate) fn folds_case(root: &Path) -> Result<bool, TargetError> {
    let look = storage::is_there(&root.join(PRIVATE.to_uppercase()));
    look.map_err(TargetError::io("looking at the target's names"))
}
