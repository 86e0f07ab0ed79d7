//! Rows of a column whose values were changed by conversion → the number of such rows, by path in the event.
//!
//! Only changed values are recorded, where the change is made, so all others cost nothing.
//!
//! Invariant: rows ascend, and each occurs once. Truncating a column truncates its changes.

use std::{mem, ops::Range};

use super::{ColumnBuilder, Columns, Values, lists::Ends};
use crate::plan::Shape;

/// How a converted value differs from the given one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueChange {
    /// It was a JSON value of another kind than the column's type: the text of a number, a number as text.
    Coerced,
    /// Digits other than zero were rounded off or cut, or a float has others.
    Rounded,
}

/// The changed rows of one column.
#[derive(Debug, Default)]
pub(super) struct ChangedRows {
    pub(super) coerced: RowRuns,
    pub(super) rounded: RowRuns,
}

/// Ascending rows, as runs of neighbours: a column that always gets another kind of value has a single run.
#[derive(Debug, Default)]
pub(super) struct RowRuns(Vec<Range<usize>>);

impl RowRuns {
    /// Adds a row after the others; the last one may be added again.
    #[inline]
    pub(super) fn add(&mut self, row: usize) {
        match self.0.last_mut() {
            Some(run) if run.end == row => run.end += 1,
            Some(run) if run.end > row => {}
            _ => self.0.push(row..row + 1),
        }
    }

    fn truncate(&mut self, rows: usize) {
        while self.0.pop_if(|run| run.start >= rows).is_some() {}
        if let Some(run) = self.0.last_mut() {
            run.end = run.end.min(rows);
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().cloned().flatten()
    }

    fn count(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }
}

impl ChangedRows {
    /// Forgets the rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.coerced.truncate(rows);
        self.rounded.truncate(rows);
    }
}

/// A path, the kind of change, and the changed rows.
type ChangedPath = (String, ValueChange, RowRuns);

impl Columns {
    /// The number of changed rows of each column, by its path in the event.
    pub(crate) fn take_changes(&mut self, shape: &Shape) -> Vec<(String, ValueChange, usize)> {
        let mut paths = Vec::new();
        self.add_changes("", shape, &mut paths);
        paths.into_iter().map(|(path, change, rows)| (path, change, rows.count())).collect()
    }

    fn add_changes(&mut self, path: &str, shape: &Shape, paths: &mut Vec<ChangedPath>) {
        for (builder, plan) in self.builders.iter_mut().zip(&shape.columns) {
            builder.add_changes(path, &plan.path, paths);
        }
    }
}

impl ColumnBuilder {
    /// The elements of a list have the path of the list, the values of a map that of the map.
    fn add_changes(&mut self, object: &str, path: &str, paths: &mut Vec<ChangedPath>) {
        let ChangedRows { coerced, rounded } = mem::take(&mut self.changed);
        for (change, rows) in [(ValueChange::Coerced, coerced), (ValueChange::Rounded, rounded)] {
            if rows.count() > 0 {
                paths.push((format!("{object}{path}"), change, rows));
            }
        }
        match &mut self.values {
            Values::List(list) => list.elements.add_inner_changes((object, path), &list.ends, paths),
            Values::Map(map) => map.values.add_inner_changes((object, path), &map.ends, paths),
            Values::Object(builder) => {
                let path = format!("{object}{path}");
                builder.columns.add_changes(&path, &builder.shape, paths);
            }
            _ => {}
        }
    }

    /// The same for the elements or values of rows that end so.
    fn add_inner_changes(&mut self, (object, path): (&str, &str), ends: &Ends, paths: &mut Vec<ChangedPath>) {
        let mut inner = Vec::new();
        self.add_changes(object, path, &mut inner);
        paths.extend(inner.into_iter().map(|(path, change, rows)| (path, change, ends.rows_of(&rows))));
    }
}
