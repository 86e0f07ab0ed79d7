//! Many types, many columns, many threads: does the process hold no more than `--memory`, and say what that
//! costs?

use std::fmt::Write as _;

use crate::support::{
    events::{Die, file_of, plain_events},
    files::{assert_same_tree, published},
    peak_memory::assert_peak,
    workdir::{Loader, Workdir},
};

/// Writes a catalog of `types` event types with `columns` columns each, and a source of `lines` lines of
/// random types with `values` values each, over two days.
fn write_wide(dir: &Workdir, types: u64, columns: u64, lines: u32, values: u64) {
    write_wide_of(dir, "string", types, columns, lines, values);
}

/// The same with columns of another type: maps have objects of one key.
fn write_wide_of(dir: &Workdir, kind: &str, types: u64, columns: u64, lines: u32, values: u64) {
    let mut catalog = String::new();
    for of_type in 0..types {
        writeln!(catalog, "[domain.wide.events.type-{of_type}.fields]").unwrap();
        for column in 0..columns {
            writeln!(catalog, "column_{column} = '{kind}'").unwrap();
        }
    }
    dir.write("wide.toml", catalog);
    let mut die = Die::new(1);
    let lines = (0..lines).map(|line| {
        let first = die.roll(columns - values + 1);
        let value = |column: u64| match kind {
            "string" => format!("\"column_{column}\": \"{line}-{column}\""),
            _ => format!("\"column_{column}\": {{\"{line}\": {{\"{column}\": null}}}}"),
        };
        let data: Vec<_> = (first..first + values).map(value).collect();
        let (of_type, day) = (die.roll(types), 10 + line % 2);
        format!(
            r#"{{"event_id": "{line:032x}", "timestamp": "2024-10-{day}T08:00:00", "domain": "wide", "event_type": "type-{of_type}", "data": {{{}}}}}"#,
            data.join(", ")
        )
    });
    dir.write("wide.json", file_of(lines));
}

fn load(dir: &Workdir, target: &str, memory: &str, threads: u32) -> Loader {
    let loader = dir.loader_into(target).source("wide.json").args(["--backfill", "--catalog=wide.toml"]);
    loader.args([format!("--memory={memory}"), format!("--threads={threads}")])
}

/// Each thread has builders and arrays for all columns of all types, which take many times what the values
/// do.
#[test]
fn many_types_columns_and_threads_take_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    write_wide(&dir, 80, 200, 20_000, 2);
    for threads in [1, 8, 64] {
        let what = format!("{threads} threads");
        assert_peak(load(&dir, &what, "64MiB", threads), 64, &what);
    }
    load(&dir, "roomy", "2GiB", 2).succeeds();
    let said = load(&dir, "said", "64MiB", 8).arg("-v").succeeds();
    for part in ["parse, 1 thread: memory has no room for more", "64.00 MiB of memory at most, 8 threads"] {
        assert!(said.stderr.contains(part), "{part:?} in {said}");
    }
    for target in ["1 threads", "64 threads", "said"] {
        assert_same_tree(&published(&dir.path("roomy")), &published(&dir.path(target)), target);
    }
}

/// A map has builders and arrays for its keys and its values, and `parquet` writes both with many buffers.
#[test]
fn many_maps_take_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    write_wide_of(&dir, "map(map(string))", 20, 50, 10_000, 2);
    for threads in [1, 8] {
        let what = format!("{threads} threads");
        assert_peak(load(&dir, &what, "64MiB", threads), 64, &what);
    }
    load(&dir, "roomy", "2GiB", 2).succeeds();
    assert_same_tree(&published(&dir.path("roomy")), &published(&dir.path("8 threads")), "64MiB");
    write_wide_of(&dir, "map(map(string))", 20, 100, 10, 2);
    load(&dir, "target", "64MiB", 1).exits(2).says(&["a catalog of 6020 columns needs at least"]);
    load(&dir, "target", "64MiB", 1).arg("--compression=snappy").succeeds();
}

/// Rows of few values, whose columns have no room for a page each.
#[test]
fn a_type_of_thousands_of_columns_takes_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    write_wide(&dir, 1, 1_500, 6_000, 3);
    for threads in [1, 8] {
        let what = format!("{threads} threads");
        assert_peak(load(&dir, &what, "64MiB", threads), 64, &what);
    }
    load(&dir, "roomy", "2GiB", 2).succeeds();
    assert_same_tree(&published(&dir.path("roomy")), &published(&dir.path("8 threads")), "64MiB");
}

/// A rewrite reads and writes a partition at a time on each thread, by the columns that both have.
#[test]
fn a_rewrite_takes_no_more_than_the_memory() {
    for (types, columns, lines, values) in [(20, 200, 5_000, 2), (1, 1_500, 3_000, 3), (1, 20, 40_000, 20)] {
        let dir = Workdir::on_disk();
        write_wide(&dir, types, columns, lines, values);
        load(&dir, "target", "2GiB", 2).succeeds();
        load(&dir, "hive", "2GiB", 2).args(["--layout=hive", "--compression=snappy"]).succeeds();
        let rewrite = |form: [&str; 3]| {
            let rewrite =
                dir.bare_loader().args(["rewrite", "target", "--catalog=wide.toml", "--memory=64MiB"]);
            rewrite.args(form)
        };
        let what = format!("a rewrite of {columns} columns");
        assert_peak(rewrite(["--layout=hive", "--compression=snappy", "--threads=8"]), 64, &what);
        assert_same_tree(&published(&dir.path("hive")), &published(&dir.path("target")), &what);
        assert_peak(rewrite(["--compression=zstd", "--encodings=basic", "--threads=1"]), 64, &what);
    }
}

