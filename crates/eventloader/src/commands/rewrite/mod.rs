//! `eventloader rewrite`: a target → the same rows in today's catalog, codec, encodings and layout.
//!
//! ```text
//! record → types, pieces (held.rs) → each piece: files → rows → staged files → read back (piece.rs) → commit
//! ```
//!
//! A piece is a partition, or all partitions of a day where they become another unit of time. It is read and
//! written a few thousand rows at a time, and left alone if it is as it should be.
//!
//! Invariant: each piece has the same rows, in the same order, before and after: a digest of what was read
//! is compared with one of what the staged files give back. Nothing visible changes before the commit.

mod held;
mod piece;
mod rewritten;

use std::{collections::BTreeMap, time::Instant};

use event_parquet::{Codec, Encodings, Format, Table};
use event_parser::{DayRange, Plan, Selection};
use event_target::{
    Change, FileForm, History, LoadFacts, Location, Mode, NewCommit, Reads, Staging, Target, TargetError,
    TargetLayout,
};
use events_core::{
    catalog::Catalog,
    partition::{Layout, PartitionUnit},
    schema::TableForm,
    table::TableColumns,
};

pub use self::rewritten::Rewritten;
use self::{
    held::{Held, HeldType, Piece},
    piece::{Done, Rewriting},
};
use crate::{
    commands::layout_fit::LayoutFit,
    error::Error,
    existing::Record,
    output::{PartitionWriter, table_schema},
    runtime::{Controls, MemoryShares, Needs, Stage, Stages},
};

/// About as many columns of tables are kept for all pieces, as in a load.
const TABLE_COLUMNS_MAX: usize = 4_096;

/// The settings of a rewrite. What is `None` is as the target was written last.
#[derive(Debug, Clone)]
pub struct RewriteSettings {
    /// The target.
    pub target: Location,
    /// The event types, with the columns that they should have.
    pub catalog: Catalog,
    /// Only the partitions of these days; all where `None`.
    pub days: Option<DayRange>,
    /// The names of the directories.
    pub layout: Option<Layout>,
    /// The time span of a partition.
    pub partition_unit: Option<PartitionUnit>,
    /// The codec of the pages.
    pub codec: Option<Codec>,
    /// The encodings of the values.
    pub encodings: Option<Encodings>,
    /// The most memory that the process may take, in bytes.
    pub memory_bytes: usize,
    /// The number of threads.
    pub threads: usize,
}

/// What the partitions of a target are to be.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    layout: Layout,
    unit: PartitionUnit,
    format: Format,
    /// Where the columns of a partition don't tell.
    flatten: bool,
}

/// A table of an event type, with the columns that the commit records.
struct WantedTable<'h> {
    table: Table<'h>,
    /// The name of its columns.
    name: String,
    columns: TableColumns,
}

/// By the number of the event type.
type Tables<'h> = BTreeMap<usize, WantedTable<'h>>;

/// A rewrite that is ready to be committed.
struct Ready {
    changes: Vec<Change>,
    layout: TargetLayout,
    /// Whether the target had another one; it may be without rows.
    is_new_layout: bool,
    facts: LoadFacts,
    reads: Reads,
    /// Of a target of tables: their schemas, by their directories.
    schemas: BTreeMap<String, String>,
    rewritten: Rewritten,
}

/// Rewrites a target. On success it is on disk.
///
/// # Errors
/// Any [`Error`]. The target is as it was before, except with [`event_target::TargetError::Unfinished`].
pub fn rewrite(settings: &RewriteSettings, controls: &Controls) -> Result<Rewritten, Error> {
    let started = Instant::now();
    let selection = Selection { days: settings.days, ..Selection::default() };
    selection.check(&settings.catalog)?;
    let stages = Stages::default();
    let mut target = Target::open_existing(&settings.target)?;
    let begun = target.begin_rewrite().map_err(Error::from);
    let ready = begun.and_then(|staging| stage(settings, &staging, controls, &stages));
    let ready = ready.and_then(|ready| controls.interruption.begin_commit().map(|()| ready));
    let Ready { changes, layout, is_new_layout, facts, reads, schemas, mut rewritten } = match ready {
        Ok(ready) => ready,
        Err(error) => {
            target.abandon();
            return Err(error);
        }
    };
    let mut clock = stages.clock();
    if changes.is_empty() && !is_new_layout {
        target.abandon();
    } else {
        let new =
            NewCommit { is_news: is_new_layout, reads, schemas, ..NewCommit::of(changes, layout, facts) };
        target.commit(new, settings.threads)?;
        clock.lap_of(settings.threads, Stage::Commit);
    }
    rewritten.stages = stages.report();
    rewritten.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(rewritten)
}

