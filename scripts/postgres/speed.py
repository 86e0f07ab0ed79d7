"""What a load into an empty schema takes, beside other ways into the same database: whole runs, one after the other, in rounds.

- `psql`: `COPY … FROM` of the same bytes, which `COPY … TO` has made of what the loader left, in one transaction, into empty tables with
  the same columns and indexes. It parses no JSON and decides nothing; it is what the server itself takes. Beside it the same with indexes that are made behind the copies.
- DuckDB's postgres extension: reads the same lines, keeps the latest of each event and inserts them into such tables.
- pandas: reads lines of which each event has one, so that it need not decide, and `to_sql`s them into such tables. It has a part of the events, because it takes long;
  its time is given for all, in proportion.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from bench import data

from . import Violation
from .schema import ADDRESS, Schema, cluster, connect, quoted

EVENTS = 5_000_000
DAYS = 7
PANDAS_PART = 10


class Source:
    """Lines over seven days, 5 % of them again later."""

    def __init__(self, binaries, work, events):
        self.events = events
        self.path = data.made(data.Input(events, DAYS), binaries / "datagen", work)
        data_of_pandas = work / "single.json"
        with open(self.path) as lines, open(data_of_pandas, "w") as part:
            seen = set()
            for line in lines:
                event_id = line[14:50]
                if event_id not in seen:
                    seen.add(event_id)
                    part.write(line)
                if len(seen) == events // PANDAS_PART:
                    break
        self.part, self.part_events = data_of_pandas, len(seen)


def timed(command, **more):
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    took = time.perf_counter() - began
    if done.returncode:
        raise Violation(f"{' '.join(map(str, command))} exits with {done.returncode}: {done.stdout}{done.stderr}")
    return took


def settle(connection):
    """No run pays for what the one before left to write."""
    connection.execute("CHECKPOINT")
    os.sync()


def psql(connection, commands):
    """The time of these commands, in one transaction."""
    settle(connection)
    return timed(["psql", os.environ[ADDRESS], "-XqAt", "-v", "ON_ERROR_STOP=1", "--single-transaction", *(part for command in commands for part in ("-c", command))])


def of_loader(binaries, connection, source, schema):
    schema.drop(connection)
    settle(connection)
    return timed([binaries / "eventloader", "-q", "-b", "-s", source.path, "-t", schema.url])


def dumped(connection, schema, work):
    """The tables' rows, each as a file of COPY's binary format."""
    work.mkdir()
    files = {}
    for number, table in enumerate(schema.tables(connection)):
        files[table] = work / f"{number}.copy"
        psql(connection, [f"\\copy {quoted(schema.name)}.{quoted(table)} TO '{files[table]}' (FORMAT binary)"])
    return files


def empty_tables(connection, schema, like):
    """The same tables without rows; the statements that make their indexes."""
    schema.drop(connection)
    connection.execute(f"CREATE SCHEMA {quoted(schema.name)}")
    indexes = []
    for table in like.tables(connection):
        connection.execute(f"CREATE TABLE {quoted(schema.name)}.{quoted(table)} (LIKE {quoted(like.name)}.{quoted(table)})")
        found = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND tablename = %s", [like.name, table]).fetchall()
        indexes += [definition.replace(f" ON {quoted(like.name)}.", f" ON {quoted(schema.name)}.") for definition, in found]
    if not indexes:
        raise Violation(f"the tables of {like.name} have no indexes")
    return indexes


def of_psql(connection, files, like, indexes_first):
    schema = Schema("Speed psql")
    indexes = empty_tables(connection, schema, like)
    if indexes_first:
        for statement in indexes:
            connection.execute(statement)
    copies = [f"\\copy {quoted(schema.name)}.{quoted(table)} FROM '{file}' (FORMAT binary)" for table, file in files.items()]
    took = psql(connection, [*copies, *([] if indexes_first else indexes)])
    check_counts(connection, schema, like)
    return took


def of_peer(connection, name, path, like, indexes_first, events):
    schema = Schema("Speed peer")
    indexes = empty_tables(connection, schema, like)
    if indexes_first:
        for statement in indexes:
            connection.execute(statement)
    settle(connection)
    command = [sys.executable, "-m", "postgres.peers", name, path, schema.name, *([] if indexes_first else indexes)]
    began = time.perf_counter()
    timed(command)
    took = time.perf_counter() - began
    if events is None:
        check_counts(connection, schema, like)
    elif (found := counts(connection, schema)) != events:
        raise Violation(f"{name} has left {found} rows of {events}")
    return took


def counts(connection, schema):
    return sum(connection.execute(f"SELECT count(*) FROM {quoted(schema.name)}.{quoted(table)}").fetchone()[0] for table in schema.tables(connection))


def check_counts(connection, schema, like):
    found, wanted = (counts(connection, each) for each in (schema, like))
    if found != wanted:
        raise Violation(f"{schema.name} has {found} rows, {like.name} {wanted}")


def go(binaries, work, connection, rounds, events=EVENTS):
    work.mkdir()
    source, loader = Source(binaries, work, events), Schema("Speed")
    taken = {name: [] for name in ("eventloader", "psql", "psql, indexes afterwards", "DuckDB", "DuckDB, indexes afterwards", "pandas")}
    for number in range(rounds):
        taken["eventloader"].append(of_loader(binaries, connection, source, loader))
        if not number:
            files = dumped(connection, loader, work / "dump")
            size = sum(file.stat().st_size for file in files.values())
        taken["psql"].append(of_psql(connection, files, loader, True))
        taken["psql, indexes afterwards"].append(of_psql(connection, files, loader, False))
        taken["DuckDB"].append(of_peer(connection, "duckdb", source.path, loader, True, None))
        taken["DuckDB, indexes afterwards"].append(of_peer(connection, "duckdb", source.path, loader, False, None))
        if not number:
            part = of_peer(connection, "pandas", source.part, loader, True, source.part_events)
            taken["pandas"].append(part * source.events / source.part_events)
        print(f"  round {number + 1}: " + ", ".join(f"{name} {times[-1]:.1f} s" for name, times in taken.items() if times), file=sys.stderr, flush=True)
    print(f"{events:,} events, {source.path.stat().st_size / 1e6:.0f} MB of JSON lines, {size / 1e6:.0f} MB of COPY BINARY, {rounds} rounds")
    own = taken["eventloader"]
    for name, times in taken.items():
        ratios = [one / other for one, other in zip(own, times)]
        beside = "" if name == "eventloader" else f", eventloader takes {statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"  {name}: {statistics.median(times):.1f} s ({min(times):.1f} to {max(times):.1f}){beside}")
    for name in "Speed", "Speed psql", "Speed peer":
        Schema(name).drop(connection)
