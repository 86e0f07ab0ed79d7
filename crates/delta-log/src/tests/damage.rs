//! Logs that are damaged: an error that says where, or what the log says; never a panic, never a guess.

use proptest::{collection::vec, prelude::*};

use super::*;

/// A table of two versions and a checkpoint of the first one.
fn damaged(store: &MemoryStore) -> Table<'_> {
    let table = Table::new(store, ROOT);
    let first = commit(&table, 1, &[Action::Add(file("a", 1)), transaction("x", 1)]);
    table.checkpoint(&first, 1).unwrap();
    commit(&table, 2, &[Action::Add(file("b", 2)), Action::Remove(file("a", 1).removed(2, true))]);
    table
}

#[test]
fn an_error_names_the_object_and_the_line() {
    const ADD: &str =
        r#"{"add":{"path":"c","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#;
    for (text, line, problem) in [
        ("", None, "it is empty"),
        ("\n\n", None, "it is empty"),
        (
            "{\"txn\":{\"appId\":\"x\",\"version\":2}}\n{\"txn\":{\"appId\":\"y\"",
            Some(2),
            "EOF while parsing",
        ),
        ("\n{\"add\":{\"path\":\"c\"}}", Some(2), "missing field `partitionValues`"),
        ("[]", Some(1), "invalid length 0"),
        ("1", Some(1), "invalid type: integer `1`"),
        ("{\"add\":1}", Some(1), "invalid type: integer `1`"),
        (
            "{\"txn\":{\"appId\":\"x\",\"version\":2},\"protocol\":{}}",
            Some(1),
            "missing field `minReaderVersion`",
        ),
        ("{\"txn\":{\"appId\":\"x\",\"version\":2.5}}", Some(1), "invalid type: floating point"),
        (&ADD.replace("\"size\":1", "\"size\":-1"), Some(1), "invalid value: integer `-1`"),
        (&ADD.replace("{\"path\"", "{\"path\":\"d\",\"path\""), Some(1), "duplicate field `path`"),
        (&ADD.replace("\"c\"", "\"s3://elsewhere/c\""), Some(1), "is not below the table"),
        (&ADD.replace("\"c\"", "\"%2e./c\""), Some(1), "is not the path of a file below the table"),
        (&format!("{ADD}\n{ADD}"), Some(2), "the file \"c\" is there for the second time"),
        (
            &format!("{},{}", &ADD[..ADD.len() - 1], &"{\"txn\":{\"appId\":\"x\",\"version\":2}}"[1..]),
            Some(1),
            "it has more than one action",
        ),
        ("\u{1}", Some(1), "expected value"),
    ] {
        let store = MemoryStore::default();
        let table = damaged(&store);
        let before = table.snapshot().unwrap().unwrap();
        store.put(&commit_key(2), text.as_bytes()).unwrap();
        let mut snapshot = before.clone();
        for error in [table.snapshot().unwrap_err(), table.refresh(&mut snapshot).unwrap_err()] {
            let LogError::Damaged { address, line: found, problem: found_problem } = &error else {
                panic!("{text}: {error}")
            };
            assert_eq!((address, *found), (&format!("memory://{}", commit_key(2)), line), "{text}");
            assert!(found_problem.contains(problem), "{text}: {error}");
        }
        assert_eq!(snapshot, before);
    }
}

#[test]
fn a_log_that_does_not_say_what_the_table_is_is_damaged() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    for (begin, missing) in [(0, "metaData"), (1, "protocol")] {
        let line = serde_json::to_vec(&beginning()[begin]).unwrap();
        store.put(&commit_key(0), &line).unwrap();
        let error = table.snapshot().unwrap_err().to_string();
        let address = format!("memory://{}", commit_key(0));
        assert_eq!(error, format!("{address}: it has no `{missing}`, which every table begins with"));
    }
}

/// Another letter in a path is no error of Parquet.
#[test]
fn a_checkpoint_with_another_letter_is_not_taken_for_another_table() {
    let store = MemoryStore::default();
    let table = damaged(&store);
    let snapshot = commit(&table, 3, &[Action::Add(file("day=2024-10-10/unmistakable", 1))]);
    table.checkpoint(&snapshot, 3).unwrap();
    let mut bytes = store.read(&checkpoint_key(2)).unwrap().unwrap();
    let at = bytes.windows(12).position(|window| window == b"unmistakable").unwrap();
    bytes[at] = b'U';
    store.put(&checkpoint_key(2), &bytes).unwrap();
    let error = table.snapshot().unwrap_err().to_string();
    assert_eq!(error, format!("memory://{}: it is damaged: its checksum is another", checkpoint_key(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_commit_of_any_bytes_is_an_error_or_a_snapshot(
        noise in vec(any::<u8>(), 0..80), changes in vec((any::<usize>(), any::<u8>()), 0..4), cut in any::<usize>(),
    ) {
        let store = MemoryStore::default();
        let table = damaged(&store);
        let mut bytes = store.read(&commit_key(1)).unwrap().unwrap();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(1 + cut % (2 * bytes.len()));
        for bytes in [noise, bytes] {
            store.put(&commit_key(1), &bytes).unwrap();
            match table.snapshot() {
                Ok(snapshot) => prop_assert_eq!(snapshot.unwrap().version, 1),
                Err(LogError::Damaged { address, .. }) => {
                    prop_assert_eq!(address, format!("memory://{}", commit_key(1)));
                }
                Err(error) => prop_assert!(matches!(error, LogError::Unsupported { .. }), "{error}"),
            }
        }
    }

    #[test]
    fn a_damaged_checkpoint_is_an_error(
        changes in vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<usize>(), is_cut: bool,
    ) {
        let store = MemoryStore::default();
        let table = damaged(&store);
        let good = table.snapshot().unwrap();
        let mut bytes = store.read(&checkpoint_key(0)).unwrap().unwrap();
        if is_cut {
            bytes.truncate(cut % bytes.len());
        } else {
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
        }
        store.put(&checkpoint_key(0), &bytes).unwrap();
        match table.snapshot() {
            // The byte was that already, or one of the name of the checksum.
            Ok(snapshot) => prop_assert_eq!(snapshot, good),
            Err(LogError::Damaged { address, .. }) => {
                prop_assert_eq!(address, format!("memory://{}", checkpoint_key(0)));
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