/// Everything before the commit.
fn stage(
    settings: &RewriteSettings,
    staging: &Staging,
    controls: &Controls,
    stages: &Stages,
) -> Result<Ready, Error> {
    let mut record = Record::to_rewrite(&settings.target, settings.threads)?;
    let remembered = held::layout_of(&settings.target)?;
    let wanted = wanted(settings, remembered, record.history());
    let Wanted { layout, unit, format, flatten } = wanted;
    let is_of_tables = [layout, remembered.0].contains(&Layout::Delta);
    if is_of_tables && (layout, unit) != remembered {
        return Err(other_kind(&settings.target, remembered, (layout, unit)));
    }
    let folds_case = settings.target.folds_case()?;
    let held = Held::read(settings, &mut record, remembered, wanted)?;
    wanted.fit(&settings.catalog, folds_case)?;
    held.check_directories(&record, wanted, folds_case)?;
    let encoders = encoders(settings, wanted, stages)?;
    let mut pieces = held.pieces(record.history(), wanted.unit);
    // The largest first, so that no thread is left with one at the end.
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.bytes));
    controls.progress.begin_writing(pieces.len());
    let tables = wanted.tables(&held, &pieces)?;
    let rewriting = Rewriting {
        target: &settings.target,
        history: record.history(),
        held: &held,
        wanted,
        tables: &tables,
        catalog: &settings.catalog,
        payloads: std::sync::OnceLock::new(),
        staging,
        stages,
        interruption: &controls.interruption,
    };
    let make_writer = |thread| PartitionWriter::new(format.codec, layout, staging, thread);
    let done = workers::map_with(encoders, pieces.len(), make_writer, |writer, number| {
        controls.interruption.check()?;
        let done = rewriting.rewrite(&pieces[number], number, writer)?;
        controls.progress.partition_written();
        Ok::<_, Error>(done)
    })?;
    let (changes, written, rewritten) = collect(&pieces, done);
    record.check_changes(&changes)?;
    let tables = record.new_tables(written, &changes);
    let facts = LoadFacts {
        tables,
        mode: Mode::Rewrite,
        existing_kept: rewritten.rows,
        form: Some(FileForm {
            flatten,
            compression: format.codec.name().to_owned(),
            encodings: format.encodings.name().to_owned(),
        }),
        stamps: record.into_stamps(),
        ..LoadFacts::default()
    };
    let is_new_layout = (layout, unit) != remembered;
    let (reads, schemas) = (held.reads(), wanted.schemas(&held)?);
    let layout = TargetLayout::new(layout, unit);
    Ok(Ready { changes, layout, is_new_layout, facts, reads, schemas, rewritten })
}

/// The error where tables would become directories, or the other way round, or would be partitioned
/// otherwise.
fn other_kind(target: &Location, held: (Layout, PartitionUnit), wanted: (Layout, PartitionUnit)) -> Error {
    let [remembered, asked] = [held, wanted].map(|(layout, unit)| Box::new(TargetLayout::new(layout, unit)));
    TargetError::OtherLayout { root: target.root(), remembered, asked }.into()
}

/// What was asked for and, where nothing was, what the target is.
fn wanted(settings: &RewriteSettings, (layout, unit): (Layout, PartitionUnit), history: &History) -> Wanted {
    let form = history.form.as_ref();
    let codec = form.and_then(|form| Codec::named(&form.compression)).unwrap_or(Codec::Zstd);
    let encodings = form.and_then(|form| Encodings::named(&form.encodings)).unwrap_or(Encodings::Compact);
    let wanted = Wanted {
        layout: settings.layout.unwrap_or(layout),
        unit: settings.partition_unit.unwrap_or(unit),
        format: Format {
            codec: settings.codec.unwrap_or(codec),
            encodings: settings.encodings.unwrap_or(encodings),
        },
        flatten: form.is_none_or(|form| form.flatten),
    };
    // The first form of hive is left behind, if the catalog fits the other, and by all days together.
    let today = Wanted { layout: Layout::Hive, ..wanted };
    let is_first_form = settings.layout.is_none() && layout == Layout::HiveWithEventType;
    if is_first_form && settings.days.is_none() && today.fit(&settings.catalog, false).is_ok() {
        return today;
    }
    wanted
}

