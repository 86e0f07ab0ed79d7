//! The tables of a database → the result of checking their rows.
//!
//! Each table is read once, in any order. That an id is there once is up to its unique index; of a table
//! without one, the database itself compares the ids.
//!
//! Invariant: memory grows only with the number of partitions.

use std::{borrow::Cow, collections::BTreeMap};

use arrow::datatypes::Schema;
use event_postgres::{Table, type_name};
use event_rows::Batch;
use event_target::{Database, DedupeScope, ROWS, Session, TargetError};
use events_core::{event, partition::Layout, schema::base_fields};

use super::{
    Problem, Reading, Verified,
    against::Against,
    contents::ContentsReader,
    recorded::{RecordedFile, directory_of},
};
use crate::{
    error::Error,
    existing::{has_unique_ids, read_held},
    runtime::plural,
};

/// The most events that occur more than once that are listed of a table.
const NAMED_MAX: usize = 10;

/// The columns of the table `$1`, with their types as [`type_name`] writes them.
const COLUMNS: &str = "\
    SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
    WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";

/// The partitions of a table, by their units of time.
type Partitions<'r> = BTreeMap<i64, (&'r String, &'r RecordedFile)>;

/// A table that loads have written.
struct Checked<'a> {
    reading: &'a Reading<'a>,
    event_type: &'a (String, String),
    held: Table,
    partitions: Partitions<'a>,
}

