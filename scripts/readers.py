"""Reads what eventloader writes as data scientists and old readers do: whole targets of the layout hive, with the defaults of
pandas and pyarrow; files with basic encodings, with fastparquet. The rows must be those that pyarrow reads from the files of
the plain layout with compact encodings, which engines.py compares with a model.

Usage: readers.py DIRECTORY_OF_THE_BINARIES EMPTY_DIRECTORY
"""

import json
import pathlib
import subprocess
import sys

import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BINARIES, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])

# Column types that the readers take: pandas and fastparquet have no decimals that are the same.
CATALOG = """
[domain.shop.fields]
id       = "int64"
pieces   = "int32"
price    = "float64"
paid     = "boolean"
note     = "string"
on       = "date"
shipped  = "timestamp"
amount   = "decimal(12,2)"
total    = "decimal(30,2)"

[domain.shop.events.sale]
[domain.shop.events."order placed/EU"]

[domain.list.events.visit.fields]
tags  = "list(string)"
sizes = "list(int32)"
notes = "map(string)"
where = { fields = { city = "string", at = { fields = { lat = "float64" } } } }
"""

checks = {"passed": 0, "failed": 0}


def equal(name, found, expected):
    is_equal = found == expected
    checks["passed" if is_equal else "failed"] += 1
    print(f"{'ok    ' if is_equal else 'FAILED'} {name}")
    if not is_equal:
        print(f"         expected {str(expected)[:600]}\n         found    {str(found)[:600]}")


def events(count):
    for number in range(count):
        third = number % 3
        yield {
            "event_id": f"{number:08x}-0000-4000-8000-000000000000" if third else f"id-{number}",
            "timestamp": f"2024-10-{10 + number % 4}T{number % 24:02}:00:00.{number % 1_000_000:06}",
            "domain": "shop",
            "event_type": ("sale", "order placed/EU")[number % 2],
            "data": {
                "id": number * 7_919_000_000_007, "pieces": number % 5, "price": number / 7, "paid": number % 5 < 2,
                "note": None if third else f"Grüße {number * number}", "on": "2024-02-29", "shipped": f"2024-10-10T00:00:{number % 60:02}Z",
                "amount": f"{number}.25", "total": f"{number}00000000000000000000.75",
            } if third else {"note": "x", "pieces": number},
        }


def visits(count):
    for number in range(count):
        yield {
            "event_id": f"{number:08x}-0000-4000-8000-000000000000", "timestamp": f"2024-10-10T00:00:00.{number:06}", "domain": "list",
            "event_type": "visit",
            "data": {"tags": ["a", f"t{number}"][: number % 3], "sizes": [number, None, 3] if number % 2 else None,
                     "notes": {key: f"{key}{number}" if key else None for key in ["z", "a", "", f"ü{number}"][: number % 5]} if number % 7 else None,
                     "where": {"city": f"c{number % 7}", "at": {"lat": number / 3}}},
        }


def load(target, *flags):
    subprocess.run([BINARIES / "eventloader", "-s", WORK / "in", "-t", WORK / target, "-b", "-q", "--catalog", WORK / "shop.toml", *flags], check=True)
    return WORK / target


def files_of(target):
    return sorted(target.rglob("*.parquet"))


def plain_rows(target):
    """The rows that the files of a plain target hold, by event type and id."""
    rows = {}
    for path in files_of(target):
        for row in pq.ParquetFile(path).read().to_pylist():
            rows[row["event_type"], row["event_id"]] = row
    return rows


def check_hive_defaults(expected):
    """No argument but the path."""
    target = load("hive", "--layout", "hive", "-D", "shop")
    expected = {key: row for key, row in expected.items() if row["domain"] == "shop"}
    # A row as the files of a plain target have it, with the columns of the directories.
    wanted = {key: row | {"year": row["timestamp"].year, "month": row["timestamp"].month, "day": row["timestamp"].day} for key, row in expected.items()}

    table = pq.read_table(target)
    equal("hive: pyarrow.parquet.read_table(target): every row, with its event type and day", by_key(table.to_pylist()), wanted)
    table = pq.read_table(target, filters=[("event_type", "=", "order placed/EU"), ("day", "=", 11)])
    equal("hive: pyarrow: a filter by event type and day", by_key(table.to_pylist()),
          {key: row for key, row in wanted.items() if key[0] == "order placed/EU" and row["day"] == 11})
    frame = pd.read_parquet(target)
    equal("hive: pandas.read_parquet(target): every row, with its event type and day",
          sorted(zip(frame["event_type"], frame["event_id"], frame["day"].astype(int), frame["data_pieces"])),
          sorted((row["event_type"], row["event_id"], row["day"], row["data_pieces"]) for row in wanted.values()))
    frame = pd.read_parquet(target, filters=[("event_type", "=", "sale")])
    equal("hive: pandas: a filter by event type", sorted(frame["event_id"]), sorted(key[1] for key in wanted if key[0] == "sale"))

    keys = sorted((row["event_type"], row["event_id"], row["year"], row["month"], row["day"]) for row in wanted.values())
    found = duckdb.sql(f"SELECT event_type, event_id, year, month, day FROM read_parquet('{target}/*/*/*/*/*.parquet') ORDER BY ALL").fetchall()
    equal("hive: DuckDB: read_parquet, without a flag", sorted(found), keys)
    found = pl.read_parquet(f"{target}/**/*.parquet", hive_partitioning=True).select("event_type", "event_id", "year", "month", "day").rows()
    equal("hive: Polars: read_parquet of a glob, with hive_partitioning", sorted(found), keys)
    check_columns_of_two_types()


