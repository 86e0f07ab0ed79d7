"""Kills eventloader (SIGKILL) at random moments, many of them between its record and its tables, while deltalake reads versions.

Four loads take turns over one target: a data set and its correction, each with two codecs. Each replaces all rows, so the source
and the codec in a commit's record say what the target must hold after it. A reader in a process of its own opens random tables at
their newest or at a random version: each must be a commit of ours that is recorded, by the number in `txn`, with all of its rows and
no others. After each kill each table has the last record or the one before; after `recover` all have the last one, and `verify`
finds nothing. In the end a sweep deletes what nothing refers to, and all is as it was.
"""

import collections
import hashlib
import json
import multiprocessing
import random
import subprocess
import time
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from . import Violation
from .readers import comparable

EVENTS = 6_000  # 5 days, 25 partitions
CODECS = "zstd", "snappy"


def corrected(lines):
    """The correction of a data set: one event in ten is gone, one in three has another version one second later."""
    lines = [line for number, line in enumerate(lines) if number % 10]
    for line in lines[::3]:
        event = json.loads(line)
        event["timestamp"] = (datetime.fromisoformat(event["timestamp"]) + timedelta(seconds=1)).isoformat()
        lines.append(json.dumps({**event, "data": {**event["data"], "id": 1}}))
    return lines


def content(url, version, options):
    """A table's number of the commit and what it holds: the number of rows, that of their ids, a checksum of all values."""
    table = DeltaTable(url, version=version, storage_options=options or None)
    number = table.transaction_version("eventloader")
    columns = comparable(table.to_pyarrow_table())
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    checksum = hashlib.blake2b(sink.getvalue()).hexdigest()[:16]
    return table.version(), number, (batch.num_rows, pc.count_distinct(batch["event_id"]).as_py(), checksum)


