"""A hundred commits to a bucket, through a proxy that loses one answer in three after the request was done.

No row is there twice and none is missing: `verify --against` the manifest, and deltalake counts the ids. Beside it, what becomes
of as many appends of ten rows by deltalake's own writer.
"""

import os
import subprocess
import time

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from . import Violation
from .place import Place

EVENTS_IN_EACH = 20
ROWS_APPENDED = 10


def own(binaries, work, place, lossy, commits, seed):
    """Merges of small files, some of which move events to another day."""
    generate = ["-s", str(seed), "-n", str(commits * EVENTS_IN_EACH), "-q", "-w", "-b", work / "in", "--files", str(commits), "--manifest", work / "truth.json"]
    subprocess.run([binaries / "datagen", *generate, "--faults", "duplicates=2%,corrections=5%,late=2%"], check=True)
    target = place.target(f"lost-{seed}")
    again = 0
    for source in sorted((work / "in").iterdir()):
        command = [binaries / "eventloader", "-q", "-b", "-s", source, "-t", target.url, "--mode", "merge"]
        # A run that gives up changes nothing, or says that its commit may be recorded.
        for _ in range(5):
            done = subprocess.run(command, env=os.environ | lossy.options, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode == 0:
                break
            again += 1
            print(f"  exit code {done.returncode}: {done.stderr.strip()[:300]}")
        else:
            raise Violation(f"{source.name} can't be merged: {done.stderr}")
    for arguments in (["verify", target.url], ["verify", target.url, "--against", work / "truth.json"]):
        done = subprocess.run([binaries / "eventloader", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Violation(f"after {commits} merges, {arguments[0]} says: {done.stdout}")
    rows, versions = 0, 0
    for table in target.tables():
        delta = DeltaTable(target.table(table), storage_options=place.options)
        ids = delta.to_pyarrow_table(columns=["event_id"])["event_id"]
        if len(ids) != pc.count_distinct(ids).as_py():
            raise Violation(f"{table} has events twice")
        rows, versions = rows + len(ids), versions + delta.version() + 1
    records = target.records()
    if records != list(range(1, commits + 1)):
        raise Violation(f"{commits} merges, and the records {records}")
    return f"eventloader: {commits} merges, {again} of them run again; {versions} versions of {len(target.tables())} tables; {rows} rows, each once"


def of_deltalake(place, lossy, appends, seed):
    url = f"{place.url}/appended-{seed}"
    failed = 0
    for number in range(appends):
        ids = [f"{number}-{row}" for row in range(ROWS_APPENDED)]
        try:
            write_deltalake(url, pa.table({"event_id": ids}), mode="append", storage_options=lossy.options)
        except Exception:
            failed += 1
    delta = DeltaTable(url, storage_options=place.options)
    ids, versions = delta.to_pyarrow_table()["event_id"], delta.version() + 1
    return (f"deltalake's own writer: {appends} appends of {ROWS_APPENDED} rows, {failed} of which reported failure; {versions} versions, {versions - appends} of which"
            f" add a file again; {len(ids)} rows, of which {len(ids) - pc.count_distinct(ids).as_py()} are there again")


def go(binaries, work, server, commits, seed):
    started = time.perf_counter()
    work.mkdir()
    place, lossy = Place.of_server(server), Place.of_server(server, is_lossy=True)
    print(own(binaries, work, place, lossy, commits, seed), flush=True)
    print(of_deltalake(place, lossy, commits, seed), f"({time.perf_counter() - started:.0f} s)", flush=True)
