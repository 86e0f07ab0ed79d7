#!/usr/bin/env bash
# Runs the fuzz targets, one after the other, a minute each. See --help.
set -euo pipefail

unset CDPATH
cd -- "$(dirname -- "$0")/.."

usage() {
    cat <<'EOF'
Runs the fuzz targets of fuzz/, one after the other: arbitrary bytes, guided by coverage. Says of each how many inputs it tried.

Usage: scripts/fuzz.sh [--seconds N] [TARGET...]

  --seconds N  for how long each runs [60]
  TARGET       these alone; all otherwise:

EOF
    printf '%s\n' "${all[@]}" | sed 's/^/                 /'
    cat <<'EOF'

It goes on from the inputs that earlier runs found (fuzz/corpus/), and from fuzz/seeds/. fuzz/README.md says what each target
holds. Exit code 1: there is a finding; where it is and how to see it again is told. 2: it can't run.
EOF
}

all=()
for file in fuzz/fuzz_targets/*.rs; do all+=("$(basename -- "$file" .rs)"); done

seconds=60
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --seconds) seconds=${2:-} && shift ;;
    --seconds=*) seconds=${1#*=} ;;
    -*) echo "error: there is no option $1; see --help" >&2 && exit 2 ;;
    *)
        if [ ! -f "fuzz/fuzz_targets/$1.rs" ]; then
            echo "error: there is no target $1; there are: ${all[*]}" >&2
            exit 2
        fi
        targets+=("$1")
        ;;
    esac
    shift || break
done
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "error: --seconds wants a number of seconds, not \"$seconds\"" >&2
    exit 2
fi
[ ${#targets[@]} -gt 0 ] || targets=("${all[@]}")

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "error: cargo-fuzz is missing: cargo install cargo-fuzz --locked (it needs a C++ compiler, too)" >&2
    exit 2
fi

# No sanitizer: nothing here is unsafe, and without one no nightly compiler is needed.
fuzz=(--fuzz-dir fuzz --sanitizer none)
echo "building"
cargo fuzz build "${fuzz[@]}" >/dev/null

log=$(mktemp "${TMPDIR:-/tmp}/fuzz.XXXXXX")
trap 'rm -f -- "$log"' EXIT
findings=0
for target in "${targets[@]}"; do
    case $target in
    catalog) dictionary=fuzz/catalog.dict ;;
    *) dictionary=fuzz/json.dict ;;
    esac
    mkdir -p "fuzz/corpus/$target"
    failed=0
    cargo fuzz run "${fuzz[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- "-dict=$dictionary" \
        "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 >"$log" 2>&1 || failed=$?
    stat() { awk -v name="stat::$1:" '$1 == name { print $2 }' "$log"; }
    executions=$(stat number_of_executed_units)
    if [ "$failed" -eq 0 ]; then
        printf '%-22s %12s inputs, %7s per second: no finding\n' "$target" "$executions" "$(stat average_exec_per_sec)"
        continue
    fi
    findings=1
    artifact=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    printf '%-22s %12s inputs: a finding\n' "$target" "${executions:-0}"
    sed -n '/panicked at/,/^stack backtrace/p' "$log" | head -n 20 | sed 's/^/    /'
    if [ -z "$artifact" ]; then
        tail -n 20 "$log" | sed 's/^/    /'
        continue
    fi
    printf '    the input:    %s\n' "$artifact"
    printf '    again:        cargo fuzz run --fuzz-dir fuzz --sanitizer none %s %s\n' "$target" "$artifact"
    printf '    as a test:    make it small (cargo fuzz tmin ...), put it into fuzz/seeds/%s/, cargo test -p eventloader --lib fuzzing\n' "$target"
done
exit "$findings"
