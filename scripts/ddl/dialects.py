"""The statements for each engine, parsed by sqlglot in the engine's dialect: tables, columns, types, what loads them.

In: the statements that `catalog show` prints for the catalog of targets.py.
Out: `check(what, found, expected)` for each table. What sqlglot only takes as a command fails, but for the few forms that it does not
know: those are taken apart here, and what is left of them is parsed.
"""

from __future__ import annotations

import itertools
import pathlib
import re

import sqlglot
from sqlglot import exp

from targets import LAYOUTS, TYPES, UNITS, show

ADDRESSES = {"snowflake": "@stage/lake", "bigquery": "gs://bucket/lake", "redshift": "s3://bucket/lake", "athena": "s3://bucket/lake",
             "trino": "s3://bucket/lake", "clickhouse": "s3://bucket/lake", "duckdb": "lake", "spark": "/lake"}
# The columns of the catalog's first type, and what each engine calls their types, as its documentation has it.
COLUMNS = ["event_id", "timestamp", "domain", "data_note", "data_count", "data_id", "data_share", "data_paid", "data_price", "data_exact",
           "data_total", "data_on", "data_at", "data_ms", "data_raw", "data_tags", "data_labels", "data_items", "Order-By", "data_select_from",
           "data_grid", "data_maps"]
