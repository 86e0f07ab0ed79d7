#!/usr/bin/env bash
# Proves targets of tables with other programs: deltalake, Polars, Daft, Sail and DuckDB read each version of each table, also while
# the loader is killed or loses answers. Usage: tables.sh [--worlds N] [--predicates N] [--kills N] [--lost-answers N] [--on SERVER] …,
# see --help. BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

case " $* " in *" --help "* | *" -h "*) PYTHONPATH=scripts exec python3 -m tables --help ;; esac
scripts/python_env.sh .venv-tables scripts/tables_requirements.txt

server=''
for argument in "$@"; do
    case $argument in moto | seaweedfs | azurite) server=$argument ;; esac
done
BIN_DIR=$(scripts/bin_dir.sh ${server:+eventloader/objects})

WORK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/tables.XXXXXX")
trap 'rm -rf -- "$WORK_DIR"' EXIT
export BIN_DIR WORK_DIR PYTHONPATH=$PWD/scripts
run=(.venv-tables/bin/python -m tables "$@")
if [ -n "$server" ]; then scripts/servers.sh "$server+lossy" -- "${run[@]}"; else "${run[@]}"; fi
