"""Five runs of one target at once, wherever it is: days of their own, one day, and merges.

Runs that load days of their own all commit, and leave what one backfill leaves. Of those that load one day, each commits or exits
with 4 and leaves nothing, and the rows are those of one of them. Merges that are run again until they are let in lose and double no row.
tests/loader/commit/writers.rs holds runs of a local target at chosen operations; here they meet wherever they do.
"""

import collections
import subprocess
import time

from deltalake import DeltaTable

from . import Violation
from .numbered_events import write

WRITERS = 5
ROWS = 40
OVERTAKEN = 4


def rows_of(target):
    """The ids of all rows, with their table and payload."""
    rows = collections.Counter()
    for table in target.tables():
        found = DeltaTable(target.table(table), storage_options=target.options or None).to_pyarrow_table(columns=["event_id", "data_id"])
        rows.update((table, row["event_id"], row["data_id"]) for row in found.to_pylist())
    return rows


class Writers:
    def __init__(self, binary, work, place, seed):
        self.binary, self.work, self.place, self.seed = binary, work, place, seed

    def at_once(self, target, sources, flags=()):
        """Exit codes, in the order of the sources."""
        command = [self.binary, "-q", "-b", "--table", "delta", *flags, "-t", target.url, "-s"]
        runs = [subprocess.Popen([*command, source], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for source in sources]
        codes = []
        for run in runs:
            said = run.communicate()[1]
            if run.returncode not in (0, OVERTAKEN) or (run.returncode and "nothing was changed" not in said):
                raise Violation(f"{target.url}: {run.args[-1]} exits with {run.returncode}: {said}")
            codes.append(run.returncode)
        return codes

    def check(self, what, target, wanted, commits):
        found, records = rows_of(target), target.records()
        if found not in wanted:
            raise Violation(f"{what}: {len(found)} rows, {sum(found.values()) - len(found)} of them again; expected {[len(rows) for rows in wanted]}")
        if len(records) != commits:
            raise Violation(f"{what}: {commits} runs have committed, and the records are {records}")
        subprocess.run([self.binary, "verify", "-q", target.url], check=True)

    def objects(self, target):
        return {key for key in target.keys() if key.endswith((".parquet", ".jsonl"))}

    def days(self):
        """All create the target and its tables."""
        target, expected, sources = self.place.target(f"days-{self.seed}"), collections.Counter(), []
        for writer in range(WRITERS):
            sources.append(self.work / f"day-{writer}.json")
            expected += write(sources[-1], [(f"{writer}-{row}", 10 + writer, row) for row in range(ROWS)])
        if any(self.at_once(target, sources)):
            raise Violation("a run that has a day of its own is refused")
        self.check("days of their own", target, [expected], WRITERS)

    def one_day(self):
        target, first = self.place.target(f"one-day-{self.seed}"), self.work / "first.json"
        write(first, [("first", 10, 0)])
        self.at_once(target, [first])
        sources = [self.work / f"one-day-{writer}.json" for writer in range(WRITERS)]
        wanted = [write(source, [(f"{writer}-{row}", 10, writer) for row in range(ROWS)]) for writer, source in enumerate(sources)]
        committed = self.at_once(target, sources).count(0)
        self.check("one day", target, wanted, 1 + committed)
        if len(self.objects(target)) != 2 * (1 + committed):
            raise Violation(f"{WRITERS - committed} refused runs leave something behind: {sorted(self.objects(target))}")
        return WRITERS - committed

    def merges(self):
        """Each event is in two sources, of which the second moves it to the next day."""
        target, events, sources = self.place.target(f"merges-{self.seed}"), [], [self.work / f"merge-{writer}.json" for writer in range(WRITERS)]
        for writer in range(WRITERS):
            write(sources[writer], [(f"{writer}-{row}", 10 + row % 3, row) for row in range(ROWS)] + [(f"{(writer + 1) % WRITERS}-{row}", 20, 1000 + row) for row in range(ROWS)])
            events += [(kind, f"{writer}-{row}", 1000 + row) for row in range(ROWS) for kind in ("account-open", "status-change")]
        left, refused = sources, 0
        while left:
            codes = self.at_once(target, left, ["--mode", "merge"])
            if 0 not in codes:
                raise Violation("of merges at once none is let in")
            refused += codes.count(OVERTAKEN)
            left = [source for source, code in zip(left, codes) if code]
        self.check("merges", target, [collections.Counter(events)], WRITERS)
        return refused


def go(binaries, work, place, rounds, seed):
    started, refused, overtaken = time.perf_counter(), 0, 0
    for number in range(rounds):
        (work / f"{number}").mkdir(parents=True)
        writers = Writers(binaries / "eventloader", work / f"{number}", place, f"{seed}-{number}")
        writers.days()
        refused += writers.one_day()
        overtaken += writers.merges()
    print(f"{rounds} times {WRITERS} runs at once: those of other days all commit, of those of one day {refused} of {rounds * WRITERS} are refused; merges are overtaken {overtaken}"
          f" times and let in later; no row is lost or twice; {time.perf_counter() - started:.0f} s", flush=True)
