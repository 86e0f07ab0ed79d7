"""Other ways of lines into a schema's tables, each in its own process, as its documentation recommends.

Usage: python -m postgres.peers duckdb|pandas SOURCE SCHEMA [STATEMENT…]    (statements that make indexes, at the end)
"""

import os
import sys

from .schema import ADDRESS, connect, quoted

TYPES = {
    "account": ("account-open", "account-close", "status-change"),
    "transaction": ("payment-to", "payment-from"),
}
CHUNK = 50_000


def duckdb(source, schema):
    """https://duckdb.org/docs/stable/core_extensions/postgres: it inserts by COPY BINARY. Lines are read, and the latest found, as in scripts/bench."""
    import duckdb_extension_postgres_scanner
    from bench.peers.in_duckdb import COLUMNS, connected

    import duckdb as engine

    run = connected(source, os.cpu_count()).execute
    folder = os.path.dirname(duckdb_extension_postgres_scanner.__file__)
    run(f"LOAD '{folder}/extensions/v{engine.__version__}/postgres_scanner.duckdb_extension'")
    run(f"ATTACH '{os.environ[ADDRESS]}' AS lake (TYPE postgres)")
    run("CREATE TEMP TABLE lines AS SELECT max({instant: timestamp, line: rowid}).line AS line FROM events GROUP BY event_type, event_id")
    run("BEGIN")
    for domain, types in TYPES.items():
        for event_type in types:
            run(f"""INSERT INTO lake.{quoted(schema)}.{quoted(event_type)} BY NAME
                    SELECT event_id, timestamp AT TIME ZONE 'UTC' AS timestamp, domain, event_type, {COLUMNS[domain]}
                    FROM events WHERE rowid IN (FROM lines) AND event_type = '{event_type}'""")
    run("COMMIT")


def pandas(source, schema):
    """https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_sql.html, by SQLAlchemy and psycopg, in chunks."""
    import pandas as pd
    import sqlalchemy

    engine = sqlalchemy.create_engine(os.environ[ADDRESS].replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for lines in pd.read_json(source, lines=True, chunksize=CHUNK, dtype=False):
            for event_type, rows in lines.groupby("event_type"):
                payload = pd.json_normalize(rows["data"]).add_prefix("data_").set_index(rows.index)
                if event_type.startswith("payment"):
                    payload = payload.astype({name: "string" for name in payload if name != "data_amount"})
                table = pd.concat([rows.drop(columns="data").assign(timestamp=pd.to_datetime(rows["timestamp"], utc=True)), payload], axis=1)
                table.to_sql(event_type, connection, schema=schema, if_exists="append", index=False)


if __name__ == "__main__":
    name, source, schema, *statements = sys.argv[1:]
    {"duckdb": duckdb, "pandas": pandas}[name](source, schema)
    with connect() as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement)
