//! Where a version decides before the timestamp: do merges, in any order, leave the target of one backfill,
//! also where events move to earlier days; and does a target remember what decides?

use std::path::Path;

use crate::support::{
    events::{Die, file_of},
    files::{Tree, assert_no_debris, assert_same_tree, published},
    readback::{rows, text_of},
    workdir::{Loader, Outcome, Workdir},
};

fn catalog(version: &str) -> String {
    format!(
        "[domain.shop.events.order]\n{version}[domain.shop.events.order.fields]\nnote = 'string'\nn = 'int32'\n"
    )
}

fn order(id: &str, timestamp: &str, n: impl std::fmt::Display, note: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{timestamp}", "domain": "shop", "event_type": "order", "data": {{"n": {n}, "note": "{note}"}}}}"#
    )
}

fn partitions(target: &Path) -> Tree {
    let mut tree = published(target);
    tree.retain(|name, _| !name.starts_with('_'));
    tree
}

fn verify(dir: &Workdir) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "verify");
    assert_no_debris(&dir.target());
}

fn merge(dir: &Workdir, lines: &[String]) -> Outcome {
    merging(dir, lines).succeeds()
}

fn merging(dir: &Workdir, lines: &[String]) -> Loader {
    dir.write("in.json", file_of(lines));
    dir.loader().source("in.json").args(["-b", "--mode", "merge", "--catalog", "shop.toml"])
}

/// The versions of an event have different versions, and often equal timestamps; they lie on four days, in
/// any order.
fn versions(die: &mut Die) -> Vec<String> {
    let mut lines = Vec::new();
    for event in 0..60 {
        let id = if event % 2 == 0 {
            format!("id {event}")
        } else {
            format!("{event:08x}-0000-4000-8000-000000000000")
        };
        for n in 0..die.roll(5) {
            let (day, hour) = (10 + die.roll(4), die.roll(2));
            lines.push(order(&id, &format!("2024-10-{day}T{hour:02}:00:00"), n, &format!("{event} {n}")));
        }
    }
    lines
}

#[test]
fn any_order_of_loads_leaves_one_target() {
    const FLAGS: [&[&str]; 5] = [
        &[],
        &["--partition-by", "hour", "--threads", "3"],
        &["--layout", "hive", "--flatten", "false"],
        &["--dedupe-scope", "day", "--partition-by", "hour"],
        &["--memory", "64MiB"],
    ];
    for seed in 0..20 {
        let mut die = Die::new(seed);
        let flags = *die.pick(&FLAGS);
        let what = format!("seed {seed}, {flags:?}");
        let dir = Workdir::new();
        dir.write("shop.toml", catalog("version = 'n'\n"));
        let mut lines = versions(&mut die);
        dir.write("all.json", file_of(&lines));
        let backfill = ["--backfill", "--catalog", "shop.toml"];
        dir.loader_into("one").source("all.json").args(backfill).args(flags).succeeds();
        die.shuffle(&mut lines);
        dir.write("all.json", file_of(&lines));
        dir.loader_into("shuffled").source("all.json").args(backfill).args(flags).succeeds();
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.path("shuffled")), &what);
        let piece_lines = 1 + die.index(40);
        for piece in lines.chunks(piece_lines) {
            if die.one_in(3) {
                let (operation, fault) = (1 + die.roll(150), die.pick(&["stop", "power", "names", "torn"]));
                let fault = format!("{operation}:{fault}");
                merging(&dir, piece).args(flags).env("EVENTLOADER_FAULT", &fault).run();
            }
            merging(&dir, piece).args(flags).succeeds();
            if die.one_in(4) {
                let again = merging(&dir, piece).args(flags).succeeds();
                assert_eq!(again.count("written"), 0, "{what}: a piece that was merged before");
            }
        }
        assert_same_tree(&partitions(&dir.path("one")), &partitions(&dir.target()), &what);
        verify(&dir);
    }
}

#[test]
fn an_event_may_move_to_an_earlier_day_and_back() {
    let dir = Workdir::new();
    dir.write("shop.toml", catalog("version = 'n'\n"));
    let found = || text_of(&rows(&dir.target())).join("\n");
    merge(&dir, &[order("a", "2024-10-11", 1, "a1"), order("b", "2024-10-10", 1, "b1")]);
    // Both ways at once: neither partition may be published before the other.
    let moved = merge(&dir, &[order("a", "2024-10-10", 2, "a2"), order("b", "2024-10-11", 2, "b2")]);
    assert_eq!((moved.count("written"), moved.count("held_superseded")), (2, 2));
    assert!(found().contains("a2") && found().contains("b2") && !found().contains("1\""), "{}", found());
    let late = merge(&dir, &[order("a", "2024-10-12", 1, "a1"), order("b", "2024-10-09", 0, "b0")]);
    assert_eq!((late.count("written"), late.count("superseded")), (0, 2), "lower versions change nothing");
    let back = merge(&dir, &[order("a", "2024-10-09", 3, "a3")]);
    assert_eq!(
        back.partitions(),
        ["2024/10/09/order 1 created", "2024/10/10/order 0 removed"],
        "a partition that is left empty is gone"
    );
    verify(&dir);
}

