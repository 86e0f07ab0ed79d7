#!/usr/bin/env bash
# Checks that other programs read what eventloader writes: pyarrow, DuckDB and Polars the exact schemas and rows, pandas and
# pyarrow whole hive targets with their defaults, fastparquet files with basic encodings; and all of them files of an old and a
# widened type beside each other.
# Usage: engines.sh [--spark] [--old-spark]. BIN_DIR=DIR: these binaries.
#   --spark      Spark 4.3, Sail and ClickHouse read old and widened files, too (needs Java 17)
#   --old-spark  Spark 3.3 reads basic encodings, too (needs Java 8, 11 or 17)
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

spark='' old_spark=''
for argument in "$@"; do
    case $argument in
    --spark) spark=1 ;;
    --old-spark) old_spark=1 ;;
    *) echo "usage: scripts/engines.sh [--spark] [--old-spark]" >&2 && exit 2 ;;
    esac
done

if [ -n "$spark" ] && ! java -version >/dev/null 2>&1; then
    echo "error: --spark needs Java 17 or newer, and there is no java in the PATH (Debian, Ubuntu: apt-get install default-jre-headless)" >&2
    exit 2
fi
scripts/python_env.sh
if [ -n "$spark" ]; then
    scripts/python_env.sh .venv-spark scripts/requirements.txt scripts/bench_requirements.txt scripts/spark_requirements.txt
    scripts/python_env.sh .venv-sail scripts/sail_requirements.txt
fi
[ -z "$old_spark" ] || scripts/python_env.sh .venv-old-spark scripts/old_spark_requirements.txt

BIN_DIR=$(scripts/bin_dir.sh)

work=$(mktemp -d "${TMPDIR:-/tmp}/engines.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/engines" "$work/readers" "$work/widened" "$work/spark" "$work/sail"
.venv/bin/python scripts/engines.py "$BIN_DIR" "$work/engines"
.venv/bin/python scripts/readers.py "$BIN_DIR" "$work/readers"
.venv/bin/python scripts/widened.py "$BIN_DIR" "$work/widened"
if [ -n "$spark" ]; then
    # What they say of the files that they can't read goes on for pages.
    .venv-spark/bin/python scripts/widened.py "$BIN_DIR" "$work/spark" 2>/dev/null
    .venv-sail/bin/python scripts/widened.py "$BIN_DIR" "$work/sail" 2>/dev/null
fi
[ -z "$old_spark" ] || .venv-old-spark/bin/python scripts/old_spark.py "$work/readers"
