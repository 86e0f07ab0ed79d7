"""Kills eventloader (SIGKILL) at random moments, many of them in its commit, while DuckDB reads the target in a process of its own.

Four loads take turns over one target: a data set and its correction, each with two codecs. So partitions change by a rename over
the file of the same name and by an exchange of directories, and those of the last days are taken away now and then, to come anew.
After each kill, before anything repairs it, the files must be those of the load before or of the one that was killed: in each
partition alone where the commit was recorded, in all alike where it was not. After a load that was left alone, `verify` finds nothing.

What a reader may expect: who lists a partition's *.parquet finds the files of one load. A listed file may be gone when it is opened,
or the list be empty, where the directory was exchanged in between; listed again, all is there: such reads are repeated, and counted.
An open file stays as it is: DuckDB is given files that are open. Some it reads by name. It opens a file two or three times for one
query, and fails where another has taken its place meanwhile: counted, repeated, and no violation; to give wrong rows would be one.

Usage: kill.py DIRECTORY_OF_THE_BINARIES EMPTY_DIRECTORY [--kills N] [--seed N]
"""

import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta

import duckdb
import pyarrow.parquet as pq

EVENTS = 30_000  # 22 days, 110 partitions
DAYS_THAT_COME = 3
REPEATS_IN_A_ROW = 10  # each would take a commit of its own between listing and opening
READS_TO_HOLD = 20  # one of so many files is kept open,
FILES_HELD = 10  # and so many of them
JOURNAL = "_eventloader/journal.json"
CODECS = "zstd", "snappy"


class Violation(Exception):
    """What was seen that must not be."""


# --- The loads, and what each leaves when it is left alone ------------------------------------------------------------

def corrected(lines):
    """The correction of a data set: one event in ten is gone, one in three has another version one second later."""
    lines = [line for number, line in enumerate(lines) if number % 10]
    for line in lines[::3]:
        event = json.loads(line)
        event["timestamp"] = (datetime.fromisoformat(event["timestamp"]) + timedelta(seconds=1)).isoformat()
        lines.append(json.dumps({**event, "data": {**event["data"], "id": 1}}))
    return lines


def ids_and_times(lines):
    """Partition → its events' ids and times, as the contract says: the latest version of each, where its time belongs."""
    latest = {}
    for event in map(json.loads, lines):
        key = event["event_type"], event["event_id"]
        latest[key] = max(latest.get(key, ""), event["timestamp"])
    partitions = collections.defaultdict(set)
    for (event_type, event_id), timestamp in latest.items():
        partitions[f"{timestamp[:10].replace('-', '/')}/{event_type}"].add((event_id, timestamp))
    return partitions


def parquet_names(directory):
    return tuple(sorted(name for name in os.listdir(directory) if name.endswith(".parquet")))


def state(target, partitions):
    """Partition → the names and checksums of its files; none where it is missing or empty."""
    files = {}
    for partition in partitions:
        directory = target / partition
        names = parquet_names(directory) if directory.is_dir() else ()
        files[partition] = tuple((name, hashlib.blake2b((directory / name).read_bytes()).hexdigest()) for name in names)
    return files


def content(lake, files):
    """What rows there are, in any order: their number, that of their ids, and a checksum of all values."""
    rows = "read_parquet(?, hive_partitioning = false) rows"
    return lake.execute(f"SELECT count(*), count(DISTINCT event_id), bit_xor(hash(rows)) FROM {rows}", [files]).fetchone()


class Load:
    """A load that can be started; the files it leaves, and their content for who reads them."""

    def __init__(self, binary, work, source, codec, expected):
        self.name, self.target = f"{source.stem} as {codec}", work / "target"
        self.command = [binary, "-q", "-b", "--compression", codec, "-s", source, "-t"]
        alone = work / self.name
        subprocess.run([*self.command, alone], check=True)
        self.state = state(alone, expected)
        self.contents = {}
        for partition, events in expected.items():
            ((name, _),) = self.state[partition]
            rows = pq.read_table(alone / partition / name, partitioning=None)
            pairs = zip(rows["event_id"].to_pylist(), rows["timestamp"].to_pylist())
            if {(event_id, when.replace(tzinfo=None).isoformat()) for event_id, when in pairs} != events or len(rows) != len(events):
                raise Violation(f"{self.name}, never killed, does not have the events of its source in {partition}")
            self.contents[partition] = (name,), content(duckdb, [str(alone / partition / name)])

    def start(self):
        return subprocess.Popen([*self.command, self.target])


