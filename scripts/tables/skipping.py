"""Readers pass files over by the statistics in the log. Whatever they are asked for, they must find the rows that they find without:
in the twin of a table, whose log has no statistics."""

import datetime
import decimal
import itertools
import json
import logging
import operator
import os
import random
import subprocess

import daft
import deltalake
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from . import Violation
from .readers import Sail, delta_scan, duckdb_with_delta

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime.datetime.min.replace(tzinfo=UTC), datetime.datetime.max.replace(tzinfo=UTC)
MICROSECOND = datetime.timedelta(microseconds=1)
# The edges of UTF-8, of UTF-16 and of JSON, and some ordinary characters.
CHARACTERS = ['"', "'", "a", "b", "~", "\x7f", "\x80", "é", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "😀", "\U0010ffff"]

# By the name of a column: its type in the catalog and in Arrow.
COLUMNS = {
    "text": ("string", pa.string()),
    "small": ("int32", pa.int32()),
    "large": ("int64", pa.int64()),
    "float": ("float64", pa.float64()),
    "flag": ("boolean", pa.bool_()),
    "money": ("decimal(5,2)", pa.decimal128(5, 2)),
    "huge": ("decimal(38,9)", pa.decimal128(38, 9)),
    "on": ("date", pa.date32()),
    "at": ("timestamp", pa.timestamp("us", "UTC")),
}


def instant(micros):
    """An instant of the years 0001 to 9999, as near as there is."""
    least, greatest = (FIRST - EPOCH) // MICROSECOND, (LAST - EPOCH) // MICROSECOND
    return EPOCH + min(max(micros, least), greatest) * MICROSECOND


def number(die, least, greatest):
    """At an end of a range, around zero, or anywhere."""
    around = die.choice([least, greatest, 0, die.randint(least, greatest)])
    return min(max(around + die.randint(-2500, 2500) * die.randint(0, 1), least), greatest)


def unscaled(value, scale):
    return decimal.Decimal(value).scaleb(-scale, decimal.Context(prec=40))


