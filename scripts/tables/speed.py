"""What a target of tables costs: whole runs in pairs, whose ratios hold also where other work shares the machine.

In a directory: a backfill into tables against the same one into plain partitions. In a bucket: from it and to it against the same in a
directory, and beside that the time in which obstore alone moves the same bytes on as many connections.
"""

import concurrent.futures
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import obstore
import obstore.store

CONNECTIONS = 64
# Few large partitions, and many small ones: the simple world has a minute between two events.
WORKLOADS = {
    "145 days": ["-n", "500000", "--world", "ledger", "--events-per-day", "3500"],
    "days of few events": ["-n", "1000000"],
}


def timed(binaries, *arguments):
    began = time.monotonic()
    subprocess.run([binaries / "eventloader", "-q", "-b", *arguments], check=True)
    return time.monotonic() - began


def ratios(one, other):
    ratios = [other / one for one, other in zip(one, other, strict=True)]
    return f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f}), {statistics.median(one):.2f} s and {statistics.median(other):.2f} s"


def in_directories(binaries, source, catalog, work, rounds):
    taken = {"plain": [], "tables": []}
    for _ in range(rounds):
        for kind, flags in ("plain", []), ("tables", ["--table", "delta"]):
            shutil.rmtree(work / kind, ignore_errors=True)
            taken[kind].append(timed(binaries, "-s", source, "-t", work / kind, *catalog, *flags))
    return ratios(taken["plain"], taken["tables"])


def moved(source, target, store):
    """The time in which obstore writes the objects of a target, and reads the source."""
    files = [path for path in target.rglob("*") if path.is_file()]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda path: obstore.put(store, f"moved/{path.relative_to(target)}", path), files))
    for chunk in obstore.get(store, f"in/{source.name}").stream(min_chunk_size=8 << 20):
        del chunk
    return time.monotonic() - began, len(files)


def in_a_bucket(binaries, source, catalog, work, place, rounds):
    target = place.target(f"speed-{source.stem}")
    obstore.put(target.store, f"in/{source.name}", source)
    taken = {"local": [], "bucket": []}
    for number in range(rounds):
        shutil.rmtree(work / "tables", ignore_errors=True)
        taken["local"].append(timed(binaries, "-s", source, "-t", work / "tables", "--table", "delta", *catalog))
        taken["bucket"].append(timed(binaries, "-s", f"{target.url}/in/{source.name}", "-t", f"{target.url}/lake-{number}", *catalog))
    seconds, files = moved(source, work / "tables", target.store)
    return f"{ratios(taken['local'], taken['bucket'])}; obstore moves the same {files} objects and the source in {seconds:.2f} s"


def go(binaries, work, place, rounds):
    work.mkdir(parents=True)
    shared = pathlib.Path("/dev/shm")
    for name, generate in WORKLOADS.items():
        source = work / f"{name.replace(' ', '-')}.json"
        with source.open("wb") as output:
            subprocess.run([binaries / "datagen", *generate, "-s", "1", "-q"], stdout=output, check=True)
        catalog = []
        if "ledger" in generate:
            (work / "catalog.toml").write_bytes(subprocess.run([binaries / "datagen", "catalog"], stdout=subprocess.PIPE, check=True).stdout)
            catalog = ["--catalog", work / "catalog.toml"]
        size = f"{name}, {source.stat().st_size / 1e6:.0f} MB"
        if place.is_local:
            fast = shared / f"tables-{os.getpid()}" if shared.is_dir() else work / "lake"
            try:
                print(f"{size}: tables take {in_directories(binaries, source, catalog, fast, rounds)}")
            finally:
                shutil.rmtree(fast, ignore_errors=True)
        else:
            print(f"{size}: from and to the bucket takes {in_a_bucket(binaries, source, catalog, work, place, rounds)}")
