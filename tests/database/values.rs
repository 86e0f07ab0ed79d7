//! Types, values of them with the extremes in the front, and the columns of these values.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
        ListArray, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field as ArrowField, Schema},
};
use event_postgres::Table;
use event_rows::{Batch, Ids, Position};
use events_core::{
    catalog::{Field, FieldKind, ValueType},
    schema,
    table::TableColumns,
};
use proptest::prelude::*;

use crate::server::SCHEMA;

/// The instants of the years 0001 to 9999, in microseconds, and their days.
pub(crate) const MICROS: [i64; 2] = [-62_135_596_800_000_000, 253_402_300_799_999_999];
const DAYS: [i32; 2] = [-719_162, 2_932_896];

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    /// Of each type that counts: also days and instants.
    Number(i128),
    Float(f64),
    Boolean(bool),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Object(Vec<Value>),
}

/// A type and, by row, its values.
pub(crate) type Column = (FieldKind, Vec<Value>);

pub(crate) fn value_types() -> impl Strategy<Value = ValueType> {
    prop_oneof![
        Just(ValueType::String),
        Just(ValueType::Int32),
        Just(ValueType::Int64),
        Just(ValueType::Float64),
        Just(ValueType::Boolean),
        Just(ValueType::Date),
        Just(ValueType::Timestamp),
        (1_u8..=38, 0_u8..=38).prop_map(|(precision, scale)| decimal(precision, scale.min(precision))),
    ]
}

fn decimal(precision: u8, scale: u8) -> ValueType {
    ValueType::Decimal { precision, scale }
}

pub(crate) fn kinds() -> impl Strategy<Value = FieldKind> {
    value_types().prop_map(FieldKind::Value).prop_recursive(3, 12, 3, |inner| {
        let members = proptest::collection::btree_map(member_names(), inner.clone(), 1..4);
        prop_oneof![
            2 => inner.clone().prop_map(|kind| FieldKind::List(Box::new(kind))),
            1 => inner.prop_map(|kind| FieldKind::Map(Box::new(kind))),
            2 => members.prop_map(|members| FieldKind::Object(members.into_iter().map(field).collect())),
        ]
    })
}

/// Names as a catalog may give them to members, of several lengths, so that `jsonb` sorts them in another
/// way.
fn member_names() -> impl Strategy<Value = String> {
    prop_oneof![Just("ö'ß\\\"$$-%"), Just("a"), Just("B"), Just("sku"), Just("_x-y"), Just("amount")]
        .prop_map(str::to_owned)
}

pub(crate) fn field((name, kind): (String, FieldKind)) -> Field {
    Field { name, column: None, description: None, required: false, kind }
}

/// Columns with values in them: up to three, with up to eight rows.
pub(crate) fn columns() -> impl Strategy<Value = Vec<Column>> {
    (proptest::collection::vec(kinds(), 0..4), 0_usize..8).prop_flat_map(|(kinds, rows)| {
        let column = |kind: FieldKind| {
            let values = proptest::collection::vec(or_null(values(&kind, false)), rows);
            (Just(kind), values)
        };
        kinds.into_iter().map(column).collect::<Vec<_>>()
    })
}

fn or_null(values: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 4 => values].boxed()
}

/// The values of a type. Within `jsonb` there is no −0.0.
pub(crate) fn values(kind: &FieldKind, in_json: bool) -> BoxedStrategy<Value> {
    match kind {
        FieldKind::Value(value_type) => value(*value_type, in_json),
        FieldKind::List(element) => {
            let in_json = in_json || !matches!(**element, FieldKind::Value(_));
            proptest::collection::vec(or_null(values(element, in_json)), 0..4).prop_map(Value::List).boxed()
        }
        FieldKind::Map(inner) => {
            let entries = proptest::collection::hash_map(texts(), or_null(values(inner, true)), 0..4);
            entries.prop_map(|entries| Value::Map(entries.into_iter().collect())).boxed()
        }
        FieldKind::Object(fields) => {
            let members: Vec<_> = fields.iter().map(|field| or_null(values(&field.kind, true))).collect();
            members.prop_map(Value::Object).boxed()
        }
    }
}

