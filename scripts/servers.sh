#!/usr/bin/env bash
# Runs a command with object stores or a database at hand: servers on free ports of 127.0.0.1, which end with it.
# Usage: servers.sh SERVER... -- COMMAND...
#   moto, seaweedfs (S3) · azurite (Azure, needs npm) · google (a stub: it only holds what eventloader asks of Google Cloud Storage)
#   postgres: Debian's postgresql, which as root is installed where it is missing
#   NAME+lossy also starts a proxy in front of it: of three requests it loses the answer of one, done or not
# For moto the command finds MOTO_ENDPOINT in its environment, for moto+lossy also MOTO_LOSSY_ENDPOINT; likewise SEAWEEDFS_ENDPOINT,
# AZURITE_ENDPOINT, GOOGLE_ENDPOINT. Each of these has an empty bucket or container `lake`. Credentials are set that all of them take.
# For postgres the command finds EVENTLOADER_POSTGRES, the address of an empty database with a password in it, and EVENTLOADER_POSTGRES_FOLDER,
# by which scripts/servers/postgres.py kills and starts the server.
set -euo pipefail

unset CDPATH
here=$PWD
cd -- "$(dirname -- "$0")/.."

usage() {
    echo "usage: scripts/servers.sh moto|seaweedfs|azurite|google[+lossy]|postgres... -- COMMAND..." >&2
    exit 2
}

# Debian's package starts a server of its own; here it must not.
install_postgres() {
    if command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: there is no PostgreSQL server here (Debian, Ubuntu: apt-get install postgresql)" >&2
        exit 1
    fi
    local quiet=/etc/postgresql-common/createcluster.d/no-cluster-for-tests.conf
    mkdir -p "${quiet%/*}"
    echo "create_main_cluster = false" >"$quiet"
    echo "Installing postgresql ..." >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2
    rm -- "$quiet"
}

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
    postgres) if [ "$argument" = postgres ]; then install_postgres; else usage; fi ;;
    *) usage ;;
    esac
done

exec python3 scripts/servers/run.py "$here" "$@"
