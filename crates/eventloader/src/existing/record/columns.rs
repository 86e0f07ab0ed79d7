//! The columns that a target remembers, and those of a load → an error if the load has a narrower one, and
//! the tables that its commit has to record.
//!
//! Invariant: a merge that passes writes no column with a type that does not have all values of the same
//! column in other files, as far as loads have recorded what they wrote.

use std::collections::{BTreeMap, BTreeSet};

use event_target::{Change, Mode, NarrowerColumn, TargetError};
use events_core::{
    catalog::{EventType, FieldKind, ValueType},
    table::{Fate, TableColumns},
};

use super::Record;
use crate::{error::Error, settings::Settings};

impl Record<'_> {
    /// Refuses event types with a column whose type does not have all values that the target has in it, in
    /// any file: readers would see both types in one table. A load that overwrites decides that for its days;
    /// in a database a column has one type.
    pub(crate) fn check_columns<'c>(
        &self,
        event_types: impl IntoIterator<Item = &'c EventType>,
        settings: &Settings,
    ) -> Result<(), Error> {
        if settings.mode != Mode::Merge && settings.target.database_of().is_none() {
            return Ok(());
        }
        let tables = self.history.tables_by_type();
        for event_type in event_types {
            let asked = TableColumns::of(event_type, settings.table_form());
            let held = tables.get(&(event_type.domain.as_str(), event_type.name.as_str()));
            let refused = held.into_iter().flatten().flat_map(|held| held.changes(&asked)).find_map(|change| {
                let (held, asked, why) = match change.fate {
                    Fate::Narrowed { from, to } => (from, to, ", which does not have all of its values"),
                    Fate::Reordered { from } => {
                        let why = ": it decides which version of an event is the latest, and texts have another order";
                        (from, FieldKind::Value(ValueType::String), why)
                    }
                    // What would be lost is refused where it is found.
                    Fate::Added(_) | Fate::Widened { .. } | Fate::Lost(_) => return None,
                };
                Some((change.column, held.to_string(), asked.to_string(), why))
            });
            if let Some((column, held, asked, why)) = refused {
                let (root, name) = (self.target.root(), event_type.to_string());
                let column = NarrowerColumn { root, event_type: name, column, held, asked, why };
                return Err(Error::from(TargetError::Narrower(Box::new(column))).of_type(event_type));
            }
        }
        Ok(())
    }

    /// Of the tables that a load wrote, those that its changes name and no commit has recorded.
    pub(crate) fn new_tables(
        &self,
        mut tables: BTreeMap<String, TableColumns>,
        changes: &[Change],
    ) -> BTreeMap<String, TableColumns> {
        let named: BTreeSet<_> = changes.iter().filter_map(|change| change.table.as_ref()).collect();
        tables.retain(|name, _| named.contains(name) && !self.history.tables.contains_key(name));
        tables
    }
}