def value_of(die, name):
    """A value for a column of this name."""
    match name:
        case "text":
            front = die.choice(CHARACTERS[2:]) * die.choice([0, 0, 1, 30, 31, 32, 63, 70])
            return front + "".join(die.choices(CHARACTERS, k=die.randint(0, 3)))
        case "small":
            return number(die, -(2**31), 2**31 - 1)
        case "large":
            return number(die, -(2**63), 2**63 - 1)
        case "float":
            return die.choice([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, 0.1, -1.5, die.uniform(-1e9, 1e9), 2.0**53 + 2])
        case "flag":
            return die.random() < 0.5
        case "money":
            return unscaled(number(die, -(10**5) + 1, 10**5 - 1), 2)
        case "huge":
            return unscaled(number(die, -(10**38) + 1, 10**38 - 1), 9)
        case "on":
            return datetime.date.fromordinal(number(die, 1, datetime.date.max.toordinal()))
        case "at":
            return instant(number(die, (FIRST - EPOCH) // MICROSECOND, (LAST - EPOCH) // MICROSECOND))


def neighbours(name, value):
    """Values just beside another one of its column."""
    match name:
        case "text":
            return [value + "\x01", value[:32], value[:32] + "\uffff", value[:-1]]
        case "small" | "large":
            bits = 31 if name == "small" else 63
            return [near for near in (value - 1, value + 1) if -(2**bits) <= near < 2**bits]
        case "float":
            return [-value, value * (1 + 2**-52), value + 1e-3]
        case "flag":
            return [not value]
        case "money" | "huge":
            scale, digits = (2, 5) if name == "money" else (9, 38)
            near = [value + unscaled(by, scale) for by in (-1, 1)]
            return [one for one in near if abs(one.scaleb(scale, decimal.Context(prec=40))) < 10**digits]
        case "on":
            return [datetime.date.fromordinal(min(max(value.toordinal() + by, 1), datetime.date.max.toordinal())) for by in (-1, 1)]
        case "at":
            return [instant((value - EPOCH) // MICROSECOND + by) for by in (-1, 1, -999, 999)]


def json_of(value):
    match value:
        case decimal.Decimal():
            return str(value)
        case datetime.datetime():
            return value.replace(tzinfo=None).isoformat()
        case datetime.date():
            return value.isoformat()
        case _:
            return value


def events(die, numbers):
    """Events of a few hours, with few different values, so that files differ in them."""
    for event in numbers:
        hour = die.randrange(8) + event // 100 * 24
        at = EPOCH + datetime.timedelta(days=20_000, hours=hour * 7, microseconds=die.randrange(3_600_000_000))
        # Each hour has values of its own.
        of_hour = random.Random(f"{hour} {event % 3}")
        some = {name: value_of(of_hour, name) for name in COLUMNS}
        data = {name: json_of(value) for name, value in some.items() if die.random() < 0.8}
        data["o"] = {name: json_of(value) for name, value in some.items() if die.random() < 0.8}
        yield {"event_id": f"{event:08x}-0000-4000-8000-{hour:012x}", "timestamp": at.isoformat(), "domain": "shop", "event_type": "sale", "data": data}


def catalog(names):
    fields = ", ".join(f"{name} = '{COLUMNS[name][0]}'" for name in names)
    return f"[domain.shop.events.sale]\nfields = {{ {fields}, o = {{ fields = {{ {fields} }} }} }}\n"


def twin(table, to):
    """The same table without statistics."""
    for path in table.rglob("*.parquet"):
        copy = to / path.relative_to(table)
        copy.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, copy)
    (to / "_delta_log").mkdir()
    for path in (table / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in path.read_text().splitlines()]
        for action in actions:
            action.get("add", {}).pop("stats", None)
        (to / "_delta_log" / path.name).write_text("\n".join(json.dumps(action) for action in actions) + "\n")
    return to


class Predicate:
    """A column, what is asked of it, and constants; for each library in its own words."""

    def __init__(self, path, arrow_type, operator, constants):
        self.path, self.type, self.operator, self.constants = path, arrow_type, operator, constants

    def __str__(self):
        return f"{'.'.join(self.path)} {self.operator} {ascii(self.constants)}"

    def arrow(self):
        column = pc.field(*self.path)
        match self.operator:
            case "is null":
                return column.is_null()
            case "is not null":
                return column.is_valid()
            case "in":
                return column.isin(pa.array(self.constants, self.type))
        return COMPARE[self.operator](column, pa.scalar(self.constants[0], self.type))

    def polars(self):
        column = pl.col(self.path[0])
        for name in self.path[1:]:
            column = column.struct.field(name)
        data_type = pl.Series(pa.array([], self.type)).dtype
        match self.operator:
            case "is null":
                return column.is_null()
            case "is not null":
                return column.is_not_null()
            case "in":
                return column.is_in(pl.Series(self.constants, dtype=data_type).implode())
        return COMPARE[self.operator](column, pl.lit(self.constants[0], dtype=data_type))

    def daft(self):
        column = daft.col(self.path[0])
        for name in self.path[1:]:
            column = column.get(name)
        match self.operator:
            case "is null":
                return column.is_null()
            case "is not null":
                return column.not_null()
        data_type = daft.DataType.from_arrow_type(self.type)
        constants = [daft.lit(constant).cast(data_type) for constant in self.constants]
        if self.operator == "in":
            return column.is_in(constants)
        return COMPARE[self.operator](column, constants[0])

    def sql(self, dialect):
        column = {
            "DataFusion": f'"{self.path[0]}"' + "".join(f"['{name}']" for name in self.path[1:]),
            "DuckDB": ".".join(f'"{name}"' for name in self.path),
            "Spark": ".".join(f"`{name}`" for name in self.path),
        }[dialect]
        literals = ", ".join(self.literal(constant, dialect) for constant in self.constants)
        return f"{column} {self.operator} {f'({literals})' if self.operator == 'in' else literals}"

    def literal(self, constant, dialect):
        match constant:
            case bool():
                return str(constant)
            case datetime.datetime() if dialect == "DataFusion":
                return f"arrow_cast('{constant.isoformat()}', 'Timestamp(Microsecond, Some(\"UTC\"))')"
            case datetime.datetime():
                return f"CAST('{constant.isoformat()}' AS {'TIMESTAMPTZ' if dialect == 'DuckDB' else 'TIMESTAMP'})"
            case datetime.date():
                return f"CAST('{constant}' AS DATE)"
            case decimal.Decimal():
                return f"CAST('{constant:f}' AS DECIMAL({self.type.precision}, {self.type.scale}))"
            case float():
                return f"CAST('{constant!r}' AS DOUBLE)"
            case int():
                return f"CAST('{constant}' AS {'INT' if self.type == pa.int32() else 'BIGINT'})"
        if dialect == "Spark":
            constant = constant.replace("\\", "\\\\").replace("'", "\\'")
        else:
            constant = constant.replace("'", "''")
        return f"'{constant}'"


COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def value_in(row, path):
    for name in path:
        row = row and row[name]
    return row


def predicates(die, rows, names, is_flat, count):
    """Random ones, with constants that are there or nearly so."""
    paths = [((f"data_{name}",) if is_flat else ("data", name), name) for name in names]
    paths += [((f"data_o_{name}",) if is_flat else ("data", "o", name), name) for name in names]
    paths += [(("timestamp",), "at")]
    for _ in range(count):
        path, name = die.choice(paths)
        there = [found for found in (value_in(row, path) for row in die.sample(rows, 8)) if found is not None]
        pool = [value_of(die, name), *there, *itertools.chain.from_iterable(neighbours(name, found) for found in there)]
        what = die.choice([*COMPARE, *COMPARE, "in", "is null", "is not null"])
        constants = die.choices(pool, k=0 if what.startswith("is") else 3 if what == "in" else 1)
        yield Predicate(path, COLUMNS[name][1], what, constants)


class Asked:
    """A table, and the ways to ask it for the number of rows of a predicate."""

    def __init__(self, path):
        self.path = str(path)
        self.table = deltalake.DeltaTable(self.path)
        self.dataset = self.table.to_pyarrow_dataset()
        self.queries = deltalake.QueryBuilder().register("t", self.table)
        self.daft = daft.read_deltalake(self.path)
        self.sail = Sail.started({}).read.format("delta").load(self.path)
        self.duckdb = duckdb_with_delta(())

    def counts(self, predicate):
        return {
            "deltalake's dataset": self.dataset.count_rows(filter=predicate.arrow()),
            "deltalake's SQL": self.query(f"SELECT count(*) AS n FROM t WHERE {predicate.sql('DataFusion')}")[0]["n"],
            "Polars": pl.scan_delta(self.path).filter(predicate.polars()).select(pl.len()).collect().item(),
            "DuckDB": self.duckdb.sql(f"SELECT count(*) FROM {delta_scan(self.path, None)} WHERE {predicate.sql('DuckDB')}").fetchone()[0],
            "Daft": self.count_of_daft(predicate),
            "Sail": self.sail.filter(predicate.sql("Spark")).count(),
        }

    def count_of_daft(self, predicate):
        """Daft 0.7.26 fails if a file does not have the column, which says nothing about statistics."""
        try:
            return self.daft.where(predicate.daft()).count_rows()
        except daft.exceptions.DaftCoreException as error:
            return type(error).__name__

    def query(self, query):
        return pa.table(self.queries.execute(query).read_all()).to_pylist()

    def files(self, predicate=None):
        """How many files the dataset has, or keeps for a predicate."""
        return sum(1 for _ in self.dataset.get_fragments(filter=predicate and predicate.arrow()))


def check(table, work, die, names, is_flat, count, counts):
    with_statistics, without = Asked(table), Asked(twin(table, work / "twin"))
    rows = without.dataset.to_table().to_pylist()
    for predicate in predicates(die, rows, names, is_flat, count):
        found, expected = with_statistics.counts(predicate), without.counts(predicate)
        if found != expected:
            raise Violation(f"{table}: {predicate}: with statistics {found}, without {expected}")
        counts["predicates"] += 1
        counts["predicates that find rows"] += expected["Polars"] > 0
        counts["failures of Daft"] += isinstance(expected["Daft"], str)
        counts["files passed over for a predicate"] += with_statistics.files() - with_statistics.files(predicate)
    # Some programs answer these from statistics alone.
    names = [field.name for field in with_statistics.dataset.schema if not pa.types.is_nested(field.type) and field.type != pa.bool_()]
    bounds = ", ".join(f'min("{name}"), max("{name}"), count("{name}")' for name in names)
    for aggregates in bounds, "count(*)":
        of_sql = [one.query(f"SELECT {aggregates} FROM t") for one in (with_statistics, without)]
        of_duckdb = [one.duckdb.sql(f"SELECT {aggregates} FROM {delta_scan(one.path, None)}").to_arrow_table() for one in (with_statistics, without)]
        for found, expected in of_sql, of_duckdb:
            if found != expected:
                raise Violation(f"{table}: {aggregates}: with statistics {found}, without {expected}")


def go(binaries, work, seeds, count, counts):
    logging.disable(logging.ERROR)  # Daft's, of each failure
    for seed in seeds:
        die = random.Random(seed)
        place = work / f"skipping-{seed}"
        place.mkdir(parents=True)
        is_flat, unit, names = seed % 2 == 0, die.choice(["day", "hour"]), set()
        catalog_file, source = place / "shop.toml", place / "events.json"
        for numbers in range(100), range(100, 200):
            # Some columns come, others go.
            some = die.sample(sorted(COLUMNS), die.randint(5, len(COLUMNS)))
            names.update(some)
            catalog_file.write_text(catalog(some))
            source.write_text("".join(json.dumps(event) + "\n" for event in events(die, numbers)))
            load = [binaries / "eventloader", "-s", source, "-t", place / "lake", "-b", "-q", "--catalog", catalog_file, "--table", "delta"]
            flags = ["--mode", "merge", "--flatten", str(is_flat).lower(), "--partition-by", unit]
            subprocess.run([*load, *flags], check=True)
        check(place / "lake" / "sale", place, die, sorted(names), is_flat, count, counts)
