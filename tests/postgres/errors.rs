//! What is said of a database that can't be used. No message has a password in it.

use std::net::TcpListener;

use event_target::{Location, Target, TargetError};
use postgres_session::{open, open_with};
use storage::Unusable;

use crate::support::{Schema, by_day, load, record};

fn refused(address: &str) -> (Unusable, String) {
    let error = open_with(address, &|_| None).map(|_| ()).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains("hush") && !text.contains("Elbe"), "{text}");
    (error.kind, text)
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (kind, text) = refused(&format!("postgresql://u:hush@127.0.0.1:{port}/d?schema=s"));
    assert_eq!(kind, Unusable::Unreachable);
    let begin = format!("postgresql://u@127.0.0.1:{port}/d?schema=s: the server can't be reached: ");
    assert!(text.starts_with(&begin) && text.contains("refused"), "{text}");
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let (kind, text) = refused(&format!("postgresql://u:hush@127.0.0.1:{port}/d?connect_timeout=1"));
    assert_eq!(kind, Unusable::Unreachable);
    assert!(text.ends_with("the server can't be reached: there is no answer after 1 s"), "{text}");
    let (kind, text) = refused("postgresql://u:hush@no-such-host.invalid/d");
    assert_eq!(kind, Unusable::Unreachable, "{text}");
}

#[test]
fn a_wrong_password_or_database_is_told() {
    let Some(schema) = Schema::new("wrong") else { return };
    let host = schema.host();
    let (kind, text) = refused(&format!("postgresql://postgres:hush@{host}/lake"));
    assert_eq!(kind, Unusable::Refused, "{text}");
    assert!(text.contains("password authentication failed") && text.contains("28P01"), "{text}");
    let (kind, text) = refused(&format!("postgresql://postgres@{host}/lake"));
    assert_eq!(kind, Unusable::NoCredentials, "{text}");
    assert!(text.contains("set PGPASSWORD"), "{text}");
    let missing = schema.address("").replace("/lake?", "/no%20lake?");
    let (kind, text) = refused(&missing);
    assert_eq!(kind, Unusable::Bucket, "{text}");
    assert!(text.contains("database \"no lake\" does not exist"), "{text}");
    let (kind, text) = refused(&schema.address("sslmode=require"));
    assert_eq!(kind, Unusable::Setting, "{text}");
    assert!(text.contains("server does not support TLS"), "{text}");
}

/// A role that may do little, with an address of the schema as it.
fn as_role(schema: &Schema, options: &str) -> String {
    let role = format!("r{}", schema.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    schema.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'hush' {options}"));
    let (_, rest) = schema.address("").split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    format!("postgresql://{role}:hush@{rest}")
}

fn drop_role(schema: &Schema) {
    let role = format!("r{}", schema.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    schema.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_user_needs_the_schema_or_the_right_to_create_it() {
    let Some(schema) = Schema::new("rights") else { return };
    let location = Location::database(open(&as_role(&schema, "")).unwrap());
    let error = load(&location, "a", &record(1, "x")).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, TargetError::Unwritable { .. }), "{text}");
    assert!(text.contains("permission denied for database lake (SQLSTATE 42501)"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    // With a schema of his own he needs no more.
    let role = format!("r{}", schema.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    schema.run(&format!(
        "CREATE SCHEMA {} AUTHORIZATION {role}",
        events_core::sql_text::double_quoted(&schema.name)
    ));
    load(&location, "a", &record(1, "x")).unwrap();
    assert_eq!(location.history(|_, _| {}).unwrap().commits(), 1);
    drop_role(&schema);
}

#[test]
fn a_user_who_only_reads_is_refused_before_anything_is_done() {
    let Some(schema) = Schema::new("reader") else { return };
    let address = as_role(&schema, "");
    let role = format!("r{}", schema.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    schema.run(&format!("ALTER ROLE {role} SET default_transaction_read_only = on"));
    let Err(error) = Target::open(&Location::database(open(&address).unwrap())) else { panic!("it is open") };
    let text = error.to_string();
    assert!(matches!(error, TargetError::Unwritable { .. }), "{text}");
    assert!(text.contains("default_transaction_read_only is on"), "{text}");
    drop_role(&schema);
}

#[test]
fn a_database_that_does_not_have_all_characters_is_refused() {
    let Some(schema) = Schema::new("latin") else { return };
    let database = format!("latin{}", std::process::id());
    let how = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0";
    schema.run_alone(&format!("CREATE DATABASE {database} {how}"));
    let address = schema.address("").replace("/lake?", &format!("/{database}?"));
    {
        let location = Location::database(open(&address).unwrap());
        let Err(error) = Target::open(&location) else { panic!("it is open") };
        assert!(
            error.to_string().contains("has texts in LATIN1; create one with ENCODING 'UTF8'"),
            "{error}"
        );
    }
    schema.run_alone(&format!("DROP DATABASE {database} WITH (FORCE)"));
}

#[test]
fn what_another_program_has_made_is_left_alone() {
    for relation in ["TABLE %% (number int)", "VIEW %% AS SELECT 1 AS number"] {
        let Some(schema) = Schema::new("foreign") else { return };
        let create = relation.replace("%%", &schema.table("_loads"));
        schema.run(&format!(
            "CREATE SCHEMA {}; CREATE {create}",
            events_core::sql_text::double_quoted(&schema.name)
        ));
        let error = load(&schema.location(), "a", "").unwrap_err().to_string();
        assert!(error.contains("has a relation \"_loads\" that no eventloader made"), "{error}");
        assert!(schema.location().history(|_, _| {}).is_err());
    }
}

#[test]
fn a_record_that_was_changed_is_told() {
    let Some(schema) = Schema::new("damaged") else { return };
    let location = schema.location();
    load(&location, "a", "").unwrap();
    load(&location, "b", "").unwrap();
    schema.run(&format!("UPDATE {} SET number = 7 WHERE number = 2", schema.table("_loads")));
    let error = location.history(|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("#_loads/7: it is the record of commit 2"), "{error}");
}

#[test]
fn a_transaction_that_the_server_ends_has_changed_nothing() {
    let Some(schema) = Schema::new("ended") else { return };
    let location = schema.location();
    let mut target = Target::open(&location).unwrap();
    let event_target::Staging::Database(transaction) = target.begin(&by_day()).unwrap() else {
        panic!("a database stages files elsewhere")
    };
    let pid = transaction.session().query("SELECT pg_backend_pid()", &[]).unwrap();
    let pid = pid[0][0].clone().unwrap();
    schema.open().read().unwrap().query(&format!("SELECT pg_terminate_backend({pid})"), &[]).unwrap();
    let new = event_target::NewCommit::of(Vec::new(), by_day(), event_target::LoadFacts::default());
    let error = target.commit(new, 1).unwrap_err().to_string();
    assert!(error.contains("the connection was lost: ") && error.contains("nothing was changed"), "{error}");
    assert!(!schema.exists());
    // The next run of the same process has another connection.
    load(&location, "a", "").unwrap();
}