class Load:
    """A load that can be started, and what each table holds after it."""

    def __init__(self, binary, target, source, codec):
        self.name, self.key = f"{source.stem} as {codec}", (source.name, codec)
        self.command = [binary, "-q", "-b", "--table", "delta", "--compression", codec, "-s", source, "-t"]
        subprocess.run([*self.command, target.url], check=True)
        self.contents = {table: content(target.table(table), None, target.options)[2] for table in target.tables()}

    def start(self, target):
        return subprocess.Popen([*self.command, target.url], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def loads_of(binaries, work, place, seed):
    first = subprocess.run([binaries / "datagen", "-s", str(seed), "-n", str(EVENTS)], stdout=subprocess.PIPE, check=True)
    lines = first.stdout.decode().splitlines()
    loads = []
    for name, lines in ("first", lines), ("corrected", corrected(lines)):
        source = work / f"{name}.json"
        source.write_text("\n".join([*lines, f"bad line of {name}"]))
        loads += [Load(binaries / "eventloader", place.target(f"alone-{name}-{codec}-{seed}"), source, codec) for codec in CODECS]
    return loads


class Records:
    """A target's records, each read once: which load it was."""

    def __init__(self, target):
        self.target, self.loads = target, {}

    def load(self, number):
        if number not in self.loads:
            record = json.loads(self.target.read(f"_eventloader/commits/{number:020}.json"))
            self.loads[number] = record["load"]["sources"][0]["path"].rpartition("/")[2], record["load"]["form"]["compression"].lower()
        return self.loads[number]


class Reader:
    """Reads versions, each of which must be a whole commit."""

    def __init__(self, target, contents):
        self.target, self.contents, self.records = target, contents, Records(target)
        self.newest, self.counts = {}, collections.Counter()

    def read(self, table, version):
        what = f"{table} at version {version}"
        try:
            found, number, rows = content(self.target.table(table), version, self.target.options)
        except Exception as error:
            raise Violation(f"{what}: {type(error).__name__}: {error}") from error
        try:
            load = self.records.load(number)
        except Exception as error:
            raise Violation(f"{what} names commit {number}, which is not recorded: {error}") from error
        if rows != self.contents[load][table]:
            raise Violation(f"{what}, which is commit {number} by {load}: {rows}, expected {self.contents[load][table]}")
        if version is None:
            if (found, number) < self.newest.get(table, (0, 0)):
                raise Violation(f"{what}: {found, number} after {self.newest[table]}")
            self.newest[table] = found, number
        return number

    def read_until(self, stop, seed):
        dice, seen = random.Random(seed), []
        tables = list(next(iter(self.contents.values())))
        while not stop.is_set():
            table = dice.choice(tables)
            version = dice.randint(0, self.newest[table][0]) if table in self.newest and dice.random() < 0.3 else None
            try:
                self.read(table, version)
                self.counts["newest" if version is None else "versions"] += 1
            except Violation as violation:
                self.counts["violations"] += 1
                seen += [str(violation)] * (len(seen) < 5)
        return self.counts, seen, len({number for _, number in self.newest.values()})


def read_in_own_process(connection, stop, seed, *about):
    connection.send(Reader(*about).read_until(stop, seed))


class Killer:
    def __init__(self, binary, target, loads, dice):
        self.binary, self.target, self.loads, self.dice = binary, target, loads, dice
        self.reader = Reader(target, {load.key: load.contents for load in loads})
        self.counts, self.usual = collections.Counter(), 0.0

    def check_tables(self, what, allowed):
        """Each table is at one of these records."""
        numbers = {table: self.reader.read(table, None) for table in self.target.tables()}
        if not set(numbers.values()) <= set(allowed):
            raise Violation(f"{what}: the tables have the commits {numbers}, the last records are {allowed}")
        return len(set(numbers.values())) > 1

    def last(self):
        records = self.target.records()
        if records != list(range(1, len(records) + 1)):
            raise Violation(f"there are the records {records}")
        return len(records)

    def kill(self, load):
        before = self.last()
        process = load.start(self.target)
        if self.dice.random() < 0.4:
            time.sleep(self.dice.uniform(0, self.usual))
        else:
            # The record, then its tables.
            while process.poll() is None and self.last() == before:
                pass
            time.sleep(self.usual * 0.1 * self.dice.random() ** 3)
        process.kill()
        said = process.communicate()[1].decode()
        what = f"after {load.name} (exit code {process.returncode})"
        last = self.last()
        if process.returncode not in (0, -9):
            raise Violation(f"{what}: it failed: {said}")
        if last - before not in (0, 1) or (process.returncode == 0 and last == before and self.reader.records.load(last) != load.key):
            raise Violation(f"{what}: {last} records, before it {before}")
        self.counts["kills"] += process.returncode == -9
        self.counts["recorded"] += process.returncode == -9 and last > before
        self.counts["torn"] += self.check_tables(what, [last] if process.returncode == 0 else [last - 1, last])

    def settle(self):
        """`recover` or another load brings the record to all tables."""
        if self.dice.random() < 0.5:
            self.run("recover", self.target.url, "-q")
        else:
            load = self.dice.choice(self.loads)
            process = load.start(self.target)
            said = process.communicate()[1].decode()
            if process.returncode:
                raise Violation(f"{load.name}, left alone: {process.returncode}, {said}")
            if self.reader.records.load(self.last()) != load.key:
                raise Violation(f"{load.name}, left alone, is not the last commit")
        self.check_tables("after a recovery", [self.last()])
        self.run("verify", "-q", self.target.url)
        self.counts["settled"] += 1

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Violation(f"{arguments[0]} exits with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def go(self, kills):
        started = time.perf_counter()
        for load in self.loads:
            if load.start(self.target).wait():
                raise Violation(f"{load.name} fails")
        self.usual = (time.perf_counter() - started) / len(self.loads)
        while self.counts["kills"] < kills:
            self.kill(self.dice.choice(self.loads))
            if self.dice.random() < 0.25:
                self.settle()
        self.settle()

    def sweep(self):
        before = self.target.keys()
        self.run("recover", self.target.url, "-q", "--sweep", "--older-than", "0s")
        self.check_tables("after a sweep", [self.last()])
        self.run("verify", "-q", self.target.url)
        self.counts["swept"] = len(before) - len(self.target.keys())
        if not self.counts["swept"]:
            raise Violation("a sweep after kills has found nothing")
        bad = [line for key in self.target.keys("_quarantine") for line in self.target.read(key).splitlines()]
        if sorted(json.loads(line)["raw"] for line in bad) != ["bad line of corrected", "bad line of first"]:
            raise Violation(f"after a sweep the quarantine holds {bad}")


def go(binaries, work, place, kills, seed):
    started = time.perf_counter()
    work.mkdir()
    loads = loads_of(binaries, work, place, seed)
    target = place.target(f"killed-{seed}")
    if subprocess.run([*loads[0].command, target.url], check=False).returncode:
        raise Violation("the first load fails")
    killer = Killer(binaries / "eventloader", target, loads, random.Random(seed))
    spawn = multiprocessing.get_context("spawn")
    stop, (here, there) = spawn.Event(), multiprocessing.Pipe(duplex=False)
    about = target, {load.key: load.contents for load in loads}
    process = spawn.Process(target=read_in_own_process, args=(there, stop, seed, *about), daemon=True)
    process.start()
    there.close()
    try:
        killer.go(kills)
    finally:
        stop.set()
        read, seen, _ = here.recv()
    if seen:
        raise Violation(f"{read['violations']} violations seen by the reader: {'; '.join(seen)}")
    killer.sweep()
    counts = killer.counts
    print(f"{counts['kills']} kills of loads of {killer.usual * 1000:.0f} ms, {counts['recorded']} of them behind the record ({counts['torn']} between two"
          f" tables), {counts['settled']} recoveries; deltalake: {read['newest']} reads of newest versions, {read['versions']} of older ones; {counts['swept']} objects"
          f" swept; no violation; {time.perf_counter() - started:.0f} s", flush=True)
