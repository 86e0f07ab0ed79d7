"""Five runs of one schema at once: one takes the lock, the others wait for it, and all commit, one behind the other.

Days of their own leave what one backfill leaves; overwrites of one day leave one of them; merges lose and double no row. Readers, who take no
lock, see at each moment whole commits only: as many rows as some load has recorded.
"""

import collections
import subprocess
import threading
import time

from tables.numbered_events import write

from . import Violation
from .schema import Schema, connect, quoted

WRITERS = 5
ROWS = 40


class Reader(threading.Thread):
    """Counts the rows of both tables, and the loads, in one statement each time."""

    def __init__(self, schema):
        super().__init__(daemon=True)
        self.schema, self.is_over, self.wrong, self.reads = schema, threading.Event(), [], 0

    def run(self):
        name, connection = quoted(self.schema.name), connect()
        while not self.is_over.is_set():
            if set(self.schema.tables(connection)) != {"account-open", "status-change"}:
                continue
            one, other = connection.execute(f'SELECT (SELECT count(*) FROM {name}."account-open"), (SELECT count(*) FROM {name}."status-change")').fetchone()
            self.reads += 1
            if one != other or one % ROWS:
                self.wrong.append((one, other))
        connection.close()


class Writers:
    def __init__(self, binary, work, connection, seed):
        self.binary, self.work, self.connection, self.seed, self.reads = binary, work, connection, seed, 0

    def at_once(self, what, schema, sources, wanted, commits, *flags):
        reader = Reader(schema)
        reader.start()
        command = [self.binary, "-q", "-b", *flags, "-t", schema.url, "-s"]
        runs = [subprocess.Popen([*command, source], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for source in sources]
        for run in runs:
            said = run.communicate()[1]
            if run.returncode:
                raise Violation(f"{what}: {run.args[-1]} exits with {run.returncode}: {said}")
        reader.is_over.set()
        reader.join()
        if reader.wrong:
            raise Violation(f"{what}: a reader saw {reader.wrong[:3]} rows of two types that have as many")
        self.reads += reader.reads
        rows = collections.Counter()
        for table in schema.tables(self.connection):
            found = schema.rows(self.connection, table)
            rows.update((table, event_id, number) for event_id, number in zip(found["event_id"][1], found["data_id"][1]))
        if rows not in wanted:
            raise Violation(f"{what}: {len(rows)} rows, {sum(rows.values()) - len(rows)} of them again; expected {[len(rows) for rows in wanted]}")
        if schema.commits(self.connection) != list(range(1, commits + 1)):
            raise Violation(f"{what}: the loads {schema.commits(self.connection)}, expected {commits}")
        subprocess.run([self.binary, "verify", "-q", schema.url], check=True)
        schema.drop(self.connection)

    def schema(self, name):
        schema = Schema(f"{name} {self.seed}")
        schema.drop(self.connection)
        return schema

    def days(self):
        """All create the schema and its tables."""
        expected, sources = collections.Counter(), []
        for writer in range(WRITERS):
            sources.append(self.work / f"day-{writer}.json")
            expected += write(sources[-1], [(f"{writer}-{row}", 10 + writer, row) for row in range(ROWS)])
        self.at_once("days of their own", self.schema("days"), sources, [expected], WRITERS)

    def one_day(self):
        sources = [self.work / f"one-day-{writer}.json" for writer in range(WRITERS)]
        wanted = [write(source, [(f"{writer}-{row}", 10, writer) for row in range(ROWS)]) for writer, source in enumerate(sources)]
        self.at_once("one day", self.schema("one day"), sources, wanted, WRITERS)

    def merges(self):
        """Each event is in two sources, of which the second moves it to another day."""
        events, sources = [], [self.work / f"merge-{writer}.json" for writer in range(WRITERS)]
        for writer in range(WRITERS):
            write(sources[writer], [(f"{writer}-{row}", 10 + row % 3, row) for row in range(ROWS)] + [(f"{(writer + 1) % WRITERS}-{row}", 20, 1000 + row) for row in range(ROWS)])
            events += [(kind, f"{writer}-{row}", 1000 + row) for row in range(ROWS) for kind in ("account-open", "status-change")]
        self.at_once("merges", self.schema("merges"), sources, [collections.Counter(events)], WRITERS, "--mode", "merge")


def go(binaries, work, connection, rounds, seed):
    started, reads = time.perf_counter(), 0
    for number in range(rounds):
        (work / f"{number}").mkdir(parents=True)
        writers = Writers(binaries / "eventloader", work / f"{number}", connection, f"{seed}-{number}")
        writers.days()
        writers.one_day()
        writers.merges()
        reads += writers.reads
    print(f"{rounds} times {WRITERS} runs at once, of other days, of one day, and merges: all commit, no row is lost or twice, a reader saw whole commits"
          f" in {reads} reads; {time.perf_counter() - started:.0f} s", flush=True)