TYPES_OF = {
    "snowflake": ["VARCHAR", "TIMESTAMP_LTZ(6)", "VARCHAR", "VARCHAR", "NUMBER(10,0)", "NUMBER(19,0)", "FLOAT", "BOOLEAN", "NUMBER(9,2)",
                  "NUMBER(38,2)", "NUMBER(38,10)", "DATE", "TIMESTAMP_LTZ(6)", "TIMESTAMP_LTZ(6)", "VARCHAR", "ARRAY", "VARIANT", "ARRAY",
                  "VARCHAR", "VARCHAR", "ARRAY", "ARRAY"],
    "bigquery": ["STRING", "TIMESTAMP", "STRING", "STRING", "INT64", "INT64", "FLOAT64", "BOOL", "NUMERIC(9,2)", "BIGNUMERIC(38,2)",
                 "BIGNUMERIC(38,10)", "DATE", "TIMESTAMP", "TIMESTAMP", "STRING", "STRUCT<list ARRAY<STRUCT<element STRING>>>",
                 "STRUCT<key_value ARRAY<STRUCT<key STRING, value INT64>>>",
                 "STRUCT<list ARRAY<STRUCT<element STRUCT<`sku` STRING, `price` NUMERIC(30,4)>>>>", "STRING", "STRING",
                 "STRUCT<list ARRAY<STRUCT<element STRUCT<list ARRAY<STRUCT<element FLOAT64>>>>>>",
                 "STRUCT<list ARRAY<STRUCT<element STRUCT<key_value ARRAY<STRUCT<key STRING, value INT64>>>>>>"],
    "redshift": ["varchar(65535)", "timestamp", "varchar(65535)", "varchar(65535)", "integer", "bigint", "double precision", "boolean",
                 "decimal(9,2)", "decimal(38,2)", "decimal(38,10)", "date", "timestamp", "timestamp", "varchar(65535)",
                 "array<varchar(65535)>", "map<varchar(65535),bigint>", 'array<struct<"sku":varchar(65535),"price":decimal(30,4)>>',
                 "varchar(65535)", "varchar(65535)", "array<array<double precision>>", "array<map<varchar(65535),integer>>"],
    "athena": ["string", "timestamp", "string", "string", "int", "bigint", "double", "boolean", "decimal(9,2)", "decimal(38,2)",
               "decimal(38,10)", "date", "timestamp", "timestamp", "string", "array<string>", "map<string,bigint>",
               "array<struct<`sku`:string,`price`:decimal(30,4)>>", "string", "string", "array<array<double>>", "array<map<string,int>>"],
    "trino": ["VARCHAR", "TIMESTAMP(6)", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DECIMAL(9,2)", "DECIMAL(38,2)",
              "DECIMAL(38,10)", "DATE", "TIMESTAMP(6)", "TIMESTAMP(6)", "VARCHAR", "ARRAY(VARCHAR)", "MAP(VARCHAR,BIGINT)",
              'ARRAY(ROW("sku" VARCHAR,"price" DECIMAL(30,4)))', "VARCHAR", "VARCHAR", "ARRAY(ARRAY(DOUBLE))", "ARRAY(MAP(VARCHAR,INTEGER))"],
    "clickhouse": ["String", "DateTime64(6,'UTC')", "LowCardinality(String)", "Nullable(String)", "Nullable(Int32)", "Nullable(Int64)",
                   "Nullable(Float64)", "Nullable(Bool)", "Nullable(Decimal(9,2))", "Nullable(Decimal(38,2))", "Nullable(Decimal(38,10))",
                   "Nullable(Date32)", "Nullable(DateTime64(6,'UTC'))", "Nullable(DateTime64(6,'UTC'))", "Nullable(String)",
                   "Array(Nullable(String))", "Map(String,Nullable(Int64))", "Array(Tuple(`sku` Nullable(String),`price` Nullable(Decimal(30,4))))",
                   "Nullable(String)", "Nullable(String)", "Array(Array(Nullable(Float64)))", "Array(Map(String,Nullable(Int32)))"],
    "duckdb": ["VARCHAR", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DECIMAL(9,2)",
               "DECIMAL(38,2)", "DECIMAL(38,10)", "DATE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "VARCHAR[]",
               "MAP(VARCHAR,BIGINT)", 'STRUCT("sku" VARCHAR,"price" DECIMAL(30,4))[]', "VARCHAR", "VARCHAR", "DOUBLE[][]",
               "MAP(VARCHAR,INTEGER)[]"],
    "spark": ["STRING", "TIMESTAMP", "STRING", "STRING", "INT", "BIGINT", "DOUBLE", "BOOLEAN", "DECIMAL(9,2)", "DECIMAL(38,2)",
              "DECIMAL(38,10)", "DATE", "TIMESTAMP", "TIMESTAMP", "STRING", "ARRAY<STRING>", "MAP<STRING,BIGINT>",
              "ARRAY<STRUCT<`sku`: STRING,`price`: DECIMAL(30,4)>>", "STRING", "STRING", "ARRAY<ARRAY<DOUBLE>>", "ARRAY<MAP<STRING,INT>>"],
    "postgres": ["text", "timestamp with time zone", "text", "text", "integer", "bigint", "double precision", "boolean", "numeric(9,2)",
                 "numeric(38,2)", "numeric(38,10)", "date", "timestamp with time zone", "timestamp with time zone", "text", "text[]", "jsonb",
                 "jsonb", "text", "text", "jsonb", "jsonb"],
}
# In tables of Redshift's own.
SUPER = {"data_tags", "data_labels", "data_items", "data_grid", "data_maps"}
# The first word of each statement that is not CREATE, and what it is to sqlglot.
KINDS = {"COPY": exp.Copy, "LOAD": exp.LoadData, "INSERT": exp.Insert, "DELETE": exp.Delete, "ALTER": exp.Alter, "COMMENT": exp.Comment,
         "BEGIN": exp.Transaction, "COMMIT": exp.Commit}


