//! What runs at once see of each other.

use std::{
    io,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use event_target::{Location, Target, TargetError};
use postgres_session::open;

use crate::support::{Schema, by_day, load, record};

#[test]
fn of_runs_at_once_each_sees_what_the_others_committed() {
    const RUNS: usize = 6;
    let Some(schema) = Schema::new("once") else { return };
    let barrier = Barrier::new(RUNS);
    thread::scope(|scope| {
        for run in 0..RUNS {
            let (schema, barrier) = (&schema, &barrier);
            scope.spawn(move || {
                let location = schema.location();
                barrier.wait();
                // The first one creates the schema and its tables.
                load(&location, &format!("run{run}"), &record(1, "x")).unwrap();
            });
        }
    });
    let history = schema.location().history(|_, _| {}).unwrap();
    assert_eq!((history.commits(), history.files.len()), (RUNS as u64, RUNS));
}

#[test]
fn a_run_waits_for_another_one_and_tells_who_it_is_if_that_does_not_end() {
    let Some(schema) = Schema::new("wait") else { return };
    let mut first = Target::open(&schema.location()).unwrap();
    first.begin(&by_day()).unwrap();
    let second = Location::database(open(&schema.address("lock_timeout=1")).unwrap());
    let Err(refused) = Target::open(&second) else { panic!("two runs change the schema at once") };
    let text = refused.to_string();
    assert!(matches!(refused, TargetError::Locked { .. }), "{text}");
    assert!(text.contains("another load is using it (process "), "{text}");
    assert!(
        text.contains(" of the server, from 127.0.0.1") && text.contains("did not end within 1 s"),
        "{text}"
    );
    // Another schema is another target.
    let other = Schema::new("wait").unwrap();
    load(&other.location(), "a", "").unwrap();
    // It goes on as soon as the first one ends.
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            load(&schema.location(), "b", "").unwrap();
            assert!(ended.load(Ordering::SeqCst), "it did not wait");
        });
        thread::sleep(Duration::from_millis(500));
        ended.store(true, Ordering::SeqCst);
        first.abandon();
        waiting.join().unwrap();
    });
}

#[test]
fn a_reader_sees_one_moment() {
    let Some(schema) = Schema::new("moment") else { return };
    let location = schema.location();
    load(&location, "a", &record(1, "x")).unwrap();
    let lock = location.lock_to_read().unwrap();
    load(&schema.location(), "b", &record(1, "x")).unwrap();
    assert_eq!(location.history(|_, _| {}).unwrap().commits(), 1);
    assert_eq!(location.quarantine_files(None).unwrap(), ["a.jsonl"]);
    drop(lock);
    assert_eq!(location.history(|_, _| {}).unwrap().commits(), 2);
}

#[test]
fn what_was_not_committed_never_was() {
    let Some(schema) = Schema::new("undone") else { return };
    let database = schema.open();
    let mut session = database.change().unwrap();
    session
        .execute(&format!("CREATE SCHEMA {}", events_core::sql_text::double_quoted(&schema.name)), &[])
        .unwrap();
    let table = schema.table("t");
    session.execute(&format!("CREATE TABLE {table} (x text); COMMENT ON TABLE {table} IS 'x'"), &[]).unwrap();
    // An error of whoever sends rows is his own, and ends the transaction.
    let mut pieces = 0;
    let refused = session.copy_in(&format!("COPY {table} FROM STDIN"), &mut || {
        pieces += 1;
        if pieces > 3 {
            return Err(TargetError::io("making rows")(io::Error::other("no more")));
        }
        Ok(Some(b"row\n".repeat(100_000)))
    });
    assert_eq!(refused.unwrap_err().to_string(), "making rows: no more; nothing was changed");
    assert!(session.query(&format!("SELECT x FROM {table}"), &[]).is_err());
    session.execute("COMMIT", &[]).unwrap();
    drop(session);
    assert!(!schema.exists(), "COMMIT behind an error has committed something");
}

#[test]
fn rows_are_counted_and_come_back_in_pieces() {
    let Some(schema) = Schema::new("rows") else { return };
    let database = schema.open();
    let mut session = database.change().unwrap();
    session
        .execute(&format!("CREATE SCHEMA {}", events_core::sql_text::double_quoted(&schema.name)), &[])
        .unwrap();
    let table = schema.table("t");
    session.execute(&format!("CREATE TABLE {table} (x text, n bigint)"), &[]).unwrap();
    let mut pieces = vec![b"a\t1\nb\t".to_vec(), b"2\nc\t\\N\n".to_vec()].into_iter();
    assert_eq!(session.copy_in(&format!("COPY {table} FROM STDIN"), &mut || Ok(pieces.next())).unwrap(), 3);
    let mut out = Vec::new();
    let copy = format!("COPY (SELECT * FROM {table} ORDER BY x) TO STDOUT");
    session
        .copy_out(&copy, &mut |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    assert_eq!(out, b"a\t1\nb\t2\nc\t\\N\n");
    let rows =
        session.query(&format!("SELECT x, n, n > $1::bigint FROM {table} ORDER BY 1"), &["1"]).unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(rows[0], [text("a"), text("1"), text("f")]);
    assert_eq!(rows[2], [text("c"), None, None]);
    assert_eq!(
        session.execute(&format!("DELETE FROM {table} WHERE x = ANY($1::text[])"), &["{a,c,d}"]).unwrap(),
        2
    );
}
