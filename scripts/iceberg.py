#!/usr/bin/env python3
"""Runs the program and the commands of docs/iceberg.md, and checks what it says of Iceberg tables. Started by iceberg.sh.

In: the page's blocks, as readme.py finds them; BIN_DIR.
Out: exit code 1 if the page shows other output than its commands print, or a check fails. After each block, each Iceberg table has the
rows that pyarrow reads from the target's own files, as PyIceberg and as DuckDB's extension read them, and each snapshot that is kept the
rows that it had when it was made. Behind that: other layouts, all types, the statistics, kills, what goes wrong without links, and
the program of docs/tables.md.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import io
import itertools
import json
import logging
import os
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
import urllib.parse
from decimal import Decimal
from unittest import mock

import deltalake
import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import ValidationError
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.transforms import DayTransform

import readme

PAGE = readme.ROOT / "docs" / "iceberg.md"
PROGRAMS = pathlib.Path(os.environ["BIN_DIR"]).resolve()
# Columns of each type, and names that are no names of directories.
CATALOG = """
[types.item.fields]
sku = "string"
price = "decimal(30,4)"
[domain.shop.events."order placed/EU".fields]
note = "string"
count = "int32"
id = "int64"
share = "float64"
paid = "boolean"
price = "decimal(9,2)"
total = "decimal(38,10)"
on = "date"
at = "timestamp"
raw = "json"
tags = "list(string)"
labels = "map(int64)"
items = "list(item)"
[domain."*"]
"""
failures = []
snapshots = {}  # the rows of each snapshot when it was the current one


def check(what: str, found: object, expected: object) -> None:
    if found == expected:
        return
    failures.append(what)
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        found, expected = next((pair for pair in zip(found, expected) if pair[0] != pair[1]))
    if isinstance(found, dict) and isinstance(expected, dict):
        found, expected = ({name: row[name] for name in row if found.get(name) != expected.get(name)} for row in (found, expected))
    print(f"FAILED {what}\n  expected {str(expected)[:300]}\n  found    {str(found)[:300]}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/iceberg.sh", description="Runs what docs/iceberg.md shows, and checks the tables.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="exit with code 1 if docs/iceberg.md shows other output; print the difference")
    what.add_argument("--write", action="store_true", help="put the real output into docs/iceberg.md")
    given = parser.parse_args()

    code = readme.renew(PAGE, given.write, after=each_table_has_the_rows_of_its_target)
    check("the page makes snapshots", len(snapshots) > 10, True)
    with tempfile.TemporaryDirectory(prefix="iceberg.") as work:
        home = pathlib.Path(work)
        for file in readme.FILE.finditer(PAGE.read_text()):
            (home / file["name"]).write_text(file["text"])
        other_layouts_types_and_names(home)
        a_run_that_is_killed_is_made_good_by_the_next(home)
        files_that_are_replaced_are_not_noticed(home)
        two_at_once_add_a_file_twice(home)
        a_file_of_two_days_is_refused(home)
        what_others_do_to_a_table_is_put_back(home)
        copies_do_as_well_as_links(home)
        old_snapshots_are_forgotten(home)
        some_wider_types_are_promoted(home)
        tables_are_read_as_one_commit_left_them(home)
    print(f"{len(snapshots)} snapshots, {len(failures)} failed checks")
    return 1 if failures else code


def run(home: pathlib.Path, *command: str) -> str:
    done = subprocess.run(command, cwd=home, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"error: exit code {done.returncode}: {' '.join(command)}\n{done.stdout}")
    return done.stdout


def load(home: pathlib.Path, *flags: str) -> None:
    run(home, str(PROGRAMS / "eventloader"), *flags)


def sync(home: pathlib.Path, target: str, *arguments: str) -> None:
    """The page's program, in this process: a new one takes longer to begin than to do its work."""
    with mock.patch("sys.argv", ["sync.py", str(home / target), *arguments]), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(home / "sync.py"), run_name="__main__")


def catalog_of(iceberg: pathlib.Path) -> SqlCatalog:
    return SqlCatalog("lake", uri=f"sqlite:///{iceberg}/catalog.db", warehouse=f"file://{iceberg}")


