//! A replay of lines whose event types do not all fit what the target has: are the others replayed, and do
//! those stay as they are?

use crate::support::{
    events::{Die, file_of},
    files::{assert_no_debris, assert_same_tree, tree},
    readback::{quarantine, rows, text_of},
    workdir::{Loader, Outcome, Workdir},
};

fn event(event_type: &str, id: &str, data: &str) -> String {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "2024-10-10T05:00:00", "domain": "shop", "event_type": "{event_type}", "data": {data}}}"#
    )
}

/// A target with rows of three types, and bad lines of each: those called bad lack a note, which the catalog
/// requires, and those called worse have a list for a number.
fn with_bad_lines(flags: &[&str]) -> Workdir {
    let dir = Workdir::new();
    let old = |name: &str| {
        format!(
            "[domain.shop.events.{name}.fields]\nid = 'int64'\nnote = {{ type = 'string', required = true }}\n"
        )
    };
    let types = ["sale", "visit", "refund"];
    dir.write("old.toml", types.map(old).concat());
    let good = types.map(|name| event(name, &format!("good {name}"), r#"{"id": 1, "note": "n"}"#));
    let bad = types.map(|name| event(name, &format!("bad {name}"), r#"{"id": 2}"#));
    let worse = types.map(|name| event(name, &format!("worse {name}"), r#"{"id": [3]}"#));
    dir.write("in/1.json", file_of([&good[..], &bad[..1], &worse[..]].concat()));
    dir.write("in/2.json", file_of([&["junk".to_owned()][..], &bad[1..]].concat()));
    let load = dir.loader().source("in").args(["--backfill", "--mode", "merge", "--catalog", "old.toml"]);
    load.args(flags).succeeds();
    assert_eq!(quarantine(&dir.target()).len(), 7);
    dir
}

fn replay(dir: &Workdir, catalog: &str) -> Loader {
    dir.write("new.toml", catalog);
    dir.bare_loader().args(["replay", "--catalog", "new.toml"]).arg(dir.target()).reporting()
}

fn counts(outcome: &Outcome) -> [u64; 4] {
    ["lines", "quarantined.total", "filtered", "written"].map(|name| outcome.count(name))
}

#[track_caller]
fn mentions(outcome: &Outcome, parts: &[&str]) {
    for part in parts {
        assert!(outcome.stderr.contains(part), "{part:?} is not in what is said by {outcome}");
    }
}

/// `reason id` of each bad line.
fn bad_lines(dir: &Workdir) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    quarantine(&dir.target()).iter().map(|bad| format!("{} {}", bad.reason, text(&bad.raw))).collect()
}

fn ids(dir: &Workdir) -> Vec<String> {
    let mut ids: Vec<_> = text_of(&rows(&dir.target()))
        .iter()
        .filter_map(|row| ["bad sale", "bad visit", "bad refund"].into_iter().find(|id| row.contains(id)))
        .map(str::to_owned)
        .collect();
    ids.sort();
    ids
}

fn is_well(dir: &Workdir) {
    assert_eq!(dir.bare_loader().arg("verify").arg(dir.target()).succeeds().stdout, "");
    assert_no_debris(&dir.target());
}

const OTHERS: &str = "[domain.shop.events.visit.fields]\nid = 'int64'\nnote = 'string'\n\
                      [domain.shop.events.refund.fields]\nid = 'int64'\nnote = 'string'\n";

#[test]
fn a_type_that_does_not_fit_leaves_its_lines_and_no_others() {
    // What does not fit, of what the message speaks, and the exit code if there is no other line.
    let misfits = [
        ("[domain.shop.events.sale.fields]\nid = 'float64'\nnote = 'string'\n", "as int64", 2),
        ("[domain.shop.events.sale.fields]\nid = 'int64'\n", "note", 1),
        (
            "[domain.shop.events.sale]\ndirectory = 'sold'\nfields = { id = 'int64', note = 'string' }\n",
            "sold",
            2,
        ),
    ];
    for flags in [&[][..], &["--flatten", "false"], &["--layout", "hive", "--partition-by", "hour"]] {
        for (misfit, named, code) in &misfits {
            let dir = with_bad_lines(flags);
            let before = bad_lines(&dir);
            let catalog = format!("{misfit}{OTHERS}");
            let untouched = tree(&dir.target());
            let dry = replay(&dir, &catalog).arg("--dry-run").succeeds();
            assert_eq!(counts(&dry), [7, 3, 2, 2], "{flags:?} {misfit} {dry}");
            assert_same_tree(&untouched, &tree(&dir.target()), "a dry run");
            let replayed = replay(&dir, &catalog).succeeds();
            assert_eq!(counts(&replayed), [7, 3, 2, 2], "{flags:?} {misfit} {replayed}");
            mentions(
                &replayed,
                &["2 left as they are", "left the bad lines of shop/sale where they are", named],
            );
            assert!(!replayed.stderr.contains("nothing was changed"), "{replayed}");
            assert_eq!(replayed.report()["left_out"][0]["event_type"], "shop/sale");
            assert_eq!(ids(&dir), ["bad refund", "bad visit"]);
            let stays = |line: &&String| !line.contains("bad visit") && !line.contains("bad refund");
            let expected: Vec<_> = before.iter().filter(stays).cloned().collect();
            assert_eq!(bad_lines(&dir), expected, "as they were, for the reasons that they had");
            is_well(&dir);
            let all = tree(&dir.target());
            // The lines that are left are bad, or of that type.
            let refused = replay(&dir, &catalog).exits(*code);
            refused.says(&[named]);
            assert_same_tree(&all, &tree(&dir.target()), "a replay of lines that do not fit");
        }
    }
}

#[test]
fn several_types_that_do_not_fit_are_each_named() {
    let dir = with_bad_lines(&[]);
    let catalog = "[domain.shop.events.sale.fields]\nid = 'int64'\n\
                   [domain.shop.events.visit]\ndirectory = 'visited'\nfields = { id = 'int64', note = 'string' }\n\
                   [domain.shop.events.refund.fields]\nid = 'int64'\nnote = 'string'\n";
    let replayed = replay(&dir, catalog).succeeds();
    assert_eq!(counts(&replayed), [7, 2, 4, 1]);
    mentions(&replayed, &["the bad lines of shop/sale", "the bad lines of shop/visit", "visited"]);
    assert_eq!(ids(&dir), ["bad refund"]);
    is_well(&dir);
}

/// What a catalog says of types that the replayed lines are not of does not matter.
#[test]
fn types_without_bad_lines_block_nothing() {
    let dir = with_bad_lines(&[]);
    let catalog = "[domain.shop.events.sale]\ndirectory = 'sold'\nfields = { id = 'float64' }\n";
    let catalog = format!("{catalog}{OTHERS}");
    let replayed = replay(&dir, &catalog).args(["--source", "2.json"]).succeeds();
    assert_eq!(counts(&replayed), [3, 1, 0, 2]);
    assert!(replayed.report().get("left_out").is_none());
    is_well(&dir);
}

/// Whatever a catalog says of each of four types: the bad lines of those that fit become rows, and no others
/// leave, wherever they stand in the quarantine.
#[test]
fn whatever_fits_is_replayed_and_nothing_else() {
    const TYPES: usize = 4;
    for seed in 0..10 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let required = |number: usize| {
            format!(
                "[domain.shop.events.t{number}.fields]\nid = 'int64'\nnote = {{ type = 'string', required = true }}\n"
            )
        };
        dir.write("old.toml", (0..TYPES).map(required).collect::<String>());
        let mut lines: Vec<_> = (0..TYPES)
            .map(|number| {
                event(&format!("t{number}"), &format!("good {number}"), r#"{"id": 1, "note": "n"}"#)
            })
            .collect();
        lines.extend((0..24).map(|number| match die.roll(6) {
            0 => format!("junk {number}"),
            of => event(
                &format!("t{}", usize::try_from(of).unwrap() % TYPES),
                &format!("bad {number}"),
                r#"{"id": 2}"#,
            ),
        }));
        die.shuffle(&mut lines);
        for (number, lines) in lines.chunks(10).enumerate() {
            dir.write(&format!("in/{number}.json"), file_of(lines));
        }
        let load = dir.loader().source("in").args(["--backfill", "--mode", "merge", "--catalog", "old.toml"]);
        load.succeeds();
        let before = bad_lines(&dir);
        // What the catalog says of the types; the first one always fits.
        let fates: Vec<_> = (0..TYPES).map(|number| if number == 0 { 0 } else { die.roll(4) }).collect();
        let says = |(number, fate): (usize, &u64)| {
            let fields = if *fate == 1 { "id = 'int64'" } else { "id = 'int64', note = 'string'" };
            let directory =
                if *fate == 2 { format!("directory = 'other-{number}'\n") } else { String::new() };
            let says = format!("[domain.shop.events.t{number}]\n{directory}fields = {{ {fields} }}\n");
            if *fate == 3 { String::new() } else { says }
        };
        let of = |line: &str| {
            (0..TYPES).find(|number| line.contains(&format!("\"t{number}\"")) && line.contains("\"bad "))
        };
        let fate = |line: &str| of(line).map(|number| fates[number]);
        let holds = before.iter().filter(|line| fate(line) == Some(0)).count();
        if holds == 0 {
            continue;
        }
        let replayed = replay(&dir, &fates.iter().enumerate().map(says).collect::<String>()).succeeds();
        let left = before.iter().filter(|line| matches!(fate(line), Some(1 | 2))).count();
        let bad = before.len() - holds - left;
        let expected = [before.len(), bad, left, holds].map(|count| count as u64);
        assert_eq!(counts(&replayed), expected, "seed {seed}: {fates:?} {replayed}");
        let judged = |line: &String| match fate(line) {
            Some(0) => None,
            Some(3) => Some(line.replace("type_mismatch ", "unknown_event ")),
            _ => Some(line.clone()),
        };
        assert_eq!(
            bad_lines(&dir),
            before.iter().filter_map(judged).collect::<Vec<_>>(),
            "seed {seed}: {fates:?}"
        );
        let rows = text_of(&rows(&dir.target()));
        assert_eq!(rows.len(), TYPES + holds, "seed {seed}: {fates:?}");
        is_well(&dir);
    }
}
