//! SIGINT, SIGTERM, SIGHUP: does a load that is interrupted end as the signal says, with nothing changed and
//! nothing left behind, and does it go on if its parent ignores the signal?

use std::{
    io::Write,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use command_line::is_ignored;

use crate::support::{
    events::{file_of, plain_events},
    files::{assert_no_debris, assert_same_tree, published, tree},
    workdir::{LOADER, Loader, Workdir},
};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
const ALL: [(i32, &str); 3] = [(SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")];

/// Starts a load of what is written to its standard input, and waits until it is at work.
fn started(dir: &Workdir) -> Child {
    started_by(dir.bare_loader(), dir)
}

fn started_by(loader: Loader, dir: &Workdir) -> Child {
    let mut command = loader.arg("-t").arg(dir.target()).args(["-s", "-", "--backfill"]).into_command();
    let child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let staging = dir.target().join("_eventloader/staging");
    let since = Instant::now();
    while !staging.exists() {
        assert!(since.elapsed() < Duration::from_secs(30), "the load does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn send(signal: i32, child: &Child) {
    let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

/// Expects the load to end by the signal and to say so.
#[track_caller]
fn ends_by(signal: i32, name: &str, child: Child) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.signal(), Some(signal), "how it ended; it said: {said}");
    assert!(said.contains(&format!("interrupted by {name}; nothing was changed")), "{said}");
}

#[test]
fn a_load_at_work_takes_away_what_it_made() {
    for (signal, name) in ALL {
        // The tests themselves may have been started by `nohup`, or in the background by a script. Elsewhere
        // than on Linux, SIGHUP ends a load as it ends any process.
        if is_ignored(signal).unwrap_or(signal == SIGHUP) {
            continue;
        }
        let dir = Workdir::on_disk();
        let mut child = started(&dir);
        let mut input = child.stdin.take().unwrap();
        let lines = file_of(plain_events(1, 2_000, 10));
        // Its input never ends.
        let writer = thread::spawn(move || while input.write_all(lines.as_bytes()).is_ok() {});
        thread::sleep(Duration::from_millis(100));
        send(signal, &child);
        ends_by(signal, name, child);
        writer.join().unwrap();
        assert!(!dir.target().exists(), "{name}: the target that the load made is still there");
    }
}

#[test]
fn a_load_that_waits_for_its_input_ends_a_moment_later_and_the_next_one_clears_up() {
    let dir = Workdir::on_disk();
    let source = dir.write("in.json", file_of(plain_events(1, 200, 100)));
    dir.loader().source(&source).arg("--backfill").succeeds();
    let before = published(&dir.target());
    // The input stays open and silent.
    let mut child = started(&dir);
    let input = child.stdin.take();
    send(SIGTERM, &child);
    ends_by(SIGTERM, "SIGTERM", child);
    drop(input);
    assert_same_tree(&before, &published(&dir.target()), "after the signal");
    dir.loader().source(&source).arg("--backfill").succeeds();
    assert_same_tree(&before, &published(&dir.target()), "after the next load");
    assert_no_debris(&dir.target());
}

#[test]
fn a_second_signal_ends_a_load_at_once() {
    let dir = Workdir::on_disk();
    let mut child = started(&dir);
    let input = child.stdin.take();
    send(SIGINT, &child);
    // The loader has handled the first before the second one comes.
    thread::sleep(Duration::from_millis(200));
    send(SIGTERM, &child);
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.signal(), Some(SIGTERM), "it ended by the first one, later");
    assert!(tree(&dir.target()).keys().all(|name| name.starts_with("_eventloader/")));
}

/// As by `nohup`, or by a script that starts a load in the background.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_the_parent_ignores_does_not_end_a_load() {
    let dir = Workdir::on_disk();
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap '' HUP INT TERM; exec "$@""#, "sh", LOADER]);
    let mut child = started_by(Loader::new(shell, &dir), &dir);
    let mut input = child.stdin.take().unwrap();
    for (signal, _) in ALL {
        send(signal, &child);
    }
    input.write_all(file_of(plain_events(1, 200, 10)).as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}: {said}", output.status);
    assert!(said.contains("200 written"), "{said}");
}

/// The signal comes while the first file is staged.
#[test]
fn a_rewrite_at_work_leaves_the_target_as_it_was() {
    let dir = Workdir::new();
    dir.write("in.json", file_of(plain_events(1, 2_000, 100)));
    for target in ["counted", "target"] {
        dir.loader_into(target).source("in.json").arg("--backfill").succeeds();
    }
    let rewrite = |target: &str| {
        dir.bare_loader().arg("rewrite").arg(dir.path(target)).args(["--layout=hive", "--threads=1"])
    };
    let operations = rewrite("counted").operations();
    let is_staging =
        |operation: &String| operation.starts_with("changes create") && operation.ends_with(".staged");
    let first = 1 + operations.iter().position(is_staging).unwrap();
    let before = tree(&dir.target());
    let log = dir.path("log");
    let held = rewrite("target").env("EVENTLOADER_FAULT", &format!("{first}:hold"));
    let mut command = held.env("EVENTLOADER_FILE_LOG", log.to_str().unwrap()).into_command();
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    while fs_err::read_to_string(&log).unwrap_or_default().lines().count() < first {
        assert!(since.elapsed() < Duration::from_secs(30), "the rewrite does not come to staging");
        thread::sleep(Duration::from_millis(5));
    }
    send(SIGTERM, &child);
    thread::sleep(Duration::from_millis(100));
    drop(child.stdin.take());
    ends_by(SIGTERM, "SIGTERM", child);
    assert_same_tree(&before, &tree(&dir.target()), "interrupted");
    rewrite("target").succeeds();
    assert_same_tree(&published(&dir.path("counted")), &published(&dir.target()), "again");
}
