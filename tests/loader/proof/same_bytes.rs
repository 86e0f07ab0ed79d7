//! Do the same events give the same bytes: with any number of threads, in any order, in any zone and
//! language?

use crate::support::{
    events::{Die, file_of, plain_events, three_days},
    files::{Tree, assert_same_tree, published},
    readback::parquet_files,
    workdir::{Loader, Workdir},
};

/// What a backfill writes into a target of its own.
fn load(dir: &Workdir, target: &str, flags: impl FnOnce(Loader) -> Loader) -> Tree {
    flags(dir.loader_into(target)).arg("--backfill").succeeds();
    let tree = published(&dir.path(target));
    assert!(parquet_files(&tree).len() > 5, "{target} holds partitions: {:?}", tree.keys());
    tree
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let dir = Workdir::new();
    // Several blocks of input, so that there is work for several threads; versions in different blocks.
    let mut lines: Vec<_> = (0..40).flat_map(three_days).collect();
    lines.extend(plain_events(3, 30_000, 7));
    dir.write("in.json", file_of(lines));
    let one = load(&dir, "1", |loader| loader.source("in.json").arg("--threads=1"));
    for threads in ["2", "5"] {
        let several = load(&dir, threads, |loader| loader.source("in.json").args(["--threads", threads]));
        assert_same_tree(&one, &several, &format!("{threads} threads"));
    }
    let all_cores = load(&dir, "default", |loader| loader.source("in.json"));
    assert_same_tree(&one, &all_cores, "the default number of threads");
}

#[test]
fn zone_and_language_of_the_machine_mean_nothing() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(4)));
    let plain = load(&dir, "plain", |loader| loader.source("in.json").env("TZ", "UTC").env("LC_ALL", "C"));
    for (index, (zone, language)) in
        [("Asia/Kolkata", "tr_TR.UTF-8"), ("America/Los_Angeles", "C"), ("Pacific/Apia", "de_DE.UTF-8")]
            .iter()
            .enumerate()
    {
        let odd = load(&dir, &index.to_string(), |loader| {
            loader.source("in.json").env("TZ", zone).env("LC_ALL", language).env("LANG", language)
        });
        assert_same_tree(&plain, &odd, &format!("TZ={zone} LC_ALL={language}"));
    }
}

/// Timestamps of an event's versions differ here, so that nothing depends on their order.
#[test]
fn order_and_files_of_the_input_mean_nothing() {
    let dir = Workdir::new();
    let mut lines: Vec<_> = three_days(5).into_iter().filter(|line| line.ends_with("}}")).collect();
    dir.write("whole.json", file_of(&lines));
    let mut whole = load(&dir, "whole", |loader| loader.source("whole.json"));
    whole.retain(|name, _| !name.starts_with("_quarantine/"));
    let mut die = Die::new(6);
    for round in 0..3 {
        die.shuffle(&mut lines);
        let name = format!("shuffled-{round}");
        for (index, part) in lines.chunks(1 + lines.len() / (1 + round)).enumerate() {
            dir.write(&format!("{name}/{index}.json"), file_of(part));
        }
        let mut shuffled = load(&dir, &format!("target-{round}"), |loader| loader.source(&name));
        shuffled.retain(|name, _| !name.starts_with("_quarantine/"));
        assert_same_tree(&whole, &shuffled, &format!("shuffled, in {} files", 1 + round));
    }
}

/// Types that no catalog names are found on all threads, in the order of chance.
#[test]
fn the_order_in_which_event_types_are_found_means_nothing() {
    let dir = Workdir::new();
    dir.write("open.toml", "[domain.transaction.events.'*']\n[domain.'*']");
    let mut die = Die::new(8);
    let mut lines: Vec<_> = plain_events(9, 20_000, 7)
        .into_iter()
        .map(|line| {
            let event_type = format!("\"event_type\": \"{}-", die.roll(40));
            line.replace("\"event_type\": \"", &event_type)
        })
        .collect();
    let load = |target: &str, source: &str, flags: &[&str]| {
        load(&dir, target, |loader| loader.source(source).args(["--catalog", "open.toml"]).args(flags))
    };
    dir.write("in/0.json", file_of(&lines));
    let one = load("one", "in", &["--threads=1"]);
    assert!(parquet_files(&one).len() > 200, "{}", parquet_files(&one).len());
    for round in 0..3 {
        die.shuffle(&mut lines);
        let name = format!("shuffled-{round}");
        for (index, part) in lines.chunks(1_500).enumerate() {
            dir.write(&format!("{name}/{index}.json"), file_of(part));
        }
        let flags = [&["--threads=8"][..], &["--threads=5", "--memory=64MiB"], &["--threads=3"]][round];
        let other = load(&format!("target-{round}"), &name, flags);
        assert_same_tree(&one, &other, &name);
    }
}

#[test]
fn standard_input_and_white_space_mean_nothing() {
    let dir = Workdir::new();
    let lines: Vec<_> = plain_events(7, 500, 600);
    dir.write("in.json", file_of(&lines));
    let plain = load(&dir, "plain", |loader| loader.source("in.json"));
    let piped = load(&dir, "piped", |loader| loader.source("-").stdin(file_of(&lines)));
    assert_same_tree(&plain, &piped, "from standard input");
    let odd =
        format!("\u{FEFF}{}", lines.join("\r\n \r\n").replace(": ", " :").replace("OPEN", "\\u004fPEN"));
    let odd = load(&dir, "odd", |loader| loader.source("-").stdin(odd));
    assert_same_tree(
        &plain,
        &odd,
        "with a BOM, CRLF, blank lines, other white space and escapes, without a last newline",
    );
}
