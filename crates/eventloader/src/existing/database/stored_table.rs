//! The record of a target, and the catalogs of its database → the table of an event type as it is, and as a
//! load wants it.
//!
//! A table has the columns of all loads that wrote it: a load that overwrites some days with fewer columns
//! leaves the others as they are. What the database can't tell (which text is `json`, what is in a `jsonb`)
//! is recorded.
//!
//! Invariant: a table that passes has the recorded columns with the types that loads gave them, and no rows
//! but those of loads.

use std::collections::BTreeMap;

use arrow::datatypes::Field;
use event_postgres::{Table, type_name};
use event_target::{Difference, Differences, Differs, History, Location, Session, TargetError};
use events_core::{
    catalog::EventType,
    event,
    partition::PartitionUnit,
    schema::{BASE_COLUMNS, TableForm},
};

use super::OpenDatabase;
use crate::error::Error;

/// The columns of a table, with their types and without its base columns.
const COLUMNS: &str = "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) \
     FROM pg_catalog.pg_attribute a \
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1::name AND c.relname = $2::name AND a.attnum > 0 AND NOT a.attisdropped";

/// Whether each index on a table's `event_id` alone is unique.
const ID_INDEXES: &str = "SELECT i.indisunique FROM pg_catalog.pg_index i \
     JOIN pg_catalog.pg_class c ON c.oid = i.indrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
     WHERE n.nspname = $1::name AND c.relname = $2::name AND i.indnatts = 1 AND a.attname = 'event_id' \
     AND i.indpred IS NULL AND i.indisvalid";

/// The table of an event type.
#[derive(Debug)]
pub(crate) struct StoredTable<'p> {
    event_type: &'p EventType,
    /// As a load wants it.
    pub(crate) wanted: Table,
    /// As it is; `None` if it does not exist.
    pub(crate) held: Option<Table>,
    /// Whether it has an index that keeps each id once.
    pub(crate) has_unique_ids: bool,
    /// The columns behind the base ones, as a load has them.
    fields: Vec<Field>,
    unit: PartitionUnit,
}

impl<'p> StoredTable<'p> {
    /// # Errors
    /// Another one is in its place, it has rows or columns that no load wrote, or the catalog has a column as
    /// another type than the table.
    pub(crate) fn of(
        (target, database, history): (&Location, &OpenDatabase, &History),
        event_type: &'p EventType,
        (form, unit): (TableForm, PartitionUnit),
    ) -> Result<Self, Error> {
        let wanted = Table::new(database.schema(), event_type, form)
            .map_err(|misfit| Error::encode("the tables' schemas")(misfit))?;
        let schema = form.schema(event_type);
        let fields = schema.fields()[form.base_columns()..].iter().map(|field| (**field).clone()).collect();
        let mut table = Self { event_type, wanted, held: None, has_unique_ids: false, fields, unit };
        let found = table.columns_in(database)?;
        if !found.is_empty() {
            table.held = Some(table.held_as(&found, (target, database, history))?);
            let name = (database.schema(), table.wanted.name());
            table.has_unique_ids = has_unique_ids(&mut **database.session(), name)?;
        } else if let Some((path, _)) = table.recorded(history).next() {
            let partition = path.rsplit_once('/').map_or(path.as_str(), |(partition, _)| partition);
            return Err(not_as_recorded((target, history), &[(partition, Differs::Missing)]));
        }
        Ok(table)
    }

