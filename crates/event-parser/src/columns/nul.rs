//! The row that was appended last → the first column that has a U+0000 in it, which no text of a database can
//! hold.
//!
//! In the text of a `json` it is an escape, and the text could be held; but nothing could be made of it
//! there.
//!
//! Invariant: only what the columns hold counts, not what else the line has.

use std::ops::Range;

use super::{ColumnBuilder, Columns, Values};
use crate::json::has_nul_escape;

impl Columns {
    /// The index of the column.
    pub(crate) fn nul_in(&self, row: usize) -> Option<usize> {
        self.builders.iter().position(|builder| builder.has_nul(row..row + 1))
    }
}

impl ColumnBuilder {
    fn has_nul(&self, rows: Range<usize>) -> bool {
        // Rows behind the last value are null.
        let rows = rows.start..rows.end.min(self.validity.len());
        if rows.is_empty() {
            return false;
        }
        match &self.values {
            Values::Text { ends, bytes, json } => {
                let [start, end] =
                    [ends[rows.start], ends[rows.end]].map(|end| usize::try_from(end).unwrap_or(0));
                let text = &bytes[start..end];
                if *json { has_nul_escape(text) } else { memchr::memchr(0, text).is_some() }
            }
            Values::List(list) => list.elements.has_nul(list.ends.range(rows)),
            Values::Map(map) => {
                let entries = map.ends.range(rows);
                map.keys.has_nul(entries.clone()) || map.values.has_nul(entries)
            }
            Values::Object(object) => {
                object.columns.builders.iter().any(|builder| builder.has_nul(rows.clone()))
            }
            _ => false,
        }
    }
}
