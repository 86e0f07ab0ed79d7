"""The workloads. In: settings; out: for each one the runs of its programs and its bars.

Every run starts from an empty target, in its own process; the order of the programs is reversed from round to round. The input is
in the page cache. eventloader runs with its defaults, syncing what it commits; its whole process counts. Generators have no
target: they write into a pipe.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from bench import compare, data, measure, peers
from bench.measure import Run

OURS = "eventloader"
MIB = 1 << 20
TPCHGEN = "tpchgen-cli"
# datagen's worlds: how many times the rate of TPCHGEN each must reach, and the aim.
WORLDS = {"simple": (3.0, 6), "ledger": (1.0, 3)}


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the command line asks for, and where things are."""

    binaries: pathlib.Path
    inputs: pathlib.Path  # where the generated data stays
    work: pathlib.Path  # where results come and go
    peers: tuple[str, ...]
    rounds: int
    threads: int
    scale: float
    most_events: int | None
    keep_inputs: bool
    full: bool
    before: pathlib.Path | None = None  # where an earlier build is

    def events(self, number: int) -> int:
        """How many events to generate for a workload that has this number."""
        return max(1000, min(round(number * self.scale), self.most_events or sys.maxsize))

    def lines(self, number: int) -> int:
        return data.Input(self.events(number), None).lines

    def input(self, events: int, days: int | None) -> pathlib.Path:
        """The file of events, made if it is missing, and in the page cache."""
        what = data.Input(self.events(events), days)
        say(f"input: {what.lines:,} lines, {'as generated' if days is None else f'{days} days'}")
        path = data.made(what, self.binaries / "datagen", self.inputs)
        measure.warm(path)
        return path

    def generator(self, world: str, events: int) -> list[str | pathlib.Path]:
        """datagen to standard output; the number of events is taken as given, not scaled."""
        return [self.binaries / "datagen", "--world", world, "-n", str(events), "--threads", str(self.threads)]

    def loader(self, source: pathlib.Path, *flags: str, threads: int | None = None) -> "Program":
        """A load of all days, or with the given flags."""
        flags = flags or ("--backfill",)
        command = [self.binaries / "eventloader", "-s", source, "--threads", str(threads or self.threads), "-q", *flags]
        return Program(lambda target: measure.measured([*command, "-t", target]))

    def peer(self, name: str, source: pathlib.Path, job: str = "load") -> "Program":
        command = [sys.executable, "-m", "bench.peers", name, job, source]
        env = {"POLARS_MAX_THREADS": str(self.threads), "TMPDIR": str(self.work)}
        return Program(lambda target: measure.measured([*command, target, str(self.threads)], env, reports_itself=True))


@dataclasses.dataclass(frozen=True)
class Program:
    """Something that can be run into an empty target.

    writes: whether it leaves Parquet files to compare; day: (year, month, day) if they are of this day only.
    """

    run: Callable[[pathlib.Path], Run]
    writes: bool = True
    day: tuple[int, int, int] | None = None


@dataclasses.dataclass(frozen=True)
class Bar:
    """A figure and its limit: it must be at least or at most that."""

    what: str
    value: float
    limit: float
    unit: str = "×"
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclasses.dataclass(frozen=True)
class Result:
    """The outcome of a workload: the runs by program; lines read, rows and partitions written.

    by_rate: programs are compared by the bytes that they write per second, not by their time.
    """

    name: str
    about: str
    runs: dict[str, list[Run]]
    bars: list[Bar]
    lines: int = 0
    rows: int = 0
    partitions: int = 0
    by_rate: bool = False

    def median(self, name: str) -> Run:
        return measure.median(self.runs[name])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def remove(targets: pathlib.Path, wait: bool) -> None:
    """Deletes what was written, and can wait until that no longer slows down the next run.

    For five seconds ext4 steps over deleted inodes one by one: with thousands of them, creating a file takes many times
    longer. A load into 3,505 partitions took 2.7 s right after a deletion, 1.0 s otherwise.
    """
    shutil.rmtree(targets, ignore_errors=True)
    if wait:
        time.sleep(6)