def loads_of(binaries, work, seed):
    first = subprocess.run([binaries / "datagen", "-s", str(seed), "-n", str(EVENTS)], stdout=subprocess.PIPE, check=True)
    lines = first.stdout.decode().splitlines()
    loads = []
    for name, lines in ("first", lines), ("corrected", corrected(lines)):
        source = work / f"{name}.json"
        source.write_text("\n".join([*lines, f"bad line of {name}"]))
        expected = ids_and_times(lines)
        loads += [Load(binaries / "eventloader", work, source, codec, expected) for codec in CODECS]
    return loads


# --- The reader -------------------------------------------------------------------------------------------------------

class Reader:
    """Reads partitions one after another; each must have a content that some load gives it."""

    def __init__(self, target, contents, that_come):
        self.target, self.contents, self.that_come = target, contents, that_come
        self.lake = duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})
        self.held = collections.deque()
        self.counts = collections.Counter()

    def read(self, partition, by_name):
        names = None
        for _ in range(REPEATS_IN_A_ROW):
            try:
                names = parquet_names(self.target / partition)
                found = self.read_files([self.target / partition / name for name in names], by_name) if names else None
            except FileNotFoundError:
                found = None
            if found:
                self.counts["by name" if by_name else "reads"] += 1
                return self.judge(partition, names, found)
            if not (self.target / partition).is_dir() or not names:
                if partition in self.that_come:
                    self.counts["not there yet"] += 1
                    return None
                if not (self.target / partition).is_dir():
                    raise Violation(f"{partition} is missing")
            self.counts["repeats by name" if by_name else "repeats"] += 1
        raise Violation(f"{partition} could not be read {REPEATS_IN_A_ROW} times in a row; listed last: {names}")

    def read_files(self, paths, by_name):
        """The content; none where DuckDB failed because files are no longer those that were opened."""
        files = [open(path, "rb") for path in paths]
        try:
            if not by_name and self.counts["reads"] % READS_TO_HOLD == 0:
                self.held.append((paths[0].parent.relative_to(self.target).as_posix(), paths[0].name, os.dup(files[0].fileno())))
            return content(self.lake, [str(path) if by_name else f"/dev/fd/{file.fileno()}" for path, file in zip(paths, files)])
        except duckdb.Error as error:
            if by_name and not all(path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())) for path, file in zip(paths, files)):
                return None
            raise Violation(f"reading {paths}: {error}") from None
        finally:
            for file in files:
                file.close()

    def judge(self, partition, names, found):
        if (names, found) not in self.contents[partition]:
            raise Violation(f"{partition} has {names} with {found}, of the loads it would have one of {self.contents[partition]}")

    def read_held(self):
        """Reads a file that was opened some commits ago."""
        partition, name, number = self.held.popleft()
        try:
            self.judge(partition, (name,), content(self.lake, [f"/dev/fd/{number}"]))
            self.counts["held"] += 1
        except duckdb.Error as error:
            raise Violation(f"reading {name} of {partition}, that was opened earlier: {error}") from None
        finally:
            os.close(number)

    def read_until(self, stop, seed):
        """Counts, and the first violations."""
        dice, seen = random.Random(seed), []
        partitions = list(self.contents)
        while not stop.is_set():
            try:
                self.read(dice.choice(partitions), by_name=dice.random() < 0.3)
                if len(self.held) > FILES_HELD:
                    self.read_held()
            except Violation as violation:
                self.counts["violations"] += 1
                seen += [str(violation)] * (len(seen) < 5)
        return self.counts, seen


def read_in_own_process(connection, stop, seed, *about):
    connection.send(Reader(*about).read_until(stop, seed))


