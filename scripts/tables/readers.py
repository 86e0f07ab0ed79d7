"""The programs that read tables: each takes a table's URL, a version or none, and the place's options, and gives an Arrow table.

What differs without meaning a difference is made alike here: large and small lists and texts, maps as lists of pairs.
"""

import functools
import os
import warnings

import duckdb
import duckdb_extension_delta
import duckdb_extension_httpfs
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder

PARTITION_COLUMNS = "day", "hour"


def of_deltalake(url, version, options):
    return DeltaTable(url, version=version, storage_options=options or None).to_pyarrow_table()


def of_deltalake_sql(url, version, options):
    table = DeltaTable(url, version=version, storage_options=options or None)
    return pa.table(QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all())


def of_polars(url, version, options):
    return pl.scan_delta(url, version=version, storage_options=options or None).collect().to_arrow(compat_level=pl.CompatLevel.oldest())


def of_daft(url, version, options):
    import logging

    import daft
    from daft.io import IOConfig, S3Config

    logging.getLogger("daft").setLevel(logging.ERROR)

    io_config = None
    if "AWS_ENDPOINT_URL" in options:
        s3 = S3Config(endpoint_url=options["AWS_ENDPOINT_URL"], region_name=options["AWS_REGION"], key_id=options["AWS_ACCESS_KEY_ID"],
                      access_key=options["AWS_SECRET_ACCESS_KEY"], use_ssl=False)
        io_config = IOConfig(s3=s3)
    return daft.read_deltalake(url, version=version, io_config=io_config).to_arrow()


@functools.cache
def duckdb_with_delta(options):
    """DuckDB, with its extensions from their wheels. Nothing is fetched."""
    options, lake = dict(options), duckdb.connect(config={"threads": 1})
    for package, name in (duckdb_extension_httpfs, "httpfs"), (duckdb_extension_delta, "delta"):
        lake.execute(f"LOAD '{os.path.dirname(package.__file__)}/extensions/v{duckdb.__version__}/{name}.duckdb_extension'")
    lake.execute("SET TimeZone = 'UTC'")
    if "AWS_ENDPOINT_URL" in options:
        host = options["AWS_ENDPOINT_URL"].removeprefix("http://")
        lake.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{options['AWS_ACCESS_KEY_ID']}', SECRET '{options['AWS_SECRET_ACCESS_KEY']}',"
                     f" REGION '{options['AWS_REGION']}', ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)")
    return lake


def delta_scan(url, version):
    return f"delta_scan('{url}'{'' if version is None else f', version = {version}'})"


def of_duckdb(url, version, options):
    return duckdb_with_delta(tuple(options.items())).sql(f"FROM {delta_scan(url, version)}").to_arrow_table()


class Sail:
    """A Spark session of Sail's server, in this process."""

    session = None

    @classmethod
    def started(cls, options):
        if cls.session is None:
            os.environ["RUST_LOG"] = "off"
            os.environ.update(options)
            from pysail.spark import SparkConnectServer

            cls.server = SparkConnectServer("127.0.0.1", 0)
            cls.server.start(background=True)
            from pyspark.sql import SparkSession

            cls.session = SparkSession.builder.remote(f"sc://127.0.0.1:{cls.server.listening_address[1]}").getOrCreate()
            cls.session.conf.set("spark.sql.session.timeZone", "UTC")
        return cls.session

    @classmethod
    def read(cls, url, version, options):
        reader = cls.started(options).read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(url).toArrow()


warnings.filterwarnings("ignore")
READERS = {
    "deltalake": of_deltalake, "deltalake's SQL": of_deltalake_sql, "Polars": of_polars, "Daft": of_daft, "Sail": Sail.read, "DuckDB": of_duckdb,
}
QUICK = "deltalake", "Polars", "DuckDB"


# --- Rows that can be compared ---------------------------------------------------------------------------------------

def plain_type(kind):
    """The type without what is of the reader alone."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, plain_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    return kind


def value_of(value):
    """A nested value, with maps as lists of pairs."""
    if isinstance(value, list):
        return [value_of(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(value_of, value))
    if isinstance(value, dict):
        return tuple(value_of(item) for item in value.values()) if set(value) == {"key", "value"} else {key: value_of(item) for key, item in value.items()}
    return value


def comparable(table):
    """In the order of ids, without the columns of directories; column → values."""
    table = table.drop_columns([name for name in PARTITION_COLUMNS if name in table.column_names])
    table = table.cast(pa.schema([(field.name, plain_type(field.type)) for field in table.schema]))
    table = table.take(pc.sort_indices(table["event_id"])).combine_chunks()
    return {name: table[name].combine_chunks() for name in table.column_names}


def difference(found, expected):
    """What of the rows that were read is not as it must be; none if all is. Both are Arrow tables."""
    wrong = wrong_day(found)
    if wrong:
        return wrong
    found, expected = comparable(found), comparable(expected)
    ids = [columns["event_id"].to_pylist() for columns in (found, expected)]
    if ids[0] != ids[1]:
        return f"{len(ids[0])} rows, expected {len(ids[1])}; too many: {sorted(set(ids[0]) - set(ids[1]))[:3]}, missing: {sorted(set(ids[1]) - set(ids[0]))[:3]}"
    for name in {**expected, **found}:
        if name not in found:
            return f"no column {name}"
        if name not in expected:
            # A column that no file has yet.
            if found[name].null_count != len(found[name]):
                return f"values of {name} that nothing has loaded"
            continue
        one, other = found[name], expected[name]
        if pa.types.is_nested(one.type) or pa.types.is_nested(other.type):
            one, other = ([value_of(value) for value in column.to_pylist()] for column in (one, other))
        else:
            other = other.cast(one.type)
        if one != other:
            pairs = zip(ids[0], list(one), list(other))
            return f"{name} is {next((row, str(a), str(b)) for row, a, b in pairs if a != b)}"
    return None


def wrong_day(table):
    """Rows whose directory is not that of their time."""
    times = table["timestamp"].to_pylist()
    for column, of_time in ("day", lambda time: time.date()), ("hour", lambda time: time.hour):
        if column in table.column_names:
            for value, time in zip(table[column].to_pylist(), times):
                if value != of_time(time):
                    return f"{column} is {value!r} beside {time}"
    return None