def alternated(settings: Settings, programs: dict[str, Program],
               checksums: Callable[[pathlib.Path], compare.Sums] = compare.checksums) -> tuple[dict[str, list[Run]], compare.Sums]:
    """Runs all programs in each round, every other round in reverse; every result must have the rows of the first one.

    Returns each program's runs, and the checksums of the first program's result.
    """
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    targets = settings.work / "targets"
    first: tuple[str, compare.Sums] | None = None
    for number in range(settings.rounds):
        names = list(programs) if number % 2 == 0 else list(programs)[::-1]
        for name in names:
            target = targets / f"{number}-{name.replace(' ', '-').replace('/', '-')}"
            target.mkdir(parents=True)
            run = programs[name].run(target)
            runs[name].append(dataclasses.replace(run, output=measure.parquet_bytes(target)))
            say(f"  round {number + 1}: {name}: {run.wall:.2f} s, CPU {run.cpu:.2f} s, {run.rss / MIB:.0f} MiB")
            if programs[name].writes:
                sums = checksums(target)
                first = first or (name, sums)
                expected = {place: each for place, each in first[1].items() if programs[name].day in (None, place[:3])}
                compare.must_be_equal(expected, sums, name, first[0])
    remove(targets, wait=settings.rounds > 1)
    return runs, first[1] if first else {}


def against_peers(settings: Settings, name: str, events: int, days: int | None) -> Result:
    """The whole job in all programs."""
    source = settings.input(events, days)
    programs = {OURS: settings.loader(source)} | {peers.NAMES[peer]: settings.peer(peer, source) for peer in settings.peers}
    runs, sums = alternated(settings, programs)
    say(f"  all wrote the same {compare.rows_in(sums):,} rows in {len(sums):,} partitions")
    ours, others = measure.median(runs[OURS]), [measure.median(each) for peer, each in runs.items() if peer != OURS]
    bars = [Bar("wall time of the fastest peer", min(each.wall for each in others) / ours.wall, 4.0, "× ours", at_least=True),
            Bar("output bytes, of the smallest peer's", ours.output / min(each.output for each in others), 1.0)]
    if name == "days7":
        bars.append(Bar("peak memory, of the leanest peer's", ours.rss / min(each.rss for each in others), 0.5))
    about = f"{settings.events(events):,} events over {compare.days_in(sums)} days × 5 types, 5 % of them twice"
    return Result(name, about, runs, bars, settings.lines(events), compare.rows_in(sums), len(sums))


def days7(settings: Settings) -> Result:
    return against_peers(settings, "days7", 5_000_000, 7)


def days694(settings: Settings) -> Result:
    return against_peers(settings, "days694", 1_000_000, None)


def packed(settings: Settings, name: str) -> Result:
    """Compressed input, beside the decompressor alone and beside the plain file."""
    plain = settings.input(5_000_000, 7)
    source = data.compressed(plain, name)
    measure.warm(source)
    alone = f"{name} -dc > /dev/null"
    programs = {f"{OURS}, {name}": settings.loader(source), f"{OURS}, plain": settings.loader(plain),
                alone: Program(lambda target: measure.measured([name, "-dc", source]), writes=False)}
    runs, sums = alternated(settings, programs)
    wall = {program: measure.median(each).wall for program, each in runs.items()}
    slower = max(wall[alone], wall[f"{OURS}, plain"])
    bar = Bar("wall time, of the slower of decompressor and plain run", wall[f"{OURS}, {name}"] / slower, 1.3)
    return Result(name, f"the events of days7, compressed by {name}", runs, [bar],
                  settings.lines(5_000_000), compare.rows_in(sums), len(sums))


def one_day(settings: Settings) -> Result:
    """The fourth day alone, beside all of them."""
    source = settings.input(5_000_000, 7)
    day = dataclasses.replace(settings.loader(source, "--date", "2024-10-13"), day=(2024, 10, 13))
    runs, _ = alternated(settings, {"--backfill": settings.loader(source), "--date 2024-10-13": day})
    ratio = measure.median(runs["--date 2024-10-13"]).wall / measure.median(runs["--backfill"]).wall
    return Result("one_day", "one of the 7 days of days7", runs, [Bar("wall time, of the backfill's", ratio, 0.5)],
                  settings.lines(5_000_000))


def threads(settings: Settings) -> Result:
    source = settings.input(5_000_000, 7)
    programs = {f"--threads {number}": settings.loader(source, threads=number) for number in (1, 2)}
    runs, sums = alternated(settings, programs)
    ratio = measure.median(runs["--threads 1"]).wall / measure.median(runs["--threads 2"]).wall
    return Result("threads", "the events of days7", runs, [Bar("two threads against one", ratio, 1.8, "× as fast", at_least=True)],
                  settings.lines(5_000_000), compare.rows_in(sums), len(sums))


