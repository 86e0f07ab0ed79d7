"""Loads events with eventloader and reads them back with pyarrow, DuckDB and Polars: each file must have the exact
schema, and exactly the rows of a naive model that shares nothing with the loader but the contract. So it is with maps, and
with events of a public source, by a drafted catalog: what the engines read is compared with the JSON itself.

Usage: engines.py DIRECTORY_OF_THE_BINARIES EMPTY_DIRECTORY
"""

import json
import pathlib
import re
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

BINARIES, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])

# The payload columns of the contract: name, and the type in each engine.
INT, STRING, DECIMAL = "int", "string", "decimal"
ACCOUNT = [("id", INT), ("old_status", STRING), ("new_status", STRING), ("reason", STRING)]
PAYMENT = [("id", STRING), ("to", STRING), ("from", STRING), ("amount", DECIMAL)]
PAYLOADS = {
    "account-open": ACCOUNT,
    "account-close": ACCOUNT,
    "status-change": ACCOUNT,
    "payment-to": PAYMENT,
    "payment-from": PAYMENT,
}
ARROW = {INT: pa.int32(), STRING: pa.string(), DECIMAL: pa.decimal128(10, 2)}
DUCKDB = {INT: "INTEGER", STRING: "VARCHAR", DECIMAL: "DECIMAL(10,2)"}
POLARS = {INT: pl.Int32, STRING: pl.String, DECIMAL: pl.Decimal(10, 2)}

EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


# --- Input: generated events, and a few that no generator makes -------------------------------------------------------

def account(event_id, timestamp, event_type="status-change", **data):
    return json.dumps({"event_id": event_id, "timestamp": timestamp, "domain": "account", "event_type": event_type, "data": data})


def payment(event_id, timestamp, data):
    """`data` is JSON text: what is tested is how its numbers are written."""
    return ('{"event_id": "%s", "timestamp": "%s", "domain": "transaction", "event_type": "payment-to", "data": %s}'
            % (event_id, timestamp, data))


def odd_lines(generated):
    """Lines that are all events, with duplicates and corrections of the generated ones."""
    first, second, third = generated[:3]
    fourth = json.loads(generated[3])
    day = "2024-10-12T"
    return [
        first,  # delivered twice
        second.replace('"event_id"', ' "unknown": 1, "event_id"'),  # the same version again, with a field more
        json.dumps({**json.loads(third), "timestamp": "2024-10-20T12:00:00"}),  # corrected on a later day
        json.dumps({**fourth, "timestamp": "2024-10-09T23:59:59.999999"}),  # an older version, delivered late
        account("tie", day + "01:00:00", new_status="FIRST"),
        account("tie", day + "03:00:00+02:00", new_status="LAST"),  # the same instant: the later line wins
        account("tie", day + "01:00:00", event_type="account-open", id=1),  # the same id, another type: another event
        account("TIE", day + "01:00:00", id=2),  # ids are compared as they are written
        account("words", day + "02:00:00", reason="Müller & Söhne, 東京, 🦀, \u0000\t\"\\"),
        account("words-raw", day + "02:00:00").replace("{}", '{"reason": "Grüße, 東京, 🦀 \\u00e9 \\ud83e\\udd80 \\/"}'),
        account("numbers", day + "03:00:00", id="42", old_status=7, new_status=True, reason={"b": [1, "ü"], "a": None}),
        account("bounds-1", day + "03:00:01", id=2147483647),
        account("bounds-2", day + "03:00:01", id=-2147483648),
        account("integral", day + "03:00:02").replace("{}", '{"id": 12.0, "reason": 1e2}'),
        account("nulls", day + "04:00:00", id=None, old_status=None, new_status=None, reason=None),
        account("no-payload", day + "04:00:01").replace(', "data": {}', ""),
        account("null-payload", day + "04:00:02").replace("{}", "null"),
        account("empty-payload", day + "04:00:03"),
        payment("p1", day + "05:00:00", '{"id": 1, "to": "0012", "from": 1e2, "amount": "12.345"}'),
        payment("p2", day + "05:00:01", '{"id": "x", "to": -0.0, "from": 1.50, "amount": -0.005}'),
        payment("p3", day + "05:00:02", '{"id": null, "to": "", "from": [1, {"a": 2.0}], "amount": 1e2}'),
        payment("p4", day + "05:00:03", '{"amount": 99999999.99, "from": false}'),
        payment("p5", day + "05:00:04", '{"amount": 0.1, "to": "\\u00fc"}'),
        account("offset-back", "2024-10-12T23:30:00-01:00", id=3),  # the day after, in UTC
        account("offset-forth", "2024-10-12T00:30:00.5+0530", id=4),  # the day before
        account("fraction", "2024-10-12t10:00:00.123456789z", id=5),
        account("bare", "2024-10-12", id=6),
        account("space", "2024-10-12 10:00:00", id=7),
        account("before-1970", "1969-12-31T23:59:59.999999Z", id=8),
        account("leap-day", "2024-02-29T12:00:00", id=9),
        account("far", "9999-12-31T23:59:59", id=10),
        "",
        " \t\r",
        account("crlf", day + "06:00:00", id=11) + "\r",
    ]


