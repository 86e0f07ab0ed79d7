"""Targets in each layout, with all types of a catalog and names that are none of SQL, and what pyarrow reads from their files.

In: BIN_DIR.
Out: `make` leaves the targets in a directory; `rows_of` has the rows of an event type, without the columns of the directories.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import subprocess

import pyarrow
import pyarrow.parquet

PROGRAMS = pathlib.Path(os.environ["BIN_DIR"]).resolve()
LAYOUTS = {"plain": ["--layout", "plain"], "hive": ["--layout", "hive"], "delta": ["--table", "delta"]}
UNITS = "day", "hour"
# A description that ends quotes, escapes and comments of every dialect, if it is not written right.
HOSTILE = "It's a \\\\ \\\"note\\\": `x`; -- /* ${y} ?\\n100 %"
CATALOG = f"""
[types.item.fields]
sku = "string"
price = "decimal(30,4)"
[domain.shop.fields]
note = {{ type = "string", description = "{HOSTILE}" }}
count = "int32"
id = "int64"
share = "float64"
paid = "boolean"
price = "decimal(9,2)"
exact = "decimal(38,2)"
total = "decimal(38,10)"
on = "date"
at = "timestamp"
ms = "timestamp(ms)"
raw = "json"
tags = "list(string)"
labels = "map(int64)"
items = "list(item)"
"order" = {{ type = "string", column = "Order-By" }}
"select" = {{ fields = {{ "from" = "string" }} }}
[domain.shop.events."order placed/EU"]
description = "{HOSTILE}"
[domain.shop.events."order placed/EU".fields]
grid = "list(list(float64))"
maps = "list(map(int32))"
[domain.shop.events.sale]
[domain.shop.events.Sale]
[domain.shop.events."select"]
description = "A keyword"
"""
TYPES = "order placed/EU", "sale", "Sale", "select"
INSTANTS = ["0001-01-01T00:00:00Z", "1899-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", "2024-10-10T07:59:59.999999Z",
            "2024-10-10T23:00:00Z", "2024-10-11T00:00:00Z", "9999-12-31T23:59:59.999999Z"]


def make(home: pathlib.Path) -> None:
    (home / "all.toml").write_text(CATALOG)
    lines = [json.dumps(event) + "\n" for event in events()]
    (home / "all.json").write_text("".join(lines))
    run("datagen", "-n", "3000", "-w", "-b", str(home / "in"))
    for (layout, flags), unit in itertools.product(LAYOUTS.items(), UNITS):
        place = ["--partition-by", unit, "--backfill", "-q", *flags]
        run("eventloader", "-s", str(home / "all.json"), "-t", str(home / f"all-{layout}-{unit}"), "--catalog", str(home / "all.toml"), *place)
        if unit == "day":
            run("eventloader", "-s", str(home / "in"), "-t", str(home / f"built-in-{layout}-{unit}"), *place)


def events():
    for (number, instant), n, event_type in itertools.product(enumerate(INSTANTS), range(3), TYPES):
        full = {"note": "é" * 40 + "🦀" * n, "count": -n, "id": 2**60 + n, "share": [1.5, -0.0, 1e300][n], "paid": n % 2 == 1,
                "price": f"{n}.25", "exact": f"-{'9' * 36}.0{n}", "total": f"-1234567890123456789012345678.{n}", "on": f"1899-12-{29 + n}",
                "at": f"1601-01-0{n + 1}T00:00:00.000001Z", "ms": n * 1000 + 1, "raw": {"a": [n, "'"]}, "tags": ["x", None, "y"][: n + 1],
                "labels": {f"k{n}": n, "z": None}, "items": [{"sku": "a", "price": "1.23"}, None][:n], "order": f"o\\{n}", "select": {"from": "f"},
                "grid": [[1.5], None, [None]][: n + 1], "maps": [{"a": 1}, None][:n]}
        data = full if n < 2 or number % 2 else {}
        known = data if event_type == TYPES[0] else {key: data[key] for key in data if key not in ("grid", "maps")}
        yield {"event_id": f"{number}-{n}", "timestamp": instant, "domain": "shop", "event_type": event_type, "data": known}


def run(program: str, *arguments: str) -> str:
    done = subprocess.run([PROGRAMS / program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: exit code {done.returncode}: {program} {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def show(home: pathlib.Path, engine: str, layout: str, unit: str, *flags: str) -> str:
    """The statements for the catalog of all types; built-in ones are left out."""
    catalog = ["--catalog", str(home / "all.toml"), "-D", "shop", "--format", engine]
    return run("eventloader", "catalog", "show", *catalog, "--partition-by", unit, *LAYOUTS[layout], *flags)


def directory(layout: str, event_type: str) -> str:
    """The name of the event type's directories."""
    mark = "%" if layout == "hive" else "~"
    return event_type.replace(" ", f"{mark}20").replace("/", f"{mark}2F")


def tables_of(target: pathlib.Path, layout: str, event_type: str) -> list[pyarrow.Table]:
    """Each file of an event type, with the columns that its path names as texts."""
    name = directory(layout, event_type)
    below = {"plain": f"*/**/{name}", "hive": f"*/**/event_type={name}", "delta": f"{name}/**"}[layout]
    tables = []
    for file in sorted(target.glob(f"{below}/*.parquet")):
        table = pyarrow.parquet.ParquetFile(file).read()
        for part in file.relative_to(target).parts:
            column, _, value = part.partition("=")
            if value:
                table = table.append_column(column, pyarrow.array([value] * table.num_rows))
        tables.append(table)
    return tables


def rows_of(target: pathlib.Path, layout: str, event_type: str) -> list[dict]:
    """In the order of their ids."""
    rows = itertools.chain.from_iterable(table.to_pylist() for table in tables_of(target, layout, event_type))
    return sorted(rows, key=lambda row: row["event_id"])
