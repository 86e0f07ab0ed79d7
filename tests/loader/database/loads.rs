//! Loads, merges, replays, discards into a schema: are its tables what plain files would be, with what a
//! reader of SQL expects of them, and is a load that changes nothing none?

use crate::support::{
    events::{account_open, event, file_of, three_days},
    schema::Schema,
    workdir::Workdir,
};

const SALES: &str = r#"
[domain.card.events.sale]
description = "A sale, at the till's price"
[domain.card.events.sale.fields]
id    = "int32"
price = { type = "decimal(10,2)", description = "in euros" }
"#;

fn sale(id: &str, day: u32, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "2024-10-{day}T05:00:00", "domain": "card", "event_type": "sale", "data": {data}}}"#
    )
}

#[test]
fn a_table_is_what_a_reader_of_sql_expects() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("sales.toml", SALES);
    dir.write(
        "in.json",
        file_of([sale("b", 11, r#"{"id": 2, "price": 1.5}"#), sale("a", 10, r#"{"id": null}"#)]),
    );
    let loaded = schema.loader(&dir).source("in.json").args(["-b", "--catalog", "sales.toml"]).succeeds();
    assert_eq!(loaded.partitions(), ["sale/2024-10-10 1 created", "sale/2024-10-11 1 created"]);
    assert_eq!(
        schema.lines("SELECT * FROM lake.sale ORDER BY event_id"),
        ["a|2024-10-10 05:00:00+00|card|sale|NULL|NULL", "b|2024-10-11 05:00:00+00|card|sale|2|1.50"]
    );
    let columns = format!(
        "SELECT column_name, data_type, is_nullable, collation_name FROM information_schema.columns \
         WHERE table_schema = '{}' AND table_name = 'sale' ORDER BY ordinal_position",
        schema.name
    );
    assert_eq!(
        schema.lines(&columns),
        [
            "event_id|text|NO|C",
            "timestamp|timestamp with time zone|NO|NULL",
            "domain|text|NO|NULL",
            "event_type|text|NO|NULL",
            "data_id|integer|YES|NULL",
            "data_price|numeric|YES|NULL"
        ]
    );
    let indexes = format!(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = '{}' AND tablename = 'sale' ORDER BY indexname COLLATE \"C\"",
        schema.name
    );
    let indexes = schema.lines(&indexes);
    assert_eq!(indexes.len(), 2, "{indexes:?}");
    assert!(
        indexes[0].starts_with("CREATE UNIQUE INDEX") && indexes[0].ends_with("(event_id)"),
        "{indexes:?}"
    );
    assert!(indexes[1].starts_with("CREATE INDEX") && indexes[1].ends_with("(\"timestamp\")"), "{indexes:?}");
    assert_eq!(schema.psql("SELECT obj_description('lake.sale'::regclass)"), "A sale, at the till's price");
    assert_eq!(schema.psql("SELECT col_description('lake.sale'::regclass, 6)"), "in euros");
    assert_eq!(schema.psql("SELECT number, mode, lines, written FROM lake._loads"), "1|overwrite|2|2");
    schema.is_well(&dir);
}

/// Words of SQL, case, quotes and blanks in names of event types and columns: names of tables are those of
/// directories.
#[test]
fn names_are_taken_letter_by_letter() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let fields = r#"
select = { type = "int32", column = "select" }
b = { type = "string", column = "A" }
c = { type = "string", column = "a-b" }
"#;
    dir.write("shop.toml", format!("[domain.shop.events.\"order; DROP TABLE x --/'EU'\".fields]\n{fields}"));
    let line = r#"{"event_id": "'", "timestamp": "2024-10-10", "domain": "shop", "event_type": "order; DROP TABLE x --/'EU'", "data": {"select": 1, "b": "\\.\t\n", "c": "NULL"}}"#;
    dir.write("in.json", line);
    schema.loader(&dir).source("in.json").args(["-b", "--catalog", "shop.toml"]).succeeds();
    let table = "lake.\"order~3B~20DROP~20TABLE~20x~20--~2F~27EU~27\"";
    let row = schema.psql(&format!(
        "SELECT event_id, event_type, \"select\", to_json(\"A\"), to_json(\"a-b\") FROM {table}"
    ));
    assert_eq!(row, r#"'|order; DROP TABLE x --/'EU'|1|"\\.\t\n"|"NULL""#);
    schema.is_well(&dir);
}

#[test]
fn loading_twice_changes_nothing() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(3)));
    let load = |mode| schema.loader(&dir).source("in.json").args(["-b", "--mode", mode]).succeeds();
    let first = load("overwrite");
    // Rows that are not written again stay where they are.
    let places = || schema.lines("SELECT ctid, xmin, event_id FROM lake.\"payment-to\" ORDER BY 1");
    let before = places();
    let content = schema.content();
    load("overwrite");
    assert_eq!(schema.content(), content);
    // The first merge records that its source is merged, as it does of files.
    load("merge");
    assert_eq!(places(), before);
    let content = schema.content();
    for mode in ["merge", "overwrite", "merge"] {
        let again = load(mode);
        assert_eq!(again.count("lines"), first.count("lines"));
        assert_eq!(schema.content(), content, "{mode}");
        assert_eq!(places(), before, "{mode}");
    }
    schema.is_well(&dir);
}

