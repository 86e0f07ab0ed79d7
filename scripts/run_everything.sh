#!/usr/bin/env bash
# Builds both binaries, generates 10,000 events, loads all of them into Parquet, shows what came out, and proves it right.
set -euo pipefail

unset CDPATH
cd -- "$(dirname -- "$0")/.."

if ! command -v cargo >/dev/null; then
    cat >&2 <<'EOF'
error: cargo is not in the PATH. This needs a Rust toolchain and a C compiler:
  Rust          https://rustup.rs (if it is installed already: . "$HOME/.cargo/env")
  C compiler    Debian, Ubuntu: apt-get install build-essential; Fedora: dnf install gcc; macOS: xcode-select --install
EOF
    exit 1
fi

# The profile quick is built in less than half of the time, and loads as fast as the release build.
echo "Building (the first time takes a minute or two) ..."
cargo build --profile quick --locked --quiet --package eventloader --package datagen
bin=${CARGO_TARGET_DIR:-target}/quick

echo "Generating 10,000 events with seed 123 into data/raw_events/ ..."
"$bin/datagen" -s 123 -n 10000 -w -b data/raw_events/ --manifest data/manifest.json

echo "Loading every day of them into data/target/ ..."
"$bin/eventloader" -s data/raw_events/events.json -t data/target/ --backfill

echo
echo "One directory per day and event type, one row per event:"
find data/target -name '_*' -prune -o -name '*.parquet' -print | LC_ALL=C sort | awk -F/ '{
    file = "/" $(NF - 1) "/" $NF
    day = substr($0, 1, length($0) - length(file))
    if (day != shown) print "  " day "/"
    shown = day
    print "    " substr(file, 2)
}'

cat <<EOF

Look into it, in $PWD:
  duckdb -c "FROM 'data/target/2024/10/10/account-open/*.parquet' LIMIT 5"
  duckdb -c "SELECT event_type, count(*) FROM read_parquet('data/target/**/*.parquet', union_by_name = true) GROUP BY ALL"
  python3 -c "import polars; print(polars.read_parquet('data/target/2024/10/*/payment-to/*.parquet'))"
  python3 -c "import pandas; print(pandas.read_parquet('data/target/2024/10/10/status-change'))"
EOF

echo
echo "Reading all of it back, beside what the generator says of its events ..."
"$bin/eventloader" verify data/target/ --against data/manifest.json
echo "Proved right: the target holds every event of the manifest once, in its day, with the contents and sums it must have."
