"""Engines that run the statements for them here: DuckDB, ClickHouse (chdb) and PostgreSQL. Each must read the rows of the target.

In: the targets of targets.py, and the statements that `catalog show` prints for them.
Out: `check(what, found, expected)` for each table.
"""

from __future__ import annotations

import contextlib
import datetime
import glob
import itertools
import json
import os
import pathlib
import shutil
import subprocess
from decimal import Decimal

import duckdb
import duckdb_extension_delta
import pyarrow
from chdb import session

from targets import LAYOUTS, TYPES, UNITS, directory, rows_of, run, show, tables_of

INTEGERS = "year", "month", "day", "hour"


def in_duckdb(home: pathlib.Path, check) -> None:
    """Its own tables have the types of the files, and its views the rows of the target."""
    for layout, unit in itertools.product(LAYOUTS, UNITS):
        target = home / f"all-{layout}-{unit}"
        views, tables = duckdb_with_delta(), duckdb_with_delta()
        views.execute(show(home, "duckdb", layout, unit, "-t", str(target)))
        tables.execute(show(home, "duckdb", layout, unit))
        names = {name: name for (name,) in views.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()}
        for event_type in TYPES:
            name = table_of(names, event_type)
            what = f"DuckDB, {layout} by {unit}, {event_type}"
            found = in_order(views.execute(f'SELECT * FROM "{name}"').to_arrow_table())
            expected = with_directories(rows_of(target, layout, event_type), layout)
            for row in expected:
                if layout == "hive":
                    row["event_type"] = event_type
            check(f"{what}: the rows of the view", found, expected)
            types_of = [
                dict(connection.execute(f'SELECT column_name, column_type FROM (DESCRIBE "{name}")').fetchall())
                for connection in (views, tables)
            ]
            check(f"{what}: the types of the view and of the table", types_of[0], types_of[1])
            comments = [
                connection.execute("SELECT column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL AND table_name = ?", [name]).fetchall()
                for connection in (views, tables)
            ]
            check(f"{what}: the description of the column", [dict(some).get("data_note") for some in comments], [NOTE] * 2)


# As the catalog's TOML means it.
NOTE = "It's a \\ \"note\": `x`; -- /* ${y} ?\n100 %"


def table_of(names: dict[str, str], event_type: str) -> str:
    """The name of an event type's table among those that an engine has."""
    plain = directory("plain", event_type)
    if plain in names:
        return names[plain]
    folded = "".join(c if c.isascii() and c.isalnum() else "_" for c in plain)
    if folded in names:
        return names[folded]
    # `sale` and `Sale` are one name to the engine, so both have a hash.
    [name] = (name for name in names if name.rpartition("_")[0] == folded)
    return names[name]


def duckdb_with_delta() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    [extension] = glob.glob(f"{pathlib.Path(duckdb_extension_delta.__file__).parent}/extensions/*/*.duckdb_extension")
    connection.load_extension(extension)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def in_order(table: pyarrow.Table) -> list[dict]:
    return sorted(table.to_pylist(), key=lambda row: row["event_id"])


def with_directories(rows: list[dict], layout: str) -> list[dict]:
    """With the values of paths in the types of their columns."""
    for row in rows:
        for name in INTEGERS:
            if name in row:
                row[name] = datetime.date.fromisoformat(row[name]) if layout == "delta" and name == "day" else int(row[name])
    return rows


def in_clickhouse(home: pathlib.Path, check) -> None:
    """Tables over files, and tables of its own, as a whole and with a day that is replaced."""
    os.chdir(home)  # its engine for Delta tables reads nothing elsewhere
    for layout, unit in itertools.product(LAYOUTS, UNITS):
        target, lake = home / f"all-{layout}-{unit}", session.Session()
        with contextlib.closing(lake):
            execute(lake, show(home, "clickhouse", layout, unit, "-t", str(target)))
            for event_type in TYPES:
                name = table_of(tables_in(lake), event_type)
                what = f"ClickHouse, {layout} by {unit}, {event_type}"
                expected = as_clickhouse(target, layout, event_type)
                check(f"{what}: the rows of the table over files", clickhouse_rows(lake, name), expected)
                described = lake.query(f"SELECT comment FROM system.columns WHERE table = '{name}' AND name = 'data_note'", "JSON")
                check(f"{what}: the description of the column", json.loads(str(described))["data"], [{"comment": NOTE}])
        if layout == "delta":
            continue
        lake = session.Session()
        with contextlib.closing(lake):
            load = "--load", "-t", str(target)
            execute(lake, show(home, "clickhouse", layout, unit, *load))
            for day in None, "2024-10-10", "2024-10-10", "0001-01-01":
                if day:
                    execute(lake, show(home, "clickhouse", layout, unit, *load, "--date", day))
                for event_type in TYPES:
                    of_directories = ["year", "month", "day", "hour", "event_type"] if layout == "hive" else []
                    rows = as_clickhouse(target, layout, event_type)
                    expected = [{column: row[column] for column in row if column not in of_directories} for row in rows]
                    name = table_of(tables_in(lake), event_type)
                    check(f"ClickHouse's own, {layout} by {unit}, {event_type}, loaded {day}", clickhouse_rows(lake, name), expected)


def execute(lake: session.Session, statements: str) -> None:
    for statement in statements_of(statements):
        lake.query(statement)


def statements_of(text: str) -> list[str]:
    """Statements end with a `;` at the end of a line; in texts, newlines are escaped."""
    return [statement for statement in text.replace(";\n", ";\n\0").split("\0") if statement.strip()]