fn value(value_type: ValueType, in_json: bool) -> BoxedStrategy<Value> {
    let number = |low: i128, high: i128| {
        prop_oneof![Just(low), Just(high), Just(0), (-1000).max(low)..=1000.min(high), low..=high]
            .prop_map(Value::Number)
            .boxed()
    };
    match value_type {
        ValueType::String | ValueType::Json => texts().prop_map(Value::Text).boxed(),
        ValueType::Int32 => number(i32::MIN.into(), i32::MAX.into()),
        ValueType::Int64 => number(i64::MIN.into(), i64::MAX.into()),
        ValueType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ValueType::Date => number(DAYS[0].into(), DAYS[1].into()),
        ValueType::Timestamp | ValueType::Epoch(_) => number(MICROS[0].into(), MICROS[1].into()),
        ValueType::Decimal { precision, .. } => {
            let limit = 10_i128.pow(precision.into());
            number(1 - limit, limit - 1)
        }
        ValueType::Float64 => {
            let negative_zero = if in_json { 0.0 } else { -0.0 };
            let few_digits = (-99_999_i32..99_999, -30_i32..30);
            prop_oneof![
                1 => Just(negative_zero),
                4 => proptest::sample::select(FLOATS.to_vec()),
                4 => few_digits.prop_map(|(digits, exponent)| format!("{digits}e{exponent}").parse().unwrap()),
                // Some lie in the middle between two texts that are short.
                4 => (1_u64..1 << 53, 0_i32..45, 1_i32..27).prop_map(|(parts, fewer, power)| {
                    whole(parts >> fewer) * 0.5_f64.powi(power)
                }),
                // Whole numbers, some of which lie in the middle between two doubles.
                4 => (1_u64..1 << 53, 0_i32..70).prop_map(|(digits, power)| whole(digits) * 2.0_f64.powi(power)),
                4 => any::<f64>(),
            ]
            .prop_filter("finite", |float: &f64| float.is_finite())
            .prop_map(move |float| Value::Float(if in_json && float == 0.0 { 0.0 } else { float }))
            .boxed()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it has at most 53 bits")]
fn whole(digits: u64) -> f64 {
    digits as f64
}

/// Floats whose texts need care: the ends of the range, subnormal ones, those where the form of the text
/// changes, and those whose shortest text is an end of the interval that is rounded to them.
pub(crate) const FLOATS: [f64; 28] = [
    0.0,
    -1_661_155_790_085_375.0 - 0.25,
    140_737_488_355_329.0 + 0.625,
    1_444_934_894.0 + 0.675_781_25,
    513.0 / 1_048_576.0,
    5e-324,
    -5e-324,
    2.225_073_858_507_201e-308,
    2.225_073_858_507_201_4e-308,
    f64::MAX,
    f64::MIN,
    0.1,
    0.3,
    0.000_001,
    9.999_999e-7,
    1.5e-7,
    1e15,
    1e16,
    123_456_789_012_345_680.0,
    1e20,
    9.999_999_999_999_999e20,
    1e21,
    1e22,
    1e23,
    -1e23,
    9_007_199_254_740_993.0,
    5e22,
    8.41e21,
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}\u{80}\u{2028}\u{fffd}\u{10ffff}".to_owned()),
        Just("{\"a\": [1.0, null, {\"\":\"\\u0041\"}], \"a\":2}".to_owned()),
        Just("NULL".to_owned()),
        Just("{1,2}".to_owned()),
        "[^\u{0}]{0,20}",
        "[ -~]{0,70}",
    ]
}

/// The same columns, with maps in the order of `jsonb`: shorter keys first, then by their bytes.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::List(values) => Value::List(values.iter().map(sorted).collect()),
        Value::Object(values) => Value::Object(values.iter().map(sorted).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
            Value::Map(entries)
        }
        other => other.clone(),
    }
}

