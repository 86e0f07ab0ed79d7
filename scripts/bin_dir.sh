#!/usr/bin/env bash
# Prints the directory of both binaries: BIN_DIR or, if that is not set, that of the release build, which is made first.
# Usage: BIN_DIR=$(scripts/bin_dir.sh [FEATURE...]), for example eventloader/objects
set -euo pipefail

unset CDPATH
if [ -n "${BIN_DIR:-}" ]; then
    cd -- "$BIN_DIR"
else
    cd -- "$(dirname -- "$0")/.."
    # Not the whole workspace: that would also build the crates of features that are off.
    cargo build --release --locked --quiet --package eventloader --package datagen ${1:+--features "$*"}
    cd -- "${CARGO_TARGET_DIR:-target}/release"
fi
pwd
