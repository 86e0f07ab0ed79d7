//! With `--encodings basic`: are the rows the same, in encodings that old readers know, and are only
//! partitions written that change?

use std::{collections::BTreeSet, fmt::Write as _};

use crate::support::{
    events::{account_open, file_of, plain_events},
    files::{changes, published, tree},
    readback::{encodings_of, parquet_files, rows},
    workdir::Workdir,
};

/// A column of each type, objects, lists.
const CATALOG: &str = "[domain.shop.events.sale.fields]\n\
    i32 = 'int32'\ni64 = 'int64'\nf = 'float64'\nb = 'boolean'\nmoney = 'decimal(10,2)'\nwide = 'decimal(30,2)'\n\
    day = 'date'\nat = 'timestamp'\nfew = 'string'\nmany = 'string'\nnone = 'string'\nany = 'json'\n\
    tags = 'list(string)'\nsizes = 'list(int64)'\nflags = 'list(boolean)'\n\
    items = { list = { fields = { sku = 'string', price = 'decimal(12,3)', when = 'timestamp', ok = 'boolean' } } }\n\
    where = { fields = { city = 'string', lat = 'float64' } }\n";

fn sales(count: u32) -> String {
    let mut lines = String::new();
    for n in 0..count {
        let data = format!(
            r#"{{"i32": {}, "i64": {}, "f": {n}.5, "b": {}, "money": "{}.25", "wide": "{n}00000000000000000000", "day": "2024-02-29",
            "at": "2024-10-10T00:00:{:02}Z", "few": "word {}", "many": "text {n}", "any": {{"n": {n}}}, "tags": ["a", null, "t{n}"],
            "sizes": [{n}, 1], "flags": [true, false, null], "where": {{"city": "c{}", "lat": 0.1}},
            "items": [{{"sku": "s{n}", "price": 1.5, "when": "2024-10-10", "ok": true}}, {{"sku": null}}]}}"#,
            n % 7,
            u64::from(n) * 7_919_000_007,
            n % 3 == 0,
            n * 37 % 1_000,
            n % 60,
            n % 4,
            n % 9,
        );
        // Nulls, and ids that are no UUIDs, in some pages only.
        let data = if n % 11 == 0 { "{}".to_owned() } else { data.replace('\n', "") };
        let id = if n < 30_000 { format!("{n:08x}-0000-4000-8000-000000000000") } else { format!("id {n}") };
        writeln!(
            lines,
            r#"{{"event_id": "{id}", "timestamp": "2024-10-10T00:00:00.{n:06}", "domain": "shop", "event_type": "sale", "data": {data}}}"#
        )
        .unwrap();
    }
    lines
}

fn encodings(dir: &Workdir, target: &str) -> BTreeSet<String> {
    let target = dir.path(target);
    let files = parquet_files(&tree(&target));
    files.iter().flat_map(|file| encodings_of(&target.join(file))).collect()
}

#[test]
fn basic_encodings_are_plain_values_and_dictionaries_of_the_same_rows() {
    let dir = Workdir::new();
    dir.write("shop.toml", CATALOG);
    dir.write("in/sales.json", sales(40_000));
    dir.write("in/accounts.json", file_of(plain_events(3, 500, 1_000)));
    let load = |target: &str, flags: &[&str]| {
        let loader = dir.loader_into(target).args(["-s", "in", "-b", "--catalog", "shop.toml"]);
        loader.args(flags.iter().copied()).succeeds()
    };
    for (number, flags) in
        [&["--compression=zstd"][..], &["--compression=none", "--flatten=false"]].into_iter().enumerate()
    {
        let (compact, basic) = (format!("compact-{number}"), format!("basic-{number}"));
        load(&compact, flags);
        load(&basic, &[flags, &["--encodings=basic"]].concat());
        // RLE is what levels are written in, in every file there is.
        assert_eq!(encodings(&dir, &basic), ["PLAIN", "RLE", "RLE_DICTIONARY"].map(str::to_owned).into());
        for encoding in ["DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"] {
            assert!(encodings(&dir, &compact).contains(encoding), "{encoding} with {flags:?}");
        }
        assert!(rows(&dir.path(&compact)) == rows(&dir.path(&basic)), "other rows with {flags:?}");
        dir.bare_loader().arg("verify").arg(dir.path(&basic)).succeeds();
    }
}

#[test]
fn a_merge_with_other_encodings_writes_only_partitions_that_change() {
    let dir = Workdir::new();
    dir.write(
        "1.json",
        file_of([account_open("a", "2024-10-10T01:00:00", 1), account_open("b", "2024-10-11T01:00:00", 2)]),
    );
    dir.write("2.json", account_open("c", "2024-10-11T02:00:00", 3));
    let load =
        |source: &str, flags: &[&str]| dir.loader().source(source).arg("-b").args(flags.iter().copied());
    load("1.json", &[]).succeeds();
    let before = published(&dir.target());
    load("2.json", &["--mode", "merge", "--encodings", "basic"]).succeeds();
    let changed = changes(&before, &published(&dir.target()));
    assert!(changed.len() == 1 && changed[0].starts_with("2024/10/11/account-open/"), "{changed:?}");
    let file = |day: &str| dir.target().join(format!("2024/10/{day}/account-open/part-00000.zstd.parquet"));
    assert!(encodings_of(&file("10")).contains("DELTA_LENGTH_BYTE_ARRAY"));
    assert_eq!(encodings_of(&file("11")), ["PLAIN", "RLE", "RLE_DICTIONARY"].map(str::to_owned).into());

    // Overwriting replaces what it has rows for, here by the same rows.
    let outcome = load("1.json", &["--encodings", "basic"]).succeeds();
    assert_eq!(
        outcome.partitions(),
        ["2024/10/10/account-open 1 replaced", "2024/10/11/account-open 1 replaced"]
    );

    // A replay goes on as the target was loaded.
    dir.write("bad.json", account_open("d", "2024-10-12T02:00:00", 4).replace("account-open", "opened"));
    dir.write("opened.toml", "[domain.account.events.opened.fields]\nid = 'int32'");
    load("bad.json", &["--mode=merge", "--encodings=basic", "--max-bad-lines=100%"]).succeeds();
    let replay = ["replay", "--catalog", "opened.toml"];
    dir.bare_loader().args(replay).arg(dir.target()).succeeds();
    let file = dir.target().join("2024/10/12/opened/part-00000.zstd.parquet");
    assert!(!encodings_of(&file).contains("DELTA_LENGTH_BYTE_ARRAY"));
}