/// The same loads into plain files: the same report, the same rows by their number, the same bad lines.
#[test]
fn the_report_is_that_of_plain_files() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let lines = three_days(5);
    dir.write("1.json", file_of(&lines[150..]));
    dir.write("2.json", file_of(&lines[..200]));
    for (source, mode) in
        [("1.json", "overwrite"), ("2.json", "merge"), ("1.json", "merge"), ("2.json", "overwrite")]
    {
        let flags = ["-b", "--mode", mode, "--superseded-samples", "100"];
        let plain = dir.loader().source(source).args(flags).succeeds();
        let database = schema.loader(&dir).source(source).args(flags).succeeds();
        for name in [
            "lines",
            "blank",
            "quarantined",
            "filtered",
            "superseded",
            "redelivered",
            "corrected",
            "superseded_samples",
            "written",
            "held_kept",
            "held_superseded",
        ] {
            assert_eq!(plain.report()[name], database.report()[name], "{name} of {source} by {mode}");
        }
        let turned = |partition: &String| {
            let (path, rest) = partition.split_once(' ').unwrap();
            let (day, event_type) = path.rsplit_once('/').unwrap();
            format!("{event_type}/{} {rest}", day.replace('/', "-"))
        };
        let mut expected: Vec<_> = plain.partitions().iter().map(turned).collect();
        let mut found = database.partitions();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{source} by {mode}");
        let mut records: Vec<String> = Vec::new();
        for entry in fs_err::read_dir(dir.target().join("_quarantine")).unwrap() {
            let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
            records.extend(text.lines().map(str::to_owned));
        }
        records.sort();
        let mut held = schema.lines("SELECT record FROM lake._quarantine");
        held.sort();
        assert_eq!(held, records, "{source} by {mode}");
        schema.is_well(&dir);
    }
}

#[test]
fn an_overwrite_replaces_the_days_that_it_has_rows_for() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let at = |id: &str, day: u32, hour: u32, number| {
        account_open(id, &format!("2024-10-{day}T{hour:02}:00:00"), number)
    };
    dir.write(
        "1.json",
        file_of([at("a", 10, 0, 1), at("b", 10, 23, 2), at("c", 11, 0, 3), at("d", 12, 5, 4)]),
    );
    dir.write("2.json", file_of([at("b", 10, 1, 5), at("e", 11, 23, 6), at("f", 13, 0, 7)]));
    schema.loader(&dir).source("1.json").arg("-b").succeeds();
    let dry = schema.loader(&dir).source("2.json").args(["-b", "--dry-run"]).succeeds();
    let rows = "SELECT event_id, data_id FROM lake.\"account-open\" ORDER BY event_id";
    assert_eq!(schema.lines(rows), ["a|1", "b|2", "c|3", "d|4"], "a dry run changes nothing");
    let loaded = schema.loader(&dir).source("2.json").args(["-b"]).succeeds();
    assert_eq!(dry.partitions(), loaded.partitions());
    assert_eq!(
        loaded.partitions(),
        [
            "account-open/2024-10-10 1 replaced",
            "account-open/2024-10-11 1 replaced",
            "account-open/2024-10-13 1 created"
        ]
    );
    assert_eq!(schema.lines(rows), ["b|5", "d|4", "e|6", "f|7"]);
    schema.loader(&dir).source("1.json").args(["-d", "2024-10-11"]).succeeds();
    assert_eq!(schema.lines(rows), ["b|5", "c|3", "d|4", "f|7"]);
    schema.is_well(&dir);
}

