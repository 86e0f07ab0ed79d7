//! The limits that are refused beforehand are those of the server.

use event_postgres::{BadTable, Table};
use event_rows::Ids;
use events_core::{
    catalog::{Catalog, FieldKind, ValueType},
    partition::Layout,
    schema::TableForm,
};

use crate::{
    server::{SCHEMA, begin, copy_in, copy_out, with_server},
    values::{Value, array, batch, table},
};

const FORM: TableForm = TableForm { flatten: true, has_event_type: true };

fn table_of(name: &str, fields: &str) -> Result<Table, BadTable> {
    let text = format!("[domain.card.events.{name}.fields]\n{fields}");
    let catalog = Catalog::from_toml(&[("x.toml", &text)]).unwrap();
    Table::new(SCHEMA, &catalog.event_types()[0], FORM)
}

#[test]
fn a_table_has_1600_columns_at_most() {
    let columns =
        |count: usize| (0..count).map(|index| format!("f{index} = 'int32'")).collect::<Vec<_>>().join("\n");
    assert_eq!(table_of("x", &columns(1_597)).unwrap_err(), BadTable::Columns { columns: 1_601 });
    let widest = table_of("x", &columns(1_596)).unwrap();
    with_server(|client| {
        begin(client);
        client.batch_execute(&widest.create()).unwrap();
        client.batch_execute(&widest.indexes(true)).unwrap();
        let kind = FieldKind::Value(ValueType::Int32);
        // A row with all of them is in one page.
        let arrays: Vec<_> =
            (0..1_596).map(|number| array(&kind, &[Value::Number(number), Value::Null])).collect();
        let rows = batch(arrays, 2, true);
        assert_eq!(copy_in(client, &widest, &rows).unwrap(), 2);
        assert_eq!(copy_out(client, &widest, 1_000).unwrap().0.columns, rows.columns);
        client.batch_execute("ROLLBACK").unwrap();
    });
}

#[test]
fn names_have_63_bytes_at_most() {
    let long = "ü".repeat(29);
    let column = |letters: usize| format!("data_{}", long.clone() + &"x".repeat(letters));
    let fields = |letters| format!("'{long}{}' = 'int32'", "x".repeat(letters));
    assert_eq!(table_of("x", &fields(1)).unwrap_err(), BadTable::LongColumn { column: column(1), bytes: 64 });
    let name = "t".repeat(63);
    assert_eq!(
        table_of(&(name.clone() + "t"), "").unwrap_err(),
        BadTable::LongName { name: name.clone() + "t", bytes: 64 }
    );
    let longest = table_of(&name, &fields(0)).unwrap();
    let other = table_of(&(name[..62].to_owned() + "u"), "").unwrap();
    with_server(|client| {
        begin(client);
        for table in [&longest, &other] {
            client.batch_execute(&table.create()).unwrap();
            client.batch_execute(&table.indexes(true)).unwrap();
            client.batch_execute(&table.drop_id_index()).unwrap();
            client.batch_execute(&table.id_index(false)).unwrap();
        }
        let found: i64 = client
            .query_one(
                "SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND indexname LIKE '\\_%'",
                &[&SCHEMA],
            )
            .unwrap()
            .get(0);
        assert_eq!(found, 4);
        client.batch_execute("ROLLBACK").unwrap();
    });
}

#[test]
fn the_columns_of_the_system_are_refused() {
    for name in ["ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"] {
        let fields = format!("id = {{ type = 'int32', column = '{name}' }}");
        assert_eq!(table_of("x", &fields).unwrap_err(), BadTable::SystemColumn { column: name.to_owned() });
        with_server(|client| {
            begin(client);
            let statement =
                format!("CREATE TABLE x ({} integer)", events_core::sql_text::double_quoted(name));
            assert!(client.batch_execute(&statement).is_err(), "{name}");
        });
    }
    assert!(table_of("x", "id = { type = 'int32', column = 'CTID' }").is_ok());
}

/// An index holds a third of a page: 2,704 bytes with what stands in front of the text. The server tries to
/// compress longer ones; whether it can depends on the text, so all longer ones are refused.
#[test]
fn an_id_has_as_many_bytes_as_an_index_holds() {
    with_server(|client| {
        let table = table("ids", []);
        // No two places are alike, so nothing can be compressed.
        let noise = |bytes: usize| -> String {
            let mut state = 1_u64;
            let mut letter = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b' ' + u8::try_from((state >> 33) % 94).unwrap())
            };
            (0..bytes).map(|_| letter()).collect()
        };
        let most = Layout::Database.id_bytes_max().unwrap();
        for (bytes, fits) in [(most, true), (most + 1, false)] {
            begin(client);
            client.batch_execute(&table.create()).unwrap();
            client.batch_execute(&table.indexes(true)).unwrap();
            let mut rows = batch(Vec::new(), 1, true);
            rows.ids = Ids::Texts(vec![Some(noise(bytes))].into());
            assert_eq!(copy_in(client, &table, &rows).is_ok(), fits, "{bytes}");
            client.batch_execute("ROLLBACK").unwrap();
        }
    });
}

#[test]
fn a_long_text_comes_back() {
    with_server(|client| {
        let kinds = [
            FieldKind::Value(ValueType::String),
            FieldKind::Map(Box::new(FieldKind::Value(ValueType::String))),
        ];
        let long = "ä\n\"x".repeat(250_000);
        let values =
            [Value::Text(long.clone()), Value::Map(vec![("k".repeat(1_000_000), Value::Text(long))])];
        let arrays: Vec<_> =
            kinds.iter().zip(&values).map(|(kind, value)| array(kind, std::slice::from_ref(value))).collect();
        let table = table("long", &kinds);
        begin(client);
        client.batch_execute(&table.create()).unwrap();
        copy_in(client, &table, &batch(arrays.clone(), 1, false)).unwrap();
        assert_eq!(copy_out(client, &table, 8_192).unwrap().0.columns, arrays);
        client.batch_execute("ROLLBACK").unwrap();
    });
}
