//! A load → the peak memory of its process, as the system counts it.

use std::{
    io::Write,
    process::{ChildStdin, Stdio},
    thread,
    time::Duration,
};

use crate::support::workdir::Loader;

/// Asserts that a load succeeds and never holds more than this.
#[track_caller]
pub(crate) fn assert_peak(loader: Loader, memory_mib: u64, what: &str) {
    assert_peak_with_stdin(loader, |_| {}, memory_mib, what);
}

/// The same for a load whose standard input is written piece by piece.
#[track_caller]
pub(crate) fn assert_peak_with_stdin(
    loader: Loader,
    write: impl FnOnce(&mut ChildStdin) + Send,
    memory_mib: u64,
    what: &str,
) {
    let mut child = loader.into_command().stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    thread::scope(|scope| {
        scope.spawn(move || {
            write(&mut stdin);
            stdin.flush().unwrap();
        });
        while child.try_wait().unwrap().is_none() {
            // The file is gone as soon as the process ends.
            let status = fs_err::read_to_string(&status).unwrap_or_default();
            let kib = |name: &str| -> Option<u64> {
                status
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_suffix("kB")?.trim().parse().ok())
            };
            // The executable of a debug build takes 20 MiB, and a load maps no other file.
            let peak =
                kib("VmHWM:").zip(kib("RssFile:")).map(|(peak, of_files)| peak.saturating_sub(of_files));
            peak_kib = peak.unwrap_or_default().max(peak_kib);
            // Leaves the core to the loader.
            thread::sleep(Duration::from_micros(200));
        }
    });
    assert!(child.wait().unwrap().success(), "{what}");
    // A peak below the lower bound means that the process was not seen while it ran.
    let bounds = 8 * 1024..=memory_mib * 1024;
    assert!(bounds.contains(&peak_kib), "with {what} it held {peak_kib} KiB at its peak");
}
