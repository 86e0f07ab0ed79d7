"""The job in DuckDB. https://duckdb.org/docs/stable/data/partitioning/partitioned_writes

`merge` is the same into what `load` has written: the partitions that have new rows are read, and written again.
"""

import os
import shutil

import duckdb

# Numbers are read as numbers and become text when they are written: 2.9 s; all read as VARCHAR, as they are stored: 3.1 to 4.1 s.
PAYLOAD = 'STRUCT(id INTEGER, old_status VARCHAR, new_status VARCHAR, reason VARCHAR, "to" INTEGER, "from" INTEGER, amount DECIMAL(10,2))'
COLUMNS = {
    "account": "id AS data_id, old_status AS data_old_status, new_status AS data_new_status, reason AS data_reason",
    "transaction": 'id::VARCHAR AS data_id, "to"::VARCHAR AS data_to, "from"::VARCHAR AS data_from, amount AS data_amount',
}


PARTITION = "year(timestamp) AS year, month(timestamp) AS month, day(timestamp) AS day, event_type"


def opened(threads: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET TimeZone = 'UTC'")
    # More than there are partitions: the default of 100 closes and reopens files, and leaves several in a partition.
    connection.execute("SET partitioned_write_max_open_files = 20000")
    return connection


def connected(source: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A connection with the lines of the source as a table `events`."""
    connection = opened(threads)
    run = connection.execute
    # Explicit types, so that nothing is inferred. The table gives each row a rowid in the order of the lines.
    run(f"""CREATE TEMP TABLE events AS
            SELECT event_id, timestamp, domain, event_type, unnest(data)
            FROM read_json('{source}', format = 'newline_delimited', columns = {{event_id: 'VARCHAR', timestamp: 'TIMESTAMP',
                           domain: 'VARCHAR', event_type: 'VARCHAR', data: '{PAYLOAD}'}})""")
    return connection


def load(source: str, target: str, threads: int) -> None:
    run = connected(source, threads).execute
    # The last line of each event, then a semi-join: 0.5 s. QUALIFY row_number() OVER (...) = 1 over all columns: 1.4 s;
    # arg_max of whole rows: 3.4 s; arg_max(rowid, ...): 0.5 s; a window over repeated ids alone: 0.4 s here and 2 s more for the
    # 3,505 partitions, for its view costs more to read twice. A table of the latest rows instead of the view copies them all: 80 MB more.
    run("""CREATE TEMP TABLE lines AS
           SELECT max({instant: timestamp, line: rowid}).line AS line FROM events GROUP BY event_type, event_id""")
    run("CREATE TEMP VIEW latest AS SELECT * FROM events WHERE rowid IN (FROM lines)")
    # Recommended for exports; before the table was made it would lose the order of the lines. No difference in time here.
    run("SET preserve_insertion_order = false")
    for domain, columns in COLUMNS.items():
        # zstd level 1: 2.9 s and 39.2 MB; the default, 3: 3.3 s and 39.6 MB. ORDER BY the partition first:
        # 3.0 s and 100 MB more; a larger partitioned_write_flush_threshold: no faster.
        run(f"""COPY (SELECT event_id, timestamp AT TIME ZONE 'UTC' AS timestamp, domain, {columns}, {PARTITION}
                      FROM latest WHERE domain = '{domain}')
                TO '{target}/{domain}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (year, month, day, event_type))""")


def merge(source: str, target: str, threads: int) -> None:
    run = connected(source, threads).execute
    for domain, columns in COLUMNS.items():
        run(f"""CREATE OR REPLACE TEMP TABLE new AS
                SELECT event_id, timestamp AT TIME ZONE 'UTC' AS timestamp, domain, {columns}, {PARTITION}, rowid + 1 AS line
                FROM events WHERE domain = '{domain}'""")
        # Of equal times the new line counts, and of new ones the last. A semi-join reads the partitions of the new rows alone.
        run(f"""CREATE OR REPLACE TEMP TABLE rows AS
                SELECT *, 0 AS line
                FROM read_parquet('{target}/{domain}/**/*.parquet', hive_partitioning = true,
                                  hive_types = {{year: BIGINT, month: BIGINT, day: BIGINT, event_type: VARCHAR}})
                SEMI JOIN (SELECT DISTINCT year, month, day, event_type FROM new) USING (year, month, day, event_type)
                UNION ALL BY NAME FROM new""")
        run("""CREATE OR REPLACE TEMP TABLE lines AS
               SELECT max({instant: timestamp, line: line, row: rowid}).row AS row FROM rows GROUP BY event_type, event_id""")
        run("SET preserve_insertion_order = false")
        run(f"""COPY (SELECT * EXCLUDE (line) FROM rows WHERE rowid IN (FROM lines)) TO '{target}/{domain}.new'
                (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (year, month, day, event_type))""")
        run("SET preserve_insertion_order = true")
        for place, _, files in os.walk(f"{target}/{domain}.new"):
            if files:
                old = place.replace(f"{domain}.new", domain, 1)
                shutil.rmtree(old, ignore_errors=True)
                os.makedirs(os.path.dirname(old), exist_ok=True)
                os.rename(place, old)
        shutil.rmtree(f"{target}/{domain}.new")
