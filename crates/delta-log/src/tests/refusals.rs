//! Tables that need more than this crate knows: refused in words, and untouched.

use super::*;

fn protocol(reader: u32, writer: u32, features: &[&str]) -> String {
    let features = if features.is_empty() {
        String::new()
    } else {
        let of = |name: &str| format!(",\"{name}\":{features:?}");
        of("readerFeatures") + &of("writerFeatures")
    };
    format!("{{\"protocol\":{{\"minReaderVersion\":{reader},\"minWriterVersion\":{writer}{features}}}}}\n")
}

#[test]
fn a_table_of_a_newer_protocol_is_refused_by_the_names_of_its_features() {
    for (line, needs) in [
        (
            protocol(3, 7, &["timestampNtz", "deletionVectors"]),
            "reader version 3 and writer version 7 with deletionVectors, timestampNtz",
        ),
        (protocol(2, 5, &[]), "reader version 2 and writer version 5 (column mapping)"),
        (protocol(1, 3, &[]), "reader version 1 and writer version 3 (CHECK constraints)"),
        (
            protocol(1, 4, &[]),
            "reader version 1 and writer version 4 (CHECK constraints, generated columns, change data feed)",
        ),
        (protocol(1, 7, &["domainMetadata"]), "reader version 1 and writer version 7 with domainMetadata"),
    ] {
        let store = MemoryStore::default();
        let table = Table::new(&store, ROOT);
        let mut snapshot = commit(&table, 1, &[]);
        store.put(&commit_key(1), line.as_bytes()).unwrap();
        let expected = format!(
            "the table memory://shop/sale needs the Delta protocol of {needs}; known are reader version 1 and \
             writer version 2; nothing was changed"
        );
        assert_eq!(table.snapshot().unwrap_err().to_string(), expected);
        let before = snapshot.clone();
        assert_eq!(table.refresh(&mut snapshot).unwrap_err().to_string(), expected);
        assert_eq!(snapshot, before);
        // A writer that comes to know of it.
        let mut snapshot = Some(snapshot);
        let actions = || vec![Action::Add(file("a", 1))];
        let error = table.commit::<LogError>(&mut snapshot, 2, |_| Ok(Some(actions()))).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(store.keys(), [commit_key(0), commit_key(1)]);
    }
}

#[test]
fn an_older_protocol_is_written_as_it_is() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    let old = Protocol { min_writer_version: 1, ..Protocol::OWN };
    let actions = vec![Action::Protocol(old.clone()), Action::Metadata(metadata())];
    table.commit::<LogError>(&mut None, 1, |_| Ok(Some(actions.clone()))).unwrap();
    assert_eq!(commit(&table, 2, &[Action::Add(file("a", 1))]).protocol, old);
}

#[test]
fn other_formats_and_column_mapping_are_refused() {
    let of = |name: &str, value: &str| Texts::from([(name.to_owned(), Some(value.to_owned()))]);
    let orc = crate::Format { provider: "orc".to_owned(), options: Texts::new() };
    for (metadata, needs) in [
        (Metadata { format: orc, ..metadata() }, "has files of the format \"orc\"; only parquet is known"),
        (
            Metadata { configuration: of("delta.columnMapping.mode", "name"), ..metadata() },
            "has column mapping (`delta.columnMapping.mode` = \"name\")",
        ),
    ] {
        let store = MemoryStore::default();
        let table = Table::new(&store, ROOT);
        let error = try_to_commit(&table, 1, &[]).map(drop);
        assert!(error.is_ok());
        let line = serde_json::to_vec(&Action::Metadata(metadata.clone())).unwrap();
        let error = try_to_commit(&table, 1, &[Action::Metadata(metadata)]).unwrap_err().to_string();
        assert!(error.contains(needs), "{error}");
        store.put(&commit_key(1), &line).unwrap();
        assert_eq!(table.snapshot().unwrap_err().to_string(), error);
    }
}

/// What a writer of version 2 has to see to, and what no writer of version 2 may meet.
#[test]
fn a_table_that_is_written_with_more_care_is_read_and_not_written() {
    let of = |name: &str, value: &str| Texts::from([(name.to_owned(), Some(value.to_owned()))]);
    let with = |configuration| Metadata { configuration, ..metadata() };
    let field = |field: &str| Metadata {
        schema_string: format!(
            "{{\"type\":\"struct\",\"fields\":[{{\"name\":\"a\",\"nullable\":true,\"metadata\":{{}},\"type\":\
             {{\"type\":\"array\",\"containsNull\":true,\"elementType\":{{\"type\":\"struct\",\"fields\":[\
             {{\"name\":\"b\",\"type\":\"integer\",{field}}}]}}}}}}]}}"
        ),
        ..metadata()
    };
    for (metadata, needs) in [
        (
            with(of("delta.constraints.young", "age < 9")),
            "has a CHECK constraint (`delta.constraints.young`)",
        ),
        (with(of("delta.enableChangeDataFeed", "TRUE")), "has a change data feed"),
        (
            field(r#""nullable":true,"metadata":{"delta.invariants":"{}"}"#),
            "has an invariant on the column \"b\" (`delta.invariants`), which is not checked here",
        ),
        (field(r#""nullable":true,"metadata":{"delta.generationExpression":"1"}"#), "has an expression"),
        (field(r#""nullable":true,"metadata":{"delta.identity.start":1}"#), "has values that count up"),
        (field(r#""nullable":false,"metadata":{}"#), "has a column \"b\" that must not be null"),
        (Metadata { schema_string: "{".to_owned(), ..metadata() }, "has a schema that can't be read"),
    ] {
        let store = MemoryStore::default();
        let table = Table::new(&store, ROOT);
        commit(&table, 1, &[]);
        store.put(&commit_key(1), &serde_json::to_vec(&Action::Metadata(metadata)).unwrap()).unwrap();
        let snapshot = table.snapshot().unwrap().unwrap();
        let error = table.check(Some(&snapshot), &[]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the table memory://shop/sale {needs}")), "{error}");
        // Also not by making it another table in the same commit.
        let own = [Action::Metadata(super::metadata()), Action::Add(file("a", 1))];
        assert_eq!(try_to_commit(&table, 2, &own).unwrap_err().to_string(), error);
        assert_eq!(store.keys().len(), 2);
    }
}

#[test]
fn an_append_only_table_takes_files_and_loses_none() {
    let store = MemoryStore::default();
    let table = Table::new(&store, ROOT);
    commit(&table, 1, &[]);
    let metadata = Metadata {
        configuration: Texts::from([("delta.appendOnly".to_owned(), Some("true".to_owned()))]),
        ..metadata()
    };
    commit(&table, 2, &[Action::Metadata(metadata), Action::Add(file("a", 1))]);
    let removed =
        |data_change| [Action::Remove(file("a", 1).removed(3, data_change)), Action::Add(file("b", 1))];
    let error = try_to_commit(&table, 3, &removed(true)).unwrap_err().to_string();
    assert!(
        error.contains("is append-only (`delta.appendOnly` = true), so no file may be replaced"),
        "{error}"
    );
    // Rows may move to other files.
    assert_eq!(paths(&commit(&table, 3, &removed(false))), ["b"]);
}
