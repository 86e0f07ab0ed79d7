"""The command line; see scripts/bench.sh --help."""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shlex
import sys
import tempfile

from bench import chart, peers, report
from bench.before import BEFORE, against_before
from bench.envelopes import envelopes
from bench.workloads import DEFAULT, WORKLOADS, Result, Settings, say

SHORT_EVENTS = 20_000
WORKLOADS["envelopes"] = envelopes


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures eventloader beside DuckDB, Polars and ClickHouse: same input, same rows, alternating rounds;\n"
                    "and datagen beside tpchgen-cli, in bytes per second into a pipe (--only generate).\n"
                    "Progress goes to standard error, tables in Markdown to standard output.",
        epilog="Exit codes: 0 done; 1 a program failed, results differ or (--assert) a bar was missed; 2 wrong usage.\n"
               "BENCH_DIR=DIR keeps the input files there for the next run; by default they go to a temporary directory.\n"
               "BIN_DIR=DIR uses the datagen and eventloader in that directory instead of building them.")
    parser.add_argument("--only", metavar="A,B", help=f"run only these workloads: {', '.join(WORKLOADS)}")
    parser.add_argument("--all", action="store_true", help="run all workloads; by default memory and wide are left out, which take long; memory needs 20 GB of disk")
    parser.add_argument("--full", action="store_true", help="generate: also measure memory with 1,000,000,000 events, which takes long")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds per workload (default: 5)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="multiply the number of events of each workload by F (default: 1)")
    parser.add_argument("--threads", type=int, default=report.cores(), metavar="N", help="threads per program (default: all cores)")
    parser.add_argument("--before", type=pathlib.Path, metavar="DIR",
                        help="measure this build beside the eventloader in DIR, an earlier build, and nothing else")
    parser.add_argument("--peers", metavar="A,B", help="run only these peers: duckdb, polars, chdb")
    parser.add_argument("--spark", action="store_true", help="run Spark too; needs Java 17 or newer")
    parser.add_argument("--short", action="store_true",
                        help=f"days7, days694 and generate with {SHORT_EVENTS:,} events, one round, DuckDB and Polars: checks that all write the same rows")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures of all runs to FILE")
    parser.add_argument("--chart", type=pathlib.Path, metavar="FILE", help="draw time and memory of days7 and days694 as an SVG")
    parser.add_argument("--from", dest="saved", type=pathlib.Path, metavar="FILE",
                        help="measure nothing: print the tables (and draw the chart) of a FILE that --json wrote")
    parser.add_argument("--assert", dest="bars_must_hold", action="store_true", help="exit with code 1 if a bar is missed")
    given = parser.parse_args()
    chosen = ["days7", "days694", "generate"] if given.short else list(WORKLOADS) if given.all else DEFAULT
    given.workloads = given.only.split(",") if given.only else chosen
    given.peers = given.peers.split(",") if given.peers else ["duckdb", "polars"] if given.short else ["duckdb", "polars", "chdb"]
    given.peers += ["spark"] if given.spark else []
    if given.before:
        given.workloads = [BEFORE]
    for what, names, known in ("workload", given.workloads, [*WORKLOADS, *([BEFORE] if given.before else [])]), ("peer", given.peers, peers.NAMES):
        for name in names:
            if name not in known:
                parser.error(f"there is no {what} {name!r}; there are {', '.join(known)}")
    if given.rounds < 1 or given.threads < 1 or given.scale <= 0:
        parser.error("--rounds, --threads and --scale must be more than 0")
    return given


def command(given: list[str]) -> str:
    """The command line, without where the figures went."""
    pairs = zip(["", *given], given)
    kept = [each for before, each in pairs if not re.match("--(json|chart)", each) and before not in ("--json", "--chart")]
    return shlex.join(["scripts/bench.sh", *kept])


def main() -> int:
    given = arguments()
    about, results = report.saved(json.loads(given.saved.read_text())) if given.saved else measured(given)
    print(report.markdown(about, results))
    raw = report.raw(about, results)
    if given.json:
        given.json.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n")
    if given.chart:
        given.chart.write_text(chart.svg(raw))
    return int(given.bars_must_hold and not all(bar.met for result in results for bar in result.bars))


def measured(given: argparse.Namespace) -> tuple[dict, list[Result]]:
    """Runs the chosen workloads."""
    kept = os.environ.get("BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="bench.", dir=kept) as work:
        settings = Settings(binaries=pathlib.Path(os.environ["BIN_DIR"]), inputs=pathlib.Path(kept or work), work=pathlib.Path(work),
                            peers=tuple(given.peers), rounds=1 if given.short else given.rounds, threads=given.threads,
                            scale=given.scale, most_events=SHORT_EVENTS if given.short else None, keep_inputs=kept is not None,
                            full=given.full, before=given.before and given.before.absolute())
        about = report.facts(settings, command(sys.argv[1:]))
        if about["machine"]["load"] > report.BUSY:
            say(f"warning: the load average is {about['machine']['load']}: while other programs run, times are too long and uneven")
        results = []
        for name in given.workloads:
            say(f"{name}:")
            result = against_before(settings) if name == BEFORE else WORKLOADS[name](settings)
            # The bars are for the full workloads: with so few events they mean nothing.
            results.append(dataclasses.replace(result, bars=[]) if given.short else result)
    return about, results


if __name__ == "__main__":
    sys.exit(main())