/// Checks the rows of all tables, and calls `report` with the problems of each.
pub(super) fn check(
    reading: &Reading<'_>,
    database: &dyn Database,
    (verified, mut against): (&mut Verified, Option<&mut Against<'_>>),
    mut report: impl FnMut(Vec<Problem>) -> Result<usize, Error>,
) -> Result<(), Error> {
    let mut tables = BTreeMap::<&(String, String), Partitions<'_>>::new();
    let Some((layout, unit)) = reading.recorded.layout else { return Ok(()) };
    for (path, file) in &reading.recorded.files {
        let (Some(event_type), Some(index)) = (&file.event_type, layout.index_in(unit, directory_of(path)))
        else {
            continue;
        };
        tables.entry(event_type).or_default().insert(index, (path, file));
    }
    for (event_type, partitions) in tables {
        let first = partitions.values().next().map_or("", |(path, _)| directory_of(path));
        let name = layout.directory_in(first);
        let columns = reading.recorded.held.get(event_type);
        let Some(columns) = columns else { continue };
        let of_type = (event_type.0.as_str(), event_type.1.as_str());
        let held = Table::held(database.schema(), name, of_type, columns.clone());
        let checked = Checked { reading, event_type, held, partitions };
        let mut problems = Vec::new();
        let read = reading.target.read_database(|session| {
            let is_there = session
                .query("SELECT pg_catalog.to_regclass($1)::text", &[&checked.held.qualified_name()])?;
            if is_there.into_iter().flatten().flatten().next().is_none() {
                return Ok(Ok(()));
            }
            if !checked.has_columns(session, &mut problems)? {
                return Ok(Ok(()));
            }
            let read = checked.read(session, (verified, against.as_deref_mut()), &mut problems);
            Ok(read.and_then(|()| Ok(checked.look(session, &mut problems)?)))
        })?;
        match read {
            // The transaction has ended with it.
            Some(Err(Error::Target(TargetError::Unusable { problem, .. }))) => {
                problems.push(Problem::new(checked.held.name(), problem));
            }
            Some(Err(error)) => return Err(error),
            Some(Ok(())) | None => {}
        }
        problems.sort();
        verified.problems += report(problems)?;
    }
    Ok(())
}

impl Checked<'_> {
    /// Whether the table has the columns that the loads gave it. Without them its rows can't be read.
    fn has_columns(
        &self,
        session: &mut dyn Session,
        problems: &mut Vec<Problem>,
    ) -> Result<bool, TargetError> {
        let rows = session.query(COLUMNS, &[&self.held.qualified_name()])?;
        let column = |row: Vec<Option<String>>| {
            let [name, data_type] = <[_; 2]>::try_from(row).ok()?;
            Some((name?, data_type?))
        };
        let found: BTreeMap<_, _> = rows.into_iter().filter_map(column).collect();
        let before = problems.len();
        for field in base_fields().into_iter().chain(self.held.columns().fields()) {
            let (name, wanted) = (field.name(), type_name(field.data_type()));
            let problem = match found.get(name) {
                Some(data_type) if *data_type == wanted => continue,
                Some(data_type) => {
                    format!("has the column {name:?} as {data_type}, and the loads made it {wanted}")
                }
                None => format!("has no column {name:?} any more; the loads made it {wanted}"),
            };
            problems.push(Problem::new(self.held.name(), problem));
        }
        Ok(problems.len() == before)
    }

    /// Reads all rows.
    fn read(
        &self,
        session: &mut dyn Session,
        (verified, against): (&mut Verified, Option<&mut Against<'_>>),
        problems: &mut Vec<Problem>,
    ) -> Result<(), Error> {
        let Self { reading, event_type, held, partitions } = self;
        let Some((_, unit)) = reading.recorded.layout else { return Ok(()) };
        let (domain, name) = (event_type.0.as_str(), event_type.1.as_str());
        let schema =
            Schema::new(base_fields().into_iter().chain(held.columns().fields()).collect::<Vec<_>>());
        let truth = reading.manifest.and_then(|manifest| manifest.event_type(domain, name));
        let mut contents = reading.manifest.map(|_| ContentsReader::new(truth));
        let last = reading.recorded.tables.get(*event_type);
        let mut rows = BTreeMap::<i64, u64>::new();
        read_held(held, session, ("true", false), &mut |batch: Batch, _| {
            for micros in &batch.micros {
                *rows.entry(unit.index_of(*micros)).or_default() += 1;
            }
            if let Some(contents) = &mut contents {
                let failed = Error::encode("the rows of a table");
                let found = batch.with_base_columns((domain, name), schema.clone()).map_err(failed)?;
                let widened = last.map_or(Ok(Cow::Borrowed(&found)), |last| last.widen(&found));
                let widened = widened.map_err(Error::encode("the rows of a table"))?;
                contents.add(&widened, &batch.micros);
            }
            Ok(())
        })?;
        verified.files += 1;
        verified.rows += rows.values().sum::<u64>();
        if let (Some(against), Some(contents)) = (against, contents) {
            let first = partitions.values().next().map_or("", |(path, _)| path.as_str());
            against.add(first, event_type, contents.finish());
        }
        problems.extend(self.compare(&rows));
        Ok(())
    }

    /// The partitions that do not have the recorded rows. Those that have none were found before.
    fn compare(&self, rows: &BTreeMap<i64, u64>) -> Vec<Problem> {
        let differs = |(unit, rows): (&i64, &u64)| match self.partitions.get(unit) {
            Some((_, file)) if file.rows == *rows => None,
            Some((path, file)) => {
                let rows = plural(*rows, "row");
                let problem = format!("has {rows}, commit {} wrote {}", file.commit, file.rows);
                Some(Problem::new(path, problem))
            }
            None => {
                let (_, by) = self.reading.recorded.layout?;
                let path = format!("{}/{ROWS}", Layout::Database.path(by, *unit, self.held.name()));
                let problem = format!("has {} that no load wrote", plural(*rows, "row"));
                Some(Problem::new(&path, problem))
            }
        };
        rows.iter().filter_map(differs).collect()
    }

    /// Lets the database look for rows of another type, and for ids that are there more than once.
    fn look(&self, session: &mut dyn Session, problems: &mut Vec<Problem>) -> Result<(), TargetError> {
        let name = self.held.qualified_name();
        let (domain, event_type) = self.event_type;
        let others = format!(
            "SELECT pg_catalog.count(*), pg_catalog.min(event_id) FROM {name} \
             WHERE (domain, event_type) IS DISTINCT FROM ($1, $2)"
        );
        let others = session.query(&others, &[domain, event_type])?;
        if let Some([Some(rows), Some(first)]) = others.first().map(Vec::as_slice) {
            let rows = plural(rows.parse().unwrap_or_default(), "row");
            let problem = format!("{rows} of another event type; the first: event {first:?}");
            problems.push(Problem::new(self.held.name(), problem));
        }
        let Some(database) = self.reading.target.database_of() else { return Ok(()) };
        if has_unique_ids(session, (database.schema(), self.held.name()))? {
            return Ok(());
        }
        let is_of_day = self.partitions.values().any(|(_, file)| file.dedupe_scope == DedupeScope::Day);
        let day = if is_of_day {
            format!(", (\"{}\" AT TIME ZONE 'UTC')::date", event::TIMESTAMP)
        } else {
            String::new()
        };
        let twice = format!(
            "SELECT event_id, pg_catalog.count(*) FROM {name} GROUP BY event_id{day} \
             HAVING pg_catalog.count(*) > 1 ORDER BY event_id LIMIT {}",
            NAMED_MAX + 1
        );
        let twice = session.query(&twice, &[])?;
        let more = twice.len() > NAMED_MAX;
        for row in twice.into_iter().take(NAMED_MAX) {
            if let Ok([Some(id), Some(times)]) = <[_; 2]>::try_from(row) {
                problems.push(Problem::new(self.held.name(), format!("event {id:?} occurs {times} times")));
            }
        }
        if more {
            problems.push(Problem::new(self.held.name(), "more events of this type occur more than once"));
        }
        Ok(())
    }
}
