//! How the process was started → the signals that it may handle, and files that end in an error at the limit
//! of their size.
//!
//! A parent that ignores a signal means it for the child, too: `nohup`, `command &` in a script,
//! `trap '' INT`.
//!
//! Invariant: a signal that was ignored when the process started stays ignored.

use std::sync::{Arc, atomic::AtomicBool};

use signal_hook::{consts::SIGXFSZ, flag};

/// Whether the process ignores a signal; `None` where the system does not say (it has no `/proc`).
#[must_use]
pub fn is_ignored(signal: i32) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    is_in(&status, signal)
}

fn is_in(status: &str, signal: i32) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask >> signal.checked_sub(1)? & 1 == 1)
}

/// Lets a write beyond the limit of a file's size (`ulimit -f`) fail. By default, SIGXFSZ ends the process
/// without a word.
pub fn fail_at_file_size_limit() {
    if is_ignored(SIGXFSZ) != Some(true) {
        // A signal that is handled does not end the process. If it can't be handled, it does, as before.
        drop(flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_has_a_bit_for_each_signal() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000001000001\nSigCgt:\tff\n";
        assert_eq!([1, 2, 25].map(|signal| is_in(status, signal)), [Some(true), Some(false), Some(true)]);
        assert_eq!(is_in("Name:\tx\n", 1), None);
    }
}
