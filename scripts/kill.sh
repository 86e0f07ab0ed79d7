#!/usr/bin/env bash
# Kills the release eventloader some hundreds of times (kill -9) while DuckDB reads its target: each partition must be wholly old or
# wholly new at any time. Usage: kill.sh [--kills N] [--seed N]. BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

scripts/python_env.sh

BIN_DIR=$(scripts/bin_dir.sh)

work=$(mktemp -d "${TMPDIR:-/tmp}/kill.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
.venv/bin/python scripts/kill.py "$BIN_DIR" "$work" "$@"
