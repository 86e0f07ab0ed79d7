"""A schema as a target: its address for the loader, and what psycopg finds in it.

The server is that of scripts/servers.sh, which may be killed and started from here, too.
"""

import decimal
import functools
import json
import os
import urllib.parse

import psycopg
import psycopg.types.json

from servers.postgres import Cluster

ADDRESS = "EVENTLOADER_POSTGRES"
FOLDER = "EVENTLOADER_POSTGRES_FOLDER"
# The server's own settings are strange on purpose.
SESSION = "-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=1 -c bytea_output=hex -c default_transaction_isolation=repeatable\\ read"
OWN = "_loads", "_quarantine"


def cluster():
    return Cluster(os.environ[FOLDER])


def connect(address=None):
    connection = psycopg.connect(address or os.environ[ADDRESS], options=SESSION, autocommit=True, prepare_threshold=None)
    # Numbers with a point are read as they stand.
    psycopg.types.json.set_json_loads(functools.partial(json.loads, parse_float=decimal.Decimal), connection)
    return connection


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Schema:
    def __init__(self, name, port=None):
        """`port`: that of a proxy in front of the server."""
        self.name = name
        parts = urllib.parse.urlsplit(os.environ[ADDRESS])
        if port:
            parts = parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}")
        self.url = f"{urllib.parse.urlunsplit(parts)}?schema={urllib.parse.quote(name)}"

    def behind(self, port):
        return Schema(self.name, port)

    def drop(self, connection):
        connection.execute(f"DROP SCHEMA IF EXISTS {quoted(self.name)} CASCADE")

    def all_tables(self, connection):
        found = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name", [self.name])
        return [name for name, in found.fetchall()]

    def tables(self, connection):
        """Those of event types."""
        return [name for name in self.all_tables(connection) if name not in OWN]

    def rows(self, connection, table):
        """Column → (its type, its values), in the order of ids."""
        order = ' ORDER BY event_id COLLATE "C"' if table not in OWN else ""
        found = connection.execute(f"SELECT * FROM {quoted(self.name)}.{quoted(table)}{order}")
        names = [(column.name, connection.adapters.types[column.type_code].name) for column in found.description]
        values = list(zip(*found.fetchall())) or [()] * len(names)
        return {name: (kind, list(column)) for (name, kind), column in zip(names, values)}

    def commits(self, connection):
        """The numbers of the loads."""
        if "_loads" not in self.all_tables(connection):
            return []
        return [number for number, in connection.execute(f"SELECT number FROM {quoted(self.name)}._loads ORDER BY number").fetchall()]

    def bad_lines(self, connection):
        """The records of bad lines, as they are in the files of a quarantine."""
        if "_quarantine" not in self.all_tables(connection):
            return []
        return sorted(record for record, in connection.execute(f"SELECT record FROM {quoted(self.name)}._quarantine").fetchall())

    def content(self, connection):
        """All that a load may change, as one text for each table: rows, columns, indexes, comments. What differs from run to run
        (times, numbers of attempts) is left out."""
        content = {"commits": str(len(self.commits(connection))), "bad lines": "\n".join(self.bad_lines(connection))}
        for table in self.tables(connection):
            name = f"{quoted(self.name)}.{quoted(table)}"
            count, rows = connection.execute(f"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY event_id COLLATE \"C\")) FROM {name} t").fetchone()
            columns = connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", [name]).fetchall()
            indexes = connection.execute("SELECT replace(indexdef, %s, '') FROM pg_indexes WHERE schemaname = %s AND tablename = %s ORDER BY 1",
                                         [f"{self.name}.", self.name, table]).fetchall()
            content[table] = f"{count} rows {rows} {columns} {indexes}"
        return content
