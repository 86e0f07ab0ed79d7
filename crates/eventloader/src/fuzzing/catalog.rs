//! Bytes as a catalog file → an error with its location, or a catalog from which everything can be made:
//! tables, directories, rows.
//!
//! Invariant: see [`catalog`].

use std::{
    collections::HashSet,
    path::{Component, Path},
};

use event_parser::{Parser, ParserOptions, Plan, Selection};
use events_core::{
    catalog::{BUILT_IN, Catalog, EventType, Field, FieldKind, OTHERS, ValueType},
    directory_name::NAME_BYTES_MAX,
    partition::{Layout, PartitionUnit},
    schema,
};
use naive_model::{columns, event_types, value_text};
use serde_json::{Map, Value, json};

use super::lines::blocks_of;
use crate::{
    commands::catalog::{Engine, Format, ShowSettings, StatementSettings, show},
    error::Error,
};

/// The bytes are a catalog file.
///
/// - A refusal has a line of the file, and a reason in one line.
/// - The directories of an accepted catalog stay inside a target and are distinct; so are the columns of a
///   table.
/// - It can be shown in all formats; in SQL, no name and no description ends its quotes.
/// - An event with all its fields becomes a row for each of its types, in flat and nested tables of the
///   schemas that are shown, with the model's values.
pub fn catalog(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let catalog = match BUILT_IN.extended(&[("a.toml", text)]) {
        Ok(catalog) => catalog,
        Err(error) => {
            let lines = 1 + text.matches('\n').count();
            assert!(error.file == "a.toml" && (1..=lines).contains(&error.line), "{error}, of {lines} lines");
            assert!(!error.message.is_empty(), "{error}");
            return;
        }
    };
    let mut directories = HashSet::new();
    for event_type in catalog.event_types() {
        stays_in_its_target(event_type);
        assert!(directories.insert(&event_type.directory), "{}", event_type.directory);
        let names: Vec<_> = schema::flat_schema(event_type)
            .fields()
            .iter()
            .map(|field| field.name().to_lowercase())
            .collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
    }
    can_be_shown(&catalog);
    has_rows(&catalog);
}

fn stays_in_its_target(event_type: &EventType) {
    for (layout, day_levels) in [(Layout::Plain, 4), (Layout::Hive, 4), (Layout::Delta, 2)] {
        if layout.name_bytes(event_type) > NAME_BYTES_MAX {
            continue; // A load with this layout is refused.
        }
        for (unit, levels) in [(PartitionUnit::Day, day_levels), (PartitionUnit::Hour, day_levels + 1)] {
            for micros in [-62_135_596_800_000_000, 0, 253_402_300_799_999_999] {
                let path = layout.path(unit, unit.index_of(micros), &layout.directory(event_type));
                let parts: Vec<_> = Path::new(&path).components().collect();
                let are_plain = parts.iter().all(|part| {
                    matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".")
                        && !name.as_encoded_bytes().starts_with(b"_") && name.len() <= NAME_BYTES_MAX)
                });
                assert!(parts.len() == levels && are_plain, "{path:?}");
                assert!(
                    !path.contains(|c: char| c.is_control() || matches!(c, '\\' | '\'' | '"')),
                    "{path:?}"
                );
            }
        }
    }
}

fn can_be_shown(catalog: &Catalog) {
    let shown = |format, flatten, layout| {
        show(&ShowSettings {
            catalog: catalog.clone(),
            selection: Selection::default(),
            flatten,
            layout,
            partition_unit: PartitionUnit::Day,
            format,
        })
    };
    for flatten in [true, false] {
        for format in [Format::Text, Format::Arrow] {
            shown(format, flatten, Layout::Plain).unwrap();
        }
        for engine in [Engine::DuckDb, Engine::Spark, Engine::Postgres] {
            let sql = shown(statements_of(engine, None, false), flatten, Layout::Plain);
            if let Some(sql) = fitting(sql) {
                assert_eq!(tables_of(&sql, engine), catalog.event_types().len(), "{sql}");
            }
        }
        for (engine, address) in Engine::ALL.into_iter().filter_map(|engine| Some((engine, address(engine)?)))
        {
            for layout in [Layout::Plain, Layout::Hive, Layout::Delta] {
                for load in [false, true] {
                    let sql = shown(statements_of(engine, Some(address), load), flatten, layout);
                    if let Some(sql) = fitting(sql) {
                        assert_eq!(tables_of(&sql, engine), catalog.event_types().len(), "{sql}");
                    }
                }
            }
        }
    }
}

fn statements_of(engine: Engine, address: Option<&str>, load: bool) -> Format {
    let address = address.map(str::to_owned);
    Format::Statements(StatementSettings { engine, address, schema: Some("s".to_owned()), load, day: None })
}

/// An address that the engine takes, if it takes one.
fn address(engine: Engine) -> Option<&'static str> {
    match engine {
        Engine::Postgres => None,
        Engine::Snowflake => Some("@stage/lake"),
        Engine::BigQuery => Some("gs://bucket/lake"),
        _ => Some("s3://bucket/lake"),
    }
}

