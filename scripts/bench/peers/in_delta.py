"""Merging in delta-rs: one Delta table for each domain, partitioned by day and type. https://delta-io.github.io/delta-rs/usage/merging-tables/

Lines are read by DuckDB, for delta-rs reads no JSON. The merge is by id and type within the days of the new lines, which lets it leave out
other partitions, as its documentation recommends; so it would miss a version of another day.
"""

import deltalake
import pyarrow

from bench.peers.in_duckdb import COLUMNS, connected

PARTITIONS = ["date", "event_type"]


def latest(source: str, threads: int, domain: str) -> pyarrow.Table:
    connection = connected(source, threads)
    connection.execute("""CREATE TEMP TABLE lines AS
           SELECT max({instant: timestamp, line: rowid}).line AS line FROM events GROUP BY event_type, event_id""")
    latest = connection.sql(f"""SELECT event_id, timestamp AT TIME ZONE 'UTC' AS timestamp, domain, {COLUMNS[domain]}, event_type, timestamp::DATE AS date
                   FROM events WHERE rowid IN (FROM lines) AND domain = '{domain}'""")
    return latest.to_arrow_table()


def load(source: str, target: str, threads: int) -> None:
    for domain in COLUMNS:
        deltalake.write_deltalake(f"{target}/{domain}", latest(source, threads, domain), partition_by=PARTITIONS)


def merge(source: str, target: str, threads: int) -> None:
    for domain in COLUMNS:
        new = latest(source, threads, domain)
        dates = ", ".join(f"'{date}'" for date in new["date"].unique().to_pylist())
        same = f"t.date IN ({dates}) AND t.event_type = s.event_type AND t.event_id = s.event_id"
        merging = deltalake.DeltaTable(f"{target}/{domain}").merge(new, predicate=same, source_alias="s", target_alias="t")
        merging = merging.when_matched_update_all(predicate="s.timestamp >= t.timestamp").when_not_matched_insert_all()
        merging.execute()


def rows(target: str) -> int:
    """How many rows the tables have."""
    return sum(deltalake.DeltaTable(f"{target}/{domain}").to_pyarrow_dataset().count_rows() for domain in COLUMNS)