/// How many pieces are written at once, by the memory of each.
fn encoders(settings: &RewriteSettings, wanted: Wanted, stages: &Stages) -> Result<usize, Error> {
    let &RewriteSettings { memory_bytes, threads, .. } = settings;
    let plan = Plan::for_layout(&settings.catalog, wanted.layout);
    let needs = Needs::to_load(&plan, wanted.flatten, wanted.format.codec);
    let is_remote = settings.target.directory().is_none();
    let needs = if is_remote { needs.to_upload(memory_bytes) } else { needs };
    if needs.least_bytes() > memory_bytes {
        let needed = needs.least_bytes();
        return Err(Error::Memory { columns: plan.columns(), needed, allowed: memory_bytes });
    }
    let encoders = MemoryShares::of(memory_bytes, threads, needs).encoders;
    if encoders < threads {
        stages.limit(Stage::Encode, encoders);
    }
    Ok(encoders)
}

impl Wanted {
    /// Refuses a catalog that the layout can't have.
    fn fit(self, catalog: &Catalog, folds_case: bool) -> Result<(), Error> {
        let Self { layout, unit, flatten, .. } = self;
        let selection = Selection::default();
        LayoutFit { catalog, selection: &selection, only: None, layout, unit, flatten, folds_case }.check()
    }

    fn form(self, flatten: bool) -> TableForm {
        TableForm { flatten, has_event_type: self.layout.has_event_type_column() }
    }

    /// The table of an event type.
    fn table(self, of: &HeldType, flatten: bool) -> Result<WantedTable<'_>, Error> {
        let form = self.form(flatten);
        let table = Table::new(&of.event_type, form, self.format);
        let columns = TableColumns::of(&of.event_type, form);
        Ok(WantedTable {
            table: table.map_err(Error::encode("the tables' schemas"))?,
            name: columns.fingerprint(),
            columns,
        })
    }

    /// The schemas of the event types' tables, if the target is of tables.
    fn schemas(self, held: &Held) -> Result<BTreeMap<String, String>, Error> {
        let types = held.types.iter().filter(|_| self.layout == Layout::Delta);
        let schemas = types.map(|HeldType { event_type, .. }| {
            let schema = table_schema(event_type, self.form(self.flatten), self.unit);
            let schema = schema.map_err(Error::encode("the tables' schemas"))?;
            Ok((self.layout.directory(event_type).into_owned(), schema))
        });
        schemas.collect()
    }

    /// The tables of the event types that have pieces, by the number of the type; those of very many columns
    /// are missing.
    fn tables<'h>(self, held: &'h Held, pieces: &[Piece<'_>]) -> Result<Tables<'h>, Error> {
        let mut tables = BTreeMap::new();
        let mut columns = 0;
        for &Piece { type_index, .. } in pieces {
            if !tables.contains_key(&type_index) && columns < TABLE_COLUMNS_MAX {
                let wanted = self.table(&held.types[type_index], self.flatten)?;
                columns += wanted.table.columns();
                tables.insert(type_index, wanted);
            }
        }
        Ok(tables)
    }
}

/// The changes of all pieces in the order in which they are published: by time. Rows leave their old
/// partition before they enter a new one. With them, the columns that the changes name.
fn collect(
    pieces: &[Piece<'_>],
    done: Vec<Option<Done>>,
) -> (Vec<Change>, BTreeMap<String, TableColumns>, Rewritten) {
    let (mut rewritten, mut tables) = (Rewritten::default(), BTreeMap::new());
    let mut changes = Vec::new();
    for (piece, done) in pieces.iter().zip(done) {
        match done {
            Some(done) => {
                rewritten.add(&done);
                tables.insert(done.table.0, done.table.1);
                changes.push(((piece.first_instant, piece.type_index), done.changes));
            }
            None => rewritten.left_alone += piece.partitions.len(),
        }
    }
    changes.sort_by_key(|(place, _)| *place);
    (changes.into_iter().flat_map(|(_, changes)| changes).collect(), tables, rewritten)
}
