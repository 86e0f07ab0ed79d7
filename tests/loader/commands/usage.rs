//! Flags, messages, exit codes, report: is a mistake reported in one line, with nothing changed?

use serde_json::{Value, json};

use crate::support::{
    events::{account_open, file_of, three_days},
    files::{assert_same_tree, tree},
    readback::rows,
    workdir::{Loader, Outcome, Workdir},
};

/// Runs a load that must fail twice: over an existing target, and into one that doesn't exist. The message is
/// one line with all of `parts`; nothing changes either time.
#[track_caller]
fn fails(code: i32, parts: &[&str], arrange: impl Fn(Loader, &Workdir) -> Loader) {
    for target_exists in [true, false] {
        let dir = Workdir::new();
        dir.write("in/in.json", account_open("a", "2024-10-10T08:00:00", 1));
        dir.write("file", "in the way");
        if target_exists {
            dir.write("target/2024/10/10/account-open/part-00000.zstd.parquet", "the rows of an older load");
            dir.write("target/_eventloader/lock", "");
        }
        let before = tree(&dir.path(""));
        let outcome = arrange(dir.bare_loader(), &dir).exits(code);
        outcome.says(parts);
        assert_eq!(outcome.stdout, "", "a message is no result: {outcome}");
        assert_same_tree(&before, &tree(&dir.path("")), &format!("after the failure of {outcome}"));
        assert_eq!(dir.target().exists(), target_exists, "{outcome}");
    }
}

