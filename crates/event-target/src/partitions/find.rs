//! A target's directories → its partitions of some event types, with their files.
//!
//! Invariant: a listed partition is where the layout puts it and nowhere else. No link is followed: a merge
//! is refused if there is one in the place of a directory, because rows that readers see behind it would be
//! left out.

use std::{collections::BTreeMap, path::Path};

use events_core::partition::{Day, Layout, PartitionUnit};

use crate::{TargetError, TargetLayout};

/// The parts of a day in a path: year, month and day.
const DAY_PARTS: usize = 3;

/// Event type (its index among those given) and unit of time (counted from 1970).
type PartitionKey = (usize, i64);

/// The files of each partition, in the order of their rows.
pub type Partitions = BTreeMap<PartitionKey, Vec<PartitionFile>>;

/// A Parquet file of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFile {
    /// Its path in the target, with `/`.
    pub path: String,
    /// Its length, where it is recorded.
    pub bytes: Option<u64>,
    /// Its number among all files that were listed, from 0.
    pub number: u32,
}

/// Lists the partitions of these event types, given by index and directory.
pub(crate) fn list_partitions(
    root: &Path,
    layout: &TargetLayout,
    types: &[(usize, &str)],
) -> Result<Partitions, TargetError> {
    let mut partitions = Partitions::new();
    let Some((naming, unit)) = layout.parts() else { return Ok(partitions) };
    let mut walk = Walk { root, naming, unit, types, partitions: &mut partitions, files: 0 };
    walk.enter("", &mut Vec::new())?;
    Ok(partitions)
}

struct Walk<'a> {
    root: &'a Path,
    naming: Layout,
    unit: PartitionUnit,
    types: &'a [(usize, &'a str)],
    partitions: &'a mut Partitions,
    files: u32,
}

impl Walk<'_> {
    /// Visits a directory of the target that stands for a unit of time or contains such directories.
    /// `numbers` are those in its path: year, month and so on.
    fn enter(&mut self, directory: &str, numbers: &mut Vec<i64>) -> Result<(), TargetError> {
        if let Some(unit_index) = self.unit_of(numbers) {
            for &(type_index, name) in self.types {
                let path = self.naming.path(self.unit, unit_index, name);
                // Only the layout's own path of a unit counts.
                if path
                    .rsplit_once('/')
                    .is_some_and(|(parent, _)| directory.strip_suffix('/') == Some(parent))
                {
                    self.add_partition((type_index, unit_index), &path)?;
                }
            }
            return Ok(());
        }
        for name in self.names(directory)? {
            let Some(number) = self.number_in(&name, numbers.len()) else { continue };
            let inner = format!("{directory}{name}");
            if storage::look_at(&self.root.join(&inner)).map_err(LISTING)?.is_none_or(|found| found.is_file())
            {
                continue;
            }
            self.require_directory(&inner)?;
            numbers.push(number);
            self.enter(&format!("{inner}/"), numbers)?;
            numbers.pop();
        }
        Ok(())
    }

    /// The unit of time of a year, month, day and perhaps hour, if these are complete.
    fn unit_of(&self, numbers: &[i64]) -> Option<i64> {
        let day = |numbers: &[i64]| match numbers {
            [year, month, day] => Day::parse(&format!("{year:04}-{month:02}-{day:02}")).map(Day::epoch_days),
            _ => None,
        };
        match (self.unit, numbers.len()) {
            (PartitionUnit::Day, DAY_PARTS) => day(numbers),
            (PartitionUnit::Hour, parts) if parts == DAY_PARTS + 1 => {
                let hour = numbers[DAY_PARTS];
                day(&numbers[..DAY_PARTS]).filter(|_| hour < 24).map(|day| day * 24 + hour)
            }
            _ => None,
        }
    }

    /// The number in a directory's name, which is this part of a path.
    fn number_in(&self, name: &str, place: usize) -> Option<i64> {
        if place >= DAY_PARTS + usize::from(self.unit == PartitionUnit::Hour) {
            return None;
        }
        let digits = match self.naming {
            Layout::Plain => name,
            Layout::Hive | Layout::HiveWithEventType => {
                name.strip_prefix(self.naming.columns(self.unit)[place])?.strip_prefix('=')?
            }
            // What tables have is said by their records, not by directories.
            Layout::Delta | Layout::Database => return None,
        };
        let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    }

    /// Adds the files of a partition, if it exists.
    fn add_partition(&mut self, partition: PartitionKey, path: &str) -> Result<(), TargetError> {
        let there = storage::look_at(&self.root.join(path)).map_err(LISTING)?;
        if there.is_none() {
            return Ok(());
        }
        self.require_directory(path)?;
        let mut files = Vec::new();
        for name in self.names(&format!("{path}/"))?.into_iter().filter(|name| name.ends_with(".parquet")) {
            let path = format!("{path}/{name}");
            let there = self.root.join(&path);
            if !storage::look_at(&there).map_err(LISTING)?.is_some_and(|found| found.is_file()) {
                let problem = "is a link or not a regular file; put a file in its place".to_owned();
                return Err(TargetError::Unusable { path: there, problem });
            }
            files.push(PartitionFile { path, bytes: None, number: self.files });
            self.files += 1;
        }
        if !files.is_empty() {
            self.partitions.insert(partition, files);
        }
        Ok(())
    }

    fn require_directory(&self, directory: &str) -> Result<(), TargetError> {
        let path = self.root.join(directory);
        if storage::look_at(&path).map_err(LISTING)?.is_some_and(|found| found.is_dir()) {
            return Ok(());
        }
        let problem = "is a link or not a directory, and a merge follows no link out of its target; put a \
                       directory in its place";
        Err(TargetError::Unusable { path, problem: problem.to_owned() })
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, TargetError> {
        let names = storage::names_in(&self.root.join(directory)).map_err(LISTING)?.unwrap_or_default();
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }
}

