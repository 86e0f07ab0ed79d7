#!/usr/bin/env bash
# Checks docs/iceberg.md: runs its program and commands, compares what they print, and each Iceberg table with its target.
# Usage: iceberg.sh --check | --write (the real output into the page). BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

scripts/python_env.sh .venv-iceberg scripts/iceberg_requirements.txt

BIN_DIR=$(scripts/bin_dir.sh)

export BIN_DIR PATH=$PWD/.venv-iceberg/bin:$PATH
exec python -W ignore scripts/iceberg.py "$@"
