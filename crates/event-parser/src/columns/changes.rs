//! Rows of a column whose values were changed on their way into it → by path in the event, how many rows there are.
//!
//! Only a value that is changed is noted, where it is found to be so: any other costs nothing.
//!
//! Invariant: rows ascend, and each is there once; what is taken back of a column is taken back here.

use std::{mem, ops::Range};

use super::{ColumnBuilder, Columns, Values};
use crate::plan::Shape;

/// How a value is not quite what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was another kind of JSON value than its column's type is: the text of a number, a number as text.
    Coerced,
    /// Digits that are not zero were rounded off or cut.
    Rounded,
}

/// The rows of one column that were changed.
#[derive(Debug, Default)]
pub(super) struct ChangedRows {
    pub(super) coerced: RowRuns,
    pub(super) rounded: RowRuns,
}

/// Ascending rows, as runs of neighbours: where a column always gets another kind of value than its own, that is one run.
#[derive(Debug, Default)]
pub(super) struct RowRuns(Vec<Range<usize>>);

impl RowRuns {
    /// Adds a row behind the others; the last one may come again.
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
    /// Forgets all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.coerced.truncate(rows);
        self.rounded.truncate(rows);
    }
}

/// A path, how values there were changed, and in which rows.
type ChangedPath = (String, Change, RowRuns);

impl Columns {
    /// In how many rows each column was changed, by its path in the event.
    pub(crate) fn take_changes(&mut self, shape: &Shape) -> Vec<(String, Change, usize)> {
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
    /// The path of what is in a list is the list's.
    fn add_changes(&mut self, object: &str, path: &str, paths: &mut Vec<ChangedPath>) {
        let ChangedRows { coerced, rounded } = mem::take(&mut self.changed);
        for (change, rows) in [(Change::Coerced, coerced), (Change::Rounded, rounded)] {
            if rows.count() > 0 {
                paths.push((format!("{object}{path}"), change, rows));
            }
        }
        match &mut self.values {
            Values::List(list) => {
                let mut of_elements = Vec::new();
                list.elements.add_changes(object, path, &mut of_elements);
                for (path, change, elements) in of_elements {
                    paths.push((path, change, list.rows_of(&elements)));
                }
            }
            Values::Object(builder) => {
                let path = format!("{object}{path}");
                builder.columns.add_changes(&path, &builder.shape, paths);
            }
            _ => {}
        }
    }
}
