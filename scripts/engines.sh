#!/usr/bin/env bash
# Checks that other programs read what eventloader writes: pyarrow, DuckDB and Polars the exact schemas and rows, pandas and
# pyarrow whole hive targets with their defaults, fastparquet files with basic encodings.
# Usage: engines.sh [--old-spark]: Spark 3.3 reads basic encodings, too (needs Java 8, 11 or 17). BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

old_spark=
case "$*" in
    "") ;;
    --old-spark) old_spark=1 ;;
    *) echo "usage: scripts/engines.sh [--old-spark]" >&2 && exit 2 ;;
esac

scripts/python_env.sh
[ -z "$old_spark" ] || scripts/python_env.sh .venv-old-spark scripts/old_spark_requirements.txt

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
mkdir "$work/engines" "$work/readers"
.venv/bin/python scripts/engines.py "$BIN_DIR" "$work/engines"
.venv/bin/python scripts/readers.py "$BIN_DIR" "$work/readers"
[ -z "$old_spark" ] || .venv-old-spark/bin/python scripts/old_spark.py "$work/readers"
