"""Events in the envelopes of other producers, beside the base contract and beside DuckDB.

In: settings; out: the runs of each kind. Every kind is about a gigabyte of datagen's ledger over a week, 5 % of it twice or corrected;
a CloudTrail file is one document on one line. CPU time per byte is compared with that of the base contract in the same round.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

from bench import compare, measure
from bench.workloads import OURS, Bar, Program, Result, Settings, alternated, say

# The events that come to a gigabyte; the first is the base contract.
BASE = "base"
EVENTS = {BASE: 2_700_000, "stripe": 2_100_000, "segment": 1_450_000, "github-archive": 1_800_000, "cloudtrail": 1_250_000}
DAYS = 7
# A document can't have lines that come late, so all kinds go without these.
FAULTS = "duplicates=2.5%,corrections=2.5%"
CPU_PER_BYTE_MAX = 1.3
DUCKDB_WALL_MIN = 3.0
# Rows stay in memory, and more columns take more of it; the default of --memory is the bound.
MEMORY_MAX_MIB = 2048


def envelopes(settings: Settings) -> Result:
    inputs = {kind: made(settings, kind) for kind in EVENTS}
    runs, bars, rows, partitions = {}, [], 0, 0
    base = f"{OURS}, {BASE}"
    for kind in list(EVENTS)[1:]:
        ours, duckdb = f"{OURS}, {kind}", f"DuckDB, {kind}"
        programs = {base: loader(settings, *inputs[BASE], writes=False), ours: loader(settings, *inputs[kind])}
        if "duckdb" in settings.peers:
            command = [sys.executable, "-m", "bench.peers", "duckdb_envelopes", kind, inputs[kind][0]]
            programs[duckdb] = Program(lambda target, command=command: measure.measured(
                [*command, target, str(settings.threads)], {"TMPDIR": str(settings.work)}, reports_itself=True))
        each, sums = alternated(settings, programs, compare.all_checksums)
        # The base contract's runs of all kinds are one program's.
        runs[base] = runs.get(base, []) + each.pop(base)
        runs |= each
        rows, partitions = rows + compare.rows_in(sums), partitions + len(sums)
        per_byte = [measure.median(runs[name]).cpu / inputs[which][0].stat().st_size for name, which in ((ours, kind), (base, BASE))]
        bars.append(Bar(f"CPU time per byte of {kind}, of the base contract's", per_byte[0] / per_byte[1], CPU_PER_BYTE_MAX))
        bars.append(Bar(f"peak memory of {kind}", measure.median(runs[ours]).rss / (1 << 20), MEMORY_MAX_MIB, "MiB"))
        if duckdb in runs:
            wall = measure.median(runs[duckdb]).wall / measure.median(runs[ours]).wall
            bars.append(Bar(f"wall time of DuckDB, {kind}", wall, DUCKDB_WALL_MIN, "× ours", at_least=True))
    about = f"a gigabyte of each kind, over {DAYS} days × 5 types, 5 % of the events twice or corrected"
    lines = sum(settings.events(number) for number in EVENTS.values())
    return Result("envelopes", about, runs, bars, lines, rows, partitions)


def made(settings: Settings, kind: str) -> tuple[pathlib.Path, pathlib.Path]:
    """The file of a kind's events and their catalog, made if they are missing."""
    events = settings.events(EVENTS[kind])
    datagen = settings.binaries / "datagen"
    world = ["--world", "ledger", *([] if kind == BASE else ["--envelope", kind])]
    of_catalog = [] if kind == BASE else world  # the base contract's is that of the ledger
    path = settings.inputs / f"ledger-{kind}-{events}-{DAYS}-days.json"
    say(f"input: {events:,} events, {kind}")
    if not path.exists():
        unfinished = path.with_suffix(".part")
        with open(unfinished, "wb") as file:
            subprocess.run([datagen, *world, "-n", str(events), "--events-per-day", str(events // DAYS), "--faults", FAULTS], stdout=file, check=True)
        unfinished.rename(path)
    catalog = path.with_suffix(".toml")
    with open(catalog, "wb") as file:
        subprocess.run([datagen, "catalog", *of_catalog], stdout=file, check=True)
    measure.warm(path)
    return path, catalog


def loader(settings: Settings, source: pathlib.Path, catalog: pathlib.Path, writes: bool = True) -> Program:
    program = settings.loader(source, "--backfill", "--catalog", str(catalog))
    return Program(program.run, writes)
