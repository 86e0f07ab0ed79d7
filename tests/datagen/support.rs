//! Runs the binary and takes its answers apart.

use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest, Sha256};

/// The binary with these arguments, in a directory in which a relative path can do no harm.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datagen"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    // Clap wraps its help to the terminal of whoever runs the tests, if told of it.
    command.env_remove("COLUMNS");
    command
}

/// Everything that the binary said.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Standard output of a run that must succeed and must not say anything else.
#[track_caller]
pub(crate) fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a run that must not write data.
#[track_caller]
pub(crate) fn failure(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;

    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
