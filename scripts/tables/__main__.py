"""The command line of scripts/tables.sh; BIN_DIR and WORK_DIR are its environment."""

import argparse
import collections
import os
import pathlib
import sys

SKIPPING_WORLDS = 2  # flat and nested


def main():
    parser = argparse.ArgumentParser(prog="scripts/tables.sh", description="What is proved of targets of tables with other programs.")
    parser.add_argument("--worlds", type=int, default=0, help="so many random worlds, loaded in random ways; every version is read by every reader")
    parser.add_argument("--every-version", action="store_true", help="read every version by every reader after each commit, not only at the end")
    parser.add_argument("--predicates", type=int, default=0, help="so many questions to each of some tables: with statistics, they find what they find without")
    parser.add_argument("--kills", type=int, default=0, help="so many kills while deltalake reads")
    parser.add_argument("--writers", type=int, default=0, help="so many times five runs at once")
    parser.add_argument("--lost-answers", type=int, default=0, help="so many commits while one answer in three is lost; needs a server")
    parser.add_argument("--speed", type=int, default=0, help="so many pairs of runs: what tables cost beside plain partitions, and a bucket beside a directory")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    parser.add_argument("--on", choices=["moto", "seaweedfs", "azurite"], help="make the targets in a bucket of this server, not in a directory")
    arguments = parser.parse_args()
    if arguments.lost_answers and not arguments.on:
        parser.error("--lost-answers needs --on")
    if arguments.worlds and arguments.on == "azurite":
        parser.error("--worlds: of the readers, only deltalake and Polars are set up for Azure")
    # --help needs no packages.
    from . import Violation, kills, lost_answers, skipping, speed, worlds, writers
    from .place import Place

    binaries, work = (pathlib.Path(os.environ[name]).resolve() for name in ("BIN_DIR", "WORK_DIR"))
    place = Place.of_server(arguments.on) if arguments.on else Place(str(work / "targets"), {})
    # For all runs of the loader, and for Sail.
    os.environ.update(place.options)
    counts = collections.Counter()
    try:
        if arguments.worlds:
            worlds.go(binaries, work, place, range(arguments.seed, arguments.seed + arguments.worlds), arguments.every_version, counts)
            print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
        if arguments.predicates:
            counts = collections.Counter()
            skipping.go(binaries, work, range(arguments.seed, arguments.seed + SKIPPING_WORLDS), arguments.predicates, counts)
            print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
        if arguments.kills:
            kills.go(binaries, work / "kills", place, arguments.kills, arguments.seed)
        if arguments.writers:
            writers.go(binaries, work / "writers", place, arguments.writers, arguments.seed)
        if arguments.speed:
            speed.go(binaries, work / "speed", place, arguments.speed)
        if arguments.lost_answers:
            lost_answers.go(binaries, work / "lost", arguments.on, arguments.lost_answers, arguments.seed)
    except Violation as violation:
        print(f"violation: {violation}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
