//! `ALTER TABLE` makes of a column what a load into a new table of the wider type would have written.

use arrow::datatypes::Field as ArrowField;
use event_rows::{Batch, widened};
use events_core::{
    catalog::{FieldKind, ValueType},
    schema,
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    server::{begin, copy_in, copy_out, texts, with_server},
    values::{self, Column, FLOATS, Value, array, batch, field, kinds, table},
};

/// A type that has all values of this one.
fn wider(kind: &FieldKind) -> BoxedStrategy<FieldKind> {
    let string = Just(FieldKind::Value(ValueType::String));
    let same = Just(kind.clone());
    let wider = match kind {
        FieldKind::Value(value_type) => {
            let mut all = vec![ValueType::Int64, ValueType::Float64, ValueType::Timestamp];
            let digits = value_type.digits().unwrap_or_default();
            for (before, behind) in [(0, 0), (1, 0), (0, 1), (2, 3), (12, 6), (20, 18)] {
                let scale = digits.1 + behind;
                let precision = digits.0 + before + scale;
                all.push(ValueType::Decimal { precision: precision.clamp(1, 38), scale: scale.min(38) });
            }
            all.retain(|other| value_type.widens_to(other));
            all.push(ValueType::String);
            proptest::sample::select(all).prop_map(FieldKind::Value).boxed()
        }
        FieldKind::List(element) => wider(element).prop_map(|kind| FieldKind::List(Box::new(kind))).boxed(),
        FieldKind::Map(inner) => wider(inner).prop_map(|kind| FieldKind::Map(Box::new(kind))).boxed(),
        FieldKind::Object(fields) => {
            let members: Vec<_> = fields
                .iter()
                .map(|held| (Just(held.name.clone()), wider(&held.kind)).prop_map(field))
                .collect();
            let added = proptest::option::of(kinds().prop_map(|kind| field(("added".to_owned(), kind))));
            let all = (members, added)
                .prop_map(|(members, added)| members.into_iter().chain(added).collect::<Vec<_>>());
            all.prop_shuffle().prop_map(FieldKind::Object).boxed()
        }
    };
    prop_oneof![1 => same, 1 => string, 6 => wider].boxed()
}

/// Columns, and by each a wider type.
fn cases() -> impl Strategy<Value = Vec<(Column, FieldKind)>> {
    values::columns().prop_flat_map(|columns| {
        columns
            .into_iter()
            .map(|(kind, values)| {
                let to = wider(&kind);
                (Just((kind, values)), to)
            })
            .collect::<Vec<_>>()
    })
}

fn check(client: &mut postgres::Client, columns: &[(Column, FieldKind)]) {
    let rows = columns.first().map_or(0, |((_, values), _)| values.len());
    let held = table("widened", columns.iter().map(|((kind, _), _)| kind));
    // One column is new.
    let new = FieldKind::Value(ValueType::Date);
    let asked = || columns.iter().map(|(_, to)| to).chain([&new]);
    let (asked, fresh) = (table("widened", asked()), table("fresh", asked()));
    begin(client);
    client.batch_execute(&held.create()).unwrap();
    client.batch_execute(&held.indexes(false)).unwrap();
    let arrays = columns.iter().map(|((kind, values), _)| array(kind, values)).collect();
    copy_in(client, &held, &batch(arrays, rows, true)).unwrap();
    let found = copy_out(client, &held, usize::MAX);
    client.batch_execute(&asked.alter(held.columns())).unwrap();
    if let Some((before, _)) = found {
        let field = |(index, kind): (usize, &FieldKind)| {
            ArrowField::new(format!("c{index}"), schema::data_type(kind), true)
        };
        let fields: Vec<_> = columns.iter().map(|(_, to)| to).chain([&new]).enumerate().map(field).collect();
        let expected =
            fields.iter().enumerate().map(|(index, field)| widened(before.columns.get(index), field, rows));
        let expected = Batch { columns: expected.collect::<Result<_, _>>().unwrap(), ..before };
        let (after, _) = copy_out(client, &asked, usize::MAX).unwrap();
        client.batch_execute(&fresh.create()).unwrap();
        copy_in(client, &fresh, &expected).unwrap();
        for (index, ((after, expected), field)) in
            after.columns.iter().zip(&expected.columns).zip(&fields).enumerate()
        {
            let from = columns.get(index).map_or(&new, |((kind, _), _)| kind);
            let same = |row: &usize| after.slice(*row, 1) == expected.slice(*row, 1);
            if let Some(row) = (0..rows).find(|row| !same(row)) {
                let [after, expected] = [after, expected].map(|column| column.slice(row, 1));
                panic!("{from} → {} made {after:?} of it, not {expected:?}", field.data_type());
            }
            // What people see is the same, too: the digits of a decimal in `jsonb`.
            let [altered, fresh] = [&asked, &fresh].map(|table| texts(client, table, field.name()));
            assert_eq!(altered, fresh, "{from} → {}", field.data_type());
        }
    }
    assert_eq!(asked.alter(asked.columns()), "");
    client.batch_execute("ROLLBACK").unwrap();
}

fn run(
    client: &mut postgres::Client,
    cases: u32,
    strategy: &impl Strategy<Value = Vec<(Column, FieldKind)>>,
) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let client = std::cell::RefCell::new(client);
    TestRunner::new(config)
        .run(strategy, |columns| {
            let client = &mut **client.borrow_mut();
            client.batch_execute("ROLLBACK").unwrap();
            check(client, &columns);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_widened_column_is_as_if_it_had_been_loaded_so() {
    with_server(|client| run(client, 300, &cases()));
}

/// Each of these floats, as a column, in an array, and in a list of lists.
#[test]
fn floats_become_the_texts_that_a_load_gives_them() {
    with_server(|client| {
        let float = FieldKind::Value(ValueType::Float64);
        let string = FieldKind::Value(ValueType::String);
        let list = |kind: &FieldKind| FieldKind::List(Box::new(kind.clone()));
        let values: Vec<_> = FLOATS.into_iter().chain([-0.0]).map(Value::Float).collect();
        let of_list = |values: &[Value]| {
            values.iter().map(|value| Value::List(vec![value.clone()])).collect::<Vec<_>>()
        };
        // −0.0 is 0 in `jsonb`.
        let nested: Vec<_> =
            of_list(&of_list(&values[..FLOATS.len()])).into_iter().chain([Value::Null]).collect();
        check(
            client,
            &[
                ((float.clone(), values.clone()), string.clone()),
                ((list(&float), of_list(&values)), string.clone()),
                ((list(&float), of_list(&values)), list(&string)),
                ((list(&list(&float)), nested.clone()), string.clone()),
                ((list(&list(&float)), nested), list(&list(&string))),
            ],
        );
        // Doubles whose neighbours lie on the same text but for the last digit: many of them.
        let whole = values::values(&float, false);
        let columns = proptest::collection::vec(whole, 400);
        let case = columns.prop_map(move |values| vec![((float.clone(), values), string.clone())]);
        run(client, 20, &case);
    });
}
