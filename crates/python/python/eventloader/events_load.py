"""A load that an engine distributes: the flags, messages, report and bytes of `eventloader`, read and written by Spark, Sail or Ray.

    spark-submit events_load.py [ENGINE OPTIONS] [FLAGS OF eventloader]

    --engine spark|ray|plain   what runs the tasks [default: spark]
    --remote URL               a server of Spark Connect, for example sc://localhost:15002
    --split-size SIZE          about how much of a file a task reads [default: 64MiB]
    --task-memory SIZE         the most memory that a task takes [default: 512MiB]

All workers must have the same version of the package `eventloader`, and see sources and target under the same paths. `eventloader --help` has all
other flags.
"""

from __future__ import annotations

import argparse
import sys

from eventloader import Job, LoadError


def size(text: str) -> int:
    """`64MiB`, `1GB`, or plain bytes."""
    units = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
    digits = text.rstrip("BKMGIbkmgi")
    try:
        return int(digits) * units[text[len(digits) :].upper()]
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"expected a size like 64MiB, found {text!r}") from None


def parsed(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options of the engine, and the flags of the loader."""
    parser = argparse.ArgumentParser(prog="events_load.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False, allow_abbrev=False)
    parser.add_argument("--engine", choices=["spark", "ray", "plain"], default="spark")
    parser.add_argument("--remote")
    parser.add_argument("--split-size", type=size, default=64 << 20)
    parser.add_argument("--task-memory", type=size)
    return parser.parse_known_args(arguments)


def run(options: argparse.Namespace, job: Job) -> list:
    """Runs the tasks of a job on the engine; returns their answers."""
    if options.engine == "ray":
        from eventloader import _ray

        return _ray.run(job.file, job.split_count)
    if options.engine == "plain":
        from eventloader import _plain

        return _plain.run(job.file, job.split_count)
    from eventloader import _spark

    spark = _spark.session(options.remote)
    try:
        return _spark.run(job.file, job.split_count, spark)
    finally:
        spark.stop()


def main(arguments: list[str] | None = None) -> int:
    """Loads; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    options, flags = parsed(given)
    try:
        with Job(flags, split_bytes=options.split_size, task_memory_bytes=options.task_memory) as job:
            job.commit(run(options, job))
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
