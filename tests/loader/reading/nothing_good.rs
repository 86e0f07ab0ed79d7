//! Does input without a good line fail, and say what is missing?

use crate::support::{
    events::{account_open, file_of},
    files::{assert_no_debris, assert_same_tree, tree},
    readback::quarantine,
    workdir::Workdir,
};

const MERGE: [&str; 3] = ["--backfill", "--mode", "merge"];

fn good(id: &str) -> String {
    account_open(id, "2024-10-10T12:00:00", 1)
}

#[test]
fn input_without_a_good_line_changes_nothing_and_says_what_it_lacks() {
    let dir = Workdir::new();
    dir.loader().source(dir.write("before.json", good("a"))).arg("--backfill").succeeds();
    let before = tree(&dir.target());
    for (lines, parts) in [
        (
            vec![r#"{"id": 1, "ts": "2024-10-10", "domain": "shop"}"#, r#"{"id": 2, "kind": "sale"}"#],
            vec![
                "all 2 lines are bad",
                "in.json:1: ",
                "it lacks event_id, timestamp, event_type",
                "keys seen: domain, id, kind, ts",
            ],
        ),
        (vec!["id,ts", "1,2024-10-10", ""], vec!["all 2 lines are bad", "in.json:1: expected"]),
        (vec!["\0\0\0"], vec!["the only line is bad", "in.json:1: "]),
        (
            vec![r#"{"event_id": "1", "timestamp": "2024-10-10", "domain": "shop", "event_type": "sale"}"#],
            vec![
                "in.json:1: ",
                "keys seen: domain, event_id, event_type, timestamp",
                "eventloader catalog infer",
            ],
        ),
    ] {
        for flags in [&MERGE[..1], &MERGE[..]] {
            let source = dir.write("in.json", file_of(&lines));
            let outcome = dir.loader().source(source).args(flags).exits(3);
            outcome.says(&[parts.as_slice(), &["nothing was changed", "--max-bad-lines 100%"][..]].concat());
            assert_same_tree(&before, &tree(&dir.target()), &format!("{outcome}"));
            assert_no_debris(&dir.target());
        }
        dir.bare_loader().args(["-s", "in.json", "--backfill", "--dry-run", "-t", "none"]).exits(3);
    }
}

#[test]
fn one_good_or_filtered_line_is_enough_and_so_is_a_limit() {
    let dir = Workdir::new();
    let source = dir.write("in.json", file_of(["bad".to_owned(), good("a")]));
    for flags in [&["--backfill"][..], &["--date", "2024-10-11"], &["--backfill", "-D", "transaction"]] {
        let outcome = dir.loader().source(&source).args(flags).succeeds();
        assert_eq!(outcome.count("quarantined.total"), 1, "{outcome}");
    }
    dir.write("bad.json", "bad\n");
    for limit in ["1", "100%"] {
        let outcome = dir.loader_into(limit).source("bad.json").args(["-b", "--max-bad-lines", limit]);
        assert_eq!(outcome.succeeds().count("quarantined.total"), 1);
    }
    dir.loader_into("none").source("bad.json").args(["-b", "--max-bad-lines", "0"]).exits(3);
    // Without a line there is no bad one.
    for text in ["", "\n\n"] {
        dir.loader_into("none").source(dir.write("blank.json", text)).arg("-b").succeeds();
    }
}

#[test]
fn a_directory_that_keeps_filling_up_may_have_a_bad_delivery_once_it_has_a_good_one() {
    let dir = Workdir::new();
    let landing = || dir.loader().source("landing").args(MERGE).arg("--skip-loaded");
    dir.write("landing/a.json", "bad\n");
    landing().exits(3);
    assert!(!dir.target().exists(), "nothing is recorded as loaded");
    dir.write("landing/b.json", good("b") + "\n");
    assert_eq!(landing().succeeds().count("quarantined.total"), 1);
    dir.write("landing/c.json", "worse\n");
    assert_eq!(landing().succeeds().count("quarantined.total"), 1);
    assert_eq!(quarantine(&dir.target()).len(), 2);
    // A replay is of bad lines.
    dir.bare_loader().arg("replay").arg(dir.target()).succeeds();
}

#[test]
fn a_draft_of_such_input_says_what_it_lacks() {
    let dir = Workdir::new();
    dir.write(
        "in.json",
        file_of([r#"{"id": 1, "ts": "2024-10-10"}"#, "bad", r#"{"id": 2, "kind": "sale"}"#]),
    );
    let outcome = dir.bare_loader().args(["catalog", "infer", "in.json"]).exits(1);
    let (message, skeleton) = outcome.stderr.split_once("\n\n").unwrap();
    for told in [
        "lack event_id, timestamp, domain, event_type",
        "keys seen: id, kind, ts; what is needed is an envelope",
    ] {
        assert!(message.contains(told), "{outcome}");
    }
    assert!(skeleton.starts_with("[envelope]\nevent_id   = \"\"  # "), "{outcome}");
    assert!(skeleton.contains("perhaps {id} (different in each of 2)"), "{outcome}");
}
