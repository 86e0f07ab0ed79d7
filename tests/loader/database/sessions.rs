//! Other sessions, lost connections, secrets: does a load wait for another one, end when it can't, and tell
//! nobody what it was told?

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::support::{
    events::{account_open, file_of, plain_events},
    schema::Schema,
    workdir::Workdir,
};

/// Another session holds the lock of a load's schema.
#[test]
fn a_target_that_another_load_holds_is_waited_for_and_then_left() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    let lock = format!("SELECT pg_advisory_xact_lock(hashtextextended('eventloader {}', 0))", schema.name);
    let held = format!(
        "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%eventloader {}%'",
        schema.name
    );
    let is_held = || schema.number(&format!("SELECT count(*) {held}")) == 1;
    thread::scope(|scope| {
        let holder = scope.spawn(|| schema.psql(&format!("BEGIN; {lock}; SELECT pg_sleep(8); COMMIT")));
        while !is_held() {
            assert!(!holder.is_finished(), "nobody holds the lock");
            thread::sleep(Duration::from_millis(20));
        }
        let since = schema
            .psql(&format!("SELECT to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') {held}"));
        let url = schema.url() + "&lock_timeout=1";
        let refused = dir.bare_loader().args(["-s", "in.json", "-b", "-t", &url]).exits(4);
        let who = "another load is using it (process ";
        refused.says(&[who, &since, "did not end within 1 s", "wait for it to end"]);
        // Who only reads does not wait.
        dir.bare_loader().args(["verify", &url]).run();
        assert!(is_held(), "the load and verify have waited for longer than a second");
        // The default is long enough.
        schema.loader(&dir).source("in.json").arg("-b").succeeds();
        assert!(!is_held(), "the load has not waited");
    });
    assert_eq!(schema.number("SELECT count(*) FROM lake.\"account-open\""), 1);
}

/// A session that is terminated in the middle of a load: exit code 1, and nothing is there.
#[test]
fn a_session_that_is_terminated_changes_nothing() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    schema.loader(&dir).source("in.json").arg("-b").succeeds();
    let content = schema.content();
    dir.write("more.json", file_of(plain_events(3, 60_000, 1)));
    let terminate = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity a WHERE application_name LIKE 'eventloader%' AND state <> 'idle' \
         AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND locktype = 'advisory' \
                     AND (classid::bigint << 32 | objid::bigint) = hashtextextended('eventloader {}', 0))",
        schema.name
    );
    let outcome = thread::scope(|scope| {
        let load = scope.spawn(|| schema.loader(&dir).source("more.json").arg("-b").run());
        while !load.is_finished() && schema.number(&terminate) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        load.join().unwrap()
    });
    assert_eq!(outcome.status.code(), Some(1), "{outcome}");
    outcome.says(&["nothing was changed"]);
    assert_eq!(schema.content(), content);
    schema.loader(&dir).source("more.json").arg("-b").succeeds();
    schema.is_well(&dir);
}

#[test]
fn a_secret_is_nowhere() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1), "broken".to_owned()]));
    let (url, password) = (schema.url(), schema.password());
    let mut printed = String::new();
    let mut run = |line: &[&str], code| {
        let outcome = dir.bare_loader().args(line).exits(code);
        printed.push_str(&outcome.stdout);
        printed.push_str(&outcome.stderr);
    };
    run(&["-s", "in.json", "-b", "-v", "-t", &url, "--report", "report.json"], 0);
    run(&["list", "--json", &url], 0);
    run(&["quarantine", &url], 0);
    run(&["verify", &url], 0);
    run(&["recover", &url], 0);
    run(&["rewrite", &url], 2);
    run(&["verify", &url.replace("/lake?", "/nothing?")], 1);
    run(&["-s", "in.json", "-b", "-t", &format!("{url}&nonsense=1")], 2);
    run(&["-s", &url, "-b", "-t", "target"], 1);
    printed += &fs_err::read_to_string(dir.path("report.json")).unwrap();
    printed += &schema.content();
    assert!(printed.contains("account-open"), "{printed}");
    let encoded = password.replace(' ', "%20").replace('/', "%2F");
    for secret in [password, encoded] {
        assert!(!printed.contains(&secret), "{printed}");
    }
}

/// The password of the address wins over the environment's, which wins over the file's.
#[test]
fn passwords_come_from_the_address_the_environment_or_a_file() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    let (place, name) = (schema.place().to_owned(), schema.name.replace(' ', "%20"));
    let (host, database) = place.split_once('/').unwrap();
    let without = format!("postgresql://postgres@{place}?schema={name}");
    let load = |address: &str| {
        let loader = dir.bare_loader().args(["-s", "in.json", "-b", "-t", address]);
        loader.env("PGPASSWORD", "").env("HOME", dir.path("home").to_str().unwrap()).env("PGPASSFILE", "")
    };
    load(&without).exits(2).says(&["password", "PGPASSWORD"]);
    load(&without).env("PGPASSWORD", &schema.password()).succeeds();
    load(&schema.url()).env("PGPASSWORD", "wrong").succeeds();
    let pass = format!("other:*:*:*:wrong\n{host}:{database}:postgres:{}\n", schema.password());
    let file = dir.write("home/.pgpass", pass);
    assert!(Command::new("chmod").arg("600").arg(&file).stdout(Stdio::null()).status().unwrap().success());
    load(&without).succeeds();
    load(&without).env("PGPASSWORD", "wrong").exits(1).says(&["password"]);
    // Others may read it, so it is left alone, as psql does it.
    assert!(Command::new("chmod").arg("644").arg(&file).status().unwrap().success());
    load(&without).exits(2).says(&["password", "chmod 600"]);
}
