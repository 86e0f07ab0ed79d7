"""The tables. In: results; out: Markdown for people, a dictionary for machines, and from that the results again."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

from bench import peers
from bench.measure import Run
from bench.workloads import MIB, OURS, TPCHGEN, Bar, Result, Settings

BUSY = 0.5  # above this load average, times cannot be trusted
PACKAGES = {"duckdb": "duckdb", "polars": "polars", "chdb": "chdb-core", "spark": "pyspark"}


def cores() -> int:
    """The cores that this process may use, or all of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict:
    """Cores, processor, memory and the last minute's load of this computer, as far as it tells."""
    def first(path: str, pattern: str) -> str | None:
        found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE) if os.path.exists(path) else None
        return found[1].strip() if found else None

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": cores(), "cpu": first("/proc/cpuinfo", r"^model name\s*:(.*)$") or platform.processor() or platform.machine(),
            "memory": memory, "load": round(os.getloadavg()[0], 2), "system": f"{platform.system()} {platform.release()}"}


def versions(settings: Settings) -> dict[str, str]:
    printed = subprocess.run([settings.binaries / "eventloader", "--version"], capture_output=True, text=True, check=True).stdout
    found = {OURS: printed.split()[-1], "Python": platform.python_version()}
    found[TPCHGEN] = importlib.metadata.version(TPCHGEN)
    # The environment of a short run does not have it.
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found[peers.MERGING["delta"]] = importlib.metadata.version("deltalake")
    return found | {peers.NAMES[name]: importlib.metadata.version(PACKAGES[name]) for name in settings.peers}


def facts(settings: Settings, command: str) -> dict:
    """The facts about a benchmark, taken before it runs, so that the load is that of other programs."""
    return {"command": command, "date": datetime.date.today().isoformat(), "machine": machine(), "versions": versions(settings),
            "threads": settings.threads, "rounds": settings.rounds, "scale": settings.scale}


def head(about: dict) -> str:
    """Where and how the figures were measured."""
    computer = about["machine"]
    version = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    rounds = "one round" if about["rounds"] == 1 else f"medians of {about['rounds']} alternating rounds"
    busy = f" Load average at the start: {computer['load']}; an idle machine has none." if (computer["load"] or 0) > BUSY else ""
    memory = f"{computer['memory'] / 2**30:.0f} GiB" if computer["memory"] else None
    where = ", ".join(filter(None, [f"{computer['cores']} cores ({computer['cpu']})", memory, computer["system"]]))
    return f"`{about['command']}`, {about['date']}. {where}; {version}; {about['threads']} threads; {rounds}.{busy}"


def table(result: Result) -> str:
    """One workload: each program's medians, and its ratio to the fastest peer or, without peers, to the fastest program."""
    medians = {name: result.median(name) for name in result.runs}
    if result.by_rate:
        return table_of_rates(result, medians)
    rivals = [name for name in medians if name in peers.NAMES.values()] or list(medians)
    fastest = min(medians[name].wall for name in rivals)
    measured = "peer" if rivals != list(medians) else "program"
    numbers = (result.lines, "lines"), (result.rows, "rows"), (result.partitions, "partitions")
    counts = [f"{number:,} {what}" for number, what in numbers if number]
    lines = [f"**{result.name}**: {result.about} ({', '.join(counts)})", "",
             f"| | wall time | fastest {measured} ÷ it | CPU time | peak memory | output |", "|---|---|---|---|---|---|"]
    for name, run in medians.items():
        size = f"{run.output / 1e6:.1f} MB" if run.output else ""
        lines.append(f"| {name} | {seconds(run.wall)} | {fastest / run.wall:.2f} × | {seconds(run.cpu)} | {run.rss / MIB:.0f} MiB | {size} |")
    if result.name == "small":
        walls = [run.wall for run in result.runs[OURS]]
        lines += ["", f"{len(walls)} runs: {1000 * min(walls):.1f} to {1000 * max(walls):.1f} ms."]
    return "\n".join(lines)


def table_of_rates(result: Result, medians: dict[str, Run]) -> str:
    """Programs that write different things: how fast each one writes, and its ratio to the last, which is the peer."""
    peer = list(medians)[-1]
    lines = [f"**{result.name}**: {result.about}", "",
             f"| | bytes per second | ÷ {peer}'s | wall time | CPU time | peak memory | output |", "|---|---|---|---|---|---|---|"]
    for name, run in medians.items():
        lines.append(f"| {name} | {run.rate / 1e6:.0f} MB/s | {run.rate / medians[peer].rate:.2f} × | {seconds(run.wall)} | {seconds(run.cpu)} "
                     f"| {run.rss / MIB:.0f} MiB | {run.output / 1e6:.1f} MB |")
    return "\n".join(lines)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def bars(results: list[Result]) -> str:
    """Every bar, and whether it is met; empty if there are none."""
    if not any(result.bars for result in results):
        return ""
    lines = ["| workload | figure | measured | bar | |", "|---|---|---|---|---|"]
    for result in results:
        lines += [f"| {result.name} | {bar.what} | {figure(bar, bar.value)} | at {'least' if bar.at_least else 'most'} {figure(bar, bar.limit)} "
                  f"| {'met' if bar.met else '**not met**'} |" for bar in result.bars]
    return "\n".join(lines)


def figure(bar: Bar, value: float) -> str:
    return f"{value:.0f} {bar.unit}" if bar.unit == "MiB" else f"{value:.2f} {bar.unit}"


NOTES = """\
Every program runs in its own process, starts with an empty target and finds its input in the page cache. eventloader's time is that of
its whole process, syncing to disk included; a peer's time begins after Python's imports and ends when its last file is written. Memory
is the peak of the process, including Python and its libraries; less than about 25 MiB cannot be measured. Generators write into a pipe
that is emptied without copying."""


def markdown(about: dict, results: list[Result]) -> str:
    return "\n\n".join(filter(None, [head(about), *map(table, results), bars(results), NOTES]))


def saved(figures: dict) -> tuple[dict, list[Result]]:
    """The inverse of raw(): the facts and the results."""
    results = []
    for workload in figures["workloads"]:
        runs = {name: [Run(**run) for run in runs] for name, runs in workload["programs"].items()}
        bars = [Bar(**{key: value for key, value in bar.items() if key != "met"}) for bar in workload["bars"]]
        counts = {key: workload[key] for key in ("lines", "rows", "partitions")}
        results.append(Result(workload["name"], workload["about"], runs, bars, **counts, by_rate=workload.get("by_rate", False)))
    return {key: value for key, value in figures.items() if key != "workloads"}, results


def raw(about: dict, results: list[Result]) -> dict:
    """The figures of all runs; seconds and bytes."""
    return about | {"workloads": [
        {"name": result.name, "about": result.about, "lines": result.lines, "rows": result.rows, "partitions": result.partitions,
         "by_rate": result.by_rate,
         "programs": {name: [dataclasses.asdict(run) for run in runs] for name, runs in result.runs.items()},
         "bars": [dataclasses.asdict(bar) | {"met": bar.met} for bar in result.bars]} for result in results]}
