#!/usr/bin/env bash
# Checks what `eventloader catalog show` prints for engines: DuckDB, ClickHouse (chdb) and PostgreSQL run it and must read the rows
# of the target; the statements for all of them are parsed by sqlglot, with their columns and types.
# Usage: ddl.sh [--spark]. BIN_DIR=DIR: these binaries.
#   --spark  Spark 4.3 and Sail run theirs, too (needs Java 17)
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

spark=''
for argument in "$@"; do
    case $argument in
    --spark) spark=1 ;;
    *) echo "usage: scripts/ddl.sh [--spark]" >&2 && exit 2 ;;
    esac
done
if [ -n "$spark" ] && ! java -version >/dev/null 2>&1; then
    echo "error: --spark needs Java 17 or newer, and there is no java in the PATH (Debian, Ubuntu: apt-get install default-jre-headless)" >&2
    exit 2
fi

scripts/python_env.sh .venv-ddl scripts/ddl_requirements.txt
if [ -n "$spark" ]; then
    scripts/python_env.sh .venv-spark scripts/requirements.txt scripts/bench_requirements.txt scripts/spark_requirements.txt
    scripts/python_env.sh .venv-sail scripts/sail_requirements.txt
fi

BIN_DIR=$(scripts/bin_dir.sh)

work=$(mktemp -d "${TMPDIR:-/tmp}/ddl.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
export BIN_DIR
scripts/servers.sh postgres -- .venv-ddl/bin/python scripts/ddl/check.py "$work"
if [ -n "$spark" ]; then
    # They are talkative.
    .venv-spark/bin/python scripts/ddl/spark.py "$work" 2>/dev/null
    .venv-sail/bin/python scripts/ddl/spark.py "$work" 2>/dev/null
fi
