//! The footer of a file that was written just now → its statistics in the log, by which readers pass files
//! over.
//!
//! In: Parquet's metadata, whose bounds hold for all values. Out: Delta's JSON, with the number of rows,
//! and of each column the least and the greatest value and the number of nulls. Objects are nested as their
//! columns are; lists and maps have no statistics.
//!
//! Invariant: no reader passes over a file that has a row which it looks for. A bound that is not known for
//! sure, or can't be written, is left out; if it is one of a column outside of objects, so is everything but
//! the number of rows.
//!
//! That is for the dataset of deltalake 1.6.6, which makes a filter of the statistics of each file, and
//! compares with null where others know nothing. A column without a bound has no value then that anybody
//! could look for, and one without a number of nulls no null. Of objects there is no such filter, as long
//! as they are there.

mod bounds;
mod wider_table;

use parquet::{
    basic::{ConvertedType, LogicalType},
    file::metadata::{ParquetMetaData, RowGroupMetaData},
    schema::types::Type,
};

use self::bounds::{Bounds, Kind};
pub use self::wider_table::WiderTable;

/// Only the first columns have statistics: that is Delta's own default, by which readers know which columns
/// to expect them of. They ignore those of others. Ids and timestamps are in the first two.
const COLUMNS_MAX: usize = 32;

/// The statistics of a file for the log.
///
/// The file must be one of `event-parquet`: a column of numbers with a fraction has bounds there only if it
/// has no NaN. Within objects, where `parquet` itself makes the bounds, they are left out.
#[must_use]
pub fn statistics(metadata: &ParquetMetaData) -> String {
    let (file, groups) = (metadata.file_metadata(), metadata.row_groups());
    let mut walk = Walk { groups, leaf: 0, columns: 0, lacks_bounds: false };
    let Facts { min, max, nulls } = walk.of_object(file.schema(), 0);
    let rows = file.num_rows();
    if walk.lacks_bounds {
        return format!(r#"{{"numRecords":{rows}}}"#);
    }
    let [min, max, nulls] = [min, max, nulls].map(Option::unwrap_or_default);
    format!(r#"{{"numRecords":{rows},"minValues":{min},"maxValues":{max},"nullCount":{nulls}}}"#)
}

/// What is known of a column, as JSON.
#[derive(Debug, Default)]
struct Facts {
    min: Option<String>,
    max: Option<String>,
    nulls: Option<String>,
}

/// Goes through the columns in the order of the file.
struct Walk<'m> {
    groups: &'m [RowGroupMetaData],
    /// The number of the next leaf.
    leaf: usize,
    /// How many columns were passed, as Delta counts them: a list or a map is one.
    columns: usize,
    /// Whether a column outside of objects has values, but no bounds.
    lacks_bounds: bool,
}

impl Walk<'_> {
    /// The facts of the members of an object, or of the columns of the table, which is no level.
    fn of_object(&mut self, object: &Type, levels: usize) -> Facts {
        let mut members = [(); 3].map(|()| Vec::new());
        for field in object.get_fields() {
            let Facts { min, max, nulls } = self.of_column(field, levels);
            let name = serde_json::Value::from(field.name());
            for (members, fact) in members.iter_mut().zip([min, max, nulls]) {
                members.extend(fact.map(|fact| format!("{name}:{fact}")));
            }
        }
        let [min, max, nulls] = members.map(|members| Some(format!("{{{}}}", members.join(","))));
        Facts { min, max, nulls }
    }

    fn of_column(&mut self, column: &Type, levels: usize) -> Facts {
        if column.is_group() && !is_repeated(column) {
            return self.of_object(column, levels + 1);
        }
        let leaf = self.leaf;
        self.leaf += leaves(column);
        self.columns += 1;
        if column.is_group() || self.columns > COLUMNS_MAX {
            return Facts::default();
        }
        let kind = Kind::of(column).filter(|kind| levels == 0 || *kind != Kind::Float);
        let (facts, has_values) = self.of_leaf(leaf, kind);
        self.lacks_bounds |= levels == 0 && has_values && facts.max.is_none();
        facts
    }

    /// The facts of a column that is no object, and whether it has values. Without a kind it has no bounds.
    fn of_leaf(&self, leaf: usize, kind: Option<Kind>) -> (Facts, bool) {
        let (mut nulls, mut bounds) = (0, Bounds::None);
        for group in self.groups {
            let statistics = group.column(leaf).statistics();
            let Some((statistics, of_group)) = statistics.and_then(|all| Some((all, all.null_count_opt()?)))
            else {
                return (Facts::default(), true);
            };
            nulls += of_group;
            let is_all_null = i64::try_from(of_group) == Ok(group.num_rows());
            bounds = bounds.and(if is_all_null { Bounds::None } else { Bounds::of(statistics) });
        }
        let (min, max) = kind.and_then(|kind| bounds.texts(kind)).unzip();
        (Facts { min, max, nulls: Some(nulls.to_string()) }, bounds != Bounds::None)
    }
}

/// Whether a group is a list or a map.
fn is_repeated(group: &Type) -> bool {
    let info = group.get_basic_info();
    matches!(info.logical_type_ref(), Some(LogicalType::List | LogicalType::Map))
        || matches!(info.converted_type(), ConvertedType::LIST | ConvertedType::MAP)
}

fn leaves(column: &Type) -> usize {
    if column.is_group() { column.get_fields().iter().map(|field| leaves(field)).sum() } else { 1 }
}

#[cfg(test)]
mod tests;
