#!/usr/bin/env bash
# Merges a month of events, in hourly files, in random order, every tenth run killed; is the target that of one backfill? See --help.
set -euo pipefail

usage() {
    cat <<'EOF'
Usage: scripts/january.sh [--days N] [--events-per-day N] [--changes LIST]

Generates January 2024 of the ledger world, an hour a file, 2 % of the events corrected later (some after midnight, some days later) and
1 % delivered twice. Merges the files one by one in random order; every tenth run is killed with SIGKILL at a
random moment and run again. The target must be, byte for byte, that of one backfill of all files, and hold what the manifest says.

  --days N             so many days instead of 31
  --events-per-day N   (2000)
  --changes LIST       the events change on the way, as `datagen --changes` says: the files come in their order, the catalog is extended
                       by each before it is merged, and the target is rewritten at the end
  --seed N             of the order and the kills; told, random where it is not given

Exit codes: 0 done, 1 not the same, 2 wrong usage.
EOF
}

days=31 events_per_day=2000 changes='' seed=$RANDOM
while [ $# -gt 0 ]; do
    case $1 in
    --days) days=${2:?} && shift 2 ;;
    --events-per-day) events_per_day=${2:?} && shift 2 ;;
    --changes) changes=${2:?} && shift 2 ;;
    --seed) seed=${2:?} && shift 2 ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
done

unset CDPATH
cd -- "$(dirname -- "$0")/.."
bin=$(scripts/bin_dir.sh)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
RANDOM=$seed
last=$(printf '2024-01-%02d' "$days")

echo "January to $last, seed $seed ..."
"$bin/datagen" catalog >"$work/mine.toml"
"$bin/datagen" --world ledger -d 2024-01-01 --end-date "$last" --events-per-day "$events_per_day" --rotate hour -q -w -b "$work/in" \
    --faults corrections=2%,duplicates=1%,late=1% --changes "$changes" --manifest "$work/truth.json"
load=("$bin/eventloader" -q -b --catalog "$work/mine.toml")

files=("$work"/in/*.json)
if [ -z "$changes" ]; then
    # Lines of equal times have one content here, so the order of files means nothing.
    mapfile -t files < <(printf '%s\n' "${files[@]}" | while read -r file; do echo "$RANDOM $file"; done | LC_ALL=C sort -n | cut -d' ' -f2-)
fi
runs=0 killed=0
for file in "${files[@]}"; do
    runs=$((runs + 1))
    if [ -n "$changes" ]; then
        "$bin/eventloader" catalog infer -q --catalog "$work/mine.toml" "$file" -o "$work/mine.toml"
    fi
    merge=("${load[@]}" -s "$file" -t "$work/merged" --mode merge)
    if [ $((runs % 10)) = 0 ]; then
        # 1 to 20 ms, about as long as a run takes.
        "${merge[@]}" &
        sleep "0.$(printf '%03d' $((1 + RANDOM % 20)))"
        kill -KILL $! 2>/dev/null || true
        # Until it is gone, and its lock with it. The shell's word on it nobody needs.
        wait $! 2>/dev/null || killed=$((killed + 1))
    fi
    "${merge[@]}"
done
echo "$runs merges, $killed runs killed on their way"

if [ -n "$changes" ]; then
    "$bin/eventloader" verify "$work/merged" --against "$work/truth.json"
    "$bin/eventloader" rewrite "$work/merged" --catalog "$work/mine.toml"
fi
"${load[@]}" -s "$work/in" -t "$work/one"
diff -r -q --exclude='_*' "$work/one" "$work/merged"
"$bin/eventloader" verify "$work/merged" --against "$work/truth.json"
echo "The target is, byte for byte, that of one backfill."