def duckdb_with_iceberg() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for package in duckdb_extension_avro, duckdb_extension_iceberg:
        [extension] = glob.glob(f"{pathlib.Path(package.__file__).parent}/extensions/*/*.duckdb_extension")
        connection.load_extension(extension)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def in_order(rows: list[dict]) -> list[dict]:
    return sorted(rows, key=lambda row: row["event_id"])


def rows_of_target(target: pathlib.Path, name: str) -> list[dict]:
    """The rows of an event type, read from the target's own files."""
    if (target / name / "_delta_log").exists():
        table = deltalake.DeltaTable(target / name).to_pyarrow_table()
        return in_order(table.drop([column for column in ("day", "hour") if column in table.column_names]).to_pylist())
    files = [file for file in target.glob("[!_]*/**/*.parquet") if file.parent.name in (name, f"event_type={name}")]
    rows = itertools.chain.from_iterable(pyarrow.parquet.ParquetFile(file).read().to_pylist() for file in files)
    return in_order(rows)


def types_of_target(target: pathlib.Path) -> set[str]:
    return {log.parent.name for log in target.glob("*/_delta_log")} or {
        file.parent.name.removeprefix("event_type=") for file in target.glob("[!_]*/**/*.parquet")
    }


def as_pyiceberg_shows(rows: list[dict]) -> list[dict]:
    """PyIceberg 0.12.0 shows a list of objects that is null as an empty one."""
    return [{**row, "data_items": row["data_items"] or []} if "data_items" in row else row for row in rows]


def each_table_has_the_rows_of_its_target(home: pathlib.Path, targets: str = "*") -> None:
    for iceberg in home.glob(f"{targets}-iceberg"):
        catalog, target = catalog_of(iceberg), home / iceberg.name.removesuffix("-iceberg")
        names = {name for _, name in catalog.list_tables("events")}
        check(f"{target.name}: the types", types_of_target(target) - names, set())
        for name in names:
            table, rows = catalog.load_table(("events", name)), rows_of_target(target, name)
            expected = [{column.name: row.get(column.name) for column in table.schema().fields} for row in rows]
            what = f"{target.name}, {name}, snapshot {len(table.snapshots())}"
            check(f"{what}: PyIceberg", in_order(table.scan().to_arrow().to_pylist()), as_pyiceberg_shows(expected))
            check(f"{what}: the count", table.scan().count(), len(expected))
            sql = f"SELECT * FROM iceberg_scan('{table.metadata_location}')"
            check(f"{what}: DuckDB", in_order(duckdb_with_iceberg().execute(sql).to_arrow_table().to_pylist()), expected)
            days = {row["timestamp"].date() for row in rows}
            check(f"{what}: the days", {file["partition"]["timestamp_day"] for file in table.inspect.files().to_pylist()}, days)
            snapshots.setdefault((str(target), name, table.current_snapshot().snapshot_id), expected)
            for snapshot in table.snapshots():
                old = snapshots.get((str(target), name, snapshot.snapshot_id))
                if old is not None:
                    there = in_order(table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist())
                    check(f"{what}: an old snapshot", len(there), len(old))
                    check(f"{what}: an old snapshot's rows", [row["event_id"] for row in there], [row["event_id"] for row in old])
            links = [str(link) for link in (iceberg / "files").glob("**/*.parquet") if {name, f"event_type={name}"} & set(link.parts)]
            files = [urllib.parse.urlparse(file).path for file in table.inspect.all_files()["file_path"].to_pylist()]
            # A file that another program has added is in old snapshots.
            check(f"{what}: the links", sorted(links) if links else files, sorted(file for file in set(files) if not links or "/files/" in file))


