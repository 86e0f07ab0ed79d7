"""The command line of scripts/postgres.sh; BIN_DIR and WORK_DIR are its environment."""

import argparse
import collections
import os
import pathlib
import sys


def main():
    parser = argparse.ArgumentParser(prog="scripts/postgres.sh", description="What is proved of targets in a PostgreSQL database with other programs.")
    parser.add_argument("--worlds", type=int, default=0, help="so many random worlds, loaded in random ways, also into plain files: both hold the same")
    parser.add_argument("--kills", type=int, default=0, help="so many loads whose loader, session or server ends at some message")
    parser.add_argument("--lost-answers", type=int, default=0, help="so many merges whose answer to COMMIT gets lost")
    parser.add_argument("--writers", type=int, default=0, help="so many times five runs at once, three times")
    parser.add_argument("--speed", type=int, default=0, help="so many rounds: what a load takes beside psql, DuckDB and pandas")
    parser.add_argument("--events", type=int, default=5_000_000, help="how many events --speed loads (default: 5000000)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    arguments = parser.parse_args()
    # --help needs no packages.
    from . import Violation, kills, lost_answers, speed, worlds, writers
    from .schema import connect

    binaries, work = (pathlib.Path(os.environ[name]).resolve() for name in ("BIN_DIR", "WORK_DIR"))
    try:
        if arguments.worlds:
            counts = collections.Counter()
            worlds.go(binaries, work, connect(), range(arguments.seed, arguments.seed + arguments.worlds), counts)
            print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())), flush=True)
        if arguments.lost_answers:
            lost_answers.go(binaries, work / "lost", connect(), arguments.lost_answers, arguments.seed)
        if arguments.writers:
            writers.go(binaries, work / "writers", connect(), arguments.writers, arguments.seed)
        if arguments.kills:
            kills.go(binaries, work / "kills", arguments.kills, arguments.seed)
        if arguments.speed:
            speed.go(binaries, work / "speed", connect(), arguments.speed, arguments.events)
    except Violation as violation:
        print(f"violation: {violation}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
