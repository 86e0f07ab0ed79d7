//! Commits: their bytes, several writers, lost answers.

use std::{cell::Cell, sync::Barrier, thread};

use super::*;

#[test]
fn the_bytes_of_a_commit_are_a_function_of_its_actions() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let info = [("operation".to_owned(), "MERGE".into()), ("engineInfo".to_owned(), "eventloader".into())];
    let old = file("day=2024-10-10/a b.parquet", 3);
    commit(&table, 11, &[Action::Add(old.clone())]);
    let new =
        AddFile { partition_values: [("day".to_owned(), None)].into(), tags: Texts::new(), ..file("b", 4) };
    let actions = [
        Action::Remove(old.removed(12, true)),
        Action::Add(new),
        transaction("eventloader", 2),
        Action::CommitInfo(info.into_iter().collect()),
    ];
    commit(&table, 12, &actions);
    let text = |version| String::from_utf8(store.read(&commit_key(version)).unwrap().unwrap()).unwrap();
    assert_eq!(
        text(0),
        r#"{"commitInfo":{"operation":"WRITE","operationParameters":{},"timestamp":11}}
{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"6b1d","format":{"provider":"parquet","options":{}},"schemaString":"{\"fields\":[{\"metadata\":{},\"name\":\"day\",\"nullable\":true,\"type\":\"date\"}],\"type\":\"struct\"}","partitionColumns":["day"],"configuration":{},"createdTime":5}}
{"add":{"path":"day=2024-10-10/a%20b.parquet","partitionValues":{"day":"2024-10-10"},"size":3,"modificationTime":7,"dataChange":true,"stats":"{\"numRecords\":3}","tags":{"xxh3":"00ff"}}}
"#
    );
    assert_eq!(
        text(1),
        r#"{"commitInfo":{"engineInfo":"eventloader","operation":"MERGE","operationParameters":{},"timestamp":12}}
{"remove":{"path":"day=2024-10-10/a%20b.parquet","deletionTimestamp":12,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{"day":"2024-10-10"},"size":3}}
{"add":{"path":"b","partitionValues":{"day":null},"size":4,"modificationTime":7,"dataChange":true,"stats":"{\"numRecords\":4}"}}
{"txn":{"appId":"eventloader","version":2}}
"#
    );
    assert_eq!(table.actions(1).unwrap().unwrap().len(), 4);
    assert_eq!(table.actions(2).unwrap(), None);
}

/// Each round, two writers with what they last knew commit at once.
#[test]
fn of_writers_at_once_both_are_in_a_log_without_a_gap() {
    const ROUNDS: i64 = 20;
    let directory = tempfile::tempdir().unwrap();
    let store = local(directory.path());
    let table = &Table::new(&store, ROOT);
    let mut writers = [("a", None), ("b", None)];
    for round in 1..=ROUNDS {
        let barrier = &Barrier::new(writers.len());
        thread::scope(|scope| {
            for (writer, known) in &mut writers {
                scope.spawn(move || {
                    barrier.wait();
                    write(table, writer, round, known);
                });
            }
        });
    }
    let snapshot = table.snapshot().unwrap().unwrap();
    assert_eq!(snapshot.version, 2 * 20 - 1);
    assert_eq!(["a", "b"].map(|writer| snapshot.transaction(writer)), [Some(ROUNDS); 2]);
    assert_eq!(snapshot.files.len(), 40);
}

/// Commits one file, whose length is the number of tries.
fn write(table: &Table<'_>, writer: &str, round: i64, known: &mut Option<Snapshot>) {
    let made = Cell::new(0);
    let version = table.commit::<LogError>(known, round, |snapshot| {
        made.set(made.get() + 1);
        let begin = if snapshot.is_none() { beginning() } else { Vec::new() };
        assert_eq!(snapshot.and_then(|it| it.transaction(writer)), (round > 1).then_some(round - 1));
        let file = Action::Add(file(&format!("{writer}-{round}"), made.get()));
        Ok(Some([begin, vec![file, transaction(writer, round)]].concat()))
    });
    let known = known.as_ref().unwrap();
    assert_eq!(version.unwrap(), Some(known.version));
    assert_eq!(known.files[&format!("{writer}-{round}")].size_bytes, made.get());
}

