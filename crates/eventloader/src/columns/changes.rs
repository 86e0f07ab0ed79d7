//! Rows of a column whose values were changed on their way into it → by path in the event, how many rows there are.
//!
//! Only a value that is changed is noted, where it is found to be so: any other costs nothing.
//!
//! Invariant: rows ascend, and each is there once; what is taken back of a column is taken back here.

use std::mem;

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
    pub(super) coerced: Vec<usize>,
    pub(super) rounded: Vec<usize>,
}

impl ChangedRows {
    /// Forgets all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        for changed in [&mut self.coerced, &mut self.rounded] {
            while changed.pop_if(|row| *row >= rows).is_some() {}
        }
    }
}

/// A path, how values there were changed, and in which rows.
type ChangedPath = (String, Change, Vec<usize>);

impl Columns {
    /// In how many rows each column was changed, by its path in the event.
    pub(crate) fn take_changes(&mut self, shape: &Shape) -> Vec<(String, Change, usize)> {
        let mut paths = Vec::new();
        self.add_changes("", shape, &mut paths);
        paths.into_iter().map(|(path, change, rows)| (path, change, rows.len())).collect()
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
            if !rows.is_empty() {
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