def check_reader(work, loads):
    """The control: the reader tells broken partitions from whole ones."""
    partition = next(iter(loads[0].state))
    files = [work / load.name / partition / load.state[partition][0][0] for load in loads]
    for number, (sources, part) in enumerate([(files[:1], 1), (files[:2], 1), (files[1:3], 1), (files[:1], 0.5), ([], 1)]):
        directory = work / f"control-{number}" / partition
        directory.mkdir(parents=True)
        for file in sources:
            whole = file.read_bytes()
            (directory / file.name).write_bytes(whole[:int(len(whole) * part)])
        try:
            Reader(work / f"control-{number}", contents_of(loads), set()).read(partition, by_name=False)
            is_whole = True
        except Violation:
            is_whole = False
        if is_whole != (number == 0):
            raise Violation(f"the reader takes {'a broken' if is_whole else 'a whole'} partition for {'whole' if is_whole else 'broken'}: {sources}")


def contents_of(loads):
    return {partition: {load.contents[partition] for load in loads if partition in load.contents} for partition in loads[0].state}


# --- The killer -------------------------------------------------------------------------------------------------------

class Killer:
    """Knows what the target must hold: `base`, or where a journal waits some of `recorded` already."""

    def __init__(self, work, loads, dice):
        self.work, self.loads, self.dice = work, loads, dice
        self.target = work / "target"
        self.journal = self.target / JOURNAL
        self.last_days = sorted({partition.rpartition("/")[0] for partition in loads[0].state})[-DAYS_THAT_COME:]
        self.that_come = {partition for partition in loads[0].state if partition.rpartition("/")[0] in self.last_days}
        self.base, self.recorded = loads[0].state, None
        self.counts = collections.Counter()
        self.usual, self.commit = 0.0, 0.0

    def measure(self):
        """How long a load takes, and how long its journal is there: the median of some."""
        usual, commit = [], []
        for load in self.loads:
            started = time.perf_counter()
            process, begun = load.start(), None
            while process.poll() is None:
                if self.journal.exists():
                    begun = begun or time.perf_counter()
                elif begun is not None:
                    commit.append(time.perf_counter() - begun)
                    begun = None
            usual.append(time.perf_counter() - started)
            self.check(load, process, None)
        if not commit:
            raise Violation("no load that changed the target was seen to record its commit")
        self.usual, self.commit = statistics.median(usual), statistics.median(commit)

    def journal_now(self):
        """What tells one journal from another; none where none is there. Each is a file of its own."""
        try:
            found = os.stat(self.journal)
            return found.st_ino, found.st_mtime_ns
        except FileNotFoundError:
            return None

    def check(self, load, process, journal_before):
        """Compares the target with what it may hold once `process` has ended, and remembers which of it it is."""
        found, journal = state(self.target, self.base), self.journal_now()
        what = f"after {load.name} (exit code {process.returncode}, commits recorded before and after: {bool(journal_before)}, {bool(journal)})"
        if process.returncode not in (0, -9):
            raise Violation(f"{what}: it failed")
        if process.returncode == 0 and (journal or found != load.state):
            raise Violation(f"{what}: {self.difference(found, load.state)}")
        if journal and journal != journal_before:
            self.base, self.recorded = self.recorded or self.base, load.state
        if journal:
            torn = {partition: files for partition, files in found.items() if files not in (self.base[partition], self.recorded[partition])}
            if torn:
                raise Violation(f"{what}: {len(torn)} partitions are neither old nor new: {self.difference(torn, self.recorded)}")
            self.counts["torn"] += found not in (self.base, self.recorded)
        else:
            # Not yet recorded, or done: then all of it, and what waited from before is done in any case.
            if found not in (self.recorded or self.base, load.state):
                raise Violation(f"{what}: it is neither as before nor done: {self.difference(found, load.state)}")
            self.base, self.recorded = found, None

    def difference(self, found, expected):
        partition = next(iter([name for name in found if found[name] != expected[name]]), None)
        return f"{partition} holds {found[partition]}, expected {expected[partition]}" if partition else "a journal is left"

    def complete(self, load):
        before = self.journal_now()
        process = load.start()
        process.wait()
        self.check(load, process, before)
        left = {path.name for path in (self.target / "_eventloader").iterdir()} - {"lock", "layout.json"}
        left = {name for name in left if not name.startswith("commit-")}
        if left:
            raise Violation(f"after {load.name} was left alone, _eventloader holds {left}")
        verified = subprocess.run([load.command[0], "verify", "-q", self.target], stdout=subprocess.PIPE, text=True, check=False)
        if verified.returncode != 0:
            raise Violation(f"after {load.name} was left alone, verify says: {verified.stdout}")
        self.counts["complete"] += 1

    def take_last_days_away(self):
        for day in self.last_days:
            if (self.target / day).is_dir():
                (self.target / day).rename(self.work / "away")
                shutil.rmtree(self.work / "away")
        self.base = {partition: () if partition in self.that_come else files for partition, files in self.base.items()}

    def kill(self, load):
        before = self.journal_now()
        process = load.start()
        if self.dice.random() < 0.3:
            time.sleep(self.dice.uniform(0, self.usual))
        else:
            while process.poll() is None and self.journal_now() == before:
                pass
            # Some at once: the first renames follow within microseconds.
            until = time.perf_counter() + self.commit * self.dice.random() ** 3
            while time.perf_counter() < until:
                pass
        process.kill()
        process.wait()
        is_recorded = self.journal.exists()
        self.check(load, process, before)
        if process.returncode == -9:
            self.counts["kills"] += 1
            self.counts["in the commit"] += is_recorded
            self.counts["repairing"] += bool(before)

    def go_on(self, kills):
        while self.counts["kills"] < kills:
            if not self.recorded and self.dice.random() < 0.3:
                self.take_last_days_away()
            self.kill(self.dice.choice(self.loads))
            if self.dice.random() < 0.2:
                self.complete(self.dice.choice(self.loads))
        for load in self.loads:
            self.complete(load)
        self.check_quarantine()

    def check_quarantine(self):
        """The bad line of each source is there, once."""
        found = sorted(json.loads(line)["raw"] for file in (self.target / "_quarantine").iterdir() for line in file.read_text().splitlines())
        if found != ["bad line of corrected", "bad line of first"]:
            raise Violation(f"the quarantine holds {found}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=300, help="how many (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="of the events and of all that is random here (default: 1)")
    arguments = parser.parse_args()
    work = arguments.work.resolve()

    seen, read = [], collections.Counter()
    loads = loads_of(arguments.binaries.resolve(), work, arguments.seed)
    check_reader(work, loads)
    killer = Killer(work, loads, random.Random(arguments.seed))
    loads[0].start().wait()
    stop = multiprocessing.get_context("spawn").Event()
    here, there = multiprocessing.Pipe(duplex=False)
    about = killer.target, contents_of(loads), killer.that_come
    reader = multiprocessing.get_context("spawn").Process(target=read_in_own_process, args=(there, stop, arguments.seed, *about), daemon=True)
    reader.start()
    there.close()
    try:
        killer.measure()
        print(f"{len(killer.base)} partitions; a load takes {killer.usual * 1000:.0f} ms, its commit {killer.commit * 1000:.1f} ms of them")
        killer.go_on(arguments.kills)
    except Violation as violation:
        seen.append(str(violation))
    stop.set()
    try:
        read, seen_by_reader = here.recv()
        seen += seen_by_reader
    except EOFError:
        seen.append("the reading process ended by itself")
    violations = max(read["violations"], len(seen))
    for text in seen:
        print(f"violation: {text}", file=sys.stderr)
    counts = killer.counts
    print(
        f"{counts['kills']} kills, {counts['in the commit']} in a recorded commit ({counts['torn']} of them between two partitions,"
        f" {counts['repairing']} of a load that repaired another), {counts['complete']} loads left alone;"
        f" DuckDB: {read['reads']} reads of open files ({read['repeats']} repeated), {read['by name']} by name ({read['repeats by name']}"
        f" repeated), {read['held']} of files opened long before; {violations} violations"
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
