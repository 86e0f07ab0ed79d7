//! `discard`: do bad lines that are selected go for good, in a commit that says so, and no others?

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{
    events::{Die, account_open, file_of},
    files::{assert_no_debris, assert_same_tree, published, tree},
    readback::{quarantine, rows, text_of},
    workdir::{Loader, Workdir},
};

const MERGE: [&str; 4] = ["--backfill", "--mode=merge", "--max-bad-lines=100%", "--skip-loaded"];

fn discard(dir: &Workdir, args: &[&str]) -> Loader {
    dir.bare_loader().arg("discard").arg(dir.target()).args(args)
}

/// `source line raw` of each bad line.
fn bad_lines(dir: &Workdir) -> BTreeSet<(String, u64, String)> {
    let place = |bad: naive_model::BadLine| {
        let name = bad.source.rsplit('/').next().unwrap().to_owned();
        (name, bad.line, format!("{} {}", bad.reason, String::from_utf8_lossy(&bad.raw)))
    };
    quarantine(&dir.target()).into_iter().map(place).collect()
}

/// The last commit, as `list --json` has it.
fn last_commit(dir: &Workdir) -> Value {
    let listed = dir.bare_loader().args(["list", "--json"]).arg(dir.target()).succeeds().stdout;
    serde_json::from_str(listed.lines().last().unwrap()).unwrap()
}

#[track_caller]
fn is_well(dir: &Workdir) {
    let verified = dir.bare_loader().arg("verify").arg(dir.target()).succeeds();
    assert_eq!(verified.stdout, "", "verify");
    assert_no_debris(&dir.target());
}

#[track_caller]
fn changes_nothing(dir: &Workdir, refused: Loader, code: i32, parts: &[&str]) {
    let before = tree(&dir.target());
    refused.exits(code).says(parts);
    assert_same_tree(&before, &tree(&dir.target()), "after a discard that was refused");
}

fn with_bad_lines() -> Workdir {
    let dir = Workdir::new();
    let good = account_open("a", "2024-10-10T01:00:00", 1);
    let unknown = good.replace("account-open", "card-open");
    dir.write("in/1.json", file_of([&*good, "junk", &unknown, "[1]", "more junk"]));
    dir.write("in/12.json", file_of([&*unknown, "junk"]));
    dir.loader().source("in").args(MERGE).succeeds();
    dir
}

#[test]
fn what_is_selected_goes_and_the_rest_stays_as_it_was() {
    let dir = with_bad_lines();
    let (before, published_before) = (bad_lines(&dir), published(&dir.target()));
    let discarded = discard(&dir, &["--reason", "malformed_json", "--source", "in/1.json"]).succeeds();
    discarded.says(&["discarded 2 bad lines: malformed_json 2"]);
    let mut expected = before;
    expected.retain(|(name, _, raw)| name != "1.json" || !raw.starts_with("malformed_json"));
    assert_eq!(bad_lines(&dir), expected);
    let of_other = |tree: &crate::support::files::Tree| -> Vec<_> {
        tree.iter()
            .filter(|(name, _)| !name.starts_with("_quarantine/1.json"))
            .map(|(n, f)| (n.clone(), f.clone()))
            .collect()
    };
    assert_eq!(of_other(&published(&dir.target())), of_other(&published_before));
    is_well(&dir);

    let commit = last_commit(&dir);
    assert_eq!((&commit["mode"], &commit["written"]), (&"discard".into(), &0.into()), "{commit}");
    assert_eq!(commit["discarded"]["lines"], serde_json::json!({"malformed_json": 2}));
    assert_eq!(commit["discarded"]["reasons"], serde_json::json!(["malformed_json"]));
    assert_eq!(commit["discarded"]["sources"], serde_json::json!(["in/1.json"]));
    let listed = dir.bare_loader().arg("list").arg(dir.target()).succeeds().stdout;
    assert!(listed.lines().last().unwrap().ends_with("discarded 2 bad lines: malformed_json 2"), "{listed}");

    discard(&dir, &["--reason=unknown_event", "--reason=malformed_json"]).succeeds();
    assert_eq!(bad_lines(&dir).len(), 1);
    assert_eq!(tree(&dir.target().join("_quarantine")).len(), 1, "an empty file is gone");
    let quiet = discard(&dir, &["-q"]).succeeds();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert!(!dir.path("target/_quarantine").exists());
    is_well(&dir);
    changes_nothing(&dir, discard(&dir, &[]), 1, &["the quarantine is empty", "nothing was changed"]);
}

