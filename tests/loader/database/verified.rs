//! Does `verify` find whatever is not as the loads left it, and nothing else; and does `accept` take it as
//! meant?

use clap::Parser as _;
use datagen::{
    cli::Cli,
    deliver::{NoProgress, deliver},
};

use crate::support::{
    events::{file_of, plain_events},
    schema::Schema,
    workdir::Workdir,
};

/// Two days of events and a bad line, by two loads.
fn loaded() -> Option<(Schema, Workdir)> {
    let (schema, dir) = (Schema::new()?, Workdir::new());
    let mut lines = plain_events(7, 300, 600);
    lines.push("a bad line".to_owned());
    dir.write("in.json", file_of(&lines));
    schema.loader(&dir).source("in.json").args(["--date", "2024-10-10"]).succeeds();
    schema.loader(&dir).source("in.json").arg("--backfill").succeeds();
    schema.is_well(&dir);
    Some((schema, dir))
}

const OPEN: &str = "lake.\"account-open\"";

/// Each damage by SQL, and what the problem says.
#[test]
fn every_damage_is_found() {
    for (damage, parts) in [
        ("DELETE FROM {} WHERE event_id = (SELECT min(event_id) FROM {})", &["account-open/2024-10-10"][..]),
        (
            "UPDATE {} SET \"timestamp\" = '2024-10-14' WHERE event_id = (SELECT min(event_id) FROM {})",
            &["account-open/2024-10-14"],
        ),
        (
            "INSERT INTO {} SELECT 'foreign', '2024-10-10', domain, event_type, data_id FROM {} LIMIT 1",
            &["account-open/2024-10-10"],
        ),
        ("TRUNCATE {}", &["account-open/2024-10-10"]),
        ("DROP TABLE {}", &["account-open"]),
        ("ALTER TABLE {} DROP COLUMN data_id", &["account-open", "data_id"]),
        ("ALTER TABLE {} ALTER COLUMN data_id TYPE text", &["account-open", "data_id"]),
        ("ALTER TABLE {} RENAME COLUMN data_id TO other", &["account-open", "data_id"]),
        (
            "UPDATE {} SET domain = 'other' WHERE event_id = (SELECT min(event_id) FROM {})",
            &["account-open", "another event type"],
        ),
        ("DELETE FROM lake._quarantine", &["_quarantine"]),
        ("UPDATE lake._quarantine SET record = '{\"'", &["_quarantine"]),
        ("DELETE FROM lake._loads WHERE number = 1", &["1"]),
        ("UPDATE lake._loads SET record = '[]' WHERE number = 2", &["2"]),
    ] {
        let Some((schema, dir)) = loaded() else { return };
        schema.psql(&damage.replace("{}", OPEN));
        let content = schema.content();
        let outcome = schema.command(&dir, "verify").exits(1);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for part in parts {
            assert!(said.contains(part), "{damage}: expected {part:?} in {outcome}");
        }
        assert_eq!(schema.content(), content, "verify changes nothing");
    }
}

/// Without its index, an id may be there twice.
#[test]
fn an_event_that_is_twice_is_found() {
    let Some((schema, dir)) = loaded() else { return };
    let index = format!(
        "SELECT indexname FROM pg_indexes WHERE schemaname = '{}' AND tablename = 'account-open' AND indexdef LIKE '%UNIQUE%'",
        schema.name
    );
    let index = schema.psql(&index);
    schema.psql(&format!("DROP INDEX lake.\"{index}\""));
    let id = schema.psql(&format!("SELECT min(event_id) FROM {OPEN}"));
    schema.psql(&format!("INSERT INTO {OPEN} SELECT * FROM {OPEN} WHERE event_id = '{id}'"));
    let outcome = schema.command(&dir, "verify").exits(1);
    assert!(outcome.stdout.contains(&id), "{outcome}");
}

/// Rows that were deleted on purpose: merges are refused until they are accepted.
#[test]
fn what_is_meant_is_accepted() {
    let Some((schema, dir)) = loaded() else { return };
    schema.psql(&format!("DELETE FROM {OPEN} WHERE \"timestamp\" < '2024-10-11'"));
    schema.command(&dir, "verify").exits(1);
    schema.command(&dir, "accept").succeeds();
    schema.is_well(&dir);
    let sources = "SELECT count(*) FROM lake._loads";
    assert_eq!(schema.number(sources), 3);
}

#[test]
fn a_manifest_is_met_or_what_is_missing_is_named() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let path = |name: &str| dir.path(name).display().to_string();
    let (events, truth) = (path("events"), path("truth.json"));
    let faults = "duplicates=2%,corrections=5%,late=2%";
    let arguments = [
        "datagen",
        "-q",
        "-n",
        "2000",
        "-s",
        "3",
        "--faults",
        faults,
        "-w",
        "-b",
        &events,
        "--manifest",
        &truth,
    ];
    deliver(&Cli::try_parse_from(arguments).unwrap().run_spec(), &NoProgress).unwrap();
    schema.loader(&dir).source("events/*").arg("-b").succeeds();
    let against = || schema.command(&dir, "verify").args(["--against", "truth.json"]);
    against().succeeds();
    let first = "(SELECT min(event_id) FROM lake.\"payment-to\" WHERE \"timestamp\" < '2024-10-11')";
    schema.psql(&format!("DELETE FROM lake.\"payment-to\" WHERE event_id = {first}"));
    let missing = against().exits(1);
    let rows = schema.number("SELECT count(*) FROM lake.\"payment-to\" WHERE \"timestamp\" < '2024-10-11'");
    let expected = format!("payment-to/2024-10-10: has {rows} rows, the manifest has {}", rows + 1);
    assert!(missing.stdout.contains(&expected), "{missing}");
}
