//! Random files and predicates: a reader that goes by the statistics finds every row.

use events_core::schema::TableForm;
use proptest::{collection::vec, prelude::*, sample};

use super::{
    Group, catalog_of, footer_of,
    naive::{OfColumn, Predicate},
    statistics,
    values::{Order, Value},
};

/// The least and the greatest instant of the years that events have.
const INSTANTS: (i128, i128) = (-62_135_596_800_000_000, 253_402_300_799_999_999);
const DATES: (i128, i128) = (-719_162, 2_932_896);

/// By column: its type in the catalog, and the least and greatest of its values, if it is one of numbers.
const COLUMNS: [(&str, (i128, i128)); 11] = [
    ("string", (0, 0)),
    ("json", (0, 0)),
    ("float64", (0, 0)),
    ("boolean", (0, 0)),
    ("int32", (i32::MIN as i128, i32::MAX as i128)),
    ("int64", (i64::MIN as i128, i64::MAX as i128)),
    ("decimal(5,2)", (-99_999, 99_999)),
    ("decimal(38,9)", (1 - 10_i128.pow(38), 10_i128.pow(38) - 1)),
    ("date", DATES),
    ("timestamp", INSTANTS),
    ("timestamp(ms)", INSTANTS),
];

/// The edges of UTF-8 and of JSON, and some ordinary characters.
const CHARACTERS: [char; 16] = [
    '\0',
    '"',
    'a',
    'b',
    '~',
    '\u{7F}',
    '\u{80}',
    'é',
    '\u{7FF}',
    '\u{800}',
    '\u{D7FF}',
    '\u{E000}',
    '\u{FFFF}',
    '\u{10000}',
    '\u{1F600}',
    '\u{10FFFF}',
];

/// Texts that differ around the 32nd character, around the 64th byte, or anywhere.
fn text() -> impl Strategy<Value = String> {
    let front = (sample::select(&CHARACTERS[2..]), sample::select(&[0_usize, 0, 1, 30, 31, 32, 63, 70][..]));
    (front, vec(sample::select(&CHARACTERS[..]), 0..4))
        .prop_map(|((character, count), rest)| std::iter::repeat_n(character, count).chain(rest).collect())
}

/// Numbers at the ends of their range, around zero, and anywhere.
fn number((least, greatest): (i128, i128)) -> BoxedStrategy<i128> {
    let around = |centre: i128| (-2_500..=2_500_i128).prop_map(move |offset| centre + offset);
    let number = prop_oneof![
        Just(least),
        Just(greatest),
        around(least),
        around(greatest),
        -3..=3_i128,
        around(0),
        least..=greatest
    ];
    number.prop_map(move |number| number.clamp(least, greatest)).boxed()
}

fn float() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 5e-324, -5e-324, f64::MAX, f64::MIN, 0.1, 1.0, 9_007_199_254_740_993.0];
    prop_oneof![sample::select(odd.to_vec()), any::<f64>().prop_filter("finite", |float| float.is_finite())]
}