def tables_in(lake: session.Session) -> dict[str, str]:
    return {name: name for name in str(lake.query("SHOW TABLES", "TSVRaw")).split()}


def clickhouse_rows(lake: session.Session, name: str) -> list[dict]:
    table = lake.query(f"SELECT * FROM `{name}`", "ArrowTable")
    return [without_dictionaries(row) for row in in_order(table)]


def without_dictionaries(row: dict) -> dict:
    return {column: list(value.items()) if isinstance(value, dict) and column == "data_labels" else value for column, value in row.items()}


def as_clickhouse(target: pathlib.Path, layout: str, event_type: str) -> list[dict]:
    """What ClickHouse makes of nulls that its types can't have."""
    rows = []
    for table in tables_of(target, layout, event_type):
        types = {field.name: field.type for field in table.schema}
        rows += [{name: filled(value, types[name]) for name, value in row.items()} for row in table.to_pylist()]
    return sorted(with_directories(rows, layout), key=lambda row: row["event_id"])


def filled(value, kind: pyarrow.DataType):
    if pyarrow.types.is_map(kind):
        return [(key, filled(item, kind.item_type)) for key, item in value or []]
    if pyarrow.types.is_list(kind):
        return [filled(item, kind.value_type) for item in value or []]
    if pyarrow.types.is_struct(kind):
        return {field.name: filled((value or {}).get(field.name), field.type) for field in kind}
    return value


def in_postgres(home: pathlib.Path, check) -> None:
    """Its tables take the rows of the target, and give them back."""
    sql(show(home, "postgres", "plain", "day", "--schema", "public"))
    names = {name: name for name in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").splitlines()}
    for event_type in TYPES:
        name = table_of(names, event_type)
        rows = rows_of(home / "all-plain-day", "plain", event_type)
        texts = json.dumps([{column: as_json(value) for column, value in row.items()} for row in rows]).replace("'", "''")
        sql(f"INSERT INTO \"{name}\" SELECT * FROM json_populate_recordset(NULL::\"{name}\", '{texts}')")
        found = sql(f'SELECT row_to_json(t) FROM "{name}" AS t ORDER BY event_id COLLATE "C"').splitlines()
        what = f"PostgreSQL, {event_type}"
        check(f"{what}: the rows", [from_json(json.loads(line, parse_float=Decimal), row) for line, row in zip(found, rows)], rows)
        check(f"{what}: the number of rows", len(found), len(rows))
        comment = f"SELECT to_json(col_description('\"{name}\"'::regclass, attnum)) FROM pg_attribute WHERE attrelid = '\"{name}\"'::regclass AND attname = 'data_note'"
        check(f"{what}: the description of the column", json.loads(sql(comment)), NOTE)


def sql(statements: str) -> str:
    """In one session, whose time zone is that of no target."""
    address = os.environ["EVENTLOADER_POSTGRES"]
    psql = shutil.which("psql") or sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"))[-1]
    environment = os.environ | {"PGTZ": "UTC", "PGDATESTYLE": "ISO", "PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c extra_float_digits=3"}
    command = [psql, address, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    done = subprocess.run(command, input=statements, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: psql: {done.stderr}\n{statements[:2000]}")
    return done.stdout


def as_json(value):
    match value:
        case Decimal() | datetime.datetime() | datetime.date():
            return str(value)
        case list():
            pairs = [item for item in value if isinstance(item, tuple)]
            return {key: as_json(item) for key, item in pairs} if pairs and len(pairs) == len(value) else [as_json(item) for item in value]
        case dict():
            return {key: as_json(item) for key, item in value.items()}
    return value


def from_json(found, expected):
    """What the database gives back, in the types of the row that was put in."""
    match expected:
        case datetime.datetime():
            return datetime.datetime.fromisoformat(found)
        case datetime.date():
            return datetime.date.fromisoformat(found)
        case Decimal():
            return Decimal(str(found))
        case float():
            return float(found)
        case dict():
            return {key: from_json(found[key], value) for key, value in expected.items()}
        case [(str(), _), *_] if isinstance(found, dict):
            # jsonb has its own order of keys.
            return [(key, found[key]) for key, _ in expected]
        case list() if isinstance(found, list) and len(found) == len(expected):
            return [from_json(*pair) for pair in zip(found, expected)]
    return found


def built_in(home: pathlib.Path, check) -> None:
    """The tables that a catalog need not be written for, by counts and sums."""
    for layout, flags in LAYOUTS.items():
        target = home / f"built-in-{layout}-day"
        rows = [row for name in ("payment-from", "payment-to") for row in rows_of(target, layout, name)]
        expected = [len(rows), sum(row["data_amount"] for row in rows)]
        show_for = lambda engine: run("eventloader", "catalog", "show", "-D", "transaction", "-e", "payment-from", "-e", "payment-to",
                                      "--format", engine, "-t", str(target), *flags)
        lake = duckdb_with_delta()
        lake.execute(show_for("duckdb"))
        query = 'SELECT count(*), sum(data_amount) FROM (SELECT data_amount FROM "payment-from" UNION ALL SELECT data_amount FROM "payment-to")'
        check(f"DuckDB, built-in, {layout}", list(lake.execute(query).fetchone()), expected)
        with contextlib.closing(session.Session()) as server:
            execute(server, show_for("clickhouse"))
            query = query.replace('"payment-from"', "payment_from").replace('"payment-to"', "payment_to")
            found = server.query(query, "ArrowTable").to_pylist()[0].values()
            check(f"ClickHouse, built-in, {layout}", list(found), expected)