def other_layouts_types_and_names(home: pathlib.Path) -> None:
    (home / "all.toml").write_text(CATALOG)
    instants = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2024-10-10T23:59:59.999999Z",
                "2024-10-11T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
    lines = []
    for (number, instant), n in itertools.product(enumerate(instants), range(3)):
        full = {"note": "é" * 40 + chr(0x10FFFF) * n, "count": -n, "id": 2**60 + n, "share": [1.5, -0.0, 1e300][n], "paid": n % 2 == 1,
                "price": f"{n}.25", "total": f"-1234567890123456789012345678.{n}", "on": f"1969-07-{20 + n}",
                "at": f"1601-01-0{n + 1}T00:00:00.000001Z", "raw": {"a": [n]}, "tags": ["x", None, "y"][: n + 1],
                "labels": {f"k{n}": n, "z": None}, "items": [{"sku": "a", "price": "1.23"}, None][:n]}
        base = {"event_id": f"{number}-{n}", "timestamp": instant, "data": full if n < 2 or number % 2 else {}}
        lines += [base | {"domain": "shop", "event_type": "order placed/EU"}, base | {"domain": "zoo", "event_type": "a.b"}]
    (home / "all.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    forms = ["--layout", "plain"], ["--layout", "hive"], ["--table", "delta"]
    for (flag, form), unit in itertools.product(forms, ("day", "hour")):
        target = f"{form}-{unit}"
        load(home, "-s", "all.json", "-t", target, flag, form, "--partition-by", unit, "--backfill", "--catalog", "all.toml")
        sync(home, target)
    each_table_has_the_rows_of_its_target(home)
    table = catalog_of(home / "plain-day-iceberg").load_table(("events", "order~20placed~2FEU"))
    rows = rows_of_target(home / "plain-day", "order~20placed~2FEU")
    for column in rows[0]:
        values = {str(row[column]): row[column] for row in rows if not isinstance(row[column], (list, dict, type(None)))}
        some = itertools.islice(values.values(), 0, None, 1 + len(values) // 4)
        for value, (compare, holds) in itertools.product(some, COMPARISONS.items()):
            expected = sum(row[column] is not None and holds(row[column], value) for row in rows)
            check(f"{compare.__name__}({column}, {value})", table.scan(row_filter=compare(column, value)).to_arrow().num_rows, expected)


COMPARISONS = {EqualTo: lambda a, b: a == b, GreaterThanOrEqual: lambda a, b: a >= b, LessThanOrEqual: lambda a, b: a <= b}


DYING = """
import os, runpy, sys
from pyiceberg.catalog.sql import SqlCatalog
left = int(sys.argv.pop(1))
def dying(function):
    def call(*arguments, **named):
        global left
        left -= 1
        return os._exit(9) if left < 0 else function(*arguments, **named)
    return call
os.link = dying(os.link)
SqlCatalog.create_table, SqlCatalog.commit_table = dying(SqlCatalog.create_table), dying(SqlCatalog.commit_table)
sys.argv.pop(0)
runpy.run_path("sync.py", run_name="__main__")
"""


def a_run_that_is_killed_is_made_good_by_the_next(home: pathlib.Path) -> None:
    """Each run dies some steps later: before a link, before the table, before a commit."""
    run(home, str(PROGRAMS / "datagen"), "-n", "2000", "-w", "-b", "kill-in")
    (home / "dying.py").write_text(DYING)
    for corrections, days, steps in (0, "--date=2024-10-10", "1"), (20, "--backfill", "2"):
        lines = run(home, str(PROGRAMS / "datagen"), "-n", "2000", "--faults", f"corrections={corrections}")
        (home / "corrections.json").write_text(lines)
        load(home, "-s", "corrections.json", "-t", "killed", days, "--mode", "merge", "--event-type", "payment-to")
        deaths = 0
        command = [sys.executable, "-W", "ignore", "dying.py", steps, "sync.py", "killed"]
        while subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL).returncode == 9:
            deaths += 1
        check(f"deaths with {corrections} corrections", deaths > 0, True)
        each_table_has_the_rows_of_its_target(home, "killed")


def table_of_files(home: pathlib.Path, name: str) -> tuple[SqlCatalog, tuple[str, str], list[str]]:
    """A table of a target's own files, as the page warns of."""
    load(home, "-s", "kill-in", "-t", name, "--backfill", "--event-type", "payment-to")
    files = sorted(str(file) for file in (home / name).glob("*/*/*/payment-to/*.parquet"))
    (home / f"{name}-table").mkdir()
    catalog = catalog_of(home / f"{name}-table")
    catalog.create_namespace("events")
    with catalog.create_table(("events", name), pyarrow.parquet.read_schema(files[0])).update_spec() as spec:
        spec.add_field("timestamp", DayTransform(), "timestamp_day")
    return catalog, ("events", name), files


def files_that_are_replaced_are_not_noticed(home: pathlib.Path) -> None:
    catalog, name, files = table_of_files(home, "replaced")
    table = catalog.load_table(name)
    table.add_files(files)
    first, before = table.current_snapshot().snapshot_id, table.scan().count()
    more = run(home, str(PROGRAMS / "datagen"), "-n", "2000", "--seed", "9")
    (home / "more.json").write_text(more)
    load(home, "-s", "more.json", "-t", "replaced", "--backfill", "--mode", "merge", "--event-type", "payment-to")
    after = sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)
    check("a load puts other rows in the place of a file", after != before, True)
    check("scan() shows the new rows", table.scan().to_arrow().num_rows, after)
    check("count() says the old number", table.scan().count(), before)
    check("an old snapshot shows new rows", table.scan(snapshot_id=first).to_arrow().num_rows, after)
    ids = pyarrow.concat_tables(pyarrow.parquet.read_table(file, columns=["event_id"], partitioning=None) for file in files)
    least = min(ids["event_id"].to_pylist())
    check("old statistics hide new rows", table.scan(row_filter=EqualTo("event_id", least)).to_arrow().num_rows, 0)