/// Rows of long texts: of each its own, and the same in many, which takes next to nothing in the file.
#[test]
fn a_rewrite_of_long_texts_takes_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    dir.write("wide.toml", "[domain.wide.events.type-0.fields]\nown = 'string'\nsame = 'string'");
    let same = "the same ".repeat(3_000);
    let mut die = Die::new(3);
    let lines = (0..2_500_u32).map(|line| {
        let words: Vec<_> = (0..1_000).map(|_| format!("{:016x}", die.roll(u64::MAX))).collect();
        let own = words.concat();
        let own = if line < 2_000 { "" } else { &own };
        format!(
            r#"{{"event_id": "{line:032x}", "timestamp": "2024-10-10T08:00:00", "domain": "wide", "event_type": "type-0", "data": {{"own": "{own}", "same": "{same}"}}}}"#
        )
    });
    dir.write("wide.json", file_of(lines));
    load(&dir, "target", "2GiB", 2).succeeds();
    load(&dir, "asked", "2GiB", 2).args(["--layout=hive", "--compression=snappy"]).succeeds();
    let rewrite = dir.bare_loader().args(["rewrite", "target", "--catalog=wide.toml", "--memory=80MiB"]);
    assert_peak(rewrite.args(["--layout=hive", "--compression=snappy"]), 80, "long texts");
    assert_same_tree(&published(&dir.path("asked")), &published(&dir.path("target")), "long texts");
}

/// Types that no catalog names, a few rows of each, so that each row is a batch of its own.
#[test]
fn thousands_of_types_that_are_found_take_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    dir.write("wide.toml", "[domain.'*']");
    let mut die = Die::new(2);
    let lines = (0..12_000_u32).map(|line| {
        let (of_type, number) = (die.roll(2_500), die.roll(1 << 40));
        format!(
            r#"{{"event_id": "{line:032x}", "timestamp": "2024-10-10T08:00:00", "domain": "found", "event_type": "a type of events that is called {of_type}", "data": {{"number": {number}, "text": "{line}"}}}}"#
        )
    });
    dir.write("wide.json", file_of(lines));
    assert_peak(load(&dir, "target", "64MiB", 8).arg("--dry-run"), 64, "thousands of types");
    let [small, roomy] = [("64MiB", 8), ("2GiB", 2)]
        .map(|(memory, threads)| load(&dir, "target", memory, threads).arg("--dry-run").succeeds());
    assert_eq!(small.partitions(), roomy.partitions());
    assert!(roomy.partitions().len() > 2_400, "{}", roomy.partitions().len());
}

/// Few columns, but more threads than memory has blocks for.
#[test]
fn hundreds_of_threads_take_no_more_than_the_memory() {
    let dir = Workdir::on_disk();
    dir.write("in.json", file_of(plain_events(1, 100_000, 10)));
    let loader = dir.loader().source("in.json").args(["--backfill", "--memory=64MiB", "--threads=512"]);
    assert_peak(loader, 64, "512 threads");
}

/// Blocks of many small sources have few rows each; these are counted by their sources all the same.
#[test]
fn rows_of_many_small_sources_are_counted_by_source() {
    let dir = Workdir::on_disk();
    write_wide(&dir, 30, 100, 3_000, 5);
    let lines = fs_err::read_to_string(dir.path("wide.json")).unwrap();
    let lines: Vec<_> = lines.lines().collect();
    for (number, lines) in lines.chunks(7).enumerate() {
        dir.write(&format!("in/{number:04}.json"), file_of(lines));
    }
    let load = |target: &str, memory: &str| {
        let loader = dir.loader_into(target).source("in").args(["--backfill", "--catalog=wide.toml"]);
        let outcome = loader.args(["--memory", memory, "--threads=3"]).succeeds();
        (published(&dir.path(target)), outcome.report()["sources"].clone())
    };
    let (small, large) = (load("small", "64MiB"), load("large", "2GiB"));
    assert_same_tree(&large.0, &small.0, "64MiB and 2GiB");
    assert_eq!(large.1, small.1);
    assert_eq!(small.1[3]["written"], 7, "{:#}", small.1[3]);
}

#[test]
fn a_catalog_that_memory_has_no_room_for_is_refused() {
    let dir = Workdir::new();
    write_wide(&dir, 100, 500, 10, 1);
    let outcome = load(&dir, "target", "64MiB", 8).exits(2);
    outcome.says(&["--memory: a catalog of 50020 columns needs at least", "64.00 MiB may be used"]);
    assert!(!dir.target().exists());
}
