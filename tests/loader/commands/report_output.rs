//! Is a report that can't be written told, with an exit code of its own?

use std::process::Command;

use crate::support::{
    events::account_open,
    readback::rows,
    workdir::{LOADER, Loader, Workdir},
};

/// The loader with what a shell does to its standard output.
fn redirected(dir: &Workdir, to: &str) -> Loader {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {to}"), LOADER]);
    Loader::new(shell, dir)
}

fn loaded_rows(dir: &Workdir) -> usize {
    rows(&dir.target()).into_values().flatten().count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_load_whose_report_is_lost_is_committed_and_exits_with_5() {
    for (to, reason) in [(">&-", "standard output is closed"), ("> /dev/full", "No space left on device")] {
        let dir = Workdir::new();
        dir.write("in.json", account_open("a", "2024-10-10T12:00:00", 1));
        let flags = ["-s", "in.json", "-t", "target", "--backfill", "-q", "--report", "-"];
        let outcome = redirected(&dir, to).args(flags).exits(5);
        outcome.says(&["the load is committed, but its report could not be written", reason]);
        assert_eq!(loaded_rows(&dir), 1, "{to}");
        let dry = redirected(&dir, to).args(flags).arg("--dry-run").exits(1);
        assert!(!dry.stderr.contains("committed"), "{dry}");
    }
    // To a file, on a full disk.
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T12:00:00", 1));
    let flags = ["-s", "in.json", "-t", "target", "--backfill", "-q", "--report", "/dev/full"];
    dir.bare_loader().args(flags).exits(5).says(&["the load is committed", "/dev/full"]);
    assert_eq!(loaded_rows(&dir), 1);
}

#[test]
fn a_report_that_nobody_wants_is_not_lost() {
    let dir = Workdir::new();
    dir.write("in.json", account_open("a", "2024-10-10T12:00:00", 1));
    let flags = ["-s", "in.json", "-t", "target", "--backfill", "-q", "--report"];
    redirected(&dir, "> /dev/null").args(flags).arg("-").exits(0);
    // Another name of a pipe or a device.
    let outcome = redirected(&dir, "").args(flags).arg("/dev/stdout").exits(0);
    assert!(outcome.stdout.contains("\"committed\": true"), "{outcome}");
    // Without a report, nobody misses standard output.
    redirected(&dir, ">&-").args(["-s", "in.json", "-t", "target", "--backfill"]).exits(0);
}
