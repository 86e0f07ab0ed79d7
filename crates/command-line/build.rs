//! The git checkout that this crate is built in → the variable `COMMAND_LINE_COMMIT`: `3de6bc9 2026-11-25`.
//!
//! Invariant: in a debug build, without git, or outside a checkout of this project, the variable is not set
//! and the build succeeds. In a debug build it would rebuild both programs after each commit.

use std::{env, path::Path, process::Command};

/// Where this package is in a checkout. A release that was unpacked into another project's checkout has a
/// different prefix, and must not show that project's commit.
const PREFIX_IN_CHECKOUT: &str = "crates/command-line/";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    if git(&["rev-parse", "--show-prefix"]).as_deref() != Some(PREFIX_IN_CHECKOUT) {
        return;
    }
    if let Some(commit) = git(&["show", "--no-patch", "--abbrev=7", "--format=%h %cs", "HEAD"]) {
        println!("cargo:rustc-env=COMMAND_LINE_COMMIT={commit}");
    }
    for path in files_of_head() {
        println!("cargo:rerun-if-changed={path}");
    }
}

/// The files that change when another commit is checked out: HEAD, the file of its branch, and the log of
/// HEAD.
///
/// A branch may have no file of its own: it is in `packed-refs` then, and only the log of HEAD shows that a
/// commit creates the file. A file that does not exist must not be listed, since cargo would run this script
/// on each build.
fn files_of_head() -> impl Iterator<Item = String> {
    let path = |file: &str| git(&["rev-parse", "--git-path", file]).filter(|path| Path::new(path).exists());
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).and_then(|branch| path(&branch));
    [path("HEAD"), path("logs/HEAD"), branch.or_else(|| path("packed-refs"))].into_iter().flatten()
}

/// What git prints, if it succeeds. Cargo runs build scripts in the directory of their package.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