def check_columns_of_two_types():
    """docs/readers.md: what to do where event types have other columns, or data_id is of another type, as in the built-in events."""
    generated = WORK / "generated"
    subprocess.run([BINARIES / "datagen", "-s", "3", "-n", "2000", "-w", "-b", generated], check=True, stderr=subprocess.DEVNULL)
    target = WORK / "two types"
    subprocess.run([BINARIES / "eventloader", "-s", generated, "-t", target, "-b", "-q", "--layout", "hive"], check=True)
    names = pq.read_table(target).column_names
    equal("hive: pyarrow: without a schema, the columns are those of the first file", ("data_reason" in names, "data_amount" in names), (True, False))
    of_one = sorted(path for path in target.rglob("*.parquet") if "event_type=payment-to" in str(path))
    schema = pq.read_schema(of_one[0])
    for name in "year", "month", "day":
        schema = schema.append(pa.field(name, pa.int32()))
    schema = schema.append(pa.field("event_type", pa.string()))
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in of_one)
    table = pq.read_table(target, schema=schema, filters=[("event_type", "=", "payment-to")])
    equal("hive: pyarrow: one event type of it, by schema and filter", (table.num_rows, set(table["event_type"].to_pylist())), (rows, {"payment-to"}))
    frame = pd.read_parquet(target, schema=schema, filters=[("event_type", "=", "payment-to")])
    equal("hive: pandas: one event type of it, by schema and filter", (len(frame), frame["data_amount"].notna().all()), (rows, True))


def by_key(rows):
    found = {(row["event_type"], row["event_id"]): row for row in rows}
    assert len(found) == len(rows), "an event twice"
    return found


def check_encodings(name, target, allowed):
    found = set()
    for path in files_of(target):
        metadata = pq.ParquetFile(path).metadata
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                found |= set(column.encodings)
                assert column.statistics is not None, f"{path}: {column.path_in_schema} has no statistics"
    equal(f"{name}: encodings are {', '.join(sorted(allowed))} and no others", found - allowed, set())


def as_python(value):
    """A value of fastparquet as pyarrow gives it."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [as_python(item) for item in value]
    if isinstance(value, dict):
        return list(value.items())
    if value is None or value is pd.NaT or (not isinstance(value, (list, dict, str)) and pd.isna(value)):
        return None
    return value


def comparable(row):
    """fastparquet gives decimals and integers with nulls as floats, those of many digits not quite, and days as instants."""
    texts = {}
    for name, value in row.items():
        value = as_python(value)
        if value is None:
            texts[name] = None
        elif isinstance(value, (str, list, bool)):
            texts[name] = value
        elif hasattr(value, "isoformat"):
            texts[name] = pd.Timestamp(value).tz_localize(None).isoformat()
        else:
            texts[name] = f"{float(value):.13g}"
    return texts


def check_fastparquet(expected):
    for codec in "zstd", "snappy", "none":
        target = load(f"basic {codec}", "--encodings", "basic", "--compression", codec)
        check_encodings(f"basic, {codec}", target, {"PLAIN", "RLE", "RLE_DICTIONARY"})
        wrong, count = [], 0
        for path in files_of(target):
            rows = pq.ParquetFile(path).read()
            # pyarrow has proved these files elsewhere; here it is the other reader that is looked at.
            flat = [name for name in rows.column_names if not pa.types.is_struct(rows.schema.field(name).type)]
            frame = fastparquet.ParquetFile(str(path)).to_pandas(columns=[name for name in flat])
            for found, row in zip(frame.to_dict("records"), rows.select(flat).to_pylist()):
                count += 1
                if comparable(found) != comparable(row):
                    wrong.append((path.name, comparable(found), comparable(row)))
        equal(f"basic, {codec}: fastparquet reads {count} rows, each as pyarrow", wrong[:1], [])
        equal(f"basic, {codec}: pyarrow reads the rows of compact encodings", plain_rows(target), expected)


def main():
    (WORK / "in").mkdir()
    lines = [*events(6_000), *visits(500)]
    (WORK / "in/events.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (WORK / "shop.toml").write_text(CATALOG)
    expected = plain_rows(load("compact"))
    equal("compact: every event is there", len(expected), len(lines))
    check_hive_defaults(expected)
    check_fastparquet(expected)
    print(f"{checks['passed']} passed, {checks['failed']} failed")
    return 1 if checks["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
