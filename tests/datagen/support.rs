//! Runs the binary and inspects its output.

use std::{
    io::Read,
    path::Path,
    process::{Command, Output},
};

use sha2::{Digest, Sha256};

/// The binary with these arguments, in a directory in which a relative path can do no harm.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datagen"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    // Clap would wrap its help to the terminal of the user who runs the tests.
    command.env_remove("COLUMNS");
    command
}

/// All output of the binary.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Standard output of a run that must succeed and must print nothing to standard error.
#[track_caller]
pub(crate) fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs with `--write-data` into `directory`, and returns standard error.
#[track_caller]
pub(crate) fn write(directory: &Path, arguments: &[&str]) -> String {
    let directory = directory.to_str().unwrap();
    let output = run(&[&["-w", "-b", directory], arguments].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.stdout.is_empty());
    said
}

/// Exit code and standard error of a run with `--write-data` that must fail.
#[track_caller]
pub(crate) fn write_failure(directory: &Path, arguments: &[&str]) -> (i32, String) {
    failure(&[&["-w", "-b", directory.to_str().unwrap()], arguments].concat())
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

/// The text of a file of a directory.
pub(crate) fn text(directory: &Path, name: &str) -> String {
    String::from_utf8(decompressed(&fs_err::read(directory.join(name)).unwrap())).unwrap()
}

/// Decompresses gzip or zstd; returns other bytes as they are.
pub(crate) fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match bytes {
        [0x1F, 0x8B, ..] => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] => text = zstd::decode_all(bytes).unwrap(),
        _ => text.extend_from_slice(bytes),
    }
    text
}

/// The text of all files of a directory, concatenated in the order of their names.
pub(crate) fn all_text(directory: &Path) -> String {
    names(directory).iter().map(|name| text(directory, name)).collect()
}