def two_at_once_add_a_file_twice(home: pathlib.Path) -> None:
    catalog, name, files = table_of_files(home, "twice")
    logging.getLogger("pyiceberg").setLevel(logging.ERROR)  # it says that it tries again
    commits = [catalog.load_table(name).transaction() for _ in range(2)]
    for commit in commits:
        commit.add_files(files[:1])
    for commit in commits:
        commit.commit_transaction()
    check("twice", catalog.load_table(name).scan().count(), 2 * pyarrow.parquet.read_metadata(files[0]).num_rows)


def a_file_of_two_days_is_refused(home: pathlib.Path) -> None:
    catalog, name, files = table_of_files(home, "two-days")
    both = pyarrow.concat_tables(pyarrow.parquet.ParquetFile(file).read() for file in files[:2])
    pyarrow.parquet.write_table(both, home / "both.parquet")
    try:
        catalog.load_table(name).add_files([str(home / "both.parquet")])
        check("a file of two days", "added", "refused")
    except ValueError as error:
        check("a file of two days", str(error).startswith("Cannot infer partition value"), True)


def what_others_do_to_a_table_is_put_back(home: pathlib.Path) -> None:
    table = catalog_of(home / "killed-iceberg").load_table(("events", "payment-to"))
    first, *others = sorted((task.file for task in table.scan().plan_files()), key=lambda file: file.file_path)
    pyarrow.parquet.write_table(pyarrow.parquet.ParquetFile(first.file_path.removeprefix("file://")).read(), home / "foreign.parquet")
    table.add_files([str(home / "foreign.parquet")])
    check("others append", table.scan().count(), sum(file.record_count for file in (first, first, *others)))
    table.delete(GreaterThanOrEqual("timestamp", "2024-10-11T00:00:00+00:00"))
    check("others delete", table.scan().count(), 2 * first.record_count)
    sync(home, "killed")
    each_table_has_the_rows_of_its_target(home, "killed")


