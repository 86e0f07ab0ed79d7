//! A target that is rewritten with another catalog: has it the columns that a load with that catalog writes,
//! and is nothing of it lost?

use super::{is_well, rewrite};
use crate::support::{
    events::{Die, account_open, file_of},
    files::{assert_same_tree, published, tree},
    hostile::RandomTypes,
    readback::{metadata_entries_of, rows, schema_of, text_of},
    workdir::{Loader, Workdir},
};

const OPEN: &str = "[domain.'*']";
const FILE: &str = "2024/10/10/sale/part-00000.zstd.parquet";

fn sale(id: &str, timestamp: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "sale", "data": {data}}}"#
    )
}

fn load(dir: &Workdir, target: &str, catalog: &str, flags: &[&str]) -> Loader {
    let args = ["-b", "--max-bad-lines=100%", "--catalog", catalog];
    dir.loader_into(target).source("in.json").args(args).args(flags)
}

fn with(dir: &Workdir, catalog: &str) -> Loader {
    rewrite(dir, "target").args(["--catalog", catalog])
}

#[track_caller]
fn refuses(dir: &Workdir, rewriting: Loader, code: i32, parts: &[&str]) {
    let before = tree(&dir.target());
    let refused = rewriting.exits(code);
    refused.says(parts);
    refused.says(&["nothing was changed"]);
    assert_same_tree(&before, &tree(&dir.target()), "after a rewrite that was refused");
}

#[test]
fn columns_become_wider_new_ones_are_null_and_descriptions_are_todays() {
    let dir = Workdir::new();
    dir.write(
        "old.toml",
        "[domain.shop.events.sale.fields]\nid = 'int32'\nday = 'date'\nn = 'int32'\ntags = 'list(int32)'",
    );
    dir.write(
        "new.toml",
        "[domain.shop.events.sale.fields]\nid = { type = 'int64', description = 'The sale' }\nday = 'timestamp'\n\
         n = 'decimal(12,1)'\ntags = 'list(int64)'\nmore = 'string'",
    );
    let data = r#"{"id": 1, "day": "2024-02-29", "n": 7, "tags": [1, null]}"#;
    dir.write("in.json", file_of([sale("a", "2024-10-10", data), sale("b", "2024-10-11", "{}")]));
    for flags in [&[][..], &["--flatten=false"]] {
        load(&dir, "target", "old.toml", flags).succeeds();
        load(&dir, "asked", "new.toml", flags).succeeds();
        let outcome = with(&dir, "new.toml").succeeds();
        // A date without a time is read as its midnight, too, so the load with the new catalog has the same.
        assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), &format!("{outcome}"));
        is_well(&dir, "target");
        let entries = metadata_entries_of(&dir.target().join(FILE));
        assert!(entries.iter().any(|entry| entry.ends_with("The sale")), "{entries:?}");
        load(&dir, "target", "new.toml", &[&["--mode=merge"], flags].concat()).succeeds();
        load(&dir, "target", "old.toml", &[&["--mode=merge"], flags].concat()).exits(2);
        for target in ["target", "asked"] {
            fs_err::remove_dir_all(dir.path(target)).unwrap();
        }
    }
}

#[test]
fn a_catalog_that_would_lose_something_is_refused() {
    let dir = Workdir::new();
    dir.write("old.toml", "[domain.shop.events.sale.fields]\nid = 'int64'\nn = 'string'");
    dir.write(
        "in.json",
        file_of([sale("a", "2024-10-10", r#"{"id": 1, "n": "x"}"#), account_open("x", "2024-10-10", 1)]),
    );
    load(&dir, "target", "old.toml", &[]).succeeds();
    dir.write("lost.toml", "[domain.shop.events.sale.fields]\nid = 'int64'");
    refuses(&dir, with(&dir, "lost.toml"), 1, &[FILE, "can't be rewritten", "data_n"]);
    dir.write("narrow.toml", "[domain.shop.events.sale.fields]\nid = 'int32'\nn = 'string'");
    refuses(&dir, with(&dir, "narrow.toml"), 1, &["data_id", "int64", "int32"]);
    refuses(&dir, rewrite(&dir, "target"), 2, &["shop/sale", "--catalog"]);
    dir.write(
        "version.toml",
        "[domain.shop.events.sale]\nversion = 'id'\nfields = { id = 'int64', n = 'string' }",
    );
    with(&dir, "version.toml").args(["--compression", "snappy"]).succeeds();
    is_well(&dir, "target");
    // The record still says that no version decided, so that each catalog may go on.
    load(&dir, "target", "old.toml", &["--mode=merge"]).succeeds();
}

/// The catalog of a type that came through `"*"`, in each form of a target.
#[test]
fn payloads_of_json_text_become_the_columns_of_a_catalog_that_names_their_type() {
    let fields = "[domain.shop.events.sale.fields]\nid = 'int64'\nprice = { fields = { value = 'decimal(8,2)', any = 'json' } }\n\
                  tags = 'list(string)'\n";
    let lines = [
        sale(
            "a",
            "2024-10-10",
            r#"{"id": 1, "price": {"value": 4.50, "any": {"x": [1, 2]}}, "tags": ["é", "\n"]}"#,
        ),
        sale("b", "2024-10-10", r#"{"tags": [], "id": "12"}"#),
        sale("c", "2024-10-11", "{}"),
        account_open("x", "2024-10-11", 3),
    ];
    for flags in
        [&[][..], &["--flatten=false"], &["--layout=hive"], &["--layout=hive", "--partition-by=hour"]]
    {
        let dir = Workdir::new();
        dir.write("open.toml", OPEN);
        dir.write("named.toml", fields);
        dir.write("in.json", file_of(&lines));
        load(&dir, "target", "open.toml", flags).succeeds();
        load(&dir, "asked", "named.toml", flags).succeeds();
        let outcome = with(&dir, "named.toml").succeeds();
        let what = format!("{flags:?}: {outcome}");
        // Its directory is that of the catalog now.
        assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), &what);
        is_well(&dir, "target");
        load(&dir, "target", "named.toml", &[&["--mode=merge"], flags].concat()).succeeds();
        assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), "the same once more");
        load(&dir, "target", "open.toml", &[&["--mode=merge"], flags].concat()).exits(2);
    }
}

