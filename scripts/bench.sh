#!/usr/bin/env bash
# Measures eventloader beside DuckDB, Polars and ClickHouse: same input, same rows, alternating rounds; and datagen beside
# tpchgen-cli. See --help.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
[ -z "${BENCH_DIR:-}" ] || BENCH_DIR=$(mkdir -p -- "$BENCH_DIR" && cd -- "$BENCH_DIR" >/dev/null && pwd)
unset CDPATH
called_from=$PWD
cd -- "$(dirname -- "$0")/.."
root=$PWD

# The environment: that of engines.sh for a short run, one with chdb, and one with pyspark.
venv=.venv-bench
requirements=(scripts/requirements.txt scripts/bench_requirements.txt)
for argument in "$@"; do
    case $argument in
    --short) venv=.venv requirements=(scripts/requirements.txt) ;;
    -h | --help) PYTHONPATH=$root/scripts exec python3 -B -m bench --help ;;
    --from | --from=*)
        # Saved results need neither binaries nor engines. Files are relative to where the script was called from.
        cd -- "$called_from"
        PYTHONPATH=$root/scripts exec python3 -B -m bench "$@"
        ;;
    esac
done
for argument in "$@"; do
    if [ "$argument" = --spark ]; then
        if ! java -version >/dev/null 2>&1; then
            echo "error: --spark needs Java 17 or newer, and there is no java in the PATH (Debian, Ubuntu: apt-get install default-jre-headless)" >&2
            exit 2
        fi
        venv=.venv-spark
        requirements=(scripts/requirements.txt scripts/bench_requirements.txt scripts/spark_requirements.txt)
    fi
done
scripts/python_env.sh "$venv" "${requirements[@]}"

BIN_DIR=$(scripts/bin_dir.sh)

export BIN_DIR
[ -z "${BENCH_DIR:-}" ] || export BENCH_DIR
cd -- "$called_from" # --json FILE and --chart FILE are relative to it
PYTHONPATH=$root/scripts exec "$root/$venv/bin/python" -m bench "$@"