/// A load of `in` into `target` with these further flags.
fn with<const N: usize>(flags: [&'static str; N]) -> impl Fn(Loader, &Workdir) -> Loader {
    move |loader, _| loader.source("in").args(["-t", "target"]).args(flags)
}

#[test]
fn flags_that_make_no_sense_are_usage_errors() {
    for date in ["2024-02-30", "2024-1-5", "20241010", "10.10.2024", "yesterday", ""] {
        fails(2, &["--date", "2024-10-10"], |loader, dir| with([])(loader, dir).args(["--date", date]));
    }
    fails(2, &["--since"], with(["--since", "2024-13-01"]));
    fails(2, &["--until"], with(["--until", "2024-10"]));
    fails(2, &["--date", "--since", "--until", "--backfill"], with([]));
    fails(2, &["--date", "--backfill"], with(["--date", "2024-10-10", "--backfill"]));
    fails(2, &["--since", "--backfill"], with(["--since", "2024-10-10", "--backfill"]));
    fails(2, &["2024-10-11", "2024-10-10"], with(["--since", "2024-10-11", "--until", "2024-10-10"]));
    fails(2, &["--source-file"], |loader, _| loader.args(["-t", "target", "--backfill"]));
    fails(2, &["--memory", "64MiB"], with(["-b", "--memory", "63MiB"]));
    fails(2, &["--memory"], with(["-b", "--memory", "lots"]));
    fails(2, &["--threads"], with(["-b", "--threads", "0"]));
    fails(2, &["--layout", "plain", "hive"], with(["-b", "--layout", "spark"]));
    fails(2, &["--compression", "zstd", "snappy", "none"], with(["-b", "--compression", "lzma"]));
    fails(2, &["--max-bad-lines"], with(["-b", "--max-bad-lines", "-1"]));
    fails(2, &["--max-bad-lines"], with(["-b", "--max-bad-lines", "101%"]));
    for number in ["10001", "-1", "many"] {
        fails(2, &["--superseded-samples"], |loader, dir| {
            with(["-b"])(loader, dir).arg(format!("--superseded-samples={number}"))
        });
    }
    fails(2, &["--flatten"], with(["-b", "--flatten", "perhaps"]));
    fails(2, &["--backfil", "--backfill"], with(["--backfil"]));
}

#[test]
fn an_unknown_name_is_told_the_known_ones_and_the_nearest() {
    fails(2, &["\"acount\"", "account", "transaction"], with(["-b", "--domain", "acount"]));
    let types = ["account-open", "account-close", "status-change", "payment-to", "payment-from"];
    fails(
        2,
        &[&types[..], &["\"payment-form\""]].concat(),
        with(["-b", "-e", "account-open", "-e", "payment-form"]),
    );
    fails(2, &["\"Account\"", "account"], with(["-b", "-D", "Account"]));
    let dir = Workdir::new();
    for (wrong, nearest) in [
        ("payment-form", "payment-from"),
        ("acount-close", "account-close"),
        ("status_change", "status-change"),
    ] {
        let outcome = dir.loader().source("in").args(["-b", "-e", wrong]).exits(2);
        assert_eq!(outcome.stderr.matches(nearest).count(), 2, "the nearest and one of the known: {outcome}");
    }
}

/// A word without its flag, or a command without the one it belongs to.
#[test]
fn a_word_that_is_no_command_is_told_what_was_meant() {
    let dir = Workdir::new();
    dir.write("in.jsonl", account_open("a", "2024-10-10T08:00:00", 1));
    let refused = |args: &[&str], parts: &[&str]| dir.bare_loader().args(args).exits(2).says(parts);
    let source = ["\"in.jsonl\"", "--source-file (-s)"];
    refused(&["in.jsonl", "-b"], &source);
    refused(&["in.jsonl"], &source);
    refused(&["-b", "in.jsonl"], &source);
    refused(&["-b", "-s", "other.jsonl", "in.jsonl"], &source);
    for command in ["infer", "check", "show"] {
        refused(&[command], &[&format!("eventloader catalog {command}")]);
        refused(&[command, "in.jsonl"], &[&format!("eventloader catalog {command}")]);
    }
    refused(&["catalog", "in.jsonl"], &["\"in.jsonl\"", "infer, check, diff, show"]);
    refused(&["verfy"], &["'verify'"]);
    refused(&["-b", "replay", "target"], &["'replay' cannot be used with '--backfill'"]);
    refused(&["replay", "target", "--source-file", "x"], &["--source-file", "'--source'"]);
}

#[test]
fn a_catalog_that_is_not_there_is_named_with_the_flag_of_the_command() {
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    dir.loader().source("in.json").arg("-b").succeeds();
    for args in [
        &["-s", "in.json", "-b"][..],
        &["replay", "target"],
        &["catalog", "infer", "in.json"],
        &["catalog", "check", "in.json"],
        &["catalog", "show"],
    ] {
        let outcome = dir.bare_loader().args(args).args(["--catalog", "nope.toml"]).exits(2);
        assert_eq!(
            outcome.stderr,
            "error: --catalog (or EVENTLOADER_CATALOG): nope.toml: No such file or directory (os error 2)\n"
        );
    }
}

/// The report would replace what the run reads or has written.
#[test]
fn a_report_replaces_nothing_that_the_run_needs() {
    let dir = Workdir::new();
    let line = account_open("a", "2024-10-10T08:00:00", 1);
    dir.write("in/in.json", &line);
    dir.write("catalogs/sales.toml", "[domain.card.events.sale.fields]\nid = 'int32'\n");
    fs_err::hard_link(dir.path("in/in.json"), dir.path("hard.json")).unwrap();
    std::os::unix::fs::symlink(dir.path("in/in.json"), dir.path("soft.json")).unwrap();
    let load = |source: &str, report: &str| {
        let loader = dir.bare_loader().args(["-s", source, "-t", "target", "-b", "--catalog", "catalogs"]);
        loader.args(["--report", report])
    };
    load("in", "in.report").succeeds();
    load("in", "_in.report").succeeds();
    load("in", "target/report.json").succeeds();
    load("in", "in/_report.json").succeeds();
    let before = tree(&dir.path(""));
    for (source, report, what) in [
        ("in/in.json", "in/in.json", "sources"),
        ("in/in.json", "./in/../in/in.json", "sources"),
        ("in", "in/in.json", "sources"),
        ("in", "in/report.json", "sources"),
        ("in/*.json", "hard.json", "sources"),
        ("in", "soft.json", "sources"),
        ("in", "catalogs/sales.toml", "catalogs"),
        ("in", "target/_eventloader/commit-000001.json", "target"),
        ("in", "target/2024/10/10/account-open/part-00000.zstd.parquet", "target"),
        ("in", "target/2024/report.json", "target"),
    ] {
        load(source, report).exits(2).says(&["--report: ", report, what, "nothing was changed"]);
        assert_same_tree(&before, &tree(&dir.path("")), &format!("--report {report}"));
    }
    let stdin = std::process::Stdio::from(std::fs::File::open(dir.path("in/in.json")).unwrap());
    let status = load("-", "in/in.json").into_command().stdin(stdin).status().unwrap();
    assert_eq!(status.code(), Some(2), "a file that standard input comes from");
    let replay = dir.bare_loader().args(["replay", "target", "--catalog", "catalogs", "--report"]);
    replay.arg("catalogs/sales.toml").exits(2).says(&["--report: ", "catalogs"]);
    assert_same_tree(&before, &tree(&dir.path("")), "in the end");
}

#[test]
fn source_and_target_must_be_there_and_apart() {
    fails(1, &["missing.json"], |loader, _| {
        loader.args(["-s", "in", "-s", "missing.json", "-t", "target", "-b"])
    });
    fails(1, &["in/*.csv"], |loader, _| loader.args(["-s", "in/*.csv", "-t", "target", "-b"]));
    fails(1, &["file"], |loader, _| loader.args(["-s", "in", "-t", "file", "-b"]));
    fails(1, &["file/target"], |loader, _| loader.args(["-s", "in", "-t", "file/target", "-b"]));
    if cfg!(target_os = "linux") {
        fails(1, &["/proc/target"], |loader, _| loader.args(["-s", "in", "-t", "/proc/target", "-b"]));
    }
    fails(2, &["in/deep/target"], |loader, _| loader.args(["-s", "in", "-t", "in/deep/target", "-b"]));
    fails(2, &["in"], |loader, _| loader.args(["-s", "in", "-t", "in", "-b"]));
    fails(2, &["in"], |loader, _| loader.args(["-s", "in/../in", "-t", "./in/../in/x", "-b"]));
    fails(2, &["in"], |loader, _| loader.args(["-s", "in/in.json", "-t", "in", "-b"]));
    fails(2, &["in"], |loader, _| loader.args(["-s", "in", "-t", ".", "-b"]));
}

#[test]
fn another_load_of_the_target_is_told_so() {
    let dir = Workdir::new();
    let source = dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    dir.loader().source(&source).arg("--backfill").succeeds();
    let before = tree(&dir.target());

    let (lock, _) = fs_err::File::open(dir.target().join("_eventloader/lock")).unwrap().into_parts();
    lock.lock().unwrap();
    let outcome = dir.loader().source(&source).arg("--backfill").exits(4);
    outcome.says(&["target"]);
    assert_same_tree(&before, &tree(&dir.target()), "while another load holds the target");

    lock.unlock().unwrap();
    dir.loader().source(&source).arg("--backfill").succeeds();
}

#[test]
fn a_dry_run_reports_what_a_run_would_and_writes_nothing() {
    let comparable = |outcome: &Outcome| {
        let mut report = outcome.report().clone();
        for key in ["committed", "dry_run", "duration_ms", "stages"] {
            assert!(report.as_object_mut().unwrap().remove(key).is_some(), "the report has {key}");
        }
        format!("{report:#}")
    };
    let dir = Workdir::new();
    for (file, seed) in [("first.json", 1), ("second.json", 2), ("second.json", 2)] {
        let source = dir.write(file, file_of(three_days(seed)));
        let before = tree(&dir.target());
        let dry = dir.loader().source(&source).args(["--backfill", "--dry-run"]).succeeds();
        assert_same_tree(&before, &tree(&dir.target()), "a dry run");
        assert_eq!(dir.target().exists(), !before.is_empty(), "a dry run makes no directory");
        assert_eq!((&dry.report()["committed"], &dry.report()["dry_run"]), (&json!(false), &json!(true)));

        let real = dir.loader().source(&source).arg("--backfill").succeeds();
        assert_eq!((&real.report()["committed"], &real.report()["dry_run"]), (&json!(true), &json!(false)));
        assert_eq!(comparable(&dry), comparable(&real));
    }
}

#[test]
fn the_report_goes_where_it_was_asked_to() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(1)));
    let run = |args: &[&str]| {
        dir.bare_loader().args(["-s", "in.json", "-t", "target", "--backfill"]).args(args).succeeds()
    };

    let silent = run(&[]);
    assert_eq!(silent.stdout, "", "standard output is for what was asked for");
    for count in ["written", "superseded", "quarantined"] {
        assert!(silent.stderr.contains(count), "the table for humans has {count}: {silent}");
    }
    let printed: Value =
        serde_json::from_str(&run(&["--report", "-"]).stdout).expect("standard output is the report");
    run(&["--report", "report.json"]);
    let mut written: Value = serde_json::from_slice(&fs_err::read(dir.path("report.json")).unwrap()).unwrap();
    assert!(written["duration_ms"].is_u64() && written["stages"][1]["stage"] == "read");
    for measured in ["duration_ms", "stages"] {
        written[measured] = printed[measured].clone();
    }
    assert_eq!(written, printed, "the same report, whatever its place");

    let quiet = run(&["-q"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let quiet = run(&["-q", "--report", "-"]);
    assert!(quiet.stdout.starts_with('{') && quiet.stderr.is_empty(), "{quiet}");
    dir.bare_loader()
        .args(["-q", "-b", "-s", "missing.json", "-t", "target"])
        .exits(1)
        .says(&["missing.json"]);
    run(&["-v"]);
}

/// The report file of a load that failed is missing, or an earlier load's, or says that the load failed.
#[test]
fn a_load_that_fails_leaves_no_broken_report() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(three_days(1)));
    let run = |args: &[&str]| {
        dir.bare_loader().args(["-t", "target", "--backfill", "--report", "report.json"]).args(args)
    };
    let failures: [(&[&str], i32); 3] = [
        (&["-s", "missing.json"], 1),
        (&["-s", "in.json", "-D", "unknown"], 2),
        (&["-s", "in.json", "--max-bad-lines=0"], 3),
    ];
    for (args, code) in failures {
        run(args).exits(code);
        assert_ne!(fs_err::read_to_string(dir.path("report.json")).ok().as_deref(), Some(""), "{args:?}");
    }
    run(&["-s", "in.json"]).succeeds();
    for (args, code) in failures {
        run(args).exits(code);
        let report = fs_err::read(dir.path("report.json")).expect("there was a report before");
        let report: Value = serde_json::from_slice(&report).expect("a report is JSON");
        assert!(report["committed"].is_boolean(), "{args:?}: {report:#}");
    }
}