/// By hour, and events that move to other hours and days.
#[test]
fn a_merge_keeps_the_latest_of_each_event() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let at = |id: &str, time: &str, number| account_open(id, &format!("2024-10-{time}:00"), number);
    dir.write("1.json", file_of([at("a", "10T08:00", 1), at("b", "10T08:30", 2), at("c", "10T09:00", 3)]));
    dir.write(
        "2.json",
        file_of([
            at("b", "12T07:00", 4),
            at("c", "10T08:59", 5),
            at("d", "10T09:30", 6),
            at("a", "10T08:00", 7),
        ]),
    );
    let merge = |source: &str| {
        schema
            .loader(&dir)
            .source(source)
            .args(["-b", "--mode", "merge", "--partition-by", "hour"])
            .succeeds()
    };
    merge("1.json");
    let merged = merge("2.json");
    let counts =
        ["written", "held_kept", "held_superseded", "corrected", "superseded"].map(|name| merged.count(name));
    let plain = |source: &str| {
        dir.loader().source(source).args(["-b", "--mode", "merge", "--partition-by", "hour"]).succeeds()
    };
    plain("1.json");
    let of_plain = plain("2.json");
    assert_eq!(
        counts,
        ["written", "held_kept", "held_superseded", "corrected", "superseded"]
            .map(|name| of_plain.count(name))
    );
    assert_eq!(
        schema.lines("SELECT event_id, \"timestamp\", data_id FROM lake.\"account-open\" ORDER BY event_id"),
        [
            "a|2024-10-10 08:00:00+00|7",
            "b|2024-10-12 07:00:00+00|4",
            "c|2024-10-10 09:00:00+00|3",
            "d|2024-10-10 09:30:00+00|6"
        ]
    );
    schema.is_well(&dir);
}

/// Within each day, an event may be there once; so the index on ids can't be unique any more.
#[test]
fn scope_day_takes_an_event_once_per_day() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let lines = [10, 10, 11].map(|day| account_open("a", &format!("2024-10-{day}T00:00:00"), day));
    dir.write("in.json", file_of(lines));
    let is_unique = || {
        let unique =
            "SELECT bool_or(indexdef LIKE '%UNIQUE%') FROM pg_indexes WHERE tablename = 'account-open'";
        schema.psql(&format!("{unique} AND schemaname = '{}'", schema.name))
    };
    schema.loader(&dir).source("in.json").args(["-b"]).succeeds();
    assert_eq!(is_unique(), "t");
    assert_eq!(schema.number("SELECT count(*) FROM lake.\"account-open\""), 1);
    schema.loader(&dir).source("in.json").args(["-b", "--dedupe-scope", "day"]).succeeds();
    assert_eq!(is_unique(), "f");
    assert_eq!(schema.number("SELECT count(*) FROM lake.\"account-open\""), 2);
    schema.is_well(&dir);
}

#[test]
fn sources_that_were_loaded_are_passed_over() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    dir.write("in/1.json", file_of([account_open("a", "2024-10-10T08:00:00", 1)]));
    let land =
        || schema.loader(&dir).source("in").args(["-b", "--mode", "merge", "--skip-loaded"]).succeeds();
    assert_eq!(land().count("written"), 1);
    dir.write("in/2.json", file_of([account_open("b", "2024-10-10T08:00:00", 1)]));
    let second = land();
    assert_eq!((second.count("lines"), second.count("written")), (1, 1));
    let content = schema.content();
    assert_eq!(land().count("lines"), 0);
    assert_eq!(schema.content(), content);
    let listed = schema.command(&dir, "list").succeeds();
    assert_eq!(listed.stdout.lines().filter(|line| line.contains("merge")).count(), 2, "{listed}");
    schema.command(&dir, "accept").arg("--reload").succeeds();
    assert_eq!(land().count("lines"), 2);
}