#[test]
fn a_selection_of_nothing_and_a_quarantine_that_has_lost_lines_are_refused() {
    let dir = with_bad_lines();
    let cases: [(&[&str], i32, &[&str]); 4] = [
        (
            &["--reason", "out_of_range"],
            1,
            &["no bad line of the quarantine is selected", "eventloader quarantine"],
        ),
        (
            &["--reason", "not_an_event", "--source", "12.json"],
            1,
            &["no bad line of the quarantine is selected"],
        ),
        (
            &["--source", "2.json"],
            1,
            &["2.json: no line of it is in the quarantine", "in/12.json", "--source"],
        ),
        (&["--reason", "bad"], 2, &["--reason: unknown reason \"bad\""]),
    ];
    for (args, code, parts) in cases {
        changes_nothing(&dir, discard(&dir, args), code, parts);
    }
    dir.bare_loader().args(["discard", "nowhere"]).exits(1).says(&["no load has ever written there"]);
    // The commit would record what is left as all that there was.
    let names = tree(&dir.target().join("_quarantine")).into_keys();
    let file = dir.target().join("_quarantine").join(names.last().unwrap());
    let text = fs_err::read_to_string(&file).unwrap();
    fs_err::write(&file, text.split_inclusive('\n').next().unwrap()).unwrap();
    changes_nothing(
        &dir,
        discard(&dir, &[]),
        1,
        &["is not as its loads left it", "has other bytes", "accept"],
    );
}

/// A line of 17 MiB is kept in fragments.
#[test]
fn a_line_in_fragments_goes_as_a_whole() {
    let dir = Workdir::new();
    let long = format!("\"{}\"", "x".repeat(17 << 20));
    dir.write("in.json", file_of(["first", &long, "last"]));
    dir.loader().source("in.json").args(MERGE).succeeds();
    discard(&dir, &["--reason=line_too_long"]).succeeds().says(&["1 bad line: line_too_long 1"]);
    assert_eq!(bad_lines(&dir).len(), 2);
    is_well(&dir);
}

/// Loads of new files, of the same files again, replays and discards, in random order: of what was discarded,
/// only what is read again comes back.
#[test]
fn discarded_lines_stay_away_until_they_are_read_again() {
    for seed in 0..4 {
        let mut die = Die::new(seed);
        let dir = Workdir::new();
        let mut expected = BTreeSet::new();
        for step in 0..8 {
            let name = format!("{step}.json");
            let lines: Vec<_> = (0..6)
                .map(|line| match die.roll(3) {
                    0 => account_open(&format!("{step}-{line}"), "2024-10-10T01:00:00", 1),
                    1 => format!("junk {step} {line}"),
                    _ => account_open(&format!("{step}-{line}"), "2024-10-10T01:00:00", 1)
                        .replace("account-open", "card-open"),
                })
                .collect();
            dir.write(&format!("in/{name}"), file_of(&lines));
            let bad = |(number, line): (usize, &String)| {
                let reason = if line.starts_with("junk") { "malformed_json" } else { "unknown_event" };
                let is_bad = !line.contains("account-open");
                is_bad.then(|| (name.clone(), number as u64 + 1, format!("{reason} {line}")))
            };
            expected.extend(lines.iter().enumerate().filter_map(bad));
            // Every source is named, and those that were loaded are skipped.
            dir.loader().source("in").args(MERGE).succeeds();
            assert_eq!(bad_lines(&dir), expected, "seed {seed}, step {step}");
            if die.one_in(3) {
                dir.bare_loader().arg("replay").arg(dir.target()).succeeds();
            }
            let reason = *die.pick(&["malformed_json", "unknown_event"]);
            let of = format!("{}.json", die.roll(u64::try_from(step).unwrap() + 1));
            let goes = |(name, _, raw): &(String, u64, String)| *name == of && raw.starts_with(reason);
            if expected.iter().any(goes) {
                discard(&dir, &["--reason", reason, "--source", &of]).succeeds();
                expected.retain(|line| !goes(line));
                assert_eq!(bad_lines(&dir), expected, "seed {seed}, step {step}");
            }
        }
        is_well(&dir);
        let kept = text_of(&rows(&dir.target()));
        let without_skipping = &MERGE[..3];
        dir.loader().source("in").args(without_skipping).succeeds();
        let again = bad_lines(&dir);
        assert!(
            again.is_superset(&expected) && again.len() > expected.len(),
            "what is read again comes back"
        );
        assert_eq!(text_of(&rows(&dir.target())), kept);
        is_well(&dir);
    }
}

/// A replay of lines of which some were discarded: the others become rows.
#[test]
fn a_replay_goes_on_after_a_discard() {
    let dir = with_bad_lines();
    dir.write("card.toml", "[domain.account.events.card-open.fields]\nid = 'int32'\n");
    discard(&dir, &["--source", "12.json"]).succeeds();
    let replayed = dir.bare_loader().args(["replay", "--catalog", "card.toml"]).arg(dir.target()).reporting();
    let replayed = replayed.succeeds();
    assert_eq!((replayed.count("lines"), replayed.count("written")), (4, 1));
    is_well(&dir);
}