def small(settings: Settings) -> Result:
    """The file of run_everything.sh, measured as a whole process, 20 times."""
    source = settings.work / "small.json"
    with open(source, "wb") as file:
        subprocess.run([settings.binaries / "datagen", "-s", "123", "-n", "10000"], stdout=file, check=True)
    say("input: 10,000 lines, as generated")
    runs, sums = alternated(dataclasses.replace(settings, rounds=20), {OURS: settings.loader(source)})
    bar = Bar("whole process, median of 20", 1000 * statistics.median(run.wall for run in runs[OURS]), 50, "ms")
    return Result("small", "the 10,000 events of run_everything.sh", runs, [bar], 10_000, compare.rows_in(sums), len(sums))


def memory(settings: Settings) -> Result:
    """Far more events than memory, beside a run that may hold all of them."""
    runs: dict[str, list[Run]] = {}
    bars = []
    for days, partitions in (7, "35 partitions"), (2000, "10,000 partitions"):
        source = settings.input(20_000_000, days)
        bounded, free = f"--memory 256MiB, {partitions}", f"--memory 64GiB, {partitions}"
        programs = {bounded: settings.loader(source, "--backfill", "--memory", "256MiB"),
                    free: settings.loader(source, "--backfill", "--memory", "64GiB")}
        each, _ = alternated(settings, programs)
        runs |= each
        bars += [Bar(f"peak memory, {partitions}", max(run.rss for run in each[bounded]) / MIB, 384, "MiB"),
                 Bar(f"wall time, of the unbounded run's, {partitions}",
                     measure.median(each[bounded]).wall / measure.median(each[free]).wall, 2.0)]
        if not settings.keep_inputs:
            os.remove(source)
    return Result("memory", f"{settings.events(20_000_000):,} events, 5 % of them twice", runs, bars, settings.lines(20_000_000))


def wide(settings: Settings) -> Result:
    """Many event types with many columns: whatever the threads, within the memory, and not much slower than one of them."""
    runs: dict[str, list[Run]] = {}
    bars = []
    lines = settings.events(60_000)
    for values in (100, 5):
        catalog, source = data.made_wide(lines, 300, 100, values, settings.inputs)
        measure.warm(source)
        bounds = {f"--memory {mib}MiB --threads {threads}, {values} values": (mib, threads) for mib, threads in ((64, 1), (64, 8), (64, 64), (512, 16))}
        # They write the same bytes, which tests compare: these tables are no peer's.
        each, _ = alternated(settings, {name: dataclasses.replace(
            settings.loader(source, "--backfill", "--memory", f"{mib}MiB", "--catalog", catalog, threads=threads), writes=False)
            for name, (mib, threads) in bounds.items()})
        runs |= each
        bars += [Bar(f"peak memory, {name}", max(run.rss for run in each[name]) / MIB, mib, "MiB") for name, (mib, _) in bounds.items()]
        one, *others = (measure.median(each[name]).wall for name, (mib, _) in bounds.items() if mib == 64)
        bars.append(Bar(f"wall time of 8 and 64 threads, of one thread's, {values} values", max(others) / one, 1.5))
    return Result("wide", f"{lines:,} lines of 300 event types with 100 columns of text each", runs, bars, lines)


def generate(settings: Settings) -> Result:
    """datagen's two worlds beside a generator of tables, into a pipe; then datagen's memory and the time to its first line."""
    # Scale factor 1 is 6,000,000 lines. Enough that its start, about 0.7 s of CPU time, hardly counts.
    scale_factor = settings.events(30_000_000) / 6_000_000
    tpchgen = [pathlib.Path(sys.executable).with_name(TPCHGEN), "tbl", "-s", f"{scale_factor:.6f}", "-T", "lineitem", "--stdout", "-q",
               "-n", str(settings.threads)]
    events = settings.events(10_000_000)
    commands = {f"datagen, {world}": settings.generator(world, events) for world in WORLDS} | {TPCHGEN: tpchgen}
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(settings.rounds):
        for name in list(commands) if number % 2 == 0 else list(commands)[::-1]:
            run = measure.piped(commands[name])
            say(f"  round {number + 1}: {name}: {run.rate / 1e6:.0f} MB/s, {run.wall:.2f} s, CPU {run.cpu:.2f} s, {run.rss / MIB:.0f} MiB")
            if run.output != (runs[name] or [run])[0].output:
                sys.exit(f"error: {name} wrote {run.output} bytes, in the first round {runs[name][0].output}")
            runs[name].append(run)
    rates = {name: measure.median(each).rate for name, each in runs.items()}
    bars = [Bar(f"bytes per second of {world}, of {TPCHGEN}'s (aim: {aim} ×)", rates[f"datagen, {world}"] / rates[TPCHGEN], limit,
                at_least=True) for world, (limit, aim) in WORLDS.items()]
    sizes = [1_000_000, 100_000_000] + ([1_000_000_000] if settings.full else [])
    for world in WORLDS:
        for number in sorted({settings.events(size) for size in sizes}):
            run = measure.piped(settings.generator(world, number))
            say(f"  {world}, {number:,} events: {run.wall:.1f} s, {run.rss / MIB:.0f} MiB")
            bars.append(Bar(f"peak memory of {world}, {number:,} events", run.rss / MIB, 64, "MiB"))
        waits = [measure.until_first_line(settings.generator(world, 100_000_000)) for _ in range(20)]
        bars.append(Bar(f"first line of {world}, median of 20", 1000 * statistics.median(waits), 10, "ms"))
    about = f"{events:,} events of each world, and {TPCHGEN}'s lineitem as text at scale factor {scale_factor:g}, into a pipe"
    return Result("generate", about, runs, bars, by_rate=True)


