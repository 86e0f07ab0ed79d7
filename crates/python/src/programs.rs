//! The arguments of a command → its exit code, by the program of that name.
//!
//! In: what follows the program's name on the command line. Out: the exit code, once standard output has all
//! that was printed.
//!
//! Invariant: help and errors name the program, not the Python script that started it.

use std::{
    ffi::OsString,
    io::{self, Write},
    iter,
};

use pyo3::{Python, pyfunction};

/// Runs eventloader in this process, which should end with the exit code that it returns.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn run_eventloader(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| run("eventloader", arguments, eventloader::program::run))
}

/// Runs datagen in this process, which should end with the exit code that it returns.
#[pyfunction]
#[pyo3(signature = (arguments, /))]
pub(crate) fn run_datagen(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| run("datagen", arguments, datagen::program::run))
}

fn run(name: &str, arguments: Vec<OsString>, program: impl FnOnce(Vec<OsString>) -> u8) -> u8 {
    let exit_code = program(iter::once(name.into()).chain(arguments).collect());
    // A binary does this when it ends, and likewise says nothing of an error.
    drop(io::stdout().flush());
    exit_code
}
