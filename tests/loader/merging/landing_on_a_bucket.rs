//! Is an object that was merged skipped without being read, and is one in doubt recognised by its content?

use crate::support::{bucket::Bucket, events::account_open, forms::gzip, workdir::Workdir};

fn one_event(event_id: &str) -> String {
    account_open(event_id, "2024-10-10T12:00:00", 1) + "\n"
}

#[test]
fn what_was_loaded_is_skipped_without_being_read() {
    for kind in ["--layout=plain", "--table=delta"] {
        check_skipping(kind);
    }
}

fn check_skipping(kind: &str) {
    let (dir, bucket) = (Workdir::new(), Bucket::new());
    bucket.put("in/a.json", one_event("a"));
    bucket.put("in/b.json.gz", gzip(one_event("b").as_bytes()));
    bucket.put("in/torn.json", one_event("torn") + "{\"event_id\"");
    bucket.put("in/foreign", "PK\u{3}\u{4}");
    let run = |code| {
        bucket.requests();
        let flags = ["--backfill", "--mode", "merge", "--skip-loaded", "-s", "s3://b/in/", kind];
        let outcome = bucket.reached_by(dir.loader()).args(flags).exits(code);
        let skipped: Vec<_> = outcome.report()["passed_over"]
            .as_array()
            .unwrap()
            .iter()
            .map(|skipped| {
                format!(
                    "{} {}",
                    &skipped["path"].as_str().unwrap()[10..],
                    skipped["reason"].as_str().unwrap()
                )
            })
            .collect();
        let mut read: Vec<_> =
            bucket.gets().iter().map(|get| get.split(' ').nth(1).unwrap()[3..].to_owned()).collect();
        read.sort();
        (outcome.count("written"), skipped.join(", "), read.join(" "))
    };
    let expect = |written, skipped: &str, read: &str| (written, skipped.to_owned(), read.to_owned());
    // A new one is read through before it is loaded; one that can't be loaded, once more.
    let (left, left_read) = ("foreign foreign, torn.json unfinished", "foreign foreign torn.json");
    assert_eq!(run(6), expect(2, left, &format!("a.json a.json b.json.gz b.json.gz {left_read}")));
    let all_left = "a.json loaded, b.json.gz loaded, foreign foreign, torn.json unfinished";
    assert_eq!(run(6), expect(0, all_left, left_read));
    bucket.put("in/foreign", "");
    bucket.put("in/torn.json", one_event("torn"));
    assert_eq!(run(0).0, 1);
    let all = "a.json loaded, b.json.gz loaded, foreign loaded, torn.json loaded";
    assert_eq!(run(0), expect(0, all, ""), "nothing is read");
    // The same content under another name, and written again: in doubt, content decides, once.
    bucket.put("in/c.json", one_event("a"));
    bucket.put("in/a.json", one_event("a"));
    let all = "a.json loaded, b.json.gz loaded, c.json loaded, foreign loaded, torn.json loaded";
    assert_eq!(run(0), expect(0, all, "a.json c.json"));
    assert_eq!(run(0), expect(0, all, ""));
    // Other content of the same length is another object.
    bucket.put("in/a.json", one_event("A"));
    assert_eq!(run(0).0, 1);
    let loads = dir.bare_loader().args(["list", "target"]).succeeds();
    assert!(loads.stdout.contains("s3://b/in/a.json"), "{loads}");
    // What was overwritten is not remembered.
    bucket.reached_by(dir.loader()).args(["--backfill", "-s", "s3://b/in/a.json", kind]).succeeds();
    assert_eq!(run(0).1, "");
}

#[test]
fn loads_of_objects_are_remembered_when_their_commits_are_folded() {
    let (dir, bucket) = (Workdir::new(), Bucket::new());
    let run = || {
        let flags = ["--backfill", "--mode", "merge", "--skip-loaded", "-s", "s3://b/in/"];
        bucket.requests();
        bucket.reached_by(dir.loader()).args(flags).succeeds()
    };
    for index in 0..103 {
        bucket.put(&format!("in/{index}.json"), one_event(&format!("e{index}")));
        assert_eq!(run().count("written"), 1);
    }
    assert!(dir.target().join("_eventloader/history.json").exists());
    assert_eq!((run().count("written"), bucket.gets().len()), (0, 0));
}
