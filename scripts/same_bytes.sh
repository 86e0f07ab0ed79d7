#!/usr/bin/env bash
# Fails unless builds of datagen generate the same bytes: both worlds, with faults. Usage: same_bytes.sh DATAGEN DATAGEN...
set -euo pipefail

if [ $# -lt 2 ]; then echo "usage: scripts/same_bytes.sh DATAGEN DATAGEN..." >&2 && exit 2; fi
for world in simple ledger; do
    generate=(--world "$world" -s 7 -n 50000 --faults "duplicates=500,corrections=500,malformed=200,late=500")
    # Failing alike, two writers would be equal: by the pipe a failure counts.
    for other in "${@:2}"; do
        if ! "$other" "${generate[@]}" | cmp - <("$1" "${generate[@]}"); then
            echo "error: $1 and $other generate other bytes: ${generate[*]}" >&2
            exit 1
        fi
    done
done
