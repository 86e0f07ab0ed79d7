"""Reads what a program wrote, with DuckDB. In: a target; out: per partition the rows and two checksums over all their columns.

Usage: python -m bench.compare [--all-columns] TARGET    (prints the checksums; a process of its own, see measure.py)

The checksums do not depend on the order of the rows or on how many files hold them. The types of the columns must be those of the
contract, and each row must be in the directory of its day and type.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections import defaultdict

BASE = {"event_id": "VARCHAR", "timestamp": "TIMESTAMP WITH TIME ZONE", "domain": "VARCHAR"}
TABLES = {
    "account": BASE | {"data_id": "INTEGER", "data_old_status": "VARCHAR", "data_new_status": "VARCHAR", "data_reason": "VARCHAR"},
    "transaction": BASE | {"data_id": "VARCHAR", "data_to": "VARCHAR", "data_from": "VARCHAR", "data_amount": "DECIMAL(10,2)"},
}
TYPES = {"account": ("account-open", "account-close", "status-change"), "transaction": ("payment-to", "payment-from")}
PLACE = re.compile(r"(?:year=)?(\d+)/(?:month=)?(\d+)/(?:day=)?(\d+)/(?:event_type=)?([^/]+)/[^/]+$")

# (year, month, day, event type) → (rows, xor of the rows' hashes, sum of the rows' hashes)
Sums = dict[tuple[int, int, int, str], tuple[int, int, int]]


def checksums(target: pathlib.Path) -> Sums:
    """The checksums of all partitions of a target, in eventloader's layout or in Hive's below a directory per domain."""
    return printed_by("bench.compare", target)


def all_checksums(target: pathlib.Path) -> Sums:
    """The same for tables of any columns, but those that engines read from the directories. The names of the columns count."""
    return printed_by("bench.compare", "--all-columns", target)


def printed_by(*module: str | pathlib.Path) -> Sums:
    done = subprocess.run([sys.executable, "-m", *module], stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(1)
    return {tuple(place): tuple(sums) for place, sums in json.loads(done.stdout)}


def read(target: pathlib.Path) -> Sums:
    """What checksums() returns, read in this process."""
    import duckdb

    engine = duckdb.connect(config={"threads": 2})
    engine.execute("SET TimeZone = 'UTC'")
    sums: Sums = defaultdict(lambda: (0, 0, 0))
    for domain, columns in TABLES.items():
        files = [str(path) for path in target.rglob("*.parquet") if (match := PLACE.search(str(path))) and match[4] in TYPES[domain]]
        table = engine.read_parquet(files, hive_partitioning=False, filename=True)
        found = dict(zip(table.columns, map(str, table.types)))
        if {name: found.get(name) for name in columns} != columns:
            sys.exit(f"error: {target}: the columns of {domain} are {found} instead of {columns}")
        # If files hold the type beside the directory, it must be that of the directory.
        event_type = "event_type" if "event_type" in found else "NULL"
        row = f"hash({', '.join(columns)})"
        files_sums = table.aggregate(f"""filename, count(*), bit_xor({row}), sum({row}), min(timestamp)::DATE, max(timestamp)::DATE,
                                         min({event_type}), max({event_type})""", "filename")
        for path, rows, xor, total, first, last, *types in files_sums.fetchall():
            year, month, day, kind = PLACE.search(path).groups()
            place = (int(year), int(month), int(day), kind)
            days = {(each.year, each.month, each.day) for each in (first, last)}
            if days != {place[:3]} or not set(types) <= {None, kind}:
                sys.exit(f"error: {path} holds rows of {first} to {last} and {types}")
            rows_before, xor_before, total_before = sums[place]
            sums[place] = (rows_before + rows, xor_before ^ xor, total_before + int(total))
    return dict(sums)


def read_all_columns(target: pathlib.Path) -> Sums:
    """What all_checksums() returns, read in this process."""
    import duckdb

    engine = duckdb.connect(config={"threads": 2})
    engine.execute("SET TimeZone = 'UTC'")
    sums: Sums = defaultdict(lambda: (0, 0, 0))
    for path in target.rglob("*.parquet"):
        match = PLACE.search(str(path))
        if not match:
            continue
        table = engine.read_parquet(str(path), hive_partitioning=False)
        columns = sorted(set(table.columns) - {"event_type", "year", "month", "day"})
        types = dict(zip(table.columns, map(str, table.types)))
        form = ", ".join(f"{name} {types[name]}" for name in columns)
        row = "hash({}, '{}')".format(", ".join(f'"{name}"' for name in columns), form.replace("'", "''"))
        rows, xor, total = table.aggregate(f"count(*), bit_xor({row}), sum({row})").fetchall()[0]
        year, month, day, kind = match.groups()
        place = (int(year), int(month), int(day), bytes.fromhex(re.sub("[~%](..)|(.)", lambda each: each[1] or each[2].encode().hex(), kind)).decode())
        rows_before, xor_before, total_before = sums[place]
        sums[place] = (rows_before + rows, xor_before ^ xor, total_before + int(total))
    return dict(sums)


def must_be_equal(expected: Sums, found: Sums, whose: str, than: str) -> None:
    """Ends the benchmark at the first partition that differs."""
    for place in sorted(expected.keys() | found.keys()):
        if expected.get(place) != found.get(place):
            sys.exit(f"error: the results differ in {place}: {whose} has (rows, checksums) {found.get(place)}, {than} has {expected.get(place)}")


def rows_in(sums: Sums) -> int:
    return sum(rows for rows, _, _ in sums.values())


def days_in(sums: Sums) -> int:
    return len({place[:3] for place in sums})


if __name__ == "__main__":
    reads = read_all_columns if "--all-columns" in sys.argv else read
    print(json.dumps(list(reads(pathlib.Path(sys.argv[-1])).items())))
