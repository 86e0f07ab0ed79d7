"""Reads tables that have files of an old and of a widened type beside each other, with every engine that is installed in this
environment: by default, and in the way that docs/readers.md recommends. The values must be those of the events, in the new
type; where an engine fails, or silently shows other values, that is expected as docs/readers.md says it.

The files are those of two merges, the second with a catalog whose columns are wider, which leaves the days of the first as they are.

Usage: widened.py DIRECTORY_OF_THE_BINARIES EMPTY_DIRECTORY [-v]: -v shows each step.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

BINARIES, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])

NOON = datetime(2024, 2, 29, 12, 34, 56, 123456)
FINE = "1234567890123456789012345678.12"

# By name: the old type, the new one; values of events with the old catalog, and with the new one, each with what is to be read.
STEPS = {
    "int32 → int64": ("int32", "int64", [(1, 1), (-(2**31), -(2**31)), (None, None)], [(3 * 10**9, 3 * 10**9)]),
    "int32 → decimal": ("int32", "decimal(12,2)", [(1, Decimal(1)), (None, None)], [("0.25", Decimal("0.25"))]),
    "int32 → float64": ("int32", "float64", [(1, 1.0), (-(2**31), -(2.0**31)), (None, None)], [(0.5, 0.5)]),
    "int64 → decimal": ("int64", "decimal(21,2)", [(-(2**63), Decimal(-(2**63))), (None, None)], [("0.25", Decimal("0.25"))]),
    "decimal(9,2) → (12,2)": ("decimal(9,2)", "decimal(12,2)", [("1.25", Decimal("1.25")), (None, None)], [("1234567890.25", Decimal("1234567890.25"))]),
    "decimal(9,2) → (30,2)": ("decimal(9,2)", "decimal(30,2)", [("1.25", Decimal("1.25")), (None, None)], [(FINE, Decimal(FINE))]),
    "decimal(9,2) → (12,4)": ("decimal(9,2)", "decimal(12,4)", [("1.25", Decimal("1.25")), (None, None)], [("1.2555", Decimal("1.2555"))]),
    "date → timestamp": ("date", "timestamp", [("2024-02-29", datetime(2024, 2, 29)), (None, None)], [("2024-02-29T12:34:56.123456Z", NOON)]),
    "int64 → string": ("int64", "string", [(1, "1"), (None, None)], [("x", "x")]),
    "float64 → string": ("float64", "string", [(0.5, "0.5"), (None, None)], [("x", "x")]),
    "decimal → string": ("decimal(9,2)", "string", [("1.50", "1.50"), (None, None)], [("x", "x")]),
    "boolean → string": ("boolean", "string", [(True, "true"), (None, None)], [("x", "x")]),
    "date → string": ("date", "string", [("2024-02-29", "2024-02-29"), (None, None)], [("x", "x")]),
    "timestamp → string": ("timestamp", "string", [("2024-02-29T12:34:56Z", "2024-02-29T12:34:56Z"), (None, None)], [("x", "x")]),
    "list → string": ("list(int32)", "string", [([1, None], "[1,null]"), (None, None)], [("x", "x")]),
    "list(int32) → list(int64)": ("list(int32)", "list(int64)", [([1, None], [1, None]), (None, None)], [([3 * 10**9], [3 * 10**9])]),
    "map(int32) → map(int64)": ("map(int32)", "map(int64)", [({"a": 1}, {"a": 1}), (None, None)], [({"b": 3 * 10**9}, {"b": 3 * 10**9})]),
    "a member in a list of objects": (
        {"list": {"fields": {"n": "int32"}}}, {"list": {"fields": {"n": "int32", "m": "string"}}},
        [([{"n": 1}], [{"n": 1, "m": None}]), (None, None)], [([{"n": 2, "m": "x"}], [{"n": 2, "m": "x"}])],
    ),
    "a column": (None, "string", [(None, None)], [("x", "x")]),
}
ALL = set(STEPS)
TO_STRING = {name for name in STEPS if name.endswith("→ string")}
NUMBERS_IN_CONTAINERS = {"list(int32) → list(int64)", "map(int32) → map(int64)"}
MEMBER, COLUMN = "a member in a list of objects", "a column"
# A value that became a text has another one in engines than in a merge or a rewrite.
OTHER_TEXT = {"timestamp → string"}

checks = {"passed": 0, "failed": 0}


def equal(name, found, expected):
    is_equal = found == expected
    checks["passed" if is_equal else "failed"] += 1
    print(f"{'ok    ' if is_equal else 'FAILED'} {name}")
    if not is_equal:
        print(f"         expected {str(expected)[:900]}\n         found    {str(found)[:900]}")


# --- The target ------------------------------------------------------------------------------------------------------

def toml(kind):
    return f'"{kind}"' if isinstance(kind, str) else "{ " + ", ".join(f"{key} = {toml(value)}" for key, value in kind.items()) + " }"


def make_target():
    """Two days with the old catalog, and one between them with the new one; returns what is to be read: step → rows."""
    rows = {name: [] for name in STEPS}
    for catalog, days in ("old", ("2024-10-10", "2024-10-12")), ("new", ("2024-10-11",)):
        types, lines = [], []
        for number, (name, (old, new, old_values, new_values)) in enumerate(STEPS.items()):
            kind, values = (old, old_values) if catalog == "old" else (new, new_values)
            field = "" if kind is None else f"v = {toml(kind)}\n"
            types.append(f'[domain.d.events.step-{number}.fields]\nk = "int32"\n{field}')
            for day in days:
                for value, expected in values:
                    key = len(rows[name])
                    rows[name].append((key, expected))
                    lines.append({"event_id": f"{name} {key}", "timestamp": f"{day}T00:00:{key:02}Z", "domain": "d", "event_type": f"step-{number}",
                                  "data": {"k": key, "v": value}})
        (WORK / f"{catalog}.toml").write_text("\n".join(types))
        (WORK / f"{catalog}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
        subprocess.run([BINARIES / "eventloader", "-q", "-s", WORK / f"{catalog}.json", "-b", "--mode", "merge", "--catalog", WORK / f"{catalog}.toml",
                        "-t", WORK / "lake"], check=True)
    return rows


def files_of(step):
    """In the order of their days: old, new, old."""
    number = list(STEPS).index(step)
    return [str(path) for path in sorted((WORK / "lake").glob(f"*/*/*/step-{number}/*.parquet"))]


def newest(files):
    return files[1]


# --- The readers: the files of a step → pairs of key and value -------------------------------------------------------

def pairs(columns):
    return list(zip(columns["data_k"], columns["data_v"]))


def of_duckdb(options):
    import duckdb
    # By way of Arrow, because Python's own instants would need another package.
    return lambda files: pairs(duckdb.sql(f"SELECT data_k, data_v FROM read_parquet({files}{options})").to_arrow_table().to_pydict())


def of_polars(scan):
    import polars as pl
    return lambda files: pairs(scan(pl, files).collect().to_dict(as_series=False))


def polars_schema(pl, files):
    casts = pl.ScanCastOptions(integer_cast=["upcast", "allow-float"], float_cast="upcast", missing_struct_fields="insert")
    return pl.scan_parquet(files, schema=pl.read_parquet_schema(newest(files)), cast_options=casts, missing_columns="insert")


def of_pyarrow(with_schema):
    import pyarrow.dataset as ds
    return lambda files: pairs(ds.dataset(files, schema=pq.read_schema(newest(files)) if with_schema else None).to_table().to_pydict())


def of_pandas(files):
    import pandas as pd
    frame = pd.read_parquet(files, schema=pq.read_schema(newest(files)), dtype_backend="pyarrow")
    return pairs(pa.Table.from_pandas(frame).to_pydict())


def of_clickhouse(files, of=newest):
    """With the structure of one of the files. Without a structure it takes that of the file that its directory happens to list first."""
    import chdb

    def query(sql):
        return chdb.query(sql, "ArrowTable").to_pydict()

    columns = query(f"DESCRIBE file('{of(files)}', Parquet)")
    structure = ", ".join(f"`{name}` {kind}" for name, kind in zip(columns["name"], columns["type"])).replace("'", "\\'")
    paths = f"{WORK}/lake/*/*/*/{pathlib.Path(files[0]).parent.name}/*.parquet"
    found = query(f"SELECT data_k, data_v FROM file('{paths}', Parquet, '{structure}')")
    # A list or map is never null in ClickHouse.
    return [(key, None if value in ([], {}) else value) for key, value in pairs(found)]


def of_spark(spark, read):
    return lambda files: [tuple(row) for row in read(spark, files).select("data_k", "data_v").collect()]


def spark_schema(spark, files):
    return spark.read.schema(spark.read.parquet(newest(files)).schema).parquet(*files)


def spark_union(spark, files):
    """What is old is read apart from what is new, and cast."""
    from pyspark.sql.functions import col, lit
    new = spark.read.parquet(newest(files))
    old = spark.read.parquet(*(file for file in files if file != newest(files)))
    has_column = "data_v" in old.columns
    return old.withColumn("data_v", (col("data_v") if has_column else lit(None)).cast(new.schema["data_v"].dataType)).unionByName(new)


def is_installed(package):
    return importlib.util.find_spec(package) is not None


def plain(value):
    """A value of any engine as Python has it."""
    if hasattr(value, "asDict"):
        value = value.asDict(recursive=True)
    if isinstance(value, list) and value and all(type(item) is tuple for item in value):
        value = dict(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(timezone.utc).replace(tzinfo=None)
    return value


def outcome(read, files, rows):
    """`right`, `fails`, or what is read instead."""
    try:
        found = sorted(((key, plain(value)) for key, value in read(files)), key=lambda pair: pair[0])
    except Exception as error:  # noqa: BLE001: each engine has errors of its own
        return "fails", " ".join(str(error).split())[:120]
    rows = sorted(rows)
    if found == rows and all(type(one[1]) is type(other[1]) for one, other in zip(found, rows)):
        return "right", ""
    return "wrong", str([pair for pair, row in zip(found, rows) if pair != row or type(pair[1]) is not type(row[1])][:3])


def check(name, read, rows, right, wrong=frozenset()):
    """The steps whose values are right, and those with which others are shown; with the rest it fails."""
    found = {step: outcome(read, files_of(step), rows[step]) for step in STEPS}
    counts = f"{len(right)} right, {len(wrong)} wrong, {len(STEPS) - len(right) - len(wrong)} fail"
    hows = {step: "right" if step in right else "wrong" if step in wrong else "fails" for step in STEPS}
    equal(f"{name}: of {len(STEPS)} steps {counts}", {step: how for step, (how, _) in found.items() if how != hows[step]}, {})
    if "-v" in sys.argv:
        for step, (how, text) in found.items():
            print(f"           {step:30} {how} {text}")


def main():
    rows = make_target()
    if is_installed("duckdb"):
        # The first file decides the type, and values are cast to it: rounded, cut, or left out without a word.
        silent = {"int32 → decimal", "int32 → float64", "int64 → decimal", "decimal(9,2) → (12,4)", "date → timestamp", MEMBER}
        check("DuckDB", of_duckdb(""), rows, right=set(), wrong=silent)
        check("DuckDB, union_by_name", of_duckdb(", union_by_name = true"), rows, right=ALL - OTHER_TEXT - {"list → string"}, wrong=OTHER_TEXT)
    if is_installed("polars"):
        check("Polars, scan_parquet", of_polars(lambda pl, files: pl.scan_parquet(files)), rows, right=set())
        safe = {"int32 → int64", "int32 → float64", "decimal(9,2) → (12,2)", "decimal(9,2) → (30,2)", MEMBER, COLUMN} | NUMBERS_IN_CONTAINERS
        check("Polars, schema and casts", of_polars(polars_schema), rows, right=safe)
        check("Polars, diagonal_relaxed", of_polars(lambda pl, files: pl.concat([pl.scan_parquet(file) for file in files], how="diagonal_relaxed")),
              rows, right=ALL - OTHER_TEXT - {"list → string"}, wrong=OTHER_TEXT)
    check("pyarrow, dataset", of_pyarrow(False), rows, right=set(), wrong={"date → timestamp", MEMBER})
    check("pyarrow, schema", of_pyarrow(True), rows, right=ALL - OTHER_TEXT - {"list → string"}, wrong=OTHER_TEXT)
    if is_installed("pandas"):
        check("pandas, schema", of_pandas, rows, right=ALL - OTHER_TEXT - {"list → string"}, wrong=OTHER_TEXT)
    if is_installed("chdb"):
        failing = {"decimal(9,2) → (12,2)", "decimal(9,2) → (30,2)", "boolean → string", "list → string", COLUMN}
        check("ClickHouse, an old structure", lambda files: of_clickhouse(files, of=lambda files: files[0]), rows, right=set(), wrong=ALL - failing)
        other_text = OTHER_TEXT | {"decimal → string"}
        check("ClickHouse, structure", of_clickhouse, rows, right=ALL - other_text - {"list → string"}, wrong=other_text)
    if is_installed("pyspark"):
        check_spark(rows)
    print(f"{checks['passed']} passed, {checks['failed']} failed", flush=True)
    # The servers of Spark and Sail need not be waited for.
    os._exit(1 if checks["failed"] else 0)


def check_spark(rows):
    name = "Sail" if is_installed("pysail") else "Spark"
    spark = session()
    more_digits = {"decimal(9,2) → (12,2)", "decimal(9,2) → (30,2)"}
    if name == "Spark":
        by_default, hidden, merged = set(), {MEMBER}, more_digits | {MEMBER, COLUMN}
        by_schema = more_digits | {"int32 → int64", "int32 → decimal", "int32 → float64", "decimal(9,2) → (12,4)", MEMBER, COLUMN} | NUMBERS_IN_CONTAINERS
        not_cast = {MEMBER}
    else:
        by_default = merged = by_schema = {MEMBER, COLUMN}
        hidden = not_cast = set()
    check(name, of_spark(spark, lambda spark, files: spark.read.parquet(*files)), rows, right=by_default, wrong=hidden)
    check(f"{name}, mergeSchema", of_spark(spark, lambda spark, files: spark.read.option("mergeSchema", "true").parquet(*files)), rows, right=merged)
    check(f"{name}, schema", of_spark(spark, spark_schema), rows, right=by_schema)
    other_text = OTHER_TEXT | {"list → string"}
    check(f"{name}, cast and union", of_spark(spark, spark_union), rows, right=ALL - other_text - not_cast, wrong=other_text)


def session():
    from pyspark.sql import SparkSession
    if is_installed("pysail"):
        from pysail.spark import SparkConnectServer
        server = session.server = SparkConnectServer()  # kept: it ends with its last reference
        server.start(background=True)
        host, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    else:
        spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


if __name__ == "__main__":
    main()