#[test]
fn a_commit_whose_answer_was_lost_is_made_once() {
    let store = MemoryStore::losing_one_answer_of(3);
    let table = Table::new(&store, ROOT);
    let mut snapshot = None;
    for number in 0..100 {
        let version = table.commit::<LogError>(&mut snapshot, 1, |snapshot| {
            let begin = if snapshot.is_none() { beginning() } else { Vec::new() };
            Ok(Some([begin, vec![Action::Add(file(&number.to_string(), number))]].concat()))
        });
        assert_eq!(version.unwrap(), Some(number));
    }
    assert_eq!(store.keys().len(), 100);
    assert_eq!(table.snapshot().unwrap(), snapshot);
}

/// A record that somebody else has rolled forward meanwhile.
#[test]
fn what_another_writer_has_done_is_not_done_again() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    commit(&table, 1, &[transaction("eventloader", 1)]);
    let mut stale = table.snapshot().unwrap();
    commit(&table, 2, &[Action::Add(file("a", 1)), transaction("eventloader", 2)]);
    let version = table.commit::<LogError>(&mut stale, 3, |snapshot| {
        let is_done = snapshot.unwrap().transaction("eventloader") >= Some(2);
        Ok((!is_done).then(|| vec![Action::Add(file("b", 1)), transaction("eventloader", 2)]))
    });
    assert_eq!(version.unwrap(), None);
    assert_eq!(stale, table.snapshot().unwrap());
    assert_eq!(paths(stale.as_ref().unwrap()), ["a"]);
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("refused")]
    ByMaker,
    #[error(transparent)]
    ByLog(#[from] LogError),
}

#[test]
fn an_error_of_the_maker_ends_a_commit() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let refused = table.commit(&mut None, 1, |_| Err(Refused::ByMaker)).unwrap_err();
    assert!(matches!(refused, Refused::ByMaker));
    assert!(matches!(table.commit(&mut None, 1, |_| Ok(Some(vec![]))), Err(Refused::ByLog(_))));
    assert!(store.keys().is_empty());
}

#[test]
fn what_readers_would_refuse_is_not_committed() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    commit(&table, 1, &[Action::Add(file("a", 1))]);
    let without_day = AddFile { partition_values: crate::PartitionValues::new(), ..file("b", 1) };
    for (actions, problem) in [
        (
            vec![Action::Add(file("b", 1)), Action::Add(file("b", 2))],
            "the file \"b\" is there for the second time",
        ),
        (
            vec![Action::Remove(file("a", 1).removed(1, true)), Action::Add(file("a", 2))],
            "\"a\" is there for the",
        ),
        (vec![transaction("x", 1), transaction("x", 2)], "the `txn` of \"x\" is there for the second time"),
        (vec![Action::Add(file("../b", 1))], "\"../b\" is not the path of a file below the table"),
        (vec![Action::Add(without_day)], "the file \"b\" must have values of [\"day\"]"),
    ] {
        let error = try_to_commit(&table, 2, &actions).unwrap_err();
        assert!(matches!(error, LogError::Invalid { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.starts_with("a commit to the table memory://shop/sale is not valid: "), "{error}");
        assert!(error.contains(problem), "{error}");
    }
    for begin in beginning() {
        let actions = [begin, Action::Add(file("a", 1))];
        let new = Table::new(&store, "new");
        let error = new.commit::<LogError>(&mut None, 1, |_| Ok(Some(actions.to_vec()))).unwrap_err();
        assert!(error.to_string().contains("a table begins with a `"), "{error}");
    }
    assert_eq!(store.keys(), [commit_key(0)]);
}
