#!/usr/bin/env bash
# Makes the virtual environment .venv with the packages of requirements.txt; keeps one that has them already.
set -euo pipefail

unset CDPATH
cd -- "$(dirname -- "$0")/.."

# The list is copied into the environment last: it stands for an installation that went through.
if .venv/bin/python --version >/dev/null 2>&1 && cmp -s scripts/requirements.txt .venv/requirements.txt; then
    exit 0
fi

if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "error: this needs python3 of version 3.10 or newer with its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2
    exit 1
fi
echo "Making .venv from scripts/requirements.txt ..." >&2
python3 -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement scripts/requirements.txt
cp scripts/requirements.txt .venv/requirements.txt
