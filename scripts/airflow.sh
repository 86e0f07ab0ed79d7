#!/usr/bin/env bash
# Checks docs/scheduling.md: runs scripts/airflow/eventloader_dag.py on an hourly feed with late files, kills and a poisoned hour, and what
# cron and systemd are given; the target must be that of one backfill. Usage: airflow.sh [--check] [--seed N]: --check is the short form,
# see --help. BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

scripts/python_env.sh .venv-airflow scripts/airflow_requirements.txt

BIN_DIR=$(scripts/bin_dir.sh)

# Nothing of Airflow's settings outside of this script counts.
for name in "${!AIRFLOW__@}"; do unset "$name"; done
export BIN_DIR AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False PYTHONDONTWRITEBYTECODE=1
exec .venv-airflow/bin/python scripts/airflow/check.py "$@"
