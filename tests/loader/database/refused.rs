//! What a database can't take, or the session may not do: is it refused before anything is changed, in one
//! line that says what to do?

use crate::support::{
    events::{account_open, event, file_of},
    schema::Schema,
    workdir::{Loader, Workdir},
};

fn with_an_event() -> Workdir {
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    dir
}

fn load(dir: &Workdir, address: &str) -> Loader {
    dir.bare_loader().args(["-s", "in.json", "-b", "-t", address])
}

#[test]
fn flags_of_files_are_refused() {
    let Some(schema) = Schema::new() else { return };
    let dir = with_an_event();
    for flags in [
        &["--layout", "hive"][..],
        &["--table", "delta"],
        &["--compression", "snappy"],
        &["--encodings", "basic"],
    ] {
        load(&dir, &schema.url()).args(flags).exits(2).says(&[flags[0], "database"]);
    }
    schema.loader(&dir).source("in.json").arg("-b").succeeds();
    let content = schema.content();
    schema.command(&dir, "rewrite").exits(2).says(&["database"]);
    assert_eq!(schema.content(), content);
    let recovered = schema.command(&dir, "recover").succeeds();
    assert!(recovered.stderr.contains("nothing"), "{recovered}");
}

#[test]
fn an_address_that_leads_nowhere_says_what_is_wrong() {
    let Some(schema) = Schema::new() else { return };
    let dir = with_an_event();
    let (place, good) = (schema.place().to_owned(), schema.url());
    let (host, database) = place.split_once('/').unwrap();
    for (address, code, parts) in [
        (format!("postgresql://postgres:wrong@{place}?schema=x"), 1, &["password", "postgres"][..]),
        (format!("postgresql://nobody:wrong@{place}?schema=x"), 1, &["nobody"]),
        (good.replace(&format!("/{database}?"), "/nothing?"), 1, &["nothing"]),
        (good.replace(host, "127.0.0.1:1"), 1, &["127.0.0.1:1"]),
        (good.replace(host, "no-such-host.invalid"), 1, &["no-such-host.invalid"]),
        (format!("{good}&sslmode=require"), 2, &["TLS"]),
        (format!("{good}&whatever=1"), 2, &["whatever"]),
        (format!("postgresql://postgres@{place}?schema=pg_lake"), 2, &["pg_lake"]),
    ] {
        for command in ["load", "verify", "list"] {
            let run = if command == "load" {
                load(&dir, &address)
            } else {
                dir.bare_loader().args([command, &address])
            };
            let outcome = run.exits(code);
            outcome.says(parts);
            assert!(
                !outcome.stderr.contains("wrong") && !outcome.stderr.contains(&schema.password()),
                "{outcome}"
            );
        }
    }
}

/// Each name is refused before the schema is made.
#[test]
fn names_that_a_table_can_not_have_are_refused_where_they_stand() {
    let Some(schema) = Schema::new() else { return };
    let dir = with_an_event();
    let long = "ä".repeat(32);
    for (catalog, parts) in [
        (format!("[domain.shop.events.{}.fields]\na = 'int32'", "x".repeat(64)), vec!["63", "64"]),
        (
            format!("[domain.shop.events.sale.fields]\na = {{ type = 'int32', column = '{long}' }}"),
            vec!["63", "64", &long],
        ),
        (
            "[domain.shop.events.sale.fields]\na = { type = 'int32', column = 'ctid' }".to_owned(),
            vec!["ctid"],
        ),
        (
            "[domain.shop.events.sale.fields]\na = { type = 'int32', column = 'xmin' }".to_owned(),
            vec!["xmin"],
        ),
        (
            "[domain.shop.events.sale.fields]\n".to_owned()
                + &(0..1_600).map(|number| format!("f{number} = 'int32'")).collect::<Vec<_>>().join("\n"),
            vec!["1604", "1600"],
        ),
    ] {
        dir.write("shop.toml", catalog);
        load(&dir, &schema.url()).args(["--catalog", "shop.toml"]).exits(2).says(&parts);
    }
    assert_eq!(schema.content(), "");
    let exists = format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{}'", schema.name);
    assert_eq!(schema.number(&exists), 0);
}