#[test]
fn fields_that_the_schema_does_not_know_are_counted_by_name() {
    let dir = Workdir::new();
    let lines = [
        account_open("a", "2024-10-10T08:00:00", 1)
            .replace("\"id\"", "\"tier\": 1, \"tier\": 2, \"x\": {\"y\": 1}, \"id\""),
        account_open("a", "2024-10-10T09:00:00", 1).replace("\"id\"", "\"tier\": null, \"id\""),
        account_open("b", "2024-10-10T09:00:00", 1)
            .replace("\"data\"", "\"trace_id\": [], \"Data\": {\"z\": 1}, \"data\""),
        account_open("bad", "2024-10-10T09:00:00", 1).replace(": 1}", ": \"x\", \"of a bad line\": 1}"),
        account_open("c", "2024-10-11T09:00:00", 1).replace("\"id\"", "\"of a filtered line\": 1, \"id\""),
    ];
    let source = dir.write("in.json", file_of(lines));
    let outcome = dir.loader().source(source).args(["--date", "2024-10-10"]).succeeds();
    let expected = json!({"data.tier": 2, "data.x": 1, "trace_id": 1, "Data": 1});
    assert_eq!(outcome.report()["unknown_fields"], expected, "{outcome}");
}

#[test]
fn without_a_target_it_is_data_target() {
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T08:00:00", 1));
    dir.bare_loader().args(["-s", "in.json", "-b"]).succeeds();
    assert_eq!(rows(&dir.path("data/target")).into_keys().collect::<Vec<_>>(), ["2024/10/10/account-open"]);
}

