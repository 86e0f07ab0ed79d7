//! The footer of a file that was written just now → its statistics in the log, by which readers pass files
//! over.
//!
//! In: Parquet's metadata, whose bounds hold for all values. Out: Delta's JSON, with the number of rows, and of
//! each column the least and the greatest value and the number of nulls. Objects are nested as their columns
//! are; lists and maps have no statistics.
//!
//! Invariant: no reader passes over a file that has a row which it looks for. What is not known for sure is
//! left out: a column whose chunks have no statistics, a bound that JSON or the dates of readers can't have.

mod bounds;

use parquet::{
    basic::{ConvertedType, LogicalType},
    file::metadata::{ParquetMetaData, RowGroupMetaData},
    schema::types::Type,
};

use self::bounds::{Bounds, Kind};

/// Only the first columns have statistics. That is Delta's own default, by which readers know which columns
/// to expect them of; they ignore those of others. Ids and timestamps are in the first two.
const COLUMNS_MAX: usize = 32;

/// The statistics of a file for the log.
///
/// The file must be one of `event-parquet`: a column of numbers with a fraction has bounds there only if it
/// has no NaN. Within objects, where `parquet` itself makes the bounds, they are left out.
#[must_use]
pub fn statistics(metadata: &ParquetMetaData) -> String {
    let file = metadata.file_metadata();
    let mut walk = Walk { groups: metadata.row_groups(), leaf: 0, columns: 0 };
    let facts = walk.of_object(file.schema(), 0);
    let member = |facts: Option<String>| facts.unwrap_or_else(|| "{}".to_owned());
    format!(
        r#"{{"numRecords":{},"minValues":{},"maxValues":{},"nullCount":{}}}"#,
        file.num_rows(),
        member(facts.min),
        member(facts.max),
        member(facts.nulls)
    )
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
}

impl Walk<'_> {
    /// The facts of the members of an object, or of the columns of the table, which is no level.
    fn of_object(&mut self, object: &Type, levels: usize) -> Facts {
        let [mut min, mut max, mut nulls] = [(); 3].map(|()| Vec::new());
        for field in object.get_fields() {
            let facts = self.of_column(field, levels);
            let name = serde_json::Value::from(field.name());
            let member = |fact: Option<String>| fact.map(|fact| format!("{name}:{fact}"));
            min.extend(member(facts.min));
            max.extend(member(facts.max));
            nulls.extend(member(facts.nulls));
        }
        let of = |members: Vec<String>| (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")));
        Facts { min: of(min), max: of(max), nulls: of(nulls) }
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
        self.of_leaf(leaf, Kind::of(column).filter(|kind| levels == 0 || *kind != Kind::Float))
    }

    /// The facts of a column that is no object; of one without `kind`, which has no bounds, the nulls.
    fn of_leaf(&self, leaf: usize, kind: Option<Kind>) -> Facts {
        let (mut nulls, mut bounds) = (0, Bounds::None);
        for group in self.groups {
            let Some(statistics) = group.column(leaf).statistics() else { return Facts::default() };
            let Some(of_group) = statistics.null_count_opt() else { return Facts::default() };
            nulls += of_group;
            let is_all_null = i64::try_from(of_group) == Ok(group.num_rows());
            bounds = bounds.and(if is_all_null { Bounds::None } else { Bounds::of(statistics) });
        }
        let (min, max) = kind.map_or((None, None), |kind| bounds.texts(kind));
        Facts { min, max, nulls: Some(nulls.to_string()) }
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
