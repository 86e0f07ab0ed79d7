"""A load that an engine distributes: the flags, messages, report and bytes of `eventloader`, read and written by Spark, Sail or Ray.

    spark-submit events_load.py [ENGINE OPTIONS] [FLAGS OF eventloader]

    --engine spark|ray|plain   what runs the tasks [default: spark]
    --remote URL               a server of Spark Connect, for example sc://localhost:15002
    --split-size SIZE          about how much of a file a task reads [default: 64MiB]
    --task-memory SIZE         the most memory that a task takes [default: 512MiB]

All workers must have the same version of the package `eventloader`, and reach sources and target by the same paths or addresses. `eventloader --help`
has all other flags. Exit codes are those of `eventloader`, and 1 where the engine fails; then, too, nothing was changed. With -v, the engine's own trace
is printed before the error.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import traceback

from eventloader import Job, LoadError
from eventloader._failure import EngineError, explained
from eventloader._progress import Progress

QUIET, VERBOSE = {"-q", "--quiet"}, {"-v", "--verbose"}


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
    parser = argparse.ArgumentParser(prog="events_load.py", usage="events_load.py [ENGINE OPTIONS] [FLAGS OF eventloader], see --help", add_help=False, allow_abbrev=False)
    parser.add_argument("--engine", choices=["spark", "ray", "plain"], default="spark")
    parser.add_argument("--remote")
    parser.add_argument("--split-size", type=size, default=64 << 20)
    parser.add_argument("--task-memory", type=size)
    options, flags = parser.parse_known_args(arguments)
    if options.remote and options.engine != "spark":
        parser.error(f"--remote is for --engine spark, not for {options.engine}")
    return options, flags


def run(options: argparse.Namespace, job: Job, progress: Progress) -> list:
    """Runs the tasks of a job on the engine; returns their answers."""
    if not job.split_count:
        # All sources were loaded before.
        return []
    if options.engine == "ray":
        from eventloader import _ray

        return _ray.run(job.handle, job.split_count, progress)
    if options.engine == "plain":
        from eventloader import _plain

        return _plain.run(job.handle, job.split_count, progress)
    from eventloader import _spark

    spark = _spark.session(options.remote, progress)
    try:
        return _spark.run(job.handle, job.split_count, spark, progress)
    finally:
        # A session that is broken can't be stopped; why it broke is what counts.
        with contextlib.suppress(Exception):
            spark.stop()


def load(options: argparse.Namespace, flags: list[str]) -> None:
    """Loads, or leaves the target as it was found."""
    with Job(flags, split_bytes=options.split_size, task_memory_bytes=options.task_memory) as job:
        progress = Progress(QUIET.isdisjoint(flags))
        try:
            answers = run(options, job, progress)
        except Exception as error:
            # Ray's are subclasses, whose text is a trace.
            if type(error) is LoadError:
                raise
            raise EngineError(explained(error, options.engine)) from error
        finally:
            progress.clear()
        # A commit is short. Half of it can't be taken back, so from here on it goes to its end.
        for number in signal.SIGINT, signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
        job.commit(answers)


def interrupt(number: int, _frame) -> None:
    """What a signal raises, as Python's own handler does for an interrupt."""
    raise KeyboardInterrupt(number)


def main(arguments: list[str] | None = None) -> int:
    """Loads; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    options, flags = parsed(given)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        load(options, flags)
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except EngineError as error:
        if not VERBOSE.isdisjoint(flags):
            traceback.print_exception(error.__cause__)
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupted:
        number = signal.Signals(interrupted.args[0] if interrupted.args else signal.SIGINT)
        print(f"interrupted by {number.name}; nothing was changed", file=sys.stderr)
        return 128 + number
    return 0


if __name__ == "__main__":
    sys.exit(main())