def copies_do_as_well_as_links(home: pathlib.Path) -> None:
    [line, copy] = re.search(r"<!-- instead of: (.*?) -->\n```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL).groups()
    program = (home / "sync.py").read_text()
    (home / "sync.py").write_text(program.replace(f"        {line}\n", copy).replace("import datetime,", "import shutil, datetime,"))
    load(home, "-s", "kill-in", "-t", "copied", "--backfill", "--event-type", "payment-to")
    sync(home, "copied")
    each_table_has_the_rows_of_its_target(home, "copied")
    copies = list((home / "copied-iceberg" / "files").glob("**/*.parquet"))
    check("copies", {copy.stat().st_nlink for copy in copies}, {1})
    (home / "sync.py").write_text(program)


def old_snapshots_are_forgotten(home: pathlib.Path) -> None:
    table = catalog_of(home / "killed-iceberg").load_table(("events", "payment-to"))
    check("there are old snapshots", len(table.snapshots()) > 1, True)
    sync(home, "killed", "0")
    check("one snapshot is left", len(table.refresh().snapshots()), 1)
    each_table_has_the_rows_of_its_target(home, "killed")
    files = [file for file in (home / "killed").glob("[!_]*/**/*.parquet")]
    links = list((home / "killed-iceberg" / "files").glob("**/*.parquet"))
    check("the links are those of the target's files", {link.stat().st_ino for link in links}, {file.stat().st_ino for file in files})


def some_wider_types_are_promoted(home: pathlib.Path) -> None:
    (home / "types").mkdir()
    catalog = catalog_of(home / "types")
    catalog.create_namespace("events")
    int32, int64, decimal, text = pyarrow.int32(), pyarrow.int64(), pyarrow.decimal128, pyarrow.string()
    instant, money = pyarrow.timestamp("us", "UTC"), decimal(9, 2)
    for n, (narrow, wide, is_promoted) in enumerate([
        (int32, int64, True), (money, decimal(12, 2), True), (int32, decimal(12, 2), False), (int64, decimal(21, 2), False),
        (int32, pyarrow.float64(), False), (pyarrow.date32(), instant, False), (int32, text, False), (instant, text, False),
        (pyarrow.list_(int32), text, False),
    ]):
        table = catalog.create_table(("events", f"t{n}"), pyarrow.schema([("a", narrow)]))
        try:
            with table.update_schema() as columns:
                columns.union_by_name(pyarrow.schema([("a", wide)]))
            found = table.schema().as_arrow().field("a").type == wide
        except (ValueError, ValidationError):
            found = False
        check(f"{narrow} → {wide} is promoted", found, is_promoted)
    # Old and new files beside each other, in either order. Where the scale differs, an old file is hidden; its values are in 1, 2.
    for n, (first, second, found) in enumerate([
        (int32, int64, [1, 1]), (int64, int32, [1, 1]), (money, decimal(12, 2), [1, 1]), (decimal(12, 2), money, [1, 1]),
        (money, decimal(12, 4), [0, 1]),
    ]):
        table = catalog.create_table(("events", f"files{n}"), pyarrow.schema([("a", first)]))
        for type_, values in (first, [1, 2]), (second, [3, 4]):
            file = home / "types" / f"{n}-{type_}.parquet"
            pyarrow.parquet.write_table(pyarrow.table({"a": pyarrow.array(map(Decimal, values)).cast(type_)}), file)
            with table.transaction() as commit:
                with commit.update_schema() as columns:
                    columns.union_by_name(pyarrow.schema([("a", type_)]))
                commit.add_files([str(file)])
        scale = getattr(second, "scale", 0)
        literals = [round(Decimal(value), scale) if scale else value for value in (1, 4)]
        counts = [table.scan(row_filter=EqualTo("a", literal)).to_arrow().num_rows for literal in literals]
        check(f"{first} and {second} beside each other", counts, found)


def tables_are_read_as_one_commit_left_them(home: pathlib.Path) -> None:
    """By the program of docs/tables.md, while the second of two commits is in one table and not in all, as far as is known."""
    [program] = re.findall(r"```python\n(.*?table_then.*?)^```", (readme.ROOT / "docs" / "tables.md").read_text(), re.MULTILINE | re.DOTALL)
    load(home, "-s", "kill-in", "-t", "moment", "--date", "2024-10-10", "--event-type", "payment-to", "--table", "delta")
    then = rows_of_target(home / "moment", "payment-to")
    load(home, "-s", "kill-in", "-t", "moment", "--backfill", "--domain", "transaction")
    (home / "moment" / "_eventloader" / "published.json").write_text('{"number": 1}')
    names = {}
    exec(program.replace('"lake"', repr(str(home / "moment"))), names)
    table = names["table_then"]("payment-to").to_pyarrow_table()
    check("a table as it was then", in_order(table.drop(["day"]).to_pylist()), then)
    check("a table that was not there yet", names["table_then"]("payment-from"), None)


if __name__ == "__main__":
    sys.exit(main())