BAD_LINES = [
    (b'{"event_id": "bad-1", ', "malformed_json"),
    (b'{"event_id": "bad-2", "reason": "\xff"}', "invalid_utf8"),
    (b"[1, 2]", "not_an_event"),
    (account("", "2024-10-12T00:00:00").encode(), "missing_event_id"),
    (account("bad-5", "2024-02-30T00:00:00").encode(), "bad_timestamp"),
    (account("bad-6", "2024-10-12T00:00:00", event_type="account-lost").encode(), "unknown_event"),
    (account("bad-7", "2024-10-12T00:00:00", id=12.5).encode(), "type_mismatch"),
    (account("bad-8", "2024-10-12T00:00:00", id=2147483648).encode(), "out_of_range"),
    (payment("bad-9", "2024-10-12T00:00:00", '{"id": 1, "id": 1}').encode(), "duplicate_key"),
    (payment("bad-10", "2024-10-12T00:00:00", '{"amount": 99999999.995}').encode(), "out_of_range"),
]


# --- The model: what the contract says, line by line ------------------------------------------------------------------

class Number(str):
    """A JSON number as it was written."""


def micros(text):
    pattern = r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:?\d\d)?)?"
    day, time, fraction, offset = re.fullmatch(pattern, text).groups()
    instant = (datetime.fromisoformat(f"{day}T{time or '00:00:00'}") - EPOCH) // MICROSECOND
    instant += int((fraction or "")[:6].ljust(6, "0"))
    if offset and offset not in "Zz":
        minutes = 60 * int(offset[1:3]) + int(offset[-2:])
        instant -= int(offset[0] + "1") * minutes * 60_000_000
    return instant


def json_text(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def column_value(value, kind):
    if value is None:
        return None
    if kind == STRING:
        return str(value) if isinstance(value, str) else json_text(value)
    if kind == INT:
        return int(Decimal(value))
    return Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)


def model(lines):
    """(domain, event type) and id → the latest row: id, microseconds, domain, event type, payload or None."""
    latest = {}
    for line in lines:
        if not line.strip():
            continue
        event = json.loads(line, parse_int=Number, parse_float=Number)
        event_id, instant, event_type = event["event_id"], micros(event["timestamp"]), event["event_type"]
        payload = event.get("data")
        if payload is not None:
            payload = tuple(column_value(payload.get(name), kind) for name, kind in PAYLOADS[event_type])
        before = latest.get((event_type, event_id))
        if before is None or before[1] <= instant:
            latest[event_type, event_id] = (event_id, instant, event["domain"], event_type, payload)
    return latest.values()


def expected_files(rows, path_of, flat, codec):
    """Path of each file → its rows in order."""
    files = {}
    for event_id, instant, domain, event_type, payload in sorted(rows, key=lambda row: (row[1], row[0].encode())):
        day = (EPOCH + instant * MICROSECOND).date()
        path = f"{path_of(day, event_type)}/part-00000.{codec}.parquet"
        row = (event_id, instant, domain, event_type)
        row += (payload or (None,) * len(PAYLOADS[event_type])) if flat else (payload,)
        files.setdefault(path, []).append(row)
    return files


