//! Catalogs that grow: is each column widened, each value as it was stored, and is what would be narrower
//! refused?

use crate::support::{
    events::file_of,
    schema::Schema,
    workdir::{Loader, Workdir},
};

fn sale(id: &str, timestamp: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    )
}

fn merging(schema: &Schema, dir: &Workdir, fields: &str, lines: &[String]) -> Loader {
    dir.write("in.json", file_of(lines));
    dir.write("catalog.toml", format!("[domain.shop.events.sale.fields]\n{fields}\n"));
    schema.loader(dir).source("in.json").args(["--backfill", "--mode", "merge", "--catalog", "catalog.toml"])
}

/// The same steps and values as those of files (`merging::widened`); how they are written is psql's.
#[test]
fn each_step_keeps_the_value_as_it_was_stored() {
    for (narrow, value, wide, data_type, widened) in [
        ("int32", "12.0", "int64", "bigint", "12"),
        ("int32", "-2147483648", "decimal(10,0)", "numeric(10,0)", "-2147483648"),
        ("int32", "2147483647", "decimal(12,2)", "numeric(12,2)", "2147483647.00"),
        ("int32", "-5", "float64", "double precision", "-5"),
        ("int64", "9223372036854775807", "decimal(20,1)", "numeric(20,1)", "9223372036854775807.0"),
        (
            "decimal(3,1)",
            "-99.9",
            "decimal(38,36)",
            "numeric(38,36)",
            "-99.900000000000000000000000000000000000",
        ),
        ("decimal(4,2)", "1.005", "decimal(6,4)", "numeric(6,4)", "1.0100"),
        ("date", "\"0001-01-01\"", "timestamp", "timestamp with time zone", "0001-01-01 00:00:00+00"),
        ("date", "\"2024-10-10\"", "timestamp(ms)", "timestamp with time zone", "2024-10-10 00:00:00+00"),
        ("int64", "12.0", "string", "text", "12"),
        ("int32", "1e2", "string", "text", "100"),
        ("decimal(6,2)", "12.5", "string", "text", "12.50"),
        ("decimal(6,2)", "-0.5", "string", "text", "-0.50"),
        ("float64", "5.0", "string", "text", "5"),
        ("float64", "0.10", "string", "text", "0.1"),
        ("float64", "-0.0", "string", "text", "-0"),
        ("float64", "1E+21", "string", "text", "1e21"),
        ("float64", "1e-7", "string", "text", "1e-7"),
        ("float64", "123456789012345680", "string", "text", "123456789012345680"),
        ("boolean", "\"true\"", "string", "text", "true"),
        ("boolean", "false", "string", "text", "false"),
        ("date", "\"2024-02-29\"", "string", "text", "2024-02-29"),
        ("date", "\"0001-01-01\"", "string", "text", "0001-01-01"),
        ("timestamp", "\"2024-10-10 02:00:00.120+02:00\"", "string", "text", "2024-10-10T00:00:00.120Z"),
        (
            "timestamp",
            "\"2024-10-10 02:00:00.000001+02:00\"",
            "string",
            "text",
            "2024-10-10T00:00:00.000001Z",
        ),
        ("timestamp", "\"0001-01-01T00:00:00Z\"", "string", "text", "0001-01-01T00:00:00Z"),
        ("timestamp(s)", "1728518407", "string", "text", "2024-10-10T00:00:07Z"),
        ("json", "[1.50, \"a\"]", "string", "text", "[1.50,\"a\"]"),
        ("list(int32)", "[1, null, 2]", "list(int64)", "bigint[]", "{1,NULL,2}"),
        ("list(int32)", "[]", "list(decimal(12,1))", "numeric(12,1)[]", "{}"),
        (
            "list(date)",
            "[\"2024-10-10\"]",
            "list(timestamp)",
            "timestamp with time zone[]",
            "{\"2024-10-10 00:00:00+00\"}",
        ),
        ("list(float64)", "[0.1, 1e21]", "list(string)", "text[]", "{0.1,1e21}"),
        ("list(list(int32))", "[[1], []]", "list(list(string))", "jsonb", r#"[["1"], []]"#),
        (
            "map(date)",
            r#"{"a": "2024-10-10"}"#,
            "map(timestamp)",
            "jsonb",
            r#"{"a": "2024-10-10T00:00:00Z"}"#,
        ),
        ("list(int32)", "[1, null, 2.0]", "string", "text", "[1,null,2]"),
        ("list(date)", "[\"2024-10-10\"]", "string", "text", "[\"2024-10-10\"]"),
        ("list(json)", r#"[{"a": 1}, "b"]"#, "string", "text", r#"["{\"a\":1}","\"b\""]"#),
        // In the order of jsonb: short keys first.
        ("map(decimal(4,2))", r#"{"a\n": 1.5, "b": null}"#, "string", "text", r#"{"b":null,"a\n":1.50}"#),
    ] {
        let Some(schema) = Schema::new() else { return };
        let dir = Workdir::new();
        let what = format!("{value} of {narrow} as {wide}");
        let held = [
            sale("a", "2024-10-10T01:00:00", &format!(r#"{{"v": {value}}}"#)),
            sale("b", "2024-10-10T02:00:00", r#"{"v": null}"#),
        ];
        merging(&schema, &dir, &format!("v = '{narrow}'"), &held).succeeds();
        let new = sale("c", "2024-10-10T03:00:00", r#"{"v": null}"#);
        let merged = merging(&schema, &dir, &format!("v = '{wide}'"), &[new]).succeeds();
        assert_eq!((merged.count("written"), merged.count("held_kept")), (1, 2), "{what}");
        let values = schema.lines("SELECT data_v FROM lake.sale ORDER BY event_id");
        assert_eq!(values, [widened, "NULL", "NULL"], "{what}");
        let found = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'lake.sale'::regclass AND attname = 'data_v'";
        assert_eq!(schema.psql(found), data_type, "{what}");
        schema.is_well(&dir);
    }
}

/// Objects in lists: members that are new, wider, or have another column.
#[test]
fn members_of_objects_are_widened_where_they_are() {
    let narrow = "v = { list = { fields = { n = { type = 'int32', column = 'm' }, o = { fields = { at = 'date' } } } } }";
    let wide = "v = { list = { fields = { new = 'boolean', o = { fields = { at = 'timestamp', more = 'string' } }, \
                n = { type = 'int64', column = 'm' } } } }";
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let held = r#"{"v": [{"n": 1, "o": {"at": "2024-10-10"}}, null, {"n": null}]}"#;
    merging(&schema, &dir, narrow, &[sale("a", "2024-10-10T01:00:00", held)]).succeeds();
    let new = sale("b", "2024-10-10T02:00:00", r#"{"v": [{"n": 3000000000, "new": true}]}"#);
    merging(&schema, &dir, wide, &[new]).succeeds();
    assert_eq!(
        schema.lines("SELECT data_v->0->'o'->>'at', data_v->0->>'m', data_v->0->>'new' FROM lake.sale ORDER BY event_id"),
        ["2024-10-10T00:00:00Z|1|NULL", "NULL|3000000000|true"]
    );
    schema.is_well(&dir);
    let text = sale("c", "2024-10-10T03:00:00", "{}");
    merging(&schema, &dir, "v = 'string'", &[text]).succeeds();
    assert_eq!(
        schema.lines("SELECT data_v FROM lake.sale ORDER BY event_id"),
        [
            r#"[{"o":{"at":"2024-10-10T00:00:00Z"},"m":1},null,{}]"#,
            r#"[{"new":true,"m":3000000000}]"#,
            "NULL"
        ]
    );
    schema.is_well(&dir);
}

#[test]
fn new_columns_are_null_in_old_rows() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    merging(&schema, &dir, "a = 'int32'", &[sale("a", "2024-10-10T01:00:00", r#"{"a": 1}"#)]).succeeds();
    let new = sale("b", "2024-10-10T02:00:00", r#"{"a": 2, "b": "x", "c": [[1]]}"#);
    let wide = "b = { type = 'string', description = 'new' }\na = 'int32'\nc = 'list(list(int32))'";
    merging(&schema, &dir, wide, std::slice::from_ref(&new)).succeeds();
    let rows = "SELECT event_id, data_a, data_b, data_c FROM lake.sale ORDER BY event_id";
    assert_eq!(schema.lines(rows), ["a|1|NULL|NULL", "b|2|x|[[1]]"]);
    assert_eq!(
        schema.psql("SELECT col_description('lake.sale'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'lake.sale'::regclass AND attname = 'data_b'"),
        "new"
    );
    schema.is_well(&dir);
    // The same events with the catalog of before: nothing is lost.
    let content = schema.content();
    let narrow = merging(&schema, &dir, "a = 'int32'", &[new]).run();
    assert_ne!(narrow.status.code(), Some(0), "{narrow}");
    assert_eq!(schema.content(), content);
}

#[test]
fn what_would_be_narrower_is_refused_by_both_types() {
    for (held, asked) in [
        ("int64", "int32"),
        ("decimal(12,2)", "int64"),
        ("decimal(12,2)", "decimal(12,4)"),
        ("timestamp", "date"),
        ("string", "int32"),
        ("list(int64)", "list(int32)"),
    ] {
        let Some(schema) = Schema::new() else { return };
        let dir = Workdir::new();
        merging(&schema, &dir, &format!("v = '{held}'"), &[sale("held", "2024-10-10T01:00:00", "{}")])
            .succeeds();
        let content = schema.content();
        let refused =
            merging(&schema, &dir, &format!("v = '{asked}'"), &[sale("new", "2024-11-11T01:00:00", "{}")])
                .exits(2);
        refused.says(&["has the column data_v of shop/sale", "nothing was changed", "or a wider one"]);
        assert_eq!(schema.content(), content, "{held} {asked}");
    }
}
