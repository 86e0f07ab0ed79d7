#!/usr/bin/env bash
# Proves loads that an engine distributes: Spark, Sail, Ray and plain Python leave what eventloader leaves on one machine, also where
# tasks, executors and drivers die. Usage: spark.sh [--engines plain,sail,spark,spark35,ray] [--worlds N] [--failures N] [--kills N] …,
# see --help. BIN_DIR=DIR: these binaries. WHEEL=FILE: this wheel.
set -euo pipefail

[ -z "${BIN_DIR:-}" ] || BIN_DIR=$(cd -- "$BIN_DIR" >/dev/null && pwd)
[ -z "${WHEEL:-}" ] || WHEEL=$(cd -- "$(dirname -- "$WHEEL")" >/dev/null && pwd)/$(basename -- "$WHEEL")
unset CDPATH
cd -- "$(dirname -- "$0")/.."

case " $* " in *" --help "* | *" -h "*) PYTHONPATH=scripts exec python3 -m spark --help ;; esac
engines=plain,sail
previous=''
for argument in "$@"; do
    case $argument in --engines=*) engines=${argument#*=} ;; esac
    [ "$previous" != --engines ] || engines=$argument
    previous=$argument
done

case $engines in
*spark*)
    if ! java -version >/dev/null 2>&1; then
        echo "error: Spark needs Java 17 or newer, and there is no java in the PATH (Debian, Ubuntu: apt-get install default-jre-headless)" >&2
        exit 1
    fi
    ;;
esac

WORK_DIR=$(mktemp -d "${TMPDIR:-/tmp}/spark.XXXXXX")
trap 'rm -rf -- "$WORK_DIR"' EXIT
WHEEL=$(scripts/wheel_file.sh "$WORK_DIR/wheel")
BIN_DIR=$(scripts/bin_dir.sh)

# The environment of Sail has all that plain Python needs, and what the check itself needs.
scripts/python_env.sh .venv-sail scripts/sail_requirements.txt
environments=(.venv-sail)
case ",$engines," in
*,spark,*)
    scripts/python_env.sh .venv-spark scripts/requirements.txt scripts/bench_requirements.txt scripts/spark_requirements.txt
    environments+=(.venv-spark)
    ;;
esac
for engine in spark35 ray; do
    case ",$engines," in
    *",$engine,"*)
        scripts/python_env.sh ".venv-$engine" "scripts/${engine}_requirements.txt"
        environments+=(".venv-$engine")
        ;;
    esac
done
for environment in "${environments[@]}"; do
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$WHEEL"
done

export BIN_DIR WORK_DIR PYTHONPATH=$PWD/scripts
.venv-sail/bin/python -m spark "$@"
