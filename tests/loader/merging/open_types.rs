//! Targets that have event types which no catalog names: do merges, replays and the other commands know them
//! by what the target holds?

use crate::support::{
    events::{Die, file_of},
    files::{assert_no_debris, assert_same_tree, published, tree},
    readback::{rows, text_of},
    workdir::{Loader, Workdir},
};

const OPEN: &str = "[domain.'*']";

fn event(id: &str, timestamp: &str, event_type: &str, number: u64) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "{event_type}", "data": {{"n": {number}}}}}"#
    )
}

fn open() -> Workdir {
    let dir = Workdir::new();
    dir.write("open.toml", OPEN);
    dir
}

fn load(dir: &Workdir, target: &str, source: &str, flags: &[&str]) -> Loader {
    dir.loader_into(target).source(source).args(["-b", "--catalog", "open.toml"]).args(flags)
}

#[track_caller]
fn is_well(dir: &Workdir, target: &str) {
    let verified = dir.bare_loader().arg("verify").arg(dir.path(target)).succeeds();
    assert_eq!(verified.stdout, "", "verify of {target}");
    assert_no_debris(&dir.path(target));
}

/// Events of 60 types on four days; some come again, some are corrected to another time. Their versions have
/// different times, so that their order means nothing.
fn history(seed: u64) -> Vec<String> {
    let mut die = Die::new(seed);
    let mut lines = Vec::new();
    for index in 0..600 {
        let event_type = format!("type {}", die.roll(60));
        let time = |day: u64| format!("2024-10-{:02}T00:00:{:02}.{:06}", 10 + day, index % 60, index);
        let (id, day) = (format!("e{index}"), die.roll(3));
        let line = event(&id, &time(day), &event_type, index);
        match die.roll(5) {
            0 => lines.push(line.clone()),
            1 => lines.push(event(&id, &time(day + 1), &event_type, index + 1)),
            _ => {}
        }
        lines.push(line);
    }
    die.shuffle(&mut lines);
    lines
}

#[test]
fn merges_leave_what_one_load_leaves_however_the_input_is_cut() {
    for (seed, flags) in [(1, &[][..]), (2, &["--layout=hive"]), (3, &["--flatten=false", "--threads=3"])] {
        let dir = open();
        let lines = history(seed);
        dir.write("all.json", file_of(&lines));
        load(&dir, "whole", "all.json", flags).succeeds();
        for (number, lines) in lines.chunks(170).enumerate() {
            dir.write(&format!("in/{number}.json"), file_of(lines));
            let merge = [flags, &["--mode", "merge", "--skip-loaded"]].concat();
            let merged = load(&dir, "merged", "in", &merge).succeeds();
            assert_eq!(merged.count("lines"), lines.len() as u64, "only the new file");
            is_well(&dir, "merged");
        }
        assert_same_tree(&published(&dir.path("whole")), &published(&dir.path("merged")), "cut");
    }
}

/// An event is one of its type: a version of another type is another event, as with named types.
#[test]
fn an_event_whose_type_changes_is_one_of_each_type() {
    let dir = open();
    dir.write(
        "1.json",
        file_of([event("a", "2024-10-10", "draft", 1), event("b", "2024-10-10", "draft", 2)]),
    );
    dir.write(
        "2.json",
        file_of([event("a", "2024-10-11", "final", 3), event("b", "2024-10-11", "draft", 4)]),
    );
    for (target, order) in [("forth", ["1.json", "2.json"]), ("back", ["2.json", "1.json"])] {
        for source in order {
            load(&dir, target, source, &["--mode", "merge"]).succeeds();
            is_well(&dir, target);
        }
        let rows = text_of(&rows(&dir.path(target)));
        let places: Vec<_> =
            rows.iter().map(|row| row.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            places,
            ["2024/10/10/shop.draft: \"a\"", "2024/10/11/shop.draft: \"b\"", "2024/10/11/shop.final: \"a\""],
            "{target}"
        );
    }
    assert_same_tree(&published(&dir.path("forth")), &published(&dir.path("back")), "both orders");
}

/// Without `"*"`, a merge does not touch them, and no command needs their names.
#[test]
fn what_no_catalog_names_stays_what_it_is() {
    let dir = open();
    dir.write("1.json", file_of([event("a", "2024-10-10", "sale", 1)]));
    load(&dir, "target", "1.json", &[]).succeeds();
    let before = published(&dir.target());
    dir.write("2.json", file_of([crate::support::events::account_open("x", "2024-10-10", 1)]));
    for mode in ["merge", "overwrite"] {
        dir.loader().source("2.json").args(["-b", "--mode", mode]).succeeds();
        is_well(&dir, "target");
    }
    let after = published(&dir.target());
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "{:?}", after.keys());
    let listed = dir.bare_loader().arg("list").arg(dir.target()).succeeds().stdout;
    assert_eq!(listed.lines().count(), 3, "a head and two loads: {listed}");

    fs_err::remove_dir_all(dir.target().join("2024/10/10/shop.sale")).unwrap();
    dir.bare_loader().arg("verify").arg(dir.target()).exits(1);
    load(&dir, "target", "1.json", &["--mode", "merge"]).exits(1).says(&["shop.sale"]);
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    load(&dir, "target", "1.json", &["--mode", "merge"]).succeeds();
    assert_eq!(before.keys().filter(|name| tree(&dir.target()).contains_key(*name)).count(), before.len());
    is_well(&dir, "target");
}