const LISTING: fn(std::io::Error) -> TargetError =
    |source| TargetError::Io { doing: "listing the target's partitions", source };

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes the target")]
mod tests {
    use super::*;

    fn listed(naming: Layout, unit: PartitionUnit, directories: &[&str]) -> Vec<PartitionKey> {
        let dir = tempfile::tempdir().unwrap();
        for directory in directories {
            fs_err::create_dir_all(dir.path().join(directory)).unwrap();
            fs_err::write(dir.path().join(directory).join("part-00000.zstd.parquet"), "").unwrap();
        }
        let layout = TargetLayout::new(naming, unit);
        list_partitions(dir.path(), &layout, &[(3, "sale"), (5, "refund")]).unwrap().into_keys().collect()
    }

    #[test]
    fn partitions_are_found_where_the_layout_puts_them() {
        let (day, hour) = (PartitionUnit::Day, PartitionUnit::Hour);
        let plain =
            ["1970/01/02/sale", "1970/1/03/sale", "1970/02/30/sale", "1970/01/02/other", "x/01/02/sale"];
        assert_eq!(listed(Layout::Plain, day, &plain), [(3, 1)]);
        let hive = ["year=1970/month=1/day=2/event_type=refund", "year=1970/month=01/day=3/event_type=sale"];
        assert_eq!(listed(Layout::Hive, day, &hive), [(5, 1)]);
        let hours = ["1970/01/02/05/sale", "1970/01/02/24/sale", "1970/01/02/sale", "1969/12/31/23/refund"];
        assert_eq!(listed(Layout::Plain, hour, &hours), [(3, 29), (5, -1)]);
    }

    #[test]
    fn links_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (other, root) = (dir.path().join("other/02/sale"), dir.path().join("lake"));
        fs_err::create_dir_all(other).unwrap();
        fs_err::create_dir_all(root.join("1970")).unwrap();
        fs_err::os::unix::fs::symlink(dir.path().join("other"), root.join("1970/01")).unwrap();
        let layout = TargetLayout::new(Layout::Plain, PartitionUnit::Day);
        let refused = list_partitions(&root, &layout, &[(0, "sale")]).unwrap_err().to_string();
        assert!(refused.contains("1970/01: is a link"), "{refused}");
    }
}