    /// Its event type.
    pub(crate) fn event_type(&self) -> &'p EventType {
        self.event_type
    }

    /// The columns behind the base ones, as a load has them.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The names and types of the columns that it has in the database; none if it does not exist.
    fn columns_in(&self, database: &OpenDatabase) -> Result<BTreeMap<String, String>, Error> {
        let rows = database.session().query(COLUMNS, &[database.schema(), self.wanted.name()])?;
        let column = |row: Vec<Option<String>>| <[_; 2]>::try_from(row).ok().map(|[name, kind]| (name, kind));
        Ok(rows.into_iter().filter_map(column).filter_map(|(name, kind)| name.zip(kind)).collect())
    }

    /// The recorded partitions.
    fn recorded<'h>(
        &self,
        history: &'h History,
    ) -> impl Iterator<Item = (&'h String, &'h event_target::StoredFile)> + use<'h> {
        let EventType { domain, name, .. } = self.event_type;
        let event_type = (domain.clone(), name.clone());
        history.files.iter().filter(move |(_, file)| file.event_type.as_ref() == Some(&event_type))
    }

    /// What is in its place, with the columns that are `found` there.
    fn held_as(
        &self,
        found: &BTreeMap<String, String>,
        (target, database, history): (&Location, &OpenDatabase, &History),
    ) -> Result<Table, Error> {
        let EventType { domain, name, .. } = self.event_type;
        let recorded = history.tables_by_type().remove(&(domain.as_str(), name.as_str())).unwrap_or_default();
        if recorded.is_empty() {
            let any = format!("SELECT 1 FROM {} LIMIT 1", self.wanted.qualified_name());
            if !database.session().query(&any, &[])?.is_empty() {
                return Err(not_as_recorded((target, history), &[(self.wanted.name(), Differs::Foreign)]));
            }
        }
        let held = recorded.into_iter().cloned().reduce(|held, older| held.joined(&older));
        // What no partition has any more is still there.
        let is_left = |name: &str| {
            found.contains_key(name)
                && held.as_ref().is_none_or(|held| held.columns().all(|(of, _)| of != name))
        };
        let left = self.wanted.columns().filtered(is_left);
        let held = held.map_or_else(|| left.clone(), |held| held.joined(&left));
        let unusable = |problem| TargetError::Unusable { path: target.address(self.wanted.name()), problem };
        if let Some(name) = event::FIELDS[..BASE_COLUMNS].iter().find(|name| !found.contains_key(**name)) {
            return Err(unusable(format!("its table has no column {name}, so no load wrote it")).into());
        }
        for field in held.fields() {
            let (name, expected) = (field.name(), type_name(field.data_type()));
            let problem = match found.get(name) {
                Some(kind) if *kind == expected => continue,
                Some(kind) => format!("its column {name} is of type {kind}, and loads write {expected}"),
                None => format!("it has no column {name}, which loads wrote"),
            };
            return Err(Error::from(unusable(problem)).of_type(self.event_type));
        }
        Ok(Table::held(database.schema(), self.wanted.name(), (domain, name), held))
    }

    /// The condition for rows of some units of time, ascending: an `OR` of ranges.
    pub(crate) fn within(&self, units: impl IntoIterator<Item = i64>) -> String {
        within(self.unit, units)
    }

    /// How many rows it has of some units of time, ascending; those without rows are missing.
    pub(crate) fn counts(
        &self,
        database: &OpenDatabase,
        units: impl IntoIterator<Item = i64>,
    ) -> Result<BTreeMap<i64, u64>, Error> {
        let Some(held) = &self.held else { return Ok(BTreeMap::new()) };
        let mut units: Vec<_> = units.into_iter().collect();
        units.sort_unstable();
        if units.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT {}, pg_catalog.count(*) FROM {} AS t WHERE {} GROUP BY 1",
            unit_of(self.unit),
            held.qualified_name(),
            self.within(units)
        );
        let rows = database.session().query(&sql, &[])?;
        let number = |row: Vec<Option<String>>| {
            let [unit, rows] = <[_; 2]>::try_from(row).ok()?;
            Some((unit?.parse().ok()?, rows?.parse().ok()?))
        };
        Ok(rows.into_iter().filter_map(number).collect())
    }

    /// Keeps others from changing its rows, if it exists.
    pub(crate) fn lock(&self, database: &OpenDatabase) -> Result<(), Error> {
        let Some(held) = &self.held else { return Ok(()) };
        let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", held.qualified_name());
        database.change(&lock).map(|_| ())
    }
}

/// Whether a table has an index that keeps each id once.
pub(crate) fn has_unique_ids(
    session: &mut dyn Session,
    (schema, table): (&str, &str),
) -> Result<bool, TargetError> {
    let indexes = session.query(ID_INDEXES, &[schema, table])?;
    Ok(indexes.into_iter().flatten().flatten().any(|is_unique| is_unique == "t"))
}

/// The condition for rows of some units of time, ascending: neighbours are one range.
fn within(unit: PartitionUnit, units: impl IntoIterator<Item = i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for unit in units {
        match ranges.last_mut() {
            Some((_, end)) if *end == unit => *end += 1,
            _ => ranges.push((unit, unit + 1)),
        }
    }
    let hours = match unit {
        PartitionUnit::Day => 24,
        PartitionUnit::Hour => 1,
    };
    // Texts of instants end with the year 9999, and begin with 0001.
    let instant = |unit: i64| format!("(timestamptz 'epoch' + interval '{} hours')", unit * hours);
    let range = |&(first, end): &(i64, i64)| {
        format!("(\"timestamp\" >= {} AND \"timestamp\" < {})", instant(first), instant(end))
    };
    let ranges: Vec<_> = ranges.iter().map(range).collect();
    if ranges.is_empty() { "false".to_owned() } else { format!("({})", ranges.join(" OR ")) }
}

/// The unit of time of a row, counted from 1970, in SQL. It must be exact for each microsecond.
fn unit_of(unit: PartitionUnit) -> String {
    const UTC: &str = "(t.\"timestamp\" AT TIME ZONE 'UTC')";
    let day = format!("({UTC}::date - date '1970-01-01')::bigint");
    match unit {
        PartitionUnit::Day => day,
        PartitionUnit::Hour => format!("({day} * 24 + pg_catalog.date_part('hour', {UTC})::bigint)"),
    }
}

/// Partitions, by their paths, that are not as they are recorded.
pub(crate) fn not_as_recorded(
    (target, history): (&Location, &History),
    differing: &[(&str, Differs)],
) -> Error {
    let differences = differing.iter().map(|&(path, differs)| {
        let recorded = history.of_directory(path).next().map(|file| (file.commit, file.rows));
        Difference { path: path.to_owned(), differs, recorded }
    });
    let differences = Box::new(Differences(differences.collect()));
    TargetError::NotAsRecorded { root: target.root(), differences }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        let day = within(PartitionUnit::Day, [-1, 0, 7]);
        let range = |first: i64, end: i64| {
            format!(
                "(\"timestamp\" >= (timestamptz 'epoch' + interval '{first} hours') AND \
                 \"timestamp\" < (timestamptz 'epoch' + interval '{end} hours'))"
            )
        };
        assert_eq!(day, format!("({} OR {})", range(-24, 24), range(168, 192)));
        assert_eq!(within(PartitionUnit::Hour, [5]), format!("({})", range(5, 6)));
        assert_eq!(within(PartitionUnit::Hour, []), "false");
    }
}