#[test]
fn rows_from_before_without_the_version_rank_lowest() {
    let dir = Workdir::new();
    let old = |timestamp: &str| order("a", timestamp, "null", "old");
    dir.write("shop.toml", "[domain.shop.events.order.fields]\nnote = 'string'\n");
    merge(&dir, &[old("2024-10-12"), order("b", "2024-10-12", 9, "unknown field")]);
    dir.write("shop.toml", catalog("version = 'n'\n"));
    let merged = merge(&dir, &[order("a", "2024-10-10", -5, "new"), order("b", "2024-10-11", -5, "new")]);
    assert_eq!((merged.count("written"), merged.count("held_superseded")), (2, 2));
    assert!(text_of(&rows(&dir.target())).iter().all(|row| row.contains("\"new\"")));
    verify(&dir);
}

#[test]
fn a_target_remembers_the_version_of_each_type() {
    let dir = Workdir::new();
    dir.write("shop.toml", catalog(""));
    merge(&dir, &[order("a", "2024-10-10", 1, "x")]);
    // Adding one is allowed.
    dir.write("shop.toml", catalog("version = 'n'\n"));
    merge(&dir, &[order("a", "2024-10-10", 2, "y")]);
    for (version, asked) in
        [("version = ['n', 'note']\n", "[\"n\", \"note\"]"), ("version = 'note'\n", "[\"note\"]"), ("", "[]")]
    {
        dir.write("shop.toml", catalog(version));
        let refused = merging(&dir, &[order("a", "2024-10-10", 3, "z")]).exits(2);
        let has = "has the latest versions of shop/order by `version = [\"n\"]`";
        refused.says(&[has, &format!("`version = {asked}`"), "nothing was changed"]);
        let overwrites = dir.loader().source("in.json").args(["-b", "--catalog", "shop.toml"]).exits(2);
        overwrites.says(&[has]);
    }
    // Of other types, nothing is remembered.
    dir.write("open.json", crate::support::events::account_open("a", "2024-10-10", 1));
    dir.loader().source("open.json").args(["-b", "--mode", "merge"]).succeeds();
    // What is gone binds no later load.
    fs_err::remove_dir_all(dir.path("target/2024/10/10/order")).unwrap();
    dir.bare_loader().arg("accept").arg(dir.target()).succeeds();
    merge(&dir, &[order("a", "2024-10-10", 3, "z")]);
    verify(&dir);
}

/// Days of a target that was merged are overwritten: an event whose latest version lies on another day stays
/// there.
#[test]
fn an_overwritten_day_does_not_bring_back_lower_versions() {
    let dir = Workdir::new();
    dir.write("shop.toml", catalog("version = 'n'\n"));
    let lines = [
        order("a", "2024-10-11", 1, "a1"),
        order("b", "2024-10-11", 1, "b1"),
        order("a", "2024-10-10", 2, "a2"),
    ];
    merge(&dir, &lines);
    let before = partitions(&dir.target());
    dir.write("in.json", file_of(&lines));
    let day = ["--date", "2024-10-11", "--catalog", "shop.toml"];
    dir.loader().source("in.json").args(day).succeeds();
    assert_same_tree(&before, &partitions(&dir.target()), "the later day again");
    verify(&dir);
}

/// Bad lines whose version is known only to a better catalog: a replay leaves what that catalog would have
/// left.
#[test]
fn a_replay_decides_by_the_version() {
    for seed in 0..12 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let required = catalog("version = 'n'\n") + "more = { type = 'string', required = true }\n";
        dir.write("required.toml", &required);
        dir.write("optional.toml", required.replace("true", "false"));
        // Equal versions and timestamps are among them: the later line is kept.
        let line = |number: u64, die: &mut Die| {
            let (id, n, day) = (number / 3, die.roll(2), 10 + die.roll(2));
            let line = order(&format!("id {id}"), &format!("2024-10-{day}"), n, &format!("{number}"));
            if die.one_in(2) { line.replace("\"note\"", "\"more\": \"m\", \"note\"") } else { line }
        };
        let mut lines: Vec<_> = (0..60).map(|number| line(number, &mut die)).collect();
        die.shuffle(&mut lines);
        dir.write("in.json", file_of(&lines));
        for (target, catalog) in [("target", "required.toml"), ("one", "optional.toml")] {
            let flags = ["-b", "--mode", "merge", "--max-bad-lines=100%", "--catalog", catalog];
            dir.loader_into(target).source("in.json").args(flags).succeeds();
        }
        let replay = dir.bare_loader().arg("replay").arg(dir.target()).args(["--catalog", "optional.toml"]);
        replay.succeeds();
        let [replayed, loaded] = ["target", "one"].map(|target| text_of(&rows(&dir.path(target))));
        assert_eq!(replayed, loaded, "seed {seed}");
        verify(&dir);
    }
}
