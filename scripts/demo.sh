#!/usr/bin/env bash
# The thirty seconds of README.md: builds, then runs the commands of its first block in a temporary directory: generate, load, verify.
# BIN_DIR=DIR uses the binaries in that directory instead of building them.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."
readme=$PWD/README.md

BIN_DIR=$(scripts/bin_dir.sh)

# The commands stand in README.md alone: those of the console blocks behind `<!-- run -->`.
commands=$(awk '/^```/ { shown = marked && $0 == "```console" } /^\$ / && shown { print substr($0, 3) } { marked = $0 == "<!-- run -->" }' "$readme")
if [ -z "$commands" ]; then
    echo "error: README.md has no console block marked <!-- run -->" >&2
    exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
export PATH=$BIN_DIR:$PATH
while IFS= read -r command; do
    printf '$ %s\n' "$command"
    bash -euo pipefail -c "$command" </dev/null
done <<<"$commands"
