#!/usr/bin/env bash
# Loads 1,000,000 generated events with eventloader and with DuckDB in turn: same input, threads and rows. Exit 1 if DuckDB is faster.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

scripts/python_env.sh
if [ -z "${BIN_DIR:-}" ]; then
    cargo build --release --locked --quiet
    BIN_DIR=${CARGO_TARGET_DIR:-target}/release
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/compare_duckdb.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

# 50,000 events come a second time, every other one of them corrected at the same timestamp: the later line counts.
"$BIN_DIR/datagen" -s 123 -n 1000000 | awk '
    { print }
    NR <= 50000 {
        if (NR % 2) {
            sub(/"new_status": "[A-Z]*"/, "\"new_status\": \"CORRECTED\"")
            sub(/"amount": [0-9.]*/, "\"amount\": 1234.5")
        }
        again[NR] = $0
    }
    END { for (line = 1; line <= 50000; line++) print again[line] }
' >"$work/events.json"

.venv/bin/python scripts/compare_duckdb.py "$BIN_DIR/eventloader" "$work"