#[test]
fn help_names_every_flag() {
    let dir = Workdir::new();
    let help = dir.bare_loader().arg("--help").succeeds();
    assert_eq!(help.stderr, "");
    for flag in [
        "-s, --source-file",
        "-t, --target-path",
        "-D, --domain",
        "-e, --event-type",
        "-d, --date",
        "--since",
        "--until",
        "-b, --backfill",
        "-f, --flatten",
        "--layout",
        "--table",
        "--partition-by",
        "--dedupe-scope",
        "--mode",
        "--compression",
        "--memory",
        "--threads",
        "--max-bad-lines",
        "--report",
        "--superseded-samples",
        "--dry-run",
        "-q, --quiet",
        "-v, --verbose",
        "data/target/",
        "-h, --help",
        "-V, --version",
    ] {
        assert!(help.stdout.contains(flag), "{flag} in {help}");
    }
}

#[test]
fn the_man_page_and_the_completions_know_every_flag() {
    let dir = Workdir::new();
    for what in ["man", "complete-bash", "complete-zsh", "complete-fish", "complete-powershell"] {
        let generated = dir.bare_loader().args(["--generate", what]).succeeds();
        assert_eq!(generated.stderr, "");
        // troff writes a hyphen as \-.
        let text = generated.stdout.replace('\\', "");
        for word in ["backfill", "dedupe-scope", "max-bad-lines", "infer", "sample-lines"] {
            assert!(text.contains(word), "{what}: no {word} in {text}");
        }
    }
    fails(2, &["error: ", "--generate"], with(["--generate", "man", "--backfill"]));
}
