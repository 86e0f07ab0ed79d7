"""The job in ClickHouse, in this process (chdb). https://clickhouse.com/docs/sql-reference/table-functions/file"""

from chdb import session

# LowCardinality(String) for domain and type made reading and "latest" slower: 1.3 s more.
STRUCTURE = (
    "event_id String, timestamp DateTime64(6, \\'UTC\\'), domain String, event_type String, data Tuple(id Nullable(Int32), "
    "old_status Nullable(String), new_status Nullable(String), reason Nullable(String), `to` Nullable(Int32), `from` Nullable(Int32), "
    "amount Nullable(Decimal(10, 2)))"
)
COLUMNS = {
    "account": "data.id AS data_id, data.old_status AS data_old_status, data.new_status AS data_new_status, data.reason AS data_reason",
    "transaction": "toString(data.id) AS data_id, toString(data.to) AS data_to, toString(data.from) AS data_from, data.amount AS data_amount",
}
SETTINGS = {
    "max_partitions_per_insert_block": 0,  # no limit; the default is 100
    "output_format_parquet_compression_method": "'zstd'",
    "output_format_compression_level": 1,  # 2.9 s and 48 MB; the default, 3: 2.9 s and 47 MB
    "output_format_parquet_write_bloom_filter": 0,  # nobody else writes one: 8 MB less, 0.2 s less
}
# The partition id is the directory; there is no file() with a layout of its own.
PARTITION = """concat('year=', toString(toYear(timestamp)), '/month=', toString(toMonth(timestamp)),
                      '/day=', toString(toDayOfMonth(timestamp)), '/event_type=', event_type)"""


def load(source: str, target: str, threads: int) -> None:
    run = session.Session().query
    for name, value in (SETTINGS | {"max_threads": threads}).items():
        run(f"SET {name} = {value}")
    run(f"CREATE TABLE events ENGINE = Memory AS SELECT *, _row_number AS line FROM file('{source}', 'JSONEachRow', '{STRUCTURE}')")
    # The last line of each event, then IN: 3.2 s in all, 800 MB. ORDER BY ... LIMIT 1 BY straight from the file: 3.0 s, 970 MB;
    # over the table: 3.1 s, 1,170 MB; argMax of whole rows and MergeTree instead of Memory were slower.
    run("CREATE TABLE lines ENGINE = Memory AS SELECT max((timestamp, line)).2 AS line FROM events GROUP BY event_type, event_id")
    for domain, columns in COLUMNS.items():
        run(f"""INSERT INTO FUNCTION file('{target}/{domain}/{{_partition_id}}/part.parquet', 'Parquet') PARTITION BY {PARTITION}
                SELECT event_id, timestamp, domain, event_type, {columns} FROM events WHERE line IN lines AND domain = '{domain}'""")
