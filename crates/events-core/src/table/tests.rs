//! What becomes of columns, for flat and nested tables, and what is recorded of them.

use arrow_schema::{DataType, Field as ArrowField, Schema};

use super::TableColumns;
use crate::{
    catalog::{Catalog, EventType},
    schema::TableForm,
};

const FLAT: TableForm = TableForm { flatten: true, has_event_type: true };
const NESTED: TableForm = TableForm { flatten: false, has_event_type: false };

fn event_type(text: &str) -> EventType {
    let text = format!("[domain.x]\n{text}\n[domain.x.events.y]");
    Catalog::from_toml(&[("c.toml", &text)]).unwrap().event_types()[0].clone()
}

fn changes(held: &str, asked: &str, form: TableForm) -> Vec<String> {
    let (held, asked) =
        (TableColumns::of(&event_type(held), form), { TableColumns::of(&event_type(asked), form) });
    held.changes(&asked).iter().map(ToString::to_string).collect()
}

const EVERYTHING: &str = "fields.a = { type = 'timestamp(s)', column = 'at' }\nfields.b = 'json'\n\
    fields.c = { list = { fields = { sku = { type = 'string', column = 'article' }, n = 'decimal(9,2)' } } }\n\
    fields.d = { fields = { e = 'date', f = 'map(list(boolean))' } }\nfields.g = 'float64'\nfields.h = 'int64'";

#[test]
fn a_table_has_the_columns_of_all_that_wrote_it() {
    let newer = event_type("fields.a = 'int64'\nfields.o = { fields = { x = 'date' } }");
    let older = event_type(
        "fields.b = 'json'\nfields.a = 'int32'\nfields.o = { fields = { y = 'boolean', x = 'date' } }",
    );
    let [newer, older] = [newer, older].map(|event_type| TableColumns::of(&event_type, NESTED));
    let text = |table: &TableColumns| serde_json::to_string(table).unwrap();
    let joined = newer.joined(&older);
    assert_eq!(
        text(&joined),
        r#"[["data",["{",".a","int64",".o","{",".x","date",".y","boolean","}",".b","json","}"]]]"#
    );
    assert!(older.changes(&joined).iter().all(|change| !change.fate.is_refused()));
    assert_eq!((joined.joined(&older), newer.joined(&newer)), (joined.clone(), newer.clone()));
    assert_eq!(text(&joined.filtered(|name| name != "data")), "[]");
}

#[test]
fn what_is_recorded_is_read_back() {
    for form in [FLAT, NESTED] {
        let table = TableColumns::of(&event_type(EVERYTHING), form);
        let text = serde_json::to_string(&table).unwrap();
        let read: TableColumns = serde_json::from_str(&text).unwrap();
        assert_eq!((&read, read.fingerprint()), (&table, table.fingerprint()));
    }
    let text = serde_json::to_string(&TableColumns::of(&event_type(EVERYTHING), FLAT)).unwrap();
    assert_eq!(
        text,
        r#"[["at","timestamp"],["data_b","json"],["data_c",["list","{",".article","string",".n","decimal(9,2)","}"]],["data_d_e","date"],["data_d_f",["map","list","boolean"]],["data_g","float64"],["data_h","int64"]]"#
    );
    let deep = format!(r#"[["a",[{}"int32"]]]"#, r#""list","#.repeat(300));
    for damaged in [r#"[["a","int128"]]"#, r#"[["a",["list"]]]"#, r#"[["a",["{",".b","int32"]]]"#, &deep] {
        assert!(serde_json::from_str::<TableColumns>(damaged).is_err(), "{damaged}");
    }
}

#[test]
fn a_file_has_the_columns_of_its_catalog() {
    for form in [FLAT, NESTED] {
        let event_type = event_type(EVERYTHING);
        let asked = TableColumns::of(&event_type, form);
        let of_file = TableColumns::of_schema(&form.schema(&event_type)).unwrap();
        assert_eq!(of_file.changes(&asked), []);
    }
    let small = ArrowField::new("small", DataType::Int16, true);
    let found = TableColumns::of_schema(&Schema::new(vec![small]));
    assert_eq!(found, Err(("small".to_owned(), DataType::Int16)));
}

#[test]
fn each_column_is_added_widened_or_refused() {
    let held = "fields.n = 'int32'\nfields.l = { list = { fields = { a = 'date', b = 'int64' } } }\nfields.s = 'string'";
    let asked = "fields.n = 'int64'\nfields.l = { list = { fields = { a = 'timestamp(s)', b = 'int32', c = 'json' } } }\n\
                 fields.new = 'list(int32)'";
    let lost = "data_s (string) would be lost";
    let of_list = |column: &str| {
        [
            format!("{column}.a: date → timestamp"),
            format!("{column}.b is int64, and int32 does not have all of its values"),
            format!("{column}.c: json, new"),
        ]
    };
    let flat = [
        &["data_n: int32 → int64".to_owned()][..],
        &of_list("data_l"),
        &["data_new: list(int32), new".to_owned(), lost.to_owned()],
    ];
    assert_eq!(changes(held, asked, FLAT), flat.concat());
    let nested = changes(held, asked, NESTED);
    assert_eq!(nested[..4], [&["data.n: int32 → int64".to_owned()][..], &of_list("data.l")].concat());
    assert_eq!(
        changes("fields.a = 'string'", "fields.a = 'json'", FLAT),
        ["data_a is string, and json does not have all of its values"]
    );
    assert_eq!(
        changes("fields.a = 'list(int32)'", "fields.a = 'string'", FLAT),
        ["data_a: list(int32) → string"]
    );
}

#[test]
fn what_decides_the_latest_version_becomes_no_text() {
    let held = "version = ['v', 'o.w']\nfields.v = 'int32'\nfields.o = { fields = { w = 'timestamp' } }";
    let asked = "version = ['v', 'o.w']\nfields.v = 'string'\nfields.o = { fields = { w = 'string' } }";
    let refused = |v: &str, w: &str| {
        [(v, "int32"), (w, "timestamp")].map(|(column, from)| {
            format!("{column} is {from} and decides the latest version: string has another order")
        })
    };
    assert_eq!(changes(held, asked, FLAT), refused("data_v", "data_o_w"));
    assert_eq!(changes(held, asked, NESTED), refused("data.v", "data.o.w"));
    let wider = held.replace("int32", "decimal(20,0)");
    assert_eq!(changes(held, &wider, FLAT), ["data_v: int32 → decimal(20,0)"]);
}