def merge(settings: Settings) -> Result:
    """The last hour of a day into the other 23, beside one load of the day, and beside DuckDB and delta-rs doing the same."""
    day = settings.input(5_000_000, 1)
    before, hour = (settings.work / f"{name}.json" for name in ("before", "hour"))
    split_behind(day, settings.lines(5_000_000) * 23 // 24, before, hour)
    names = {name: title for name, title in peers.MERGING.items() if name == "delta" or name in settings.peers}
    merges = {f"{OURS}, the hour": (settings.loader(before), settings.loader(hour, "--backfill", "--mode", "merge"))}
    merges |= {f"{title}, the hour": (settings.peer(name, before), settings.peer(name, hour, "merge")) for name, title in names.items()}
    programs = {f"{OURS}, the day": settings.loader(day)}
    for name, (load, program) in merges.items():
        held = settings.work / f"held by {name.replace(',', '')}"
        held.mkdir()
        load.run(held)
        programs[name] = into_a_copy(held, program)
    delta = f"{peers.MERGING['delta']}, the hour"
    # Its directory also holds the files of older versions, so only its number of rows is compared.
    programs[delta] = dataclasses.replace(programs[delta], writes=False)
    runs, sums = alternated(settings, programs)
    must_have_rows(settings, hour, settings.work / f"held by {delta.replace(',', '')}", compare.rows_in(sums))
    wall = {program: measure.median(each).wall for program, each in runs.items()}
    ours = wall[f"{OURS}, the hour"]
    bars = [Bar("wall time of the merge, of the load of the day", ours / wall[f"{OURS}, the day"], 1.5),
            Bar("wall time of the fastest peer", min(wall[name] for name in wall if not name.startswith(OURS)) / ours, 1.0, "× ours", at_least=True)]
    about = f"{settings.events(5_000_000):,} events of one day × 5 types, 5 % of them twice: the last hour into the other 23"
    return Result("merge", about, runs, bars, settings.lines(5_000_000), compare.rows_in(sums), len(sums))


def split_behind(path: pathlib.Path, lines: int, front: pathlib.Path, back: pathlib.Path) -> None:
    with open(path, "rb") as file, open(front, "wb") as before, open(back, "wb") as behind:
        before.writelines(itertools.islice(file, lines))
        shutil.copyfileobj(file, behind, 1 << 20)


def into_a_copy(held: pathlib.Path, program: Program) -> Program:
    """The program, run into a copy of a target."""
    def run(target: pathlib.Path) -> Run:
        shutil.copytree(held, target, dirs_exist_ok=True)
        return program.run(target)
    return dataclasses.replace(program, run=run)


def must_have_rows(settings: Settings, hour: pathlib.Path, held: pathlib.Path, expected: int) -> None:
    """Repeats the merge with delta-rs, and ends the benchmark unless it has as many rows as the others."""
    settings.peer("delta", hour, "merge").run(held)
    command = [sys.executable, "-m", "bench.peers", "delta", "rows", hour, held, "1"]
    rows = int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    if rows != expected:
        sys.exit(f"error: delta-rs has {rows:,} rows, the others {expected:,}")


WORKLOADS: dict[str, Callable[[Settings], Result]] = {
    "days7": days7, "days694": days694, "one_day": one_day, "small": small, "threads": threads,
    "generate": generate, "gzip": lambda settings: packed(settings, "gzip"), "zstd": lambda settings: packed(settings, "zstd"), "memory": memory,
    "merge": merge, "wide": wide,
}
DEFAULT = [name for name in WORKLOADS if name not in ("memory", "wide")]
