"""The command line of scripts/spark.sh; BIN_DIR and WORK_DIR are its environment."""

import argparse
import collections
import os
import pathlib
import sys
import time

ENGINES = "plain", "sail", "spark", "spark35", "ray"


def engines(text):
    names = text.split(",")
    if unknown := [name for name in names if name not in ENGINES]:
        raise argparse.ArgumentTypeError(f"there is no engine {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    return names


def main():
    parser = argparse.ArgumentParser(prog="scripts/spark.sh", description="What is proved of loads that an engine distributes.")
    parser.add_argument("--engines", type=engines, default=["plain", "sail"], help=f"which of {','.join(ENGINES)} (default: plain,sail)")
    parser.add_argument("--worlds", type=int, default=0, help="so many random worlds: each engine leaves the bytes and the report of one machine")
    parser.add_argument("--buckets", type=int, default=0, help="so many random worlds from a bucket into a bucket of MOTO_ENDPOINT: see buckets.py")
    parser.add_argument("--failures", type=int, default=0, help="so many loads whose tasks raise, die or dawdle after their work")
    parser.add_argument("--kills", type=int, default=0, help="so many loads whose driver, executor or server is killed at a random moment")
    parser.add_argument("--drivers", type=int, default=0, help="so many times a second driver begins beside one that is at work")
    parser.add_argument("--terminals", type=int, default=0, help="so many loads on a terminal, whose line says how far they are and is gone at the end")
    parser.add_argument("--measure", type=int, default=0, metavar="EVENTS", help="time, and bytes between tasks, of a load of so many events, by splits")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    arguments = parser.parse_args()
    # --help needs no packages.
    from . import Violation, buckets, drivers, failures, kills, measure, terminals, worlds
    from .engines import started

    binaries, work = (pathlib.Path(os.environ[name]).resolve() for name in ("BIN_DIR", "WORK_DIR"))
    checks = [(worlds, "worlds"), (buckets, "buckets"), (failures, "failures"), (kills, "kills"), (drivers, "drivers"), (terminals, "terminals"), (measure, "measure")]
    try:
        for name in arguments.engines:
            with started(name, work / name) as engine:
                for check, option in checks:
                    if count := getattr(arguments, option):
                        began, counts = time.perf_counter(), collections.Counter()
                        check.go(binaries, work / name / option, engine, count, arguments.seed, counts)
                        what = ", ".join(f"{found} {what}" for what, found in sorted(counts.items()))
                        print(f"{name}, --{option}: {what}; no violation; {time.perf_counter() - began:.0f} s", flush=True)
    except Violation as violation:
        print(f"violation: {violation}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
