#!/usr/bin/env bash
# Makes what is handed out, in DIR: a Python wheel and an archive of both programs. Installs and runs both first. See --help.
set -euo pipefail

usage() {
    cat <<'EOT'
Makes what is handed out: the Python wheel `eventloader`, and an archive of both programs with man pages, completions and docs.

Usage: scripts/package.sh [--quick] DIR

  --quick  for checks: debug builds. BIN_DIR=DIR: these binaries
  DIR      where both files go, once they are proved good; made if missing

Both are tried first: the wheel in an empty environment, the archive in an empty directory. Their programs must generate, load and
verify 10,000 events, leave the same bytes, and say and end alike. docs/packaging.md says what is in them and where they run.
EOT
}

quick='' directory=''
for argument in "$@"; do
    case $argument in
    -h | --help) usage && exit 0 ;;
    --quick) quick=1 ;;
    -*) echo "error: there is no option $argument; see --help" >&2 && exit 2 ;;
    *)
        if [ -n "$directory" ]; then echo "error: one DIR is enough; see --help" >&2 && exit 2; fi
        directory=$argument
        ;;
    esac
done
if [ -z "$directory" ]; then echo "error: where to? scripts/package.sh DIR; see --help" >&2 && exit 2; fi

mkdir -p -- "$directory"
directory=$(CDPATH='' cd -- "$directory" && pwd)
[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(CDPATH='' cd -- "$BIN_DIR" && pwd)
unset CDPATH
cd -- "$(dirname -- "$0")/.."

if ! command -v cargo >/dev/null; then
    echo "error: cargo is not in the PATH: install Rust (https://rustup.rs) and a C compiler" >&2
    exit 1
fi
scripts/python_env.sh .venv-package scripts/package_requirements.txt

# All files get the time of the commit: when they were packed makes no difference.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || true)}
if [ -z "$SOURCE_DATE_EPOCH" ]; then
    echo "error: this is no checkout, so the time of the commit is not known: set SOURCE_DATE_EPOCH to it, in seconds since 1970" >&2
    exit 1
fi
# For a quick build it is not set: C compilers look at it, and what is compiled from C would be compiled again.
[ -n "$quick" ] || export SOURCE_DATE_EPOCH

work=$(mktemp -d "${TMPDIR:-/tmp}/package.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
target=${CARGO_TARGET_DIR:-$PWD/target}
wheel=(--manifest-path crates/python/Cargo.toml --locked --features objects,postgres --out "$work/made")
since=$SECONDS
if [ -n "$quick" ]; then
    if [ -z "${BIN_DIR:-}" ]; then
        cargo build --locked --quiet --package eventloader --package datagen --features eventloader/objects,eventloader/postgres
        BIN_DIR=$(cd -- "$target/debug" && pwd)
    fi
    # Most of it is there already, where the tests of the workspace are built.
    export CARGO_TARGET_DIR=$target
    wheel+=(--profile dev)
else
    # What is measured and handed out generates what the tests have looked at.
    cargo build --locked --quiet --package datagen
    # A directory of its own, because of the flags: no path of this machine shall be in what is handed out.
    export CARGO_TARGET_DIR=$target/packaging
    export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=/eventloader"$'\x1f'"--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    unset BIN_DIR
    BIN_DIR=$(scripts/bin_dir.sh eventloader/objects eventloader/postgres)
    scripts/same_bytes.sh "$target/debug/datagen" "$BIN_DIR/datagen"
    wheel+=(--release)
fi
echo "both programs: $((SECONDS - since)) s"
since=$SECONDS
host=$(rustc -vV | sed -n 's/^host: //p')
PYTHONPATH=scripts .venv-package/bin/python -m package.licences "$host"
if ! .venv-package/bin/maturin build "${wheel[@]}" >"$work/maturin.txt" 2>&1; then
    cat -- "$work/maturin.txt" >&2
    exit 1
fi
echo "the wheel: $((SECONDS - since)) s"

SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH PYTHONPATH=scripts .venv-package/bin/python -m package "$BIN_DIR" "$host" "$work"
mv -- "$work/made"/* "$directory/"