/// U+0000 is in no text of the server; instants and numbers that it has are not refused.
#[test]
fn values_that_no_column_holds_are_bad_lines() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write(
        "shop.toml",
        "[domain.shop.events.sale.fields]\ntext = 'string'\nraw = 'json'\nmap = 'map(string)'\nnested = { list = { fields = { n = 'string' } } }\n\
         list = 'list(string)'\nat = 'timestamp'\non = 'date'\nfloat = 'float64'\nwords = 'list(list(string))'\n[domain.other.events.\"*\"]\n",
    );
    let sale = |id: &str, data: &str| {
        format!(
            r#"{{"event_id": "{id}", "timestamp": "2024-10-10T00:00:00", "domain": "shop", "event_type": "sale", "data": {data}}}"#
        )
    };
    let nul = r"\u0000";
    let bad = [
        sale("text", &format!(r#"{{"text": "a{nul}b"}}"#)),
        sale("raw", &format!(r#"{{"raw": {{"a": "{nul}"}}}}"#)),
        sale("key", &format!(r#"{{"map": {{"{nul}": "a"}}}}"#)),
        sale("value", &format!(r#"{{"map": {{"a": "{nul}"}}}}"#)),
        sale("nested", &format!(r#"{{"nested": [{{"n": "{nul}"}}]}}"#)),
        sale("list", &format!(r#"{{"list": ["{nul}"]}}"#)),
        sale("words", &format!(r#"{{"words": [["{nul}"]]}}"#)),
        sale(&format!("id{nul}"), "{}"),
        format!(
            r#"{{"event_id": "t", "timestamp": "2024-10-10", "domain": "other", "event_type": "a{nul}", "data": {{}}}}"#
        ),
        format!(
            r#"{{"event_id": "l", "timestamp": "2024-10-10", "domain": "other", "event_type": "{}", "data": {{}}}}"#,
            "x".repeat(64)
        ),
    ];
    let good = [
        sale(
            "first",
            r#"{"at": "0001-01-01T00:00:00Z", "on": "0001-01-01", "float": 5e-324, "text": "\\u0000"}"#,
        ),
        sale(
            "last",
            r#"{"at": "9999-12-31T23:59:59.999999Z", "on": "9999-12-31", "float": -1.7976931348623157e308, "text": ""}"#,
        ),
        sale("unknown", &format!(r#"{{"elsewhere": "{nul}"}}"#)),
    ];
    dir.write("in.json", file_of(bad.iter().chain(&good)));
    let loaded = schema.loader(&dir).source("in.json").args(["-b", "--catalog", "shop.toml"]).succeeds();
    assert_eq!(loaded.count("written"), good.len() as u64, "{:#}", loaded.report());
    assert_eq!(
        loaded.reasons().get("out_of_range").copied(),
        Some(bad.len() as u64 - 1),
        "{:?}",
        loaded.reasons()
    );
    assert_eq!(
        schema.lines("SELECT data_at, data_on, data_float, data_text FROM lake.sale WHERE event_id <> 'unknown' ORDER BY event_id"),
        [
            r"0001-01-01 00:00:00+00|0001-01-01|5e-324|\u0000",
            "9999-12-31 23:59:59.999999+00|9999-12-31|-1.7976931348623157e+308|"
        ]
    );
    let said = schema.command(&dir, "quarantine").succeeds();
    assert!(said.stdout.contains("U+0000"), "{said}");
    schema.is_well(&dir);
    // To files, it is a character as any other.
    let plain = dir.loader().source("in.json").args(["-b", "--catalog", "shop.toml"]).succeeds();
    assert!(plain.count("written") >= 11, "{:#}", plain.report());
}

/// A schema with tables in it that no load has made: nothing of it is touched.
#[test]
fn a_schema_of_somebody_else_is_refused() {
    let Some(schema) = Schema::new() else { return };
    let dir = with_an_event();
    schema.psql(&format!("CREATE SCHEMA {}", schema.quoted()));
    schema.psql("CREATE TABLE lake.\"account-open\" (event_id text)");
    let content = schema.content();
    load(&dir, &schema.url()).exits(1).says(&["account-open", "nothing was changed"]);
    assert_eq!(schema.content(), content);
    // An empty one is as good as a new one.
    schema.psql("DROP TABLE lake.\"account-open\"");
    load(&dir, &schema.url()).succeeds();
    schema.is_well(&dir);
}

/// Roles with some rights: what is missing is named, and nothing is changed.
#[test]
fn rights_that_are_missing_are_named() {
    let Some(schema) = Schema::new() else { return };
    let dir = with_an_event();
    let role = format!("r{}", schema.name.to_lowercase().replace(' ', "_"));
    schema.psql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{role}'"));
    let as_role = schema.url_as(&role);
    load(&dir, &as_role).exits(1).says(&["permission denied for database", "nothing was changed"]);

    schema.loader(&dir).source("in.json").arg("-b").succeeds();
    let content = schema.content();
    load(&dir, &as_role).exits(1).says(&["permission denied", "nothing was changed"]);
    schema.psql(&format!("GRANT USAGE ON SCHEMA {} TO {role}", schema.quoted()));
    schema.psql(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {role}", schema.quoted()));
    // Who may read may list and verify, and not load.
    dir.bare_loader().args(["verify", &as_role]).succeeds();
    dir.bare_loader().args(["list", &as_role]).succeeds();
    dir.write(
        "in.json",
        file_of([account_open("b", "2024-10-10T08:00:00", 1), account_open("c", "2024-10-11T08:00:00", 1)]),
    );
    load(&dir, &as_role).exits(1).says(&["permission denied", "nothing was changed"]);
    assert_eq!(schema.content(), content);
    // An owner of the schema needs nothing else.
    schema.psql(&format!("DROP SCHEMA {0} CASCADE; CREATE SCHEMA {0} AUTHORIZATION {role}", schema.quoted()));
    load(&dir, &as_role).succeeds();
    dir.bare_loader().args(["verify", &as_role]).succeeds();
    schema.psql(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
}

/// A view on a table forbids other types of its columns: the load says which, and leaves all as it was.
#[test]
fn what_depends_on_a_column_is_named() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let merge = |kind: &str, number: &str| {
        dir.write("c.toml", format!("[domain.account.events.sale.fields]\nv = '{kind}'\n"));
        dir.write("in.json", event(number, "2024-10-10T00:00:00", "sale", &format!(r#"{{"v": {number}}}"#)));
        schema.loader(&dir).source("in.json").args(["-b", "--mode", "merge", "--catalog", "c.toml"])
    };
    merge("int32", "1").succeeds();
    schema.psql("CREATE VIEW lake.\"Sums\" AS SELECT sum(data_v) FROM lake.sale");
    let refused = merge("int64", "2").exits(1);
    refused.says(&["Sums", "nothing was changed"]);
    assert_eq!(schema.psql("SELECT data_v FROM lake.sale"), "1");
    schema.psql("DROP VIEW lake.\"Sums\"");
    merge("int64", "3000000000").succeeds();
    assert_eq!(schema.lines("SELECT data_v FROM lake.sale ORDER BY 1"), ["1", "3000000000"]);
    schema.is_well(&dir);
}
