//! A piece of a target → the same rows in staged files, and the changes that put them in their places.
//!
//! Invariant: what the staged files give back, in the order of their partitions, has the digest of what was
//! read.

use std::sync::OnceLock;

use event_parser::Plan;
use event_target::{Action, Change, History, Location, Place, StagedFile, Staging};
use events_core::{catalog::Catalog, schema::TableForm, table::TableColumns};

use super::{
    Tables, Wanted, WantedTable,
    held::{Held, HeldType, Piece},
};
use crate::{
    error::Error,
    existing::{ExistingColumns, ExistingRows, Promotion, RowsDigest, StoredForm, digest_of},
    output::{PART_ROWS, PartitionName, PartitionWriter, StoredRows, part_name},
    runtime::{Clock, Interruption, Stage, Stages},
};

/// The context of a rewrite.
pub(super) struct Rewriting<'a> {
    pub(super) target: &'a Location,
    pub(super) history: &'a History,
    pub(super) held: &'a Held,
    pub(super) wanted: Wanted,
    pub(super) tables: &'a Tables<'a>,
    pub(super) catalog: &'a Catalog,
    /// To read payloads that are columns of JSON text so far.
    pub(super) payloads: OnceLock<Plan>,
    pub(super) staging: &'a Staging,
    pub(super) stages: &'a Stages,
    pub(super) interruption: &'a Interruption,
}

/// A piece that was written again.
pub(super) struct Done {
    pub(super) changes: Vec<Change>,
    /// The columns that it has, with their name in the changes.
    pub(super) table: (String, TableColumns),
    pub(super) rows: u64,
    pub(super) partitions: usize,
    /// Files and bytes.
    pub(super) before: (u64, u64),
    pub(super) after: (u64, u64),
}

/// A partition in staged files.
struct StagedPartition {
    unit_index: i64,
    path: String,
    files: Vec<StagedFile>,
}

