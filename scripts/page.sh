#!/usr/bin/env bash
# Looks at the pages of `eventloader list --html` in Chromium: numbers, keyboard, contrast, widths, paper, requests; size and time.
# Usage: page.sh [--partitions N] [--screenshots DIR]. BIN_DIR=DIR: these binaries.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
here=$PWD
unset CDPATH
cd -- "$(dirname -- "$0")/.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: there is no chromium with chromedriver in the PATH (Debian: apt-get install chromium chromium-driver)" >&2
        exit 1
    fi
    echo "Installing chromium and chromium-driver ..." >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver >&2
fi
scripts/python_env.sh .venv-page scripts/page_requirements.txt

BIN_DIR=$(scripts/bin_dir.sh)

# In memory where there is room: thousands of files that are synced take a disk longer than all else here.
WORK_DIR=$(TMPDIR=$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}") mktemp -d)
trap 'rm -rf -- "$WORK_DIR"' EXIT
root=$PWD
export BIN_DIR WORK_DIR PYTHONPATH=$root/scripts
cd -- "$here"
"$root/.venv-page/bin/python" -m page "$@"
