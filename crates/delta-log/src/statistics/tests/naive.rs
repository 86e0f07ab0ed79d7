//! A reader that follows Delta's protocol to the letter: a file's statistics and a predicate → whether it
//! passes the file over.
//!
//! Invariant: written from the protocol alone. It compares constants with bounds as they are, and corrects
//! nothing: no instants for their milliseconds, no texts for their cut.

use std::{cmp::Ordering, collections::BTreeMap};

use arrow::datatypes::DataType;
use serde_json::value::RawValue;

use super::values::{Order, Value, value_of};

/// What is asked of a column.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    Equal(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    In(Vec<Value>),
    IsNull,
    IsNotNull,
}

impl Predicate {
    /// All of them, with these constants.
    pub(super) fn all(constants: &[Value]) -> Vec<Self> {
        let of = |constant: &Value| {
            [Self::Equal, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual]
                .map(|predicate| predicate(constant.clone()))
        };
        let of_several = [Self::In(constants.to_vec()), Self::IsNull, Self::IsNotNull];
        constants.iter().flat_map(of).chain(of_several).collect()
    }

    /// Whether a row with this value is found.
    pub(super) fn finds(&self, value: Option<&Value>, order: Order) -> bool {
        let Some(value) = value else { return matches!(self, Self::IsNull) };
        let is = |constant: &Value| order.compare(value, constant);
        match self {
            Self::Equal(constant) => is(constant).is_eq(),
            Self::Less(constant) => is(constant).is_lt(),
            Self::LessOrEqual(constant) => is(constant).is_le(),
            Self::Greater(constant) => is(constant).is_gt(),
            Self::GreaterOrEqual(constant) => is(constant).is_ge(),
            Self::In(constants) => constants.iter().any(|constant| is(constant).is_eq()),
            Self::IsNull => false,
            Self::IsNotNull => true,
        }
    }
}

/// The statistics of one column; what is missing is unknown.
#[derive(Debug)]
pub(super) struct OfColumn {
    rows: u64,
    min: Option<Value>,
    max: Option<Value>,
    nulls: Option<u64>,
    /// Whether the file has statistics of columns at all.
    has_any: bool,
}

impl OfColumn {
    pub(super) fn new(statistics: &str, path: &[&str], data_type: &DataType) -> Self {
        let bound = |name| Some(value_of(data_type, &member(statistics, &[&[name], path].concat())?));
        let number = |text: String| text.parse().unwrap();
        Self {
            rows: number(member(statistics, &["numRecords"]).unwrap()),
            min: bound("minValues"),
            max: bound("maxValues"),
            nulls: member(statistics, &[&["nullCount"], path].concat()).map(number),
            has_any: member(statistics, &["minValues"]).is_some(),
        }
    }

    /// Whether a reader finds all rows that takes what is missing for null, as the dataset of deltalake does.
    /// A file with nothing but the number of rows has nothing that is missing.
    pub(super) fn is_complete(&self) -> bool {
        let has_bounds = self.min.is_some() && self.max.is_some();
        !self.has_any || self.nulls.is_some_and(|nulls| nulls == self.rows || has_bounds)
    }

    pub(super) fn passes_over(&self, predicate: &Predicate, order: Order) -> bool {
        let is = |bound: &Option<Value>, constant: &Value, wanted: fn(Ordering) -> bool| {
            bound.as_ref().is_some_and(|bound| wanted(order.compare(bound, constant)))
        };
        let has_no_values = self.nulls == Some(self.rows);
        match predicate {
            Predicate::IsNull => self.nulls == Some(0),
            _ if has_no_values => true,
            Predicate::IsNotNull => false,
            Predicate::Equal(constant) => {
                is(&self.min, constant, Ordering::is_gt) || is(&self.max, constant, Ordering::is_lt)
            }
            Predicate::Less(constant) => is(&self.min, constant, Ordering::is_ge),
            Predicate::LessOrEqual(constant) => is(&self.min, constant, Ordering::is_gt),
            Predicate::Greater(constant) => is(&self.max, constant, Ordering::is_le),
            Predicate::GreaterOrEqual(constant) => is(&self.max, constant, Ordering::is_lt),
            Predicate::In(constants) => {
                constants.iter().all(|constant| self.passes_over(&Predicate::Equal(constant.clone()), order))
            }
        }
    }
}

/// The text of a member of some JSON.
fn member(json: &str, path: &[&str]) -> Option<String> {
    let Some((name, rest)) = path.split_first() else { return Some(json.to_owned()) };
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap();
    member(members.get(*name)?.get(), rest)
}
