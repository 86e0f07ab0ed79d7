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
    let (mut peak_kib, mut with_files_kib) = (0, 0);
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
            if let Some((peak, of_files)) = kib("VmHWM:").zip(kib("RssFile:")) {
                peak_kib = peak.saturating_sub(of_files).max(peak_kib);
                with_files_kib = peak.max(with_files_kib);
            }
            // Leaves the core to the loader.
            thread::sleep(Duration::from_micros(200));
        }
    });
    assert!(child.wait().unwrap().success(), "{what}");
    // Less than that means that the process was not seen while it ran.
    assert!(with_files_kib >= 8 * 1024, "with {what} only {with_files_kib} KiB were seen");
    assert!(peak_kib <= memory_mib * 1024, "with {what} it held {peak_kib} KiB at its peak");
}