/// What is shown, unless the layout or the engine can't have it.
fn fitting(shown: Result<String, Error>) -> Option<String> {
    match shown.map_err(Error::into_cause) {
        Ok(shown) => Some(shown),
        Err(Error::Catalog(_) | Error::Engine { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The number of tables that the statements make.
fn tables_of(sql: &str, engine: Engine) -> usize {
    // Types that are not named have a line that says so.
    let is_statement = |line: &&str| !line.starts_with("-- The event types of ");
    let sql = sql.lines().filter(is_statement).collect::<Vec<_>>().join("\n");
    let has_escapes = !matches!(engine, Engine::DuckDb | Engine::Postgres | Engine::Trino);
    let statements = statements(&sql, has_escapes);
    let makes = |statement: &&String| {
        ["CREATE ", "CALL system.register_table("].iter().any(|begin| statement.starts_with(begin))
    };
    statements.iter().filter(makes).count()
}

/// The SQL statements, without quoted parts.
fn statements(sql: &str, backslash_escapes: bool) -> Vec<String> {
    let (mut statements, mut quote) = (vec![String::new()], None);
    let mut characters = sql.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('\''), '\\') if backslash_escapes => drop(characters.next()),
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, ';') => statements.push(String::new()),
            (None, _) => {
                assert!(character == '\n' || !character.is_control(), "{sql:?}");
                statements.last_mut().unwrap().push(character);
            }
        }
    }
    assert_eq!((quote, statements.pop().unwrap().trim()), (None, ""), "{sql}");
    statements.iter().map(|statement| statement.trim_start().to_owned()).collect()
}

fn has_rows(catalog: &Catalog) {
    let selection = Selection::default();
    let (plan, types) = (Plan::new(catalog), event_types::declared_in(catalog));
    let others = catalog.open_types().iter().map(|open| {
        let domain = if open.domain == OTHERS { "a domain that has no name" } else { &open.domain };
        open.one_of_others(domain, "a type that has no name")
    });
    let event_types = catalog.event_types().iter().cloned().chain(others);
    for (event_type, (_, _, fields)) in event_types.zip(&types) {
        if event_type.is_open && Layout::Plain.name_bytes(&event_type) > NAME_BYTES_MAX {
            continue;
        }
        let EventType { domain, name, .. } = &event_type;
        let data = object(&event_type.fields);
        let line = json!({
            "event_id": "a", "timestamp": "2024-10-10", "domain": domain, "event_type": name, "data": data,
        });
        let line = line.to_string();
        let blocks = blocks_of(line.as_bytes(), 1 << 20).unwrap();
        let data = naive_model::json::read(&data.to_string());
        for flatten in [true, false] {
            let options = ParserOptions { selection: &selection, flatten, wants_later_candidates: false };
            let parsed = Parser::new(&plan, options).parse(&blocks[0]);
            let [(type_index, batch)] = parsed.batches.as_slice() else { panic!("{line}: {:?}", parsed.bad) };
            assert!(*plan.event_type(*type_index) == event_type && parsed.unknown_fields.is_empty());
            let rows = batch.to_record_batch(&event_type, flatten).unwrap();
            let columns = &rows.columns()[schema::BASE_COLUMNS..];
            let texts: Vec<_> = if flatten {
                columns.iter().flat_map(|column| value_text::values(column, 0)).collect()
            } else {
                columns.iter().map(|data| value_text::element(data, 0)).collect()
            };
            if !flatten && fields.is_empty() {
                // A nested payload without fields has no column.
                assert!(texts.is_empty(), "{line}");
                continue;
            }
            assert_eq!(Ok(texts), columns::payload(fields, data.as_ref(), !flatten), "{line}");
        }
    }
}

/// An object with all its fields.
fn object(fields: &[Field]) -> Value {
    let members = fields.iter().map(|field| (field.name.clone(), value(&field.kind)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn value(kind: &FieldKind) -> Value {
    match kind {
        FieldKind::Object(fields) => object(fields),
        FieldKind::List(element) => json!([value(element), null]),
        FieldKind::Map(inner) => json!({"": value(inner), "é\"\n": null}),
        FieldKind::Value(value_type) => match value_type {
            ValueType::String => json!("é\"\n"),
            ValueType::Int32 => json!(i32::MIN),
            ValueType::Int64 => json!(i64::MAX.to_string()),
            ValueType::Float64 => json!(0.1),
            ValueType::Boolean => json!(true),
            ValueType::Decimal { .. } => json!(0.04),
            ValueType::Date => json!("2024-02-29"),
            ValueType::Timestamp => json!("2024-02-29 23:59:59.9999999-01:00"),
            ValueType::Epoch(_) => json!(-1_728_518_407.25),
            ValueType::Json => json!({"a": [1, "b", null]}),
        },
    }
}
