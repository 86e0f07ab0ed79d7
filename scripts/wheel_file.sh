#!/usr/bin/env bash
# Prints the path of the Python wheel: WHEEL or, if that is not set, one of the profile dev, which is made first.
# Usage: WHEEL=$(scripts/wheel_file.sh DIRECTORY), where the directory is for a wheel that is made.
set -euo pipefail

unset CDPATH
if [ -n "${WHEEL:-}" ]; then
    cd -- "$(dirname -- "$WHEEL")"
    wheel=$(basename -- "$WHEEL")
    if [ ! -f "$wheel" ]; then echo "error: there is no wheel $WHEEL" >&2 && exit 1; fi
    printf '%s/%s\n' "$PWD" "$wheel"
    exit 0
fi

mkdir -p -- "$1"
directory=$(cd -- "$1" && pwd)
cd -- "$(dirname -- "$0")/.."
scripts/python_env.sh .venv-package scripts/package_requirements.txt
# Into the target directory of the workspace, which has most of it when its tests are built.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR
build=(--manifest-path crates/python/Cargo.toml --locked --profile dev --features objects,postgres --out "$directory")
if ! .venv-package/bin/maturin build "${build[@]}" >"$directory/maturin.txt" 2>&1; then
    cat -- "$directory/maturin.txt" >&2
    exit 1
fi
printf '%s\n' "$directory"/*.whl
