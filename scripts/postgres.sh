#!/usr/bin/env bash
# Proves targets in a database with other programs: what plain Parquet files hold, psycopg finds in the tables, also while the loader is
# killed, the server loses power, answers get lost. Usage: postgres.sh [--worlds N] [--kills N] [--lost-answers N] [--writers N] [--speed N] …,
# see --help. BIN_DIR=DIR: these binaries, built with --features eventloader/postgres.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

case " $* " in *" --help "* | *" -h "*) PYTHONPATH=scripts exec python3 -m postgres --help ;; esac
scripts/python_env.sh .venv-postgres scripts/postgres_requirements.txt

BIN_DIR=$(scripts/bin_dir.sh eventloader/postgres)

WORK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/postgres.XXXXXX")
trap 'rm -rf -- "$WORK_DIR"' EXIT
export BIN_DIR WORK_DIR PYTHONPATH=$PWD/scripts
scripts/servers.sh postgres -- .venv-postgres/bin/python -m postgres "$@"