/// The array of some values.
pub(crate) fn array(kind: &FieldKind, values: &[Value]) -> ArrayRef {
    let data_type = schema::data_type(kind);
    let numbers =
        || values.iter().map(|value| if let Value::Number(number) = value { Some(*number) } else { None });
    let nulls: NullBuffer = values.iter().map(|value| *value != Value::Null).collect();
    let offsets = |lengths: Vec<usize>| OffsetBuffer::<i32>::from_lengths(lengths);
    match (kind, &data_type) {
        (_, DataType::Utf8) => {
            let texts =
                values.iter().map(|value| if let Value::Text(text) = value { Some(text) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        (_, DataType::Boolean) => {
            let boolean = |value| if let &Value::Boolean(value) = value { Some(value) } else { None };
            Arc::new(values.iter().map(boolean).collect::<BooleanArray>())
        }
        (_, DataType::Float64) => {
            let float = |value| if let &Value::Float(value) = value { Some(value) } else { None };
            Arc::new(values.iter().map(float).collect::<Float64Array>())
        }
        (_, DataType::Int32) => {
            Arc::new(numbers().map(|n| n.map(|n| n.try_into().unwrap())).collect::<Int32Array>())
        }
        (_, DataType::Int64) => {
            Arc::new(numbers().map(|n| n.map(|n| n.try_into().unwrap())).collect::<Int64Array>())
        }
        (_, DataType::Date32) => {
            Arc::new(numbers().map(|n| n.map(|n| n.try_into().unwrap())).collect::<Date32Array>())
        }
        (_, DataType::Timestamp(..)) => {
            let micros = numbers().map(|n| n.map(|n| n.try_into().unwrap()));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        (_, DataType::Decimal128(..)) => {
            Arc::new(numbers().collect::<Decimal128Array>().with_data_type(data_type.clone()))
        }
        (FieldKind::List(inner), DataType::List(element)) => {
            let list =
                |value: &Value| if let Value::List(values) = value { values.clone() } else { Vec::new() };
            let lists: Vec<_> = values.iter().map(list).collect();
            let ends = offsets(lists.iter().map(Vec::len).collect());
            Arc::new(ListArray::new(Arc::clone(element), ends, array(inner, &lists.concat()), Some(nulls)))
        }
        (FieldKind::Map(inner), DataType::Map(entry, _)) => {
            let map =
                |value: &Value| if let Value::Map(entries) = value { entries.clone() } else { Vec::new() };
            let maps: Vec<_> = values.iter().map(map).collect();
            let ends = offsets(maps.iter().map(Vec::len).collect());
            let (keys, values): (Vec<_>, Vec<_>) = maps.concat().into_iter().unzip();
            let DataType::Struct(parts) = entry.data_type() else { panic!("{entry}") };
            let entries = vec![Arc::new(StringArray::from(keys)) as ArrayRef, array(inner, &values)];
            let entries = StructArray::new(parts.clone(), entries, None);
            Arc::new(MapArray::new(Arc::clone(entry), ends, entries, Some(nulls), false))
        }
        (FieldKind::Object(fields), DataType::Struct(members)) => {
            let of_member = |(index, field): (usize, &Field)| {
                let value = |value: &Value| {
                    if let Value::Object(members) = value { members[index].clone() } else { Value::Null }
                };
                array(&field.kind, &values.iter().map(value).collect::<Vec<_>>())
            };
            let arrays = fields.iter().enumerate().map(of_member).collect();
            Arc::new(
                StructArray::try_new_with_length(members.clone(), arrays, Some(nulls), values.len()).unwrap(),
            )
        }
        (kind, data_type) => panic!("{kind} is no {data_type}"),
    }
}

/// A table of columns `c0`, `c1`, ….
pub(crate) fn table<'k>(name: &str, kinds: impl IntoIterator<Item = &'k FieldKind>) -> Table {
    let field = |(index, kind): (usize, &FieldKind)| {
        ArrowField::new(format!("c{index}"), schema::data_type(kind), true)
    };
    let schema = Schema::new(kinds.into_iter().enumerate().map(field).collect::<Vec<_>>());
    Table::held(SCHEMA, name, ("dom'ain", "event \"type\""), TableColumns::of_schema(&schema).unwrap())
}

/// Rows with these columns: ids that are UUIDs or not, all in ascending order.
pub(crate) fn batch(columns: Vec<ArrayRef>, rows: usize, with_texts: bool) -> Batch {
    let ids = (0..rows).map(|row| format!("id '\" ü {row:04}"));
    let ids = if with_texts {
        Ids::Texts(ids.map(Some).collect())
    } else {
        Ids::Uuids((0..rows as u128).collect())
    };
    let micros = MICROS.into_iter().chain(1_728_518_400_000_000..);
    Batch {
        positions: (0..).take(rows).map(|row| Position::existing(0, row)).collect(),
        micros: micros.take(rows).collect(),
        ids,
        columns,
        versions: None,
    }
}
