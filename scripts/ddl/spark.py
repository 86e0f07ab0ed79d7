"""Spark or Sail, whichever is installed, runs the statements for Spark over the targets that check.py has left.

Usage: spark.py DIRECTORY_OF_THE_TARGETS; BIN_DIR.
Out: exit code 1 if a table has not the rows that pyarrow reads from the files of its event type. Spark has no library for Delta tables
here; Sail knows neither views over files nor MSCK REPAIR TABLE, finds partitions by itself, and takes no `~` in a table's path.
"""

from __future__ import annotations

import importlib.util
import itertools
import pathlib
import sys

from pyspark.sql import SparkSession

from targets import LAYOUTS, TYPES, UNITS, rows_of, show

HOME = pathlib.Path(sys.argv[1]).resolve()
NAME = "Sail" if importlib.util.find_spec("pysail") else "Spark"
servers = {}  # one that nothing refers to ends
HAS = {"Spark": ("plain", "hive"), "Sail": ("hive", "delta")}[NAME]


def main() -> int:
    spark, failed, passed = session(), 0, 0
    for layout, unit, event_type in itertools.product(LAYOUTS, UNITS, TYPES):
        if layout not in HAS or NAME == "Sail" and layout == "delta" and event_type == TYPES[0]:
            continue
        target = HOME / f"all-{layout}-{unit}"
        statements = show(HOME, "spark", layout, unit, "-t", str(target), "-e", event_type)
        for statement in statements.removesuffix(";\n").split(";\n"):
            if NAME == "Spark" or not statement.startswith("MSCK"):
                spark.sql(statement).collect()
        name = statements.split("`")[1]
        rows = rows_of(target, layout, event_type)
        columns = [column for column in rows[0] if column not in ("year", "month", "day", "hour")]
        table = spark.table(name).where(f"event_type = '{event_type}'").select(*(f"`{column}`" for column in columns))
        found = sorted(table.toArrow().to_pylist(), key=lambda row: row["event_id"])
        for row in rows:
            row["event_type"] = event_type
        expected = [{column: row[column] for column in columns} for row in rows]
        passed, failed = passed + (found == expected), failed + (found != expected)
        if found != expected:
            pair = next((pair for pair in zip(found, expected) if pair[0] != pair[1]), (len(found), len(expected)))
            print(f"FAILED {NAME}, {layout} by {unit}, {event_type}\n  expected {str(pair[1])[:800]}\n  found    {str(pair[0])[:800]}")
        spark.sql(f"DROP {'VIEW' if layout == 'plain' else 'TABLE'} {name}").collect()
    print(f"{NAME}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def session() -> SparkSession:
    if NAME == "Sail":
        from pysail.spark import SparkConnectServer
        server = servers.setdefault(NAME, SparkConnectServer("127.0.0.1", 0))
        server.start(background=True)
        host, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    else:
        warehouse = str(HOME / "spark-warehouse")
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        spark = builder.config("spark.sql.warehouse.dir", warehouse).config("spark.sql.shuffle.partitions", "2").getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


if __name__ == "__main__":
    sys.exit(main())