/// With the directory that the target has, some days may come first.
#[test]
fn payloads_of_some_days_become_columns_before_the_others() {
    let dir = Workdir::new();
    dir.write("open.toml", OPEN);
    dir.write("moved.toml", "[domain.shop.events.sale.fields]\nid = 'int64'");
    dir.write("named.toml", "[domain.shop.events.sale]\ndirectory = 'shop.sale'\nfields.id = 'int64'");
    dir.write(
        "in.json",
        file_of([sale("a", "2024-10-10", r#"{"id": 1}"#), sale("b", "2024-10-11", r#"{"id": 2}"#)]),
    );
    load(&dir, "target", "open.toml", &[]).succeeds();
    let until = ["--until", "2024-10-10"];
    refuses(&dir, with(&dir, "moved.toml").args(until), 2, &["leave out --since and --until"]);
    with(&dir, "named.toml").args(until).succeeds();
    let schema =
        |day: &str| schema_of(&dir.target().join(format!("2024/10/{day}/shop.sale/part-00000.zstd.parquet")));
    assert!(schema("10").contains("data_id") && !schema("11").contains("data_id"));
    is_well(&dir, "target");
    load(&dir, "asked", "named.toml", &[]).succeeds();
    with(&dir, "named.toml").succeeds();
    assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), "all days");
}

#[test]
fn a_payload_that_does_not_fit_stops_the_rewrite_by_its_event() {
    let dir = Workdir::new();
    dir.write("open.toml", OPEN);
    dir.write("named.toml", "[domain.shop.events.sale.fields]\nid = 'int32'\nprice = 'decimal(8,2)'");
    for (data, problem) in [
        (r#"{"id": "no number"}"#, r#"data.id: expected int32, found "no number""#),
        (r#"{"id": 1, "note": "x"}"#, "data.note"),
        (r#"{"price": 1.005}"#, "data.price"),
        (r#"{"id": 1, "id": 1}"#, "data.id"),
        ("[1]", "data"),
    ] {
        let mut lines: Vec<_> =
            (0..20).map(|id| sale(&format!("good {id}"), "2024-10-10T01:00:00", r#"{"id": 1}"#)).collect();
        lines.push(sale("the odd one", "2024-10-10T02:00:00", data));
        dir.write("in.json", file_of(lines));
        load(&dir, "target", "open.toml", &[]).succeeds();
        let file = "2024/10/10/shop.sale/part-00000.zstd.parquet";
        let parts = [file, "can't be rewritten", "\"the odd one\"", problem];
        refuses(&dir, with(&dir, "named.toml"), 1, &parts);
    }
}

/// Whatever a catalog says and the payloads hold: what is promoted is what a load with the catalog writes, or
/// the load would have lost something, too, and the rewrite is refused.
#[test]
fn promoted_payloads_are_those_of_a_load_with_the_catalog() {
    let (mut promoted, mut refused) = (0, 0);
    for seed in 0..80 {
        let mut die = Die::new(seed);
        let types = RandomTypes::new(&mut die);
        let dir = Workdir::new();
        dir.write("open.toml", "[domain.d.events.'*']");
        dir.write("named.toml", &types.catalog);
        let lines = (0..=die.roll(3)).map(|id| {
            let data = types.payload(&mut die);
            format!(
                r#"{{"event_id": "e{id}", "timestamp": "2024-10-10T00:00:0{id}", "domain": "d", "event_type": "e", "data": {data}}}"#
            )
        });
        dir.write("in.json", file_of(lines.collect::<Vec<_>>()));
        let flags = [*die.pick(&["--flatten=true", "--flatten=false"])];
        let open = load(&dir, "target", "open.toml", &flags).succeeds();
        let named = load(&dir, "asked", "named.toml", &flags).succeeds();
        if open.count("written") == 0 {
            continue;
        }
        let lost = |name: &str| !named.report()[name].as_object().unwrap().is_empty();
        let is_lossy =
            named.count("written") < open.count("written") || lost("unknown_fields") || lost("rounded");
        let outcome = with(&dir, "named.toml").run();
        let what = format!(
            "seed {seed} {flags:?}: {outcome}\n{}\n{}",
            types.catalog,
            fs_err::read_to_string(dir.path("in.json")).unwrap()
        );
        assert_eq!(outcome.status.success(), !is_lossy, "{what}");
        if is_lossy {
            refused += 1;
            continue;
        }
        promoted += 1;
        let partitions = |target: &str| text_of(&rows(&dir.path(target)));
        assert_eq!(partitions("asked"), partitions("target"), "{what}");
        assert_same_tree(&published(&dir.path("asked")), &published(&dir.target()), &what);
        is_well(&dir, "target");
    }
    assert!(promoted > 10 && refused > 10, "{promoted} promoted, {refused} refused");
}