fn value((name, range): (&'static str, (i128, i128))) -> BoxedStrategy<Value> {
    match name {
        "string" | "json" => text().prop_map(Value::Text).boxed(),
        "float64" => float().prop_map(Value::Float).boxed(),
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        _ => number(range).prop_map(Value::Int).boxed(),
    }
}

/// The values of a column in each row group of these lengths, and other values.
type Column = (Vec<Vec<Option<Value>>>, Vec<Value>);

/// Of few different values, so that what is asked for is often there, or just beside.
fn column(of: (&'static str, (i128, i128)), lengths: Vec<usize>) -> impl Strategy<Value = Column> {
    let pool = (vec(value(of), 1..5), vec(value(of), 3));
    pool.prop_flat_map(move |(pool, others)| {
        let one = (sample::select(pool), 0..4_u8).prop_map(|(value, null)| (null > 0).then_some(value));
        let group = |length: &usize| {
            prop_oneof![
                4 => vec(one.clone(), *length),
                1 => vec(Just(None), *length),
            ]
        };
        let groups: Vec<_> = lengths.iter().map(group).collect();
        (groups, Just(others))
    })
}

/// The columns, each once in the payload and once in an object of it, and the timestamps.
fn world() -> impl Strategy<Value = (bool, Vec<Column>, Column)> {
    vec(1..6_usize, 1..4).prop_flat_map(|lengths| {
        let columns: Vec<_> =
            COLUMNS.iter().chain(&COLUMNS).map(|of| column(*of, lengths.clone()).boxed()).collect();
        let pool = vec(number(INSTANTS).prop_map(Value::Int), 3);
        let some = |length: &usize| vec(number(INSTANTS).prop_map(|int| Some(Value::Int(int))), *length);
        let timestamps: Vec<_> = lengths.iter().map(some).collect();
        (any::<bool>(), columns, (timestamps, pool))
    })
}

/// The constants to ask for: other values of the type, and those that are there and their neighbours.
fn constants((groups, others): &Column) -> Vec<Value> {
    let mut constants = others.clone();
    for value in groups.iter().flatten().flatten().take(6) {
        constants.push(value.clone());
        match value {
            Value::Int(int) => constants.extend([1, -1, 999, -999].map(|by| Value::Int(int + by))),
            Value::Float(float) => {
                constants.extend([float.next_up(), float.next_down(), -float].map(Value::Float));
            }
            Value::Text(text) => {
                let front: String = text.chars().take(32).collect();
                constants.extend([format!("{text}\0"), format!("{front}\u{FFFF}"), front].map(Value::Text));
            }
            Value::Bool(boolean) => constants.push(Value::Bool(!boolean)),
        }
    }
    constants.retain(|constant| !matches!(constant, Value::Float(float) if !float.is_finite()));
    constants
}

fn micros(value: Option<&Value>) -> i64 {
    let Some(Value::Int(micros)) = value else { panic!("{value:?} is no timestamp") };
    i64::try_from(*micros).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_file_with_a_row_that_is_asked_for_is_passed_over((flatten, columns, timestamps) in world()) {
        let fields: Vec<_> =
            COLUMNS.iter().enumerate().map(|(at, (name, _))| format!("c{at} = '{name}'")).collect();
        let catalog =
            catalog_of(&format!("{}\no = {{ fields = {{ {} }} }}", fields.join("\n"), fields.join(", ")));
        let groups: Vec<_> = (0..timestamps.0.len())
            .map(|group| Group {
                micros: timestamps.0[group].iter().map(|value| micros(value.as_ref())).collect(),
                columns: columns.iter().map(|(groups, _)| groups[group].clone()).collect(),
            })
            .collect();
        let statistics = statistics(&footer_of(&catalog, flatten, &groups));
        let flat = TableForm { flatten: true, has_event_type: true }.schema(&catalog.event_types()[0]);
        for (at, column) in columns.iter().chain([&timestamps]).enumerate() {
            // The base columns are four, and the second one is the timestamp.
            let field = flat.field(if at == columns.len() { 1 } else { 4 + at });
            let (name, of_object) = (format!("c{}", at % COLUMNS.len()), at >= COLUMNS.len());
            let path = match (flatten || at == columns.len(), of_object) {
                (true, _) => vec![field.name().as_str()],
                (false, false) => vec!["data", &name],
                (false, true) => vec!["data", "o", &name],
            };
            let of_column = OfColumn::new(&statistics, &path, field.data_type());
            prop_assert!(path.len() > 1 || of_column.is_complete(), "{path:?}: {of_column:?}");
            let values = || column.0.iter().flatten();
            for predicate in Predicate::all(&constants(column)) {
                for order in [Order::Same, Order::Total] {
                    let found = values().find(|value| predicate.finds(value.as_ref(), order));
                    prop_assert!(
                        found.is_none() || !of_column.passes_over(&predicate, order),
                        "{path:?} has {found:?}, and is passed over for {predicate:?} by {order:?}: {of_column:?}"
                    );
                }
            }
        }
    }
}
