#!/usr/bin/env bash
# Makes a virtual environment with the packages of requirements files; keeps one that has them already.
# Usage: python_env.sh [DIRECTORY FILE ...]; without arguments it makes .venv from scripts/requirements.txt.
set -euo pipefail

unset CDPATH
cd -- "$(dirname -- "$0")/.."
venv=${1:-.venv}
files=("${@:2}")
[ ${#files[@]} -gt 0 ] || files=(scripts/requirements.txt)

# The list is written into the environment last: it stands for an installation that went through.
if "$venv/bin/python" --version >/dev/null 2>&1 && cat -- "${files[@]}" | cmp -s - "$venv/requirements.txt"; then
    exit 0
fi

if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "error: this needs python3 of version 3.10 or newer with its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2
    exit 1
fi
echo "Making $venv from ${files[*]} ..." >&2
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${files[@]/#/--requirement=}"
cat -- "${files[@]}" >"$venv/requirements.txt"
