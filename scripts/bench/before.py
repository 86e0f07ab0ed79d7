"""The loader beside an earlier build of itself. In: settings with the earlier binary; out: runs in pairs, and their ratios.

Both read the same inputs in the same rounds, and must write the same rows.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

from bench import measure
from bench.workloads import OURS, Bar, Program, Result, Settings, alternated, into_a_copy, split_behind

BEFORE = "before"
# The most that a change may cost.
LIMIT = 1.03


def against_before(settings: Settings) -> Result:
    """Loads, bounded memory and a merge, each beside the earlier build."""
    earlier = dataclasses.replace(settings, binaries=settings.before)
    runs: dict[str, list[measure.Run]] = {}
    bars = []
    for name, programs in pairs(settings, earlier):
        each, _ = alternated(settings, {f"{OURS}, {name}": programs[0], f"{BEFORE}, {name}": programs[1]})
        runs |= each
        ours, theirs = (measure.median(each[f"{who}, {name}"]) for who in (OURS, BEFORE))
        bars += [Bar(f"{what} of {name}, of the earlier build's", value(ours) / value(theirs), LIMIT)
                 for what, value in {"wall time": lambda run: run.wall, "CPU time": lambda run: run.cpu,
                                     "peak memory": lambda run: run.rss}.items()]
    return Result("before", f"this build beside the one in {settings.before}", runs, bars, settings.lines(5_000_000))


def pairs(settings: Settings, earlier: Settings) -> Iterator[tuple[str, tuple[Program, Program]]]:
    """Each workload, with its program of this build and of the earlier one."""
    both = (settings, earlier)
    week = settings.input(5_000_000, 7)
    yield "days7", tuple(each.loader(week) for each in both)
    yield "days694", tuple(each.loader(settings.input(1_000_000, None)) for each in both)
    memory = ("--backfill", "--memory", "256MiB")
    many = settings.input(20_000_000, 7)
    yield "memory", tuple(each.loader(many, *memory) for each in both)
    if not settings.keep_inputs:
        os.remove(many)
    day = settings.input(5_000_000, 1)
    front, hour = (settings.work / f"{name}.json" for name in ("front", "hour"))
    split_behind(day, settings.lines(5_000_000) * 23 // 24, front, hour)
    existing = settings.work / "existing"
    existing.mkdir()
    settings.loader(front).run(existing)
    yield "merge", tuple(into_a_copy(existing, each.loader(hour, "--backfill", "--mode", "merge")) for each in both)