def in_sqlglot(home: pathlib.Path, check) -> None:
    for (engine, address), layout, unit in itertools.product(ADDRESSES.items(), LAYOUTS, UNITS):
        flags = ["-t", address, "--schema", "lake"]
        if (engine, layout) != ("bigquery", "plain"):
            external(check, engine, layout, unit, show(home, engine, layout, unit, *flags))
        if engine == "redshift":
            partitions = statements_of(engine, show(home, engine, layout, unit, *flags, "--date", "2024-10-10"))
            counts = [statement for statement in partitions if isinstance(statement, exp.Alter) and statement.find(exp.AddPartition)]
            check(f"{engine}, {layout} by {unit}: the partitions of a day", len(counts), len(TYPES) * (24 if unit == "hour" else 1))
        if engine in ("snowflake", "bigquery", "redshift", "clickhouse") and layout != "delta":
            own(check, engine, layout, unit, show(home, engine, layout, unit, *flags, "--load"))
            if unit == "day" or engine in ("snowflake", "clickhouse"):
                day_loaded(check, engine, layout, unit, show(home, engine, layout, unit, *flags, "--load", "--date", "2024-10-10"))
    for engine, layout in itertools.product(("duckdb", "spark", "postgres"), LAYOUTS):
        own(check, engine, layout, "day", show(home, engine, layout, "day"))


def statements_of(engine: str, text: str) -> list[exp.Expression]:
    """A statement ends with a `;` at the end of a line that is in no text: sqlglot's tokens know."""
    dialect = sqlglot.Dialect.get_or_raise(engine)
    starts, statements = 0, []
    for token in dialect.tokenize(text):
        if token.token_type == sqlglot.TokenType.SEMICOLON:
            statements.append(text[starts : token.start].strip())
            starts = token.end + 1
    assert not text[starts:].strip(), text[starts:]
    return [parsed(engine, statement) for statement in statements]


def parsed(engine: str, text: str) -> exp.Expression:
    """With what was cut out of it as its `cut`."""
    cut = []
    if engine == "bigquery":
        text = re.sub(r"^WITH PARTITION COLUMNS \(\n(?P<columns>[^)]*)\n\)\n", lambda found: cut.append(found["columns"]) or "", text, flags=re.M)
        text = re.sub(r"^WITH CONNECTION DEFAULT\n", "", text, flags=re.M)
    if engine == "trino" and (call := re.fullmatch(r"CALL (.*)", text)):
        return sqlglot.parse_one(f"SELECT {call[1]}", dialect=engine)
    if engine in ("athena", "spark") and (repair := re.fullmatch(r"MSCK REPAIR TABLE (\S+)", text)):
        return sqlglot.parse_one(f"DESCRIBE {repair[1]}", dialect="hive")
    if engine == "snowflake" and (refresh := re.fullmatch(r"ALTER EXTERNAL TABLE (\S+) REFRESH", text)):
        return sqlglot.parse_one(f"DESCRIBE TABLE {refresh[1]}", dialect=engine)
    statement = sqlglot.parse_one(text, dialect=engine)
    kind = KINDS.get(text.split()[0], exp.Create)
    assert isinstance(statement, kind), f"{engine}: sqlglot takes this for a {type(statement).__name__}:\n{text}"
    statement.set("cut", sqlglot.parse_one(f"CREATE TABLE cut ({cut[0]})", dialect=engine) if cut else None)
    return statement


def columns_of(engine: str, create: exp.Expression) -> dict[str, str]:
    definitions = [*create.this.find_all(exp.ColumnDef)] if isinstance(create.this, exp.Schema) else []
    return {column.name: column.kind.sql(engine) for column in definitions if column.parent is create.this}


def types_of(engine: str, first: bool, layout: str) -> dict[str, str]:
    """What the columns of the files should be, written as sqlglot writes them."""
    nested_lists = first
    types = {}
    for column, text in zip(COLUMNS, TYPES_OF[engine]):
        if not first and column in ("data_grid", "data_maps"):
            continue
        if engine == "bigquery" and not nested_lists:
            text = re.sub(r"STRUCT<list ARRAY<STRUCT<element (.*)>>>", r"ARRAY<\1>", text)
        name = column.upper() if engine == "snowflake" else column
        external = "EXTERNAL " if engine == "athena" else ""
        types[name] = sqlglot.parse_one(f"CREATE {external}TABLE t (c {text})", dialect=engine).find(exp.ColumnDef).kind.sql(engine)
        if column == "domain" and layout != "hive":
            name = "EVENT_TYPE" if engine == "snowflake" else "event_type"
            types[name] = next(reversed(types.values()))
    return types