impl Rewriting<'_> {
    /// Writes a piece again; `None` if it is as it should be.
    pub(super) fn rewrite(
        &self,
        piece: &Piece<'_>,
        number: usize,
        writer: &mut PartitionWriter<'_>,
    ) -> Result<Option<Done>, Error> {
        let of = &self.held.types[piece.type_index];
        let mut clock = self.stages.clock();
        let forms = piece.partitions.iter().map(|(_, files)| StoredForm::of(self.target, files));
        let forms = forms.collect::<Result<Vec<_>, _>>()?;
        let without_payload = of.without_payload();
        let flatten = forms.iter().find_map(|form| form.flatten(&without_payload));
        let flatten = flatten.unwrap_or(self.wanted.flatten);
        let made;
        let table = self.tables.get(&piece.type_index).filter(|_| flatten == self.wanted.flatten);
        let table = if let Some(table) = table {
            table
        } else {
            made = self.wanted.table(of, flatten)?;
            &made
        };
        if self.is_as_wanted(piece, &forms, table) {
            return Ok(None);
        }
        let form = TableForm { flatten, has_event_type: self.held.layout.has_event_type_column() };
        let columns = ExistingColumns::new(&of.event_type, form);
        let partitions = piece.partitions.iter().zip(&forms).map(|((unit_index, files), stored)| {
            let instants = self.held.unit.instants_of(*unit_index);
            let is_json = stored.is_json_of(&of.event_type, form);
            let promotion =
                is_json.then(|| Promotion::new(self.payload_plan(), &without_payload, form)).map(Box::new);
            ExistingRows::rewritten(&columns, (self.target, files), instants, promotion)
        });
        let mut rows = StoredRows::new(partitions, self.wanted.unit);
        let staged = self.write(&mut rows, of, (table, number), writer, &mut clock)?;
        let before = rows.digest();
        let after = self.read_back(of, flatten, &staged)?;
        clock.lap(Stage::Compare);
        let written: u64 = staged.iter().flat_map(|staged| &staged.files).map(|file| file.rows).sum();
        if before.finish() != after.finish() || before.rows() != written {
            let path = self.held.path(piece.type_index, piece.partitions[0].0);
            let problem = format!(
                "{path}: {} rows were read, and the {written} that were written are not the same",
                before.rows()
            );
            return Err(Error::Unbalanced(problem));
        }
        self.done(piece, before.rows(), table, &staged)
    }

    /// Whether all files of a piece are where and how they should be.
    fn is_as_wanted(&self, piece: &Piece<'_>, forms: &[StoredForm], wanted: &WantedTable<'_>) -> bool {
        let WantedTable { table, .. } = wanted;
        let [(unit_index, files)] = piece.partitions[..] else { return false };
        let path = self.held.path(piece.type_index, unit_index);
        if path != self.wanted_path(&self.held.types[piece.type_index], unit_index)
            || self.held.unit != self.wanted.unit
        {
            return false;
        }
        let are_parts = files.iter().enumerate().all(|(part, file)| {
            let (stem, extension) = part_name(part, self.wanted.format.codec);
            let place = Place { directory: &path, stem: &stem, extension: &extension };
            self.target.is_in_place(&file.path, place)
        });
        let [form] = forms else { return false };
        let chunk_rows = table.chunk_rows() as u64;
        let rows: Vec<_> = form.rows().collect();
        // The last one has the rest.
        let is_full = |(part, rows): (usize, &u64)| part + 1 == files.len() || rows + chunk_rows > PART_ROWS;
        are_parts
            && form.footers().all(|footer| table.has_form_of(footer))
            && rows.iter().all(|rows| (1..=PART_ROWS).contains(rows))
            && rows.iter().enumerate().all(is_full)
    }

    fn wanted_path(&self, of: &HeldType, unit_index: i64) -> String {
        let Wanted { layout, unit, .. } = self.wanted;
        layout.path(unit, unit_index, &layout.directory(&of.event_type))
    }

    /// Writes all rows, partition by partition.
    fn write(
        &self,
        rows: &mut StoredRows<'_>,
        of: &HeldType,
        (wanted, number): (&WantedTable<'_>, usize),
        writer: &mut PartitionWriter<'_>,
        clock: &mut Clock<'_>,
    ) -> Result<Vec<StagedPartition>, Error> {
        /// More than a day has hours.
        const PARTITIONS_MAX: usize = 32;
        let mut staged = Vec::new();
        while let Some(unit_index) = rows.next_partition()? {
            clock.lap(Stage::Order);
            self.interruption.check()?;
            let path = self.wanted_path(of, unit_index);
            let name = PartitionName { path: &path, number: number * PARTITIONS_MAX + staged.len() };
            let files = writer.write(rows, &wanted.table, PART_ROWS, name, clock)?;
            self.stages.add_bytes(Stage::Encode, files.iter().map(|file| file.bytes).sum());
            staged.push(StagedPartition { unit_index, path, files });
        }
        Ok(staged)
    }

    /// The digest of what the staged files of a piece give back.
    fn read_back(
        &self,
        of: &HeldType,
        flatten: bool,
        staged: &[StagedPartition],
    ) -> Result<RowsDigest, Error> {
        let columns = ExistingColumns::new(&of.event_type, self.wanted.form(flatten));
        let mut digest = RowsDigest::default();
        for StagedPartition { unit_index, files, .. } in staged {
            let instants = self.wanted.unit.instants_of(*unit_index);
            digest_of((self.staging, files), &columns, &instants, &mut digest)?;
        }
        Ok(digest)
    }

    fn done(
        &self,
        piece: &Piece<'_>,
        rows: u64,
        wanted: &WantedTable<'_>,
        staged: &[StagedPartition],
    ) -> Result<Option<Done>, Error> {
        let event_type = &self.held.types[piece.type_index].event_type;
        let key = (event_type.domain.as_str(), event_type.name.as_str());
        let change = |path: &str, files: &[StagedFile]| {
            let change = Change { table: Some(wanted.name.clone()), ..Change::partition(path, key, files) };
            change.with_version(piece.version.clone()).with_scope(piece.scope)
        };
        let old =
            piece.partitions.iter().map(|(unit_index, _)| self.held.path(piece.type_index, *unit_index));
        let left = old.filter(|path| !staged.iter().any(|staged| staged.path == *path));
        let mut changes: Vec<_> = left.map(|path| change(&path, &[])).collect();
        for StagedPartition { path, files, .. } in staged {
            let change = change(path, files);
            if self.target.action(&change, self.history)? != Action::Unchanged {
                changes.push(change);
            }
        }
        let files = || staged.iter().flat_map(|staged| &staged.files);
        let before: usize = piece.partitions.iter().map(|(_, files)| files.len()).sum();
        Ok((!changes.is_empty()).then(|| Done {
            changes,
            table: (wanted.name.clone(), wanted.columns.clone()),
            rows,
            partitions: staged.len(),
            before: (before as u64, piece.bytes),
            after: (files().count() as u64, files().map(|file| file.bytes).sum()),
        }))
    }

    fn payload_plan(&self) -> &Plan {
        self.payloads.get_or_init(|| Plan::new(&self.catalog.of_payloads()))
    }
}