def plain(day, event_type):
    return f"{day.year:04}/{day.month:02}/{day.day:02}/{event_type}"


def hive(day, event_type):
    return f"year={day.year}/month={day.month}/day={day.day}/event_type={event_type}"


# --- The engines: each gives the schema that it sees and the one that it should see, and the rows in file order -------

BASE = ("event_id", "timestamp", "domain", "event_type")


def base_columns(kinds, hive):
    """The event's own columns; in the hive layout the event type is in the directories alone."""
    return [(name, kind) for name, kind in zip(BASE, kinds) if not (hive and name == "event_type")]


def in_pyarrow(path, event_type, flat, hive):
    payload = [pa.field(name, ARROW[kind]) for name, kind in PAYLOADS[event_type]]
    columns = [pa.field(*column) for column in base_columns((pa.string(), pa.timestamp("us", "UTC"), pa.string(), pa.string()), hive)]
    columns += [field.with_name("data_" + field.name) for field in payload] if flat else [pa.field("data", pa.struct(payload))]
    table = pq.ParquetFile(path).read()
    schema = list(zip(table.schema, (field.nullable for field in table.schema)))
    values = [column.cast(pa.int64()) if column.type == pa.timestamp("us", "UTC") else column for column in table.columns]
    return schema, [(field, True) for field in columns], list(zip(*(column.to_pylist() for column in values)))


def in_duckdb(path, event_type, flat, hive):
    payload = [(name, DUCKDB[kind]) for name, kind in PAYLOADS[event_type]]
    columns = base_columns(("VARCHAR", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "VARCHAR"), hive)
    if flat:
        columns += [("data_" + name, kind) for name, kind in payload]
    else:
        names = {"to": '"to"', "from": '"from"'}
        columns.append(("data", "STRUCT(" + ", ".join(f"{names.get(name, name)} {kind}" for name, kind in payload) + ")"))
    file = duckdb.read_parquet(str(path), hive_partitioning=False)
    schema = [(name, str(kind)) for name, kind in zip(file.columns, file.types)]
    return schema, columns, file.select('* REPLACE (epoch_us("timestamp") AS "timestamp")').fetchall()


def in_polars(path, event_type, flat, hive):
    payload = [(name, POLARS[kind]) for name, kind in PAYLOADS[event_type]]
    columns = base_columns((pl.String, pl.Datetime("us", "UTC"), pl.String, pl.String), hive)
    columns += [("data_" + name, kind) for name, kind in payload] if flat else [("data", pl.Struct(dict(payload)))]
    frame = pl.read_parquet(path, hive_partitioning=False, glob=False)
    return list(frame.schema.items()), columns, frame.with_columns(pl.col("timestamp").dt.epoch("us")).rows()


def footer(path):
    """What the file's own footer says, apart from its columns."""
    metadata = pq.ParquetFile(path).metadata
    timestamp = metadata.schema.column(1)
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    return {
        "timestamp": (timestamp.physical_type, json.loads(timestamp.logical_type.to_json())),
        "sorting": [[(column.column_index, column.descending) for column in group.sorting_columns] for group in groups],
        "codecs": {group.column(index).compression for group in groups for index in range(group.num_columns)},
    }


# --- The checks -------------------------------------------------------------------------------------------------------

