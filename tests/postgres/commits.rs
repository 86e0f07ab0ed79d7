//! Runs that commit: their records, their bad lines, and what is left of one that is cut off.

use std::sync::atomic::Ordering;

use event_target::{
    Change, DedupeScope, LineCounts, LoadFacts, Location, Mode, NewCommit, QUARANTINE, Target, TargetError,
    TargetLayout,
};
use events_core::partition::{Layout, PartitionUnit};
use postgres_session::open;

use crate::support::{Cut, Schema, bad_lines, by_day, load, proxy, record, text_of};

#[test]
fn a_schema_is_a_target_once_something_is_committed() {
    let Some(schema) = Schema::new("first") else { return };
    let location = schema.location();
    assert!(!location.is_target().unwrap());
    assert_eq!(location.history(|_, _| {}).unwrap().commits(), 0);
    let mut target = Target::open(&location).unwrap();
    target.begin(&by_day()).unwrap();
    target.abandon();
    assert!(!schema.exists(), "a run that commits nothing has left the schema");
    assert!(Target::open_existing(&location).is_err());
    load(&location, "a", "").unwrap();
    assert!(location.is_target().unwrap());
    assert_eq!(location.layout().unwrap(), Some(by_day()));
    assert!(!location.is_unfinished().unwrap());
    let by_hour = TargetLayout::new(Layout::Database, PartitionUnit::Hour);
    let refused = Target::open(&location).unwrap().begin(&by_hour).unwrap_err();
    assert!(matches!(refused, TargetError::OtherLayout { .. }), "{refused}");
    assert!(location.check_layout(&by_hour).is_err());
}

#[test]
fn a_file_of_bad_lines_comes_back_byte_for_byte() {
    let Some(schema) = Schema::new("lines") else { return };
    let location = schema.location();
    // More than a page, by number and by length.
    let many: String = (1..=2_500).map(|line| record(line, &format!("line {line}"))).collect();
    let long: String = (1..=5).map(|line| record(line, &"x\\\"ü".repeat(200_000))).collect();
    let odd = record(1, "a\0b");
    for (name, text) in [("many", &many), ("long", &long), ("odd", &odd)] {
        load(&location, name, text).unwrap();
        assert!(text_of(&location, &format!("{name}.jsonl")) == **text, "{name} has other bytes");
    }
    assert_eq!(location.quarantine_files(None).unwrap(), ["long.jsonl", "many.jsonl", "odd.jsonl"]);
    let history = location.history(|_, _| {}).unwrap();
    let compared = location.compare(&history, 1, |_, _| true).unwrap();
    assert!(compared.differences.is_empty(), "{:?}", compared.differences);
    let of = |column: &str, what: &str| {
        schema.value(&format!("SELECT {column}::text FROM {} WHERE {what}", schema.table(QUARANTINE)))
    };
    assert_eq!(
        of("line || reason || field || found", "file = 'many.jsonl' AND number = 7"),
        "7typedata.xline 7"
    );
    assert_eq!(of("found || coalesce(raw, '-')", "file = 'odd.jsonl'"), "a\\u0000b-");
    // A commit replaces a file, and removes others.
    let mut target = Target::open(&location).unwrap();
    let staging = target.begin(&by_day()).unwrap();
    let changes = vec![
        bad_lines(&staging, "new", &odd, Some("many.jsonl".to_owned())),
        Change::removal(QUARANTINE, "long.jsonl".to_owned()),
    ];
    target.commit(NewCommit::of(changes, by_day(), LoadFacts::default()), 1).unwrap();
    assert_eq!(location.quarantine_files(None).unwrap(), ["new.jsonl", "odd.jsonl"]);
    schema.run(&format!("DELETE FROM {} WHERE file = 'odd.jsonl'", schema.table(QUARANTINE)));
    let history = location.history(|_, _| {}).unwrap();
    let compared = location.compare(&history, 1, |_, _| true).unwrap();
    let texts: Vec<_> = compared.differences.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["_quarantine/odd.jsonl is missing (commit 3 wrote it)"]);
}