/// With a name in the catalog, a type would have another directory, and with "*" a named one.
#[test]
fn a_type_stays_in_its_directory() {
    let dir = open();
    dir.write("1.json", file_of([event("a", "2024-10-10", "sale", 1)]));
    dir.write("named.toml", "[domain.shop.events.sale.fields]\nn = 'int32'");
    dir.write("directory.toml", "[domain.shop.events.sale]\ndirectory = 'shop.sale'\nfields.n = 'int32'");
    let with = |target: &str, catalog: &str, flags: &[&str]| {
        dir.loader_into(target).source("1.json").args(["-b", "--catalog", catalog]).args(flags)
    };
    for layout in ["plain", "hive"] {
        let open = &*format!("open-{layout}");
        let named = &*format!("named-{layout}");
        let flags = &["--layout", layout, "--mode", "merge"];
        with(open, "open.toml", flags).succeeds();
        with(named, "named.toml", flags).succeeds();
        for mode in ["merge", "overwrite"] {
            let flags = &["--layout", layout, "--mode", mode];
            with(open, "named.toml", flags).exits(2).says(&[
                "shop/sale",
                "\"shop.sale\"",
                "\"sale\"",
                "nothing was changed",
            ]);
            with(named, "open.toml", flags).exits(2).says(&[
                "shop/sale",
                "\"shop.sale\"",
                "\"sale\"",
                "nothing was changed",
            ]);
        }
        is_well(&dir, open);
        is_well(&dir, named);
    }
    // Its rows have other columns than those that the catalog names.
    with("open-plain", "directory.toml", &["--mode", "merge"]).exits(1).says(&[
        "shop.sale",
        "data",
        "the catalog",
    ]);
    with("open-plain", "directory.toml", &[]).succeeds();
    is_well(&dir, "open-plain");
}

#[test]
fn a_replay_loads_lines_of_types_that_only_the_new_catalog_allows() {
    let dir = open();
    let lines = [
        event("a", "2024-10-10", "sale", 1),
        event("b", "2024-10-10", "offer", 2),
        event("c", "2024-10-11", "sale", 3),
    ];
    dir.write("1.json", file_of(&lines));
    dir.loader_into("replayed").source("1.json").args(["-b", "--max-bad-lines=100%"]).succeeds();
    let replay = dir.bare_loader().arg("replay").arg(dir.path("replayed")).args(["--catalog", "open.toml"]);
    let replayed = replay.reporting().succeeds();
    assert_eq!(replayed.count("written"), 3);
    is_well(&dir, "replayed");
    load(&dir, "loaded", "1.json", &[]).succeeds();
    assert_same_tree(&published(&dir.path("loaded")), &published(&dir.path("replayed")), "replayed");
}

/// A bad line of a type that has no other line in the run was later than the row that the target has.
#[test]
fn a_bad_line_is_put_behind_the_row_that_the_target_has() {
    let line = |number| event("a", "2024-10-10", "order placed", number);
    // Its payload does not fit, or it has two.
    let bad = [line(9_999_999_999), line(2).replace("\"data\"", "\"data\": {}, \"data\"")];
    for (layout, bad) in ["plain", "hive"].iter().flat_map(|layout| bad.iter().map(move |bad| (layout, bad)))
    {
        let dir = open();
        dir.write("1.json", file_of([line(1)]));
        dir.write("strict.toml", "[domain.'*'.fields]\nn = 'int32'");
        dir.write("2.json", file_of([bad]));
        let with = |source: &str| {
            dir.loader().source(source).args([
                "-b",
                "--mode=merge",
                "--catalog=strict.toml",
                "--max-bad-lines=9",
                "--layout",
                *layout,
            ])
        };
        with("1.json").succeeds();
        assert_eq!(with("2.json").succeeds().count("quarantined.total"), 1);
        let quarantine: Vec<_> =
            tree(&dir.target()).into_iter().filter(|(name, _)| name.starts_with("_quarantine/")).collect();
        let text = String::from_utf8_lossy(&quarantine[0].1).into_owned();
        assert!(text.contains("\"wins_tie\":true"), "{text}");
    }
}

/// In the layout hive, a directory alone does not say whether its type has the domain in its name.
#[test]
fn accept_guesses_no_event_type() {
    let dir = open();
    dir.write("1.json", file_of([event("a", "2024-10-10", "sale", 1), event("b", "2024-10-11", "sale", 2)]));
    load(&dir, "target", "1.json", &["--layout=hive"]).succeeds();
    let of_day = |day: &str| dir.target().join(format!("year=2024/month=10/day={day}/event_type=shop.sale"));
    let file = "part-00000.zstd.parquet";
    let copy = |to: &str| {
        fs_err::create_dir_all(of_day(to)).unwrap();
        fs_err::copy(of_day("11").join(file), of_day(to).join(file)).unwrap();
    };
    copy("12");
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    fs_err::remove_dir_all(of_day("12")).unwrap();
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    is_well(&dir, "target");

    let other = dir.path("other");
    dir.write("2.json", file_of([crate::support::events::account_open("x", "2024-10-10", 1)]));
    dir.loader_into("other").source("2.json").args(["-b", "--layout=hive"]).succeeds();
    let place = other.join("year=2024/month=10/day=11/event_type=shop.sale");
    fs_err::create_dir_all(&place).unwrap();
    fs_err::copy(of_day("11").join(file), place.join(file)).unwrap();
    dir.bare_loader().arg("accept").arg(&other).exits(1).says(&["does not say of which event type"]);
}
