//! The process's arguments → its exit code, by [`datagen::program`].
//!
//! Invariant: nothing is decided here.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    datagen::program::run(env::args_os()).into()
}