#[test]
fn bad_lines_are_kept_shown_replayed_and_discarded() {
    let Some(schema) = Schema::new() else { return };
    let dir = Workdir::new();
    let lines = [
        account_open("b", "2024-10-10T01:00:00", 2),
        "[not an event]".to_owned(),
        sale("a", 10, r#"{"id": 1}"#),
        "bad \u{1F41F}".to_owned(),
        event("c", "2024-10-10T01:00:00", "account-open", r#"{"id": "x"}"#),
    ];
    dir.write("in.json", [file_of(&lines).into_bytes(), b"\xFF\0 of no text\n".to_vec()].concat());
    schema.loader(&dir).source("in.json").arg("-b").succeeds();
    dir.loader().source("in.json").arg("-b").succeeds();
    let of_both = |args: &[&str]| {
        let [held, plain] = [schema.url(), dir.target().to_str().unwrap().to_owned()]
            .map(|target| dir.bare_loader().args([args[0], &target]).args(&args[1..]).succeeds().stdout);
        assert_eq!(held, plain, "{args:?}");
        held
    };
    assert!(of_both(&["quarantine", "--json"]).contains("unknown_event"));
    of_both(&["quarantine"]);
    of_both(&["quarantine", "--json", "--reason", "malformed_json"]);
    // What is asked for as it was, and what is in the columns for those who ask in SQL.
    let raw = of_both(&["quarantine", "--raw", "--reason", "type_mismatch"]);
    assert_eq!(raw.trim_end(), lines[4]);
    assert_eq!(
        schema.lines("SELECT reason, line, field FROM lake._quarantine WHERE reason IN ('type_mismatch', 'unknown_event') ORDER BY line"),
        ["unknown_event|3|NULL", "type_mismatch|5|data.id"]
    );
    dir.write("sales.toml", SALES);
    let replay = |target: &str, dry: &[&str]| {
        let replayed = dir
            .bare_loader()
            .args(["replay", target, "--catalog", "sales.toml"])
            .args(dry)
            .reporting()
            .succeeds();
        ["lines", "quarantined.total", "superseded", "written"].map(|name| replayed.count(name))
    };
    let content = schema.content();
    assert_eq!(replay(&schema.url(), &["--dry-run"]), [5, 4, 0, 1]);
    assert_eq!(schema.content(), content, "a dry run changes nothing");
    assert_eq!(replay(&schema.url(), &[]), [5, 4, 0, 1]);
    assert_eq!(replay("target", &[]), [5, 4, 0, 1]);
    of_both(&["quarantine", "--json"]);
    assert_eq!(schema.psql("SELECT event_id, data_id FROM lake.sale"), "a|1");
    of_both(&["discard", "-q", "--reason", "malformed_json"]);
    of_both(&["quarantine", "--json"]);
    schema.is_well(&dir);
    of_both(&["discard", "-q"]);
    assert_eq!(schema.number("SELECT count(*) FROM lake._quarantine"), 0);
    assert_eq!(
        schema.lines("SELECT mode FROM lake._loads ORDER BY number"),
        ["overwrite", "merge", "discard", "discard"]
    );
    schema.is_well(&dir);
}

/// Rows beyond memory are spilled; the table is the same.
#[test]
fn a_load_beyond_its_memory_leaves_the_same_rows() {
    let Some(one) = Schema::new() else { return };
    let Some(other) = Schema::new() else { return };
    let dir = Workdir::new();
    let lines = crate::support::events::plain_events(9, 60_000, 3);
    dir.write("in.json", file_of(&lines));
    one.loader(&dir).source("in.json").arg("-b").succeeds();
    other.loader(&dir).source("in.json").args(["-b", "--memory", "64MiB", "--threads", "2"]).succeeds();
    let rows = |schema: &Schema| {
        schema.psql("SELECT md5(string_agg(t::text, '' ORDER BY event_id)) FROM lake.\"payment-to\" t")
    };
    assert_eq!(rows(&one), rows(&other));
    other.is_well(&dir);
}
