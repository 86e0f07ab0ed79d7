//! Bad lines that say of which event and time they are → which of them come after the row that the target
//! will have of the same.
//!
//! Of two versions of an event with one timestamp, the later in the input is kept. A bad line is none yet,
//! but it becomes one once a better catalog loads it, and then nothing tells any more whether the row was
//! there before the line. So it is found out while the line is quarantined, and kept with it: a line wins
//! such a tie if it came last then. A row that came after that is another one, and wins.
//!
//! Invariant: memory is bounded, however many lines are bad. Lines that the run did not select are not
//! judged.

use std::collections::{BTreeMap, BTreeSet};

use event_parser::Plan;
use event_rows::{PartitionKey, Position};
use event_target::{History, Mode};

use super::named_version::{OfType, version_of};
use crate::{
    error::Error,
    existing::{OpenDatabase, Versions, versions_in, versions_in_database},
    latest::Superseded,
    quarantine::{LastOnes, Quarantine},
    rows::{DatedLine, DatedLines, RowLedger, RowStore},
    settings::{Input, Settings},
};

/// By partition's path: lines with the timestamps that they name.
type ByPath<'l> = BTreeMap<String, Vec<(i64, &'l DatedLine)>>;

/// Where the last row of an event and timestamp is found.
#[derive(Clone, Copy)]
pub(super) enum LastRows<'a> {
    /// Among the rows of the run.
    OfRun(&'a RowStore, &'a Superseded),
    /// It was found before: the last row by the place of the bad line.
    Found(&'a BTreeMap<Position, Position>),
}

impl LastRows<'_> {
    fn find(self, lines: &mut DatedLines, is_replay: bool) -> Result<(), Error> {
        match self {
            // A replayed row that is superseded came before a row of the target, and the line knows that row.
            Self::OfRun(rows, superseded) => {
                rows.find_last_rows(lines, |row| !is_replay || !superseded.contains(row))
            }
            Self::Found(found) => {
                lines.set_last_rows(found);
                Ok(())
            }
        }
    }

    /// The partitions that lose rows which the target has.
    fn losing(self) -> BTreeSet<PartitionKey> {
        let Self::OfRun(_, superseded) = self else { return BTreeSet::new() };
        let losing = superseded.by_partition().filter(|(_, counts)| counts.existing > 0);
        losing.map(|(partition, _)| partition).collect()
    }
}

/// What a run knows about its rows before it commits.
#[derive(Clone, Copy)]
pub(super) struct Ties<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plan: &'a Plan,
    /// What the target has.
    pub(super) history: &'a History,
    /// Its rows, as they were read.
    pub(super) ledger: &'a RowLedger,
    pub(super) last_rows: LastRows<'a>,
    /// The database that the target is, if it is one.
    pub(super) database: Option<&'a OpenDatabase>,
    /// The memory for lines that are compared at once.
    pub(super) bytes_max: usize,
}

impl Ties<'_> {
    /// Judges the bad lines of the run.
    pub(super) fn judge(self, quarantine: &mut Quarantine) -> Result<LastOnes, Error> {
        let mut lasts = LastOnes::new();
        let mut lines = DatedLines::default();
        quarantine.each_new(|position, line| {
            let Some((of_type, micros, id)) = version_of(self.settings, self.plan, line) else {
                return Ok(());
            };
            match of_type {
                OfType::Known(type_index) => lines.add(type_index, micros, id, position),
                OfType::WithoutRows(event_type) => lines.add_without_rows(
                    self.settings.partition_path(&event_type, self.settings.partition_unit.index_of(micros)),
                    micros,
                    id,
                    position,
                ),
            }
            if lines.bytes() < self.bytes_max {
                return Ok(());
            }
            self.compare(std::mem::take(&mut lines), &mut lasts)
        })?;
        self.compare(lines, &mut lasts)?;
        Ok(lasts)
    }

    fn compare(self, mut lines: DatedLines, lasts: &mut LastOnes) -> Result<(), Error> {
        let is_replay = matches!(self.settings.input, Input::Replay(_));
        self.last_rows.find(&mut lines, is_replay)?;
        let mut without_row: BTreeMap<PartitionKey, Vec<(i64, &DatedLine)>> = BTreeMap::new();
        for (type_index, micros, line) in lines.iter() {
            match line.last_row {
                Some(row) => {
                    lasts.insert(line.position, line.position.is_behind_in_input(row));
                }
                None if is_replay => {}
                None => {
                    let partition = (type_index, self.settings.partition_unit.index_of(micros));
                    without_row.entry(partition).or_default().push((micros, line));
                }
            }
        }
        let is_overwrite = self.settings.mode == Mode::Overwrite;
        let losing = self.last_rows.losing();
        let is_written_anew = |partition: &PartitionKey| {
            is_overwrite && (self.ledger.rows_of(*partition) > 0 || losing.contains(partition))
        };
        let mut by_path = ByPath::new();
        for (partition, lines) in without_row.into_iter().filter(|(partition, _)| !is_written_anew(partition))
        {
            by_path
                .insert(self.settings.partition_path(self.plan.event_type(partition.0), partition.1), lines);
        }
        for (path, micros, line) in lines.without_rows().filter(|_| !is_replay) {
            by_path.entry(path.to_owned()).or_default().push((micros, line));
        }
        for (path, lines) in by_path {
            self.look_into_the_target(&path, &lines, lasts)?;
        }
        Ok(())
    }

    /// Lines come after every row that the target has already, and that it keeps.
    fn look_into_the_target(
        self,
        path: &str,
        lines: &[(i64, &DatedLine)],
        lasts: &mut LastOnes,
    ) -> Result<(), Error> {
        let mut wanted = Versions::new();
        for (micros, line) in lines {
            wanted.entry(*micros).or_default().push(&*line.id);
        }
        let found = match self.database {
            Some(database) => {
                versions_in_database(database, self.settings.layout.directory_in(path), &wanted)?
            }
            None => versions_in((&self.settings.target, self.history), path, &wanted),
        };
        let is_there = |(micros, line): &&(i64, &DatedLine)| found.contains(&(*micros, &*line.id));
        let after: Vec<Position> = lines.iter().filter(is_there).map(|(_, line)| line.position).collect();
        lasts.extend(after.into_iter().map(|position| (position, true)));
        Ok(())
    }
}
