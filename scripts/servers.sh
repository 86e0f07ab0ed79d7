#!/usr/bin/env bash
# Runs a command with object stores at hand: servers on free ports of 127.0.0.1, which end with it.
# Usage: servers.sh SERVER... -- COMMAND...
#   moto, seaweedfs (S3) · azurite (Azure, needs npm) · google (a stub: it only holds what eventloader asks of Google Cloud Storage)
#   NAME+lossy also starts a proxy in front of it: of three requests it loses the answer of one, done or not
# For moto the command finds MOTO_ENDPOINT in its environment, for moto+lossy also MOTO_LOSSY_ENDPOINT; likewise SEAWEEDFS_ENDPOINT,
# AZURITE_ENDPOINT, GOOGLE_ENDPOINT. Each server has an empty bucket or container `lake`. Credentials are set that all of them take.
set -euo pipefail

unset CDPATH
here=$PWD
cd -- "$(dirname -- "$0")/.."

for argument in "$@"; do
    case ${argument%+lossy} in
    --) break ;;
    moto | seaweedfs) scripts/python_env.sh ".venv-${argument%+lossy}" "scripts/servers/${argument%+lossy}.txt" ;;
    azurite)
        if ! command -v npm >/dev/null; then
            echo "error: azurite needs npm (Debian, Ubuntu: apt-get install npm)" >&2
            exit 1
        fi
        [ -d .venv-azurite/node_modules/azurite ] || npm install --silent --no-audit --no-fund --prefix .venv-azurite azurite@3.37.0 >&2
        ;;
    google) ;;
    *) echo "usage: scripts/servers.sh moto|seaweedfs|azurite|google[+lossy]... -- COMMAND..." >&2 && exit 2 ;;
    esac
done

exec python3 scripts/servers/run.py "$here" "$@"
