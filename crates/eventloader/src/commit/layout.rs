//! How the directories of a target are named, remembered with its first commit: `<target>/_eventloader/layout.json`.
//!
//! Invariant: a target has partitions of one layout and one unit of time only, as far as this program wrote them; readers
//! would else see each event twice or not at all.

use std::{fmt, io, io::Write, path::Path};

use events_core::partition::{Layout, PartitionUnit};
use serde::{Deserialize, Serialize};

use super::{PRIVATE, durability};
use crate::{
    disk::{self, File},
    error::Error,
};

const NAME: &str = "layout.json";

/// What a target remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetLayout {
    layout: String,
    partition_by: String,
}

impl TargetLayout {
    pub(crate) fn new(layout: Layout, unit: PartitionUnit) -> Self {
        Self { layout: layout.name().to_owned(), partition_by: unit.name().to_owned() }
    }

    /// What it says; `None` where that is nothing known.
    pub(crate) fn parts(&self) -> Option<(Layout, PartitionUnit)> {
        let layout = [Layout::Plain, Layout::Hive].into_iter().find(|layout| layout.name() == self.layout)?;
        let units = [PartitionUnit::Day, PartitionUnit::Hour];
        Some((layout, units.into_iter().find(|unit| unit.name() == self.partition_by)?))
    }

    /// The layout that a target remembers.
    pub(crate) fn remembered(root: &Path) -> Result<Option<Self>, Error> {
        let path = root.join(PRIVATE).join(NAME);
        let reading = Error::io("reading the target's layout");
        if !disk::is_there(&path).map_err(reading)? {
            return Ok(None);
        }
        let text = disk::read(&path).map_err(reading)?;
        let remembered = serde_json::from_slice(&text).map_err(|error| Error::Damaged {
            path,
            line: error.line(),
            problem: error.to_string(),
        })?;
        Ok(Some(remembered))
    }

    /// Refuses a target that remembers another layout.
    pub(crate) fn check(&self, root: &Path) -> Result<(), Error> {
        let Some(remembered) = Self::remembered(root)? else { return Ok(()) };
        if remembered == *self {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "the target {} was written with {remembered}, not with {self}: use the same, or another --target-path",
            root.display()
        )))
    }

    /// Remembers the layout, unless that was done before.
    pub(super) fn remember(&self, root: &Path) -> io::Result<()> {
        let path = root.join(PRIVATE).join(NAME);
        if disk::is_there(&path)? {
            return Ok(());
        }
        let new = path.with_extension("json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync()?;
        disk::rename(&new, &path)?;
        durability::sync_directory(&root.join(PRIVATE))
    }
}

impl fmt::Display for TargetLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--layout {} --partition-by {}", self.layout, self.partition_by)
    }
}