#[test]
fn loads_are_rows_that_people_can_ask_for() {
    let Some(schema) = Schema::new("loads") else { return };
    let location = schema.location();
    let counts = LineCounts { lines: 10, blank: 1, quarantined: 2, filtered: 3, superseded: 1, written: 3 };
    let mut target = Target::open(&location).unwrap();
    target.begin(&by_day()).unwrap();
    let facts = LoadFacts {
        mode: Mode::Merge,
        dedupe_scope: DedupeScope::Target,
        counts: counts.clone(),
        ..LoadFacts::default()
    };
    target.commit(NewCommit::of(Vec::new(), by_day(), facts), 1).unwrap();
    let columns =
        "concat_ws(' ', number, mode, sources, lines, blank, quarantined, filtered, superseded, written)";
    let row = schema.value(&format!("SELECT {columns} FROM {}", schema.table("_loads")));
    assert_eq!(row, "1 merge 0 10 1 2 3 1 3");
    let recent = format!("SELECT (now() - at < '1 hour')::text FROM {}", schema.table("_loads"));
    assert_eq!(schema.value(&recent), "true");
    assert_eq!(location.history(|_, _| {}).unwrap().runs[0].counts, counts);
}

#[test]
fn a_commit_without_news_leaves_no_record() {
    let Some(schema) = Schema::new("news") else { return };
    let location = schema.location();
    for _ in 0..2 {
        let mut target = Target::open(&location).unwrap();
        target.begin(&by_day()).unwrap();
        let new = NewCommit { is_news: false, ..NewCommit::of(Vec::new(), by_day(), LoadFacts::default()) };
        target.commit(new, 1).unwrap();
        assert_eq!(location.history(|_, _| {}).unwrap().commits(), 1);
    }
}

#[test]
fn after_many_commits_few_records_are_read() {
    let Some(schema) = Schema::new("many") else { return };
    let location = schema.location();
    for number in 1..=202 {
        load(&location, &format!("f{number:03}"), &record(number, "x")).unwrap();
    }
    let mut read = Vec::new();
    let history = location.history(|_, commit| read.push(commit.number)).unwrap();
    assert_eq!((read, history.commits(), history.files.len()), (vec![201, 202], 202, 202));
    assert_eq!(history.runs.len(), 202);
    let count = format!("SELECT count(summary) FROM {}", schema.table("_loads"));
    assert_eq!(schema.value(&count), "1");
    // Without the summary, the records say the same.
    schema.run(&format!("UPDATE {} SET summary = NULL", schema.table("_loads")));
    let again = location.history(|_, _| {}).unwrap();
    assert_eq!(again.runs, history.runs);
    assert!(again.files.keys().eq(history.files.keys()));
}

#[test]
fn a_run_begins_anew_without_what_it_has_done() {
    let Some(schema) = Schema::new("anew") else { return };
    let location = schema.location();
    let mut target = Target::open(&location).unwrap();
    let event_target::Staging::Database(transaction) = target.begin(&by_day()).unwrap() else {
        panic!("a database stages files elsewhere")
    };
    let create = |name: &str| format!("CREATE TABLE {} ()", schema.table(name));
    transaction.session().execute(&create("one"), &[]).unwrap();
    transaction.session().execute("SELECT 1 / 0", &[]).unwrap_err();
    target.begin_anew().unwrap();
    transaction.session().execute(&create("two"), &[]).unwrap();
    target.commit(NewCommit::of(Vec::new(), by_day(), LoadFacts::default()), 1).unwrap();
    let tables = format!(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = \
         (SELECT oid FROM pg_namespace WHERE nspname = '{}') AND relkind = 'r'",
        schema.name
    );
    assert_eq!(schema.value(&tables), "_loads _quarantine two");
}

#[test]
fn of_a_commit_whose_answer_is_lost_it_is_found_out_what_became_of_it() {
    for cut in [Cut::BeforeCommit, Cut::AfterCommit] {
        let Some(schema) = Schema::new("lost") else { return };
        let (proxy, cuts) = proxy(schema.host(), cut);
        let address = schema.address("sslmode=disable").replace(schema.host(), &proxy);
        let location = Location::database(open(&address).unwrap());
        let committed = load(&location, "a", &record(1, "x"));
        assert!(cuts.load(Ordering::SeqCst) > 0, "nothing was cut");
        let there = schema.location().history(|_, _| {}).unwrap().commits();
        match cut {
            Cut::AfterCommit => {
                committed.unwrap();
                assert_eq!(there, 1);
            }
            Cut::BeforeCommit => {
                let error = committed.unwrap_err().to_string();
                assert!(error.contains("committing: ") && error.contains("nothing was changed"), "{error}");
                assert!(!schema.exists());
            }
        }
    }
}
