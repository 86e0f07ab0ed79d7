//! Events as a correct load keeps them → the rows by day and type, with checksums and sums, and the counts of
//! the load's report.
//!
//! Invariant: it is computed from events, not from lines, so a mistake in a line can't hide in it. The truth
//! of a stream is the sum of the truths of its chunks, added in any order.

use std::collections::{BTreeMap, BTreeSet};

use events_core::{
    catalog::{Catalog, Field, FieldKind, ValueType},
    partition::Day,
    schema,
    timestamp::DAY_MICROS,
    truth::{Checksum, EventTypeTruth, PartitionTruth, Report, RowDigest, decimal_text},
};

use crate::worlds::{Event, SUMS_MAX, World, table::Table};

/// What a correct load makes of some lines.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// By day since 1970 and table of the world.
    partitions: BTreeMap<(i64, usize), Totals>,
    pub(crate) report: Report,
    row: RowDigest,
}

/// The totals of a partition.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    rows: u64,
    checksum: Checksum,
    sums: [i128; SUMS_MAX],
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.checksum.add_all(other.checksum);
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum += more;
        }
    }
}

impl Truth {
    /// Adds the row of an event that stays in a table; `write_row` adds its values.
    #[inline]
    pub(crate) fn keep<W: World>(
        &mut self,
        world: &W,
        event: &W::Event,
        table: usize,
        write_row: impl FnOnce(&mut RowDigest),
    ) {
        write_row(&mut self.row);
        let mut checksum = Checksum::default();
        checksum.add(self.row.finish());
        let totals = Totals { rows: 1, checksum, sums: world.sums(event) };
        let partition = (event.micros().div_euclid(DAY_MICROS), table);
        self.partitions.entry(partition).or_default().add(&totals);
        self.report.written += 1;
    }

    /// Adds the truth of other lines.
    pub(crate) fn add(&mut self, other: &Self) {
        for (partition, totals) in &other.partitions {
            self.partitions.entry(*partition).or_default().add(totals);
        }
        self.report.add(&other.report);
    }

    /// Removes and returns the partitions of the days before `day`, in order.
    pub(crate) fn take_before(&mut self, day: i64, tables: &Tables) -> Vec<PartitionTruth> {
        let later = self.partitions.split_off(&(day, 0));
        let done = std::mem::replace(&mut self.partitions, later);
        // Several tables of a world may be one in another envelope.
        let mut by_table = BTreeMap::<_, Totals>::new();
        for ((day, table), totals) in done {
            by_table.entry((day, tables.of[table])).or_default().add(&totals);
        }
        by_table.into_iter().map(|((day, table), totals)| tables.partition(day, table, &totals)).collect()
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) {
        self.partitions.clear();
        self.report = Report::default();
    }
}

/// The tables of a manifest.
#[derive(Debug)]
pub(crate) struct Tables {
    /// In the order of their domains and names.
    pub(crate) event_types: Vec<EventTypeTruth>,
    /// The scales of the summed columns, by table.
    scales: Vec<Vec<u8>>,
    /// The table of each table of the world.
    of: Vec<usize>,
}

impl Tables {
    /// The tables of the types that `catalog` has, and that `names` gives for each table of the world.
    pub(crate) fn new(catalog: &Catalog, names: &[(&str, &str)], own: &[Table]) -> Self {
        let all: BTreeSet<_> = names.iter().copied().collect();
        let table_of = |names| all.iter().position(|known| *known == names);
        let of: Vec<_> = names.iter().map(|names| table_of(*names).unwrap_or_default()).collect();
        let (mut event_types, mut scales) = (Vec::new(), Vec::new());
        for (domain, name) in &all {
            let mut known = catalog.event_types().iter();
            let known = known.find(|known| (known.domain.as_str(), known.name.as_str()) == (domain, name));
            let known = known.expect("a world's catalog has its event types");
            let mut table = EventTypeTruth::of(known).expect("a world has only types with a digest");
            let columns = schema::columns(known).into_iter();
            let mut of_columns: Vec<_> = columns.filter_map(|column| scale_of(&column.kind)).collect();
            // Only the world's own amounts are added up; they come first.
            let of_world = names.iter().zip(own).find(|(names, _)| **names == (*domain, *name));
            let summed = of_world.map_or(0, |(_, table)| decimals(&table.fields[..table.own_fields]));
            table.sums.truncate(summed);
            of_columns.truncate(summed);
            event_types.push(table);
            scales.push(of_columns);
        }
        Self { event_types, scales, of }
    }

    fn partition(&self, day: i64, table: usize, totals: &Totals) -> PartitionTruth {
        let EventTypeTruth { domain, event_type, .. } = &self.event_types[table];
        let scales = &self.scales[table];
        PartitionTruth {
            day: Day::from_epoch_days(day),
            domain: domain.clone(),
            event_type: event_type.clone(),
            rows: totals.rows,
            checksum: totals.checksum,
            sums: scales.iter().zip(totals.sums).map(|(&scale, sum)| decimal_text(sum, scale)).collect(),
        }
    }
}

/// The number of decimals among fields that are no objects.
fn decimals(fields: &[Field]) -> usize {
    fields.iter().filter(|field| scale_of(&field.kind).is_some()).count()
}

/// The scale of a decimal column; `None` for others.
fn scale_of(kind: &FieldKind) -> Option<u8> {
    match kind {
        FieldKind::Value(ValueType::Decimal { scale, .. }) => Some(*scale),
        _ => None,
    }
}
