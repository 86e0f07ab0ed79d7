#!/usr/bin/env bash
# Checks that pyarrow, DuckDB and Polars read what eventloader writes: the exact schemas and rows. BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

scripts/python_env.sh

if [ -z "${BIN_DIR:-}" ]; then
    target=${CARGO_TARGET_DIR:-target}
    if [ -x "$target/release/eventloader" ] && [ -x "$target/release/datagen" ]; then
        cargo build --release --locked --quiet # does nothing unless the sources are newer
        BIN_DIR=$target/release
    else
        cargo build --locked --quiet
        BIN_DIR=$target/debug
    fi
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/engines.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
.venv/bin/python scripts/engines.py "$BIN_DIR" "$work"
