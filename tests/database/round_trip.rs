//! What was copied in comes back as it was.

use event_rows::Ids;
use proptest::prelude::*;

use crate::{
    server::{self, begin, copy_in, copy_out, with_server},
    values::{self, Column, array, batch, sorted, table},
};

fn ids_of(ids: &Ids, rows: usize) -> Vec<String> {
    let text = |row| {
        let mut text = Vec::new();
        ids.get(row).write_to(&mut text);
        String::from_utf8(text).unwrap()
    };
    (0..rows).map(text).collect()
}

/// Copies them in and out, and compares.
fn check(client: &mut postgres::Client, columns: &[Column], with_texts: bool, piece_bytes: usize) {
    let rows = columns.first().map_or(2, |(_, values)| values.len());
    let table = table("round'trip", columns.iter().map(|(kind, _)| kind));
    let arrays = columns.iter().map(|(kind, values)| array(kind, values)).collect();
    let given = batch(arrays, rows, with_texts);
    begin(client);
    client.batch_execute(&table.create()).unwrap();
    client.batch_execute(&table.indexes(true)).unwrap();
    assert_eq!(copy_in(client, &table, &given).unwrap(), rows as u64);
    let found = copy_out(client, &table, piece_bytes);
    client.batch_execute("ROLLBACK").unwrap();
    let Some((found, ctids)) = found else {
        assert_eq!(rows, 0);
        return;
    };
    assert_eq!(found.micros, given.micros);
    assert_eq!(ids_of(&found.ids, rows), ids_of(&given.ids, rows));
    assert_eq!(ctids.len(), rows);
    for (found, (kind, values)) in found.columns.iter().zip(columns) {
        let expected = array(kind, &values.iter().map(sorted).collect::<Vec<_>>());
        assert_eq!(found, &expected, "{kind}");
    }
}

#[test]
fn rows_come_back_as_they_were() {
    with_server(|client| {
        let cases = (values::columns(), any::<bool>(), 1_usize..3_000);
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(300)
        });
        let client = std::cell::RefCell::new(client);
        runner
            .run(&cases, |(columns, with_texts, piece_bytes)| {
                let client = &mut **client.borrow_mut();
                client.batch_execute("ROLLBACK").unwrap();
                check(client, &columns, with_texts, piece_bytes);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn the_tuples_of_a_table_are_found_again_by_their_ctids() {
    with_server(|client| {
        let table = table("ctids", []);
        begin(client);
        client.batch_execute(&table.create()).unwrap();
        copy_in(client, &table, &batch(Vec::new(), 5, true)).unwrap();
        let (_, ctids) = copy_out(client, &table, 100).unwrap();
        let texts: Vec<_> = ctids.iter().map(|ctid| event_postgres::ctid_text(*ctid)).collect();
        let asked = format!("'{{\"{}\"}}'::text[]::tid[]", [&*texts[1], &*texts[3]].join("\",\""));
        let statement = format!("DELETE FROM {} WHERE ctid = ANY({asked})", table.qualified_name());
        assert_eq!(client.execute(&statement, &[]).unwrap(), 2);
        let (left, _) = copy_out(client, &table, 100).unwrap();
        assert_eq!(ids_of(&left.ids, 3), [0, 2, 4].map(|row| format!("id '\" ü {row:04}")));
        client.batch_execute("ROLLBACK").unwrap();
    });
}

#[test]
fn each_row_has_the_domain_and_the_event_type() {
    with_server(|client| {
        let table = table("base", []);
        begin(client);
        client.batch_execute(&table.create()).unwrap();
        copy_in(client, &table, &batch(Vec::new(), 3, false)).unwrap();
        assert_eq!(server::texts(client, &table, "domain"), vec![Some("dom'ain".to_owned()); 3]);
        assert_eq!(server::texts(client, &table, "event_type"), vec![Some("event \"type\"".to_owned()); 3]);
        client.batch_execute("ROLLBACK").unwrap();
    });
}