def external(check, engine: str, layout: str, unit: str, text: str) -> None:
    statements = statements_of(engine, text)
    creates = [statement for statement in statements if isinstance(statement, exp.Create)]
    what = f"{engine}, {layout} by {unit}"
    if engine == "trino" and layout == "delta":
        names = [call.find(exp.Anonymous).name for call in statements]
        return check(f"{what}: the tables", names, ["register_table"] * len(TYPES))
    names = [create.find(exp.Table).name for create in creates]
    check(f"{what}: as many tables as event types", len({name.lower() for name in names}), len(TYPES))
    for event_type, create in zip(TYPES, creates):
        if engine == "duckdb" or layout == "delta" and engine in ("athena", "bigquery", "spark"):
            check(f"{what}, {event_type}: the columns are those of the files", columns_of(engine, create), {})
            continue
        found, expected = columns_of(engine, create), types_of(engine, event_type == TYPES[0], layout)
        of_files = {name: found[name] for name in found if name in expected}
        check(f"{what}, {event_type}: the columns of the files", list(of_files.items()), list(expected.items()))
        partitions = [name.lower() for name in found if name not in expected]
        partition = create.find(exp.PartitionedByProperty)
        if engine in ("athena", "redshift"):
            partitions = [column.name for column in partition.find_all(exp.ColumnDef)]
        if create.args.get("cut"):
            partitions = list(columns_of(engine, create.args["cut"]))
        check(f"{what}, {event_type}: the columns of the directories", partitions, directories_of(engine, layout, unit))


def directories_of(engine: str, layout: str, unit: str) -> list[str]:
    hour = ["hour"] if unit == "hour" else []
    if layout == "plain":
        has_none = engine in ("clickhouse", "spark")
        return [] if has_none else [f"partition_{name}" for name in ["day", *hour]]
    return ["year", "month", "day", *hour, "event_type"] if layout == "hive" else ["day", *hour]


def own(check, engine: str, layout: str, unit: str, text: str) -> None:
    statements = statements_of(engine, text)
    creates = [statement for statement in statements if isinstance(statement, exp.Create)]
    what = f"{engine}'s own, {layout} by {unit}"
    check(f"{what}: as many tables as event types", len(creates), len(TYPES))
    for event_type, create in zip(TYPES, creates):
        expected = types_of(engine, event_type == TYPES[0], layout)
        if engine == "redshift":
            expected = {name: "SUPER" if name in SUPER else kind for name, kind in expected.items()}
        found = columns_of(engine, create)
        check(f"{what}, {event_type}: the columns", list(found.items())[: len(expected)], list(expected.items()))
        more = directories_of(engine, layout, unit) if engine in ("duckdb", "spark", "postgres") and layout != "plain" else []
        check(f"{what}, {event_type}: the other columns", list(found)[len(expected) :], more)
    loads = [statement for statement in statements if isinstance(statement, (exp.Copy, exp.Insert))]
    check(f"{what}: what loads them", len(loads), len(TYPES) if engine in ("snowflake", "clickhouse") else 0)


def day_loaded(check, engine: str, layout: str, unit: str, text: str) -> None:
    kinds = [type(statement) for statement in statements_of(engine, text)]
    load = {"snowflake": exp.Copy, "redshift": exp.Copy, "bigquery": exp.LoadData, "clickhouse": exp.Insert}[engine]
    both = [exp.Transaction, exp.Delete, load, exp.Commit] if engine in ("snowflake", "redshift") else [exp.Delete, load]
    check(f"{engine}'s own, {layout} by {unit}: a day", kinds, both * len(TYPES))
