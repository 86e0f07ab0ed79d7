#!/usr/bin/env bash
# Checks that a build without object stores and databases says so: each command that takes an address names it and the feature, ends with
# exit code 2, keeps the secret in the address, and makes nothing. Usage: BIN_DIR=DIR refused.sh, where DIR has such a build.
set -euo pipefail

BIN_DIR=$(cd -- "${BIN_DIR:?}" >/dev/null && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/refused.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
mkdir here
printf '{}\n' >in.json
: >catalog.toml

# refuses SAID ARGUMENT...: SAID is a pattern.
refuses() {
    local code=0 said
    said=$(cd here && "$BIN_DIR/eventloader" "${@:2}" 2>&1) || code=$?
    # shellcheck disable=SC2254 # It is a pattern.
    case $said in
    *topsecret*) ;;
    $1) if [ "$code" = 2 ]; then return; fi ;;
    esac
    printf 'error: eventloader %s: exit code %d, and it says:\n%s\n' "${*:2}" "$code" "$said" >&2
    return 1
}

while read -ra line; do
    refuses "*s3://bucket*--features objects*" "${line[@]/ADDRESS/s3://bucket/lake}"
    refuses "*s3://bucket*" "${line[@]/ADDRESS/s3://bucket/lake?sig=topsecret}"
done <<'EOF'
-s ../in.json -b -t ADDRESS
-s ADDRESS -b -t target
accept ADDRESS
catalog check ADDRESS
catalog diff ADDRESS ../catalog.toml
catalog infer ADDRESS
discard ADDRESS
list ADDRESS
quarantine ADDRESS
recover ADDRESS
rewrite ADDRESS
verify ADDRESS
EOF
refuses "*--features postgres*" list postgresql://host/lake
if [ -n "$(ls -A here)" ]; then echo "error: files were made: $(ls -A here)" >&2 && exit 1; fi