class Checks:
    passed = failed = 0

    def equal(self, name, found, expected):
        if found == expected:
            self.passed += 1
            print(f"ok     {name}")
        else:
            self.failed += 1
            print(f"FAILED {name}\n         expected {short(expected)}\n         found    {short(found)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 600 else text[:600] + f" … ({len(text)} characters)"


def differing(pairs):
    """Path → what was found and what was expected, for the first files where they differ."""
    return dict([(path, difference(found, expected)) for path, found, expected in pairs if found != expected][:2])


def flat_row(row):
    """A nested payload, which the engines give as a dict, as a tuple."""
    return tuple(tuple(value.values()) if isinstance(value, dict) else value for value in row)


def difference(found, expected):
    for index, (one, other) in enumerate(zip(found, expected)):
        if one != other:
            return f"at {index}: {one} instead of {other}"
    return f"{len(found)} instead of {len(expected)}"


def load(source, target, *flags):
    done = subprocess.run([BINARIES / "eventloader", "-s", source, "-t", target, "--backfill", "--report", "-", "-q", *flags],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def parquet_files(target):
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*.parquet"))


def check_files(checks, name, target, expected, flat, codec):
    """Every file of a load, in all three engines."""
    hive = name.startswith("hive")
    checks.equal(f"{name}: {len(expected)} files, each where it belongs", parquet_files(target), sorted(expected))
    for engine, read in ("pyarrow", in_pyarrow), ("DuckDB", in_duckdb), ("Polars", in_polars):
        schemas, rows = [], []
        for path, expected_rows in expected.items():
            schema, expected_schema, found = read(target / path, expected_rows[0][3], flat, hive)
            schemas.append((path, schema, expected_schema))
            if hive:
                expected_rows = [row[:3] + row[4:] for row in expected_rows]
            rows.append((path, [flat_row(row) for row in found], expected_rows))
        checks.equal(f"{name}: {engine}: the schema of every file: names, order, types", differing(schemas), {})
        count = sum(map(len, expected.values()))
        checks.equal(f"{name}: {engine}: {count} rows, each as in the model, in the order of timestamp and event_id", differing(rows), {})
    footers = {path: footer(target / path) for path in expected}
    instants = {"Type": "Timestamp", "isAdjustedToUTC": True, "timeUnit": "microseconds", "is_from_converted_type": False,
                "force_set_converted_type": False}
    wanted = {
        "timestamp": ("timestamps are INT64 microseconds, adjusted to UTC", ("INT64", instants)),
        "sorting": ("the footer declares the order: timestamp, event_id", [[(1, False), (0, False)]]),
    }
    for key, (text, value) in wanted.items():
        checks.equal(f"{name}: {text}", {path: found[key] for path, found in footers.items() if found[key] != value}, {})
    # Column chunks that are too short to gain by it are not compressed.
    codecs = set().union(*(found["codecs"] for found in footers.values()))
    checks.equal(f"{name}: the codec is {codec}", codecs | {"UNCOMPRESSED"}, {codec, "UNCOMPRESSED"})


def check_quarantine(checks, target, source, first_bad):
    records = [json.loads(line) for file in sorted(target.glob("_quarantine/**/*.jsonl")) for line in file.read_text().splitlines()]
    found = sorted((record["line"], record["reason"]) for record in records if record["source"] == str(source))
    expected = [(first_bad + index, reason) for index, (_, reason) in enumerate(BAD_LINES)]
    checks.equal(f"quarantine: {len(BAD_LINES)} bad lines, with their places and reasons", (found, len(records)), (expected, len(expected)))


def check_lake(checks, name, target, expected):
    """A plain glob over the whole target sees each row once and nothing else."""
    counts = duckdb.execute(
        "SELECT count(*), count(DISTINCT (event_type, event_id)) FROM read_parquet(?, union_by_name = true, hive_partitioning = ?)",
        [f"{target}/**/*.parquet", name.startswith("hive")]).fetchall()
    rows = sum(map(len, expected.values()))
    checks.equal(f"{name}: DuckDB: **/*.parquet is {rows} rows, each once", counts, [(rows, rows)])


def check_hive(checks, target, expected):
    """The partitions as columns, and readers that open only the files of the partition asked for."""
    wanted = f"{hive(datetime(2024, 10, 12), 'payment-to')}/part-00000.zstd.parquet"
    rows = sorted(row[0] for row in expected[wanted])
    payments = [path for path in expected if "event_type=payment-" in path]
    glob = f"{target}/**/event_type=payment-*/*.parquet"

    where = "year = 2024 AND month = 10 AND day = 12 AND event_type = 'payment-to'"
    found = duckdb.sql(f"SELECT event_id, filename FROM read_parquet('{glob}', hive_partitioning = true, filename = true) WHERE {where}").fetchall()
    checks.equal("hive: DuckDB: a partition by its columns", sorted(row[0] for row in found), rows)
    plan = duckdb.sql(f"EXPLAIN ANALYZE SELECT * FROM read_parquet('{glob}', hive_partitioning = true) WHERE {where}").fetchall()[0][1]
    checks.equal("hive: DuckDB: it scans that partition alone", re.findall(r"Scanning Files: (\d+/\d+)", plan), [f"1/{len(payments)}"])
    # Left to itself DuckDB takes month=02 for a string, so the types are named.
    numbers = "{'year': INTEGER, 'month': INTEGER, 'day': INTEGER, 'event_type': VARCHAR}"
    found = duckdb.sql(f"""SELECT DISTINCT year, month, day, event_type FROM read_parquet('{target}/**/*.parquet',
                           hive_partitioning = true, hive_types = {numbers}, union_by_name = true)""").fetchall()
    partitions = {tuple(part.partition("=")[2] for part in path.split("/")[:4]) for path in expected}
    checks.equal("hive: DuckDB: every partition, with its types named", set(found),
                 {(int(year), int(month), int(day), event_type) for year, month, day, event_type in partitions})

    frame = pl.scan_parquet(glob, hive_partitioning=True)
    kinds = [frame.collect_schema()[name] for name in ("year", "month", "day", "event_type")]
    partition = frame.filter((pl.col("year") == 2024) & (pl.col("month") == 10) & (pl.col("day") == 12) & (pl.col("event_type") == "payment-to"))
    checks.equal("hive: Polars: the partitions are numbers and a name", kinds, [pl.Int64, pl.Int64, pl.Int64, pl.String])
    checks.equal("hive: Polars: a partition by its columns", sorted(partition.collect()["event_id"].to_list()), rows)

    dataset = ds.dataset(target, format="parquet", partitioning="hive")
    partition = (ds.field("year") == 2024) & (ds.field("month") == 10) & (ds.field("day") == 12) & (ds.field("event_type") == "payment-to")
    files = [pathlib.Path(fragment.path).relative_to(target).as_posix() for fragment in dataset.get_fragments(filter=partition)]
    checks.equal("hive: pyarrow.dataset: every file of the directory, and nothing else", len(dataset.files), len(expected))
    checks.equal("hive: pyarrow.dataset: the filter leaves that partition alone", files, [wanted])
    found = dataset.to_table(columns=["event_id"], filter=partition).column("event_id").to_pylist()
    checks.equal("hive: pyarrow.dataset: a partition by its columns", sorted(found), rows)


# --- A public source: deep, wide, lists of objects -------------------------------------------------------------------

def latest_of(path):
    """Path of each plain partition → its events, as JSON, in their latest version and in order."""
    latest = {}
    for line in path.read_text().splitlines():
        event = json.loads(line, parse_float=Decimal)
        instant = datetime.fromisoformat(event["timestamp"])
        before = latest.get((event["event_type"], event["event_id"]))
        if before is None or before[0] <= instant:
            latest[event["event_type"], event["event_id"]] = (instant, event)
    files = {}
    for instant, event in sorted(latest.values(), key=lambda version: (version[0], version[1]["event_id"].encode())):
        files.setdefault(plain(instant.date(), event["event_type"]), []).append(event)
    return files


def safe(name):
    """A key as a column may be called."""
    return re.sub(r"[^\w-]", "_", name)


def cells(name, value, columns):
    """Column → the JSON value that must be in it; a value that no column holds is one of a column that isn't there."""
    if isinstance(value, dict) and name not in columns:
        return {column: cell for key, member in value.items() for column, cell in cells(f"{name}_{safe(key)}", member, columns).items()}
    return {name: value} if name in columns or value is not None else {}


def mismatch(found, value, place):
    """Where what an engine gives is not what the JSON says, or None."""
    if found is None or value is None:
        same = found is None and value is None
    elif isinstance(found, dict) and isinstance(value, dict):
        # A key that can't be a name is called by its whole path.
        names = {key: next((name for name in found if name == key or (safe(key) != key and name.endswith("_" + safe(key)))), key) for key in value}
        members = [(name, found.get(name), value[key]) for key, name in names.items()]
        members += [(name, member, None) for name, member in found.items() if name not in names.values()]
        return next(filter(None, (mismatch(member, expected, f"{place}.{name}") for name, member, expected in members)), None)
    elif isinstance(found, list) and isinstance(value, list) and len(found) == len(value):
        return next(filter(None, (mismatch(*pair, f"{place}[{index}]") for index, pair in enumerate(zip(found, value)))), None)
    elif isinstance(found, datetime):
        same = found.astimezone(timezone.utc) == datetime.fromisoformat(value)
    elif isinstance(found, date):
        same = found.isoformat() == value
    elif isinstance(found, str):
        same = found == value if isinstance(value, str) else json.loads(found, parse_float=Decimal) == value
    elif isinstance(found, Decimal):
        same = found == Decimal(value)
    elif isinstance(found, float):
        same = found == float(value)
    else:
        same = found == value and isinstance(found, bool) == isinstance(value, bool)
    return None if same else f"{place} is {found!r}, in the JSON {value!r}"


def whole_rows(engine, path):
    """The rows of a file, as dictionaries with lists and dictionaries in them."""
    if engine == "pyarrow":
        return pq.ParquetFile(path).read().to_pylist()
    if engine == "Polars":
        return pl.read_parquet(path, hive_partitioning=False, glob=False).to_dicts()
    # By way of Arrow: for itself, DuckDB needs a package more to give instants to Python.
    return duckdb.read_parquet(str(path), hive_partitioning=False).to_arrow_table().to_pylist()


def check_public_source(checks, source):
    catalog = WORK / "github.toml"
    catalog.write_bytes(subprocess.run([BINARIES / "eventloader", "catalog", "infer", source, "-q"], stdout=subprocess.PIPE, check=True).stdout)
    expected = latest_of(source)
    for name, flags in (("public source", []), ("public source nested", ["-f", "false"])):
        target = WORK / name
        report = load(source, target, "--catalog", catalog, *flags)
        counts = {"quarantined": report["quarantined"]["total"], "written": report["written"], "unknown_fields": report["unknown_fields"]}
        checks.equal(f"{name}: every event is written once", counts, {"quarantined": 0, "written": sum(map(len, expected.values())), "unknown_fields": {}})
        checks.equal(f"{name}: {len(expected)} files, each where it belongs", parquet_files(target), sorted(f"{path}/part-00000.zstd.parquet" for path in expected))
        for engine in "pyarrow", "DuckDB", "Polars":
            wrong = []
            for path, events in expected.items():
                rows = whole_rows(engine, target / path / "part-00000.zstd.parquet")
                wrong += [path] * (len(rows) != len(events))
                for row, event in zip(rows, events):
                    if not flags:
                        event = {column: cell for key, value in event.items() for column, cell in cells(key, value, row).items()}
                    wrong += filter(None, [mismatch(row, event, path)])
            checks.equal(f"{name}: {engine}: every value is the one of the JSON", wrong[:2], [])
    check_statements(checks, "public source", WORK / "public source", ["--catalog", catalog, "-D", "github"], report["written"])
    check_statements(checks, "public source nested", WORK / "public source nested", ["--catalog", catalog, "-D", "github", "-f", "false"], report["written"])


def check_statements(checks, name, target, flags, written):
    """What `catalog show --format duckdb` prints makes tables that take the files, with their types."""
    statements = subprocess.run([BINARIES / "eventloader", "catalog", "show", "--format", "duckdb", *flags], stdout=subprocess.PIPE, check=True)
    lake = duckdb.connect()
    lake.execute(statements.stdout.decode())
    is_hive, count, wrong = "hive" in flags, 0, []
    for (table,) in lake.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        files = f"{target}/**/{'event_type=' if is_hive else ''}{table}/*.parquet"
        lake.execute(f"INSERT INTO \"{table}\" BY NAME SELECT * FROM read_parquet('{files}', hive_partitioning = {is_hive})")
        count += lake.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0]
        read = dict(lake.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('{files}', hive_partitioning = false))").fetchall())
        made = dict(lake.execute(f'SELECT column_name, column_type FROM (DESCRIBE "{table}")').fetchall())
        of_directories = {"year": "INTEGER", "month": "INTEGER", "day": "INTEGER", "event_type": "VARCHAR"} if is_hive else {}
        wrong += [(table, made, read)] * (made != read | of_directories)
    checks.equal(f"{name}: DuckDB: the tables of its CREATE TABLE statements are those of the files", wrong, [])
    checks.equal(f"{name}: DuckDB: the tables take {written} rows", count, written)


# --- Maps, types with names, epochs -----------------------------------------------------------------------------------

MAPS = """
[types.price]
fields = { value = "decimal(12,2)", at = "timestamp(s)" }

[domain.shop.events.order.fields]
labels = "map(string)"
counts = "map(map(int32))"
prices = "map(list(price))"
first  = "price"
paid   = "timestamp(ms)"
rows   = "list(map(json))"
"""


def orders(count):
    """Payloads, and what must be in their columns."""
    for number in range(count):
        instant = (EPOCH + timedelta(seconds=1_728_518_400 + number)).isoformat() + "+00:00"
        keys = ["z", "a", "", "\u00fc \"", f"k{number}"][: number % 6]
        price = {"value": Decimal(f"{number}.25"), "at": 1_728_518_400 + number}
        data = {
            "labels": {key: f"{key}-{number}" if key else None for key in keys},
            "counts": {"x": {key: index for index, key in enumerate(keys)}, "y": None, "w": {}},
            "prices": {key: [price, None][: index % 3] for index, key in enumerate(keys)} if number % 4 else None,
            "first": price,
            "paid": (1_728_518_400 + number) * 1000,
            "rows": [{key: {"n": number} for key in keys}, None, {}],
        }
        wanted = {**data, "first": {**price, "at": instant}, "paid": instant}
        if data["prices"]:
            wanted["prices"] = {key: [item and {**item, "at": instant} for item in items] for key, items in data["prices"].items()}
        yield (data, wanted) if number % 7 else ({}, dict.fromkeys(data))


def with_maps(found, value):
    """What an engine gives, with maps as dictionaries: pyarrow and DuckDB have pairs, Polars has structs of key and value."""
    if isinstance(value, dict) and isinstance(found, list):
        found = dict(tuple(entry.values()) if isinstance(entry, dict) else entry for entry in found)
        if list(found) != list(value):
            return f"the keys are {list(found)}, in the JSON {list(value)}"
    if isinstance(value, dict) and isinstance(found, dict):
        return {key: with_maps(item, value.get(key)) for key, item in found.items()}
    if isinstance(value, list) and isinstance(found, list) and len(found) == len(value):
        return [with_maps(*pair) for pair in zip(found, value)]
    return found


def check_maps(checks):
    source, catalog = WORK / "orders.json", WORK / "orders.toml"
    events = list(orders(300))
    line = '{"event_id": "%04d", "timestamp": "2024-10-10T00:00:%02d", "domain": "shop", "event_type": "order", "data": %s}\n'
    source.write_text("".join(line % (number, number // 5, json.dumps(data, default=float)) for number, (data, _) in enumerate(events)))
    catalog.write_text(MAPS)
    for name, flags in (("maps", []), ("maps nested", ["-f", "false"]), ("maps basic", ["--encodings", "basic"])):
        target = WORK / name
        report = load(source, target, "--catalog", catalog, *flags)
        checks.equal(f"{name}: every event is written", report["written"], len(events))
        (path,) = target.rglob("*.parquet")
        shape = pq.ParquetFile(path).schema_arrow
        if "nested" not in name:
            kind = pa.map_(pa.string(), pa.string())
            checks.equal(f"{name}: pyarrow: labels are a map of texts", shape.field("data_labels").type.equals(kind), True)
        for engine in "pyarrow", "DuckDB", "Polars":
            wrong = []
            for row, (_, wanted) in zip(whole_rows(engine, path), events, strict=True):
                found = {key: value for key, value in row.items() if key not in BASE}
                wanted = {"data": wanted}
                if "nested" not in name:
                    wanted = {column: cell for key, value in wanted.items() for column, cell in cells(key, value, found).items()}
                wrong += filter(None, [mismatch(with_maps(found, wanted), {**dict.fromkeys(found), **wanted}, row["event_id"])])
            checks.equal(f"{name}: {engine}: every entry is the one of the JSON, in its order", wrong[:2], [])
        check_statements(checks, name, target, ["--catalog", catalog, "-D", "shop", *flags[:2 * ("-f" in flags)]], report["written"])


def check_taken_names(checks):
    """Why a column named like a directory of the hive layout is refused: no engine shows the file's own value."""
    file = WORK / "taken/year=2024/part.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(pa.table({"year": pa.array([1999], pa.int32())}), file)
    found = {
        "DuckDB": duckdb.sql(f"SELECT year FROM read_parquet('{file}', hive_partitioning = true)").fetchall()[0][0],
        "Polars": pl.read_parquet(file, hive_partitioning=True)["year"][0],
        "pyarrow.dataset": ds.dataset(WORK / "taken", partitioning="hive").to_table()["year"][0].as_py(),
    }
    checks.equal("hive: a column year in a file is hidden by the directory's", found, dict.fromkeys(found, 2024))


def check_beginnings(checks):
    """Ids with a prefix, UUIDs and times as texts: texts that begin as the one before them does."""
    source, target = WORK / "track.json", WORK / "beginnings"
    with open(source, "wb") as file:
        subprocess.run([BINARIES / "datagen", "--world", "ledger", "--envelope", "segment", "-n", "3000", "--events-per-day", "3000"], check=True, stdout=file)
    catalog = WORK / "track.toml"
    with open(catalog, "wb") as file:
        subprocess.run([BINARIES / "datagen", "catalog", "--world", "ledger", "--envelope", "segment"], check=True, stdout=file)
    load(source, target, "--catalog", catalog)
    events = (json.loads(line) for line in source.read_text().splitlines())
    wanted = sorted((event["messageId"], event["anonymousId"], event["originalTimestamp"]) for event in events)
    files, encodings = sorted(target.rglob("*.parquet")), set()
    for path in files:
        group = pq.ParquetFile(path).metadata.row_group(0)
        encodings |= {encoding for column in range(group.num_columns) for encoding in group.column(column).encodings}
    checks.equal("beginnings: some pages share them", "DELTA_BYTE_ARRAY" in encodings, True)
    for engine in "pyarrow", "DuckDB", "Polars":
        rows = [row for path in files for row in whole_rows(engine, path)]
        found = sorted((row["event_id"], row["data_anonymousId"], row["data_originalTimestamp"]) for row in rows)
        checks.equal(f"beginnings: {engine}: the texts are those of the JSON", found == wanted, True)


def main():
    source = WORK / "in"
    subprocess.run([BINARIES / "datagen", "-s", "7", "-n", "20000", "-w", "-b", source / "a"], check=True, stderr=subprocess.DEVNULL)
    generated = (source / "a/events.json").read_text().splitlines()
    odd = odd_lines(generated)
    (source / "b.json").write_bytes(b"\n".join([line.encode() for line in odd] + [line for line, _ in BAD_LINES]))
    rows = model(generated + odd)

    checks = Checks()
    for name, flags, path_of, flat, codec in (
        ("plain", [], plain, True, "zstd"),
        ("snappy", ["--compression", "snappy"], plain, True, "snappy"),
        ("none", ["--compression", "none"], plain, True, "none"),
        ("nested", ["-f", "false"], plain, False, "zstd"),
        ("basic", ["--encodings", "basic"], plain, True, "zstd"),
        ("basic nested", ["--encodings", "basic", "-f", "false", "--compression", "none"], plain, False, "none"),
        ("hive", ["--layout", "hive"], hive, True, "zstd"),
        ("hive nested", ["--layout", "hive", "-f", "false"], hive, False, "zstd"),
    ):
        target = WORK / name
        report = load(source, target, *flags)
        checks.equal(f"{name}: the report counts the model's rows", report["written"], len(rows))
        expected = expected_files(rows, path_of, flat, codec)
        check_files(checks, name, target, expected, flat, {"none": "UNCOMPRESSED"}.get(codec, codec.upper()))
        if flat:
            check_lake(checks, name, target, expected)
        if name == "plain":
            check_quarantine(checks, target, source / "b.json", len(odd) + 1)
        if name == "hive":
            check_hive(checks, target, expected)
        if name in ("plain", "nested", "hive"):
            check_statements(checks, name, target, flags, len(rows))
    check_taken_names(checks)
    check_maps(checks)
    check_beginnings(checks)
    check_public_source(checks, pathlib.Path(__file__).parent.parent / "tests/loader/data/github_events.json")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
