//! The process's arguments → its exit code, by [`eventloader::program`].
//!
//! Invariant: nothing is decided here.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    eventloader::program::run(env::args_os()).into()
}
