"""Compares the rows of a table with those of Parquet files: every column, every value.

Parquet's values are those of pyarrow, the database's those of psycopg. What is `jsonb` in the table is compared as the JSON that
docs/postgres.md promises for it; everything else as Python's values, in which a decimal, an instant and a double are exact.
"""

import math
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc


def in_order_of_ids(rows):
    """Bytewise, as COLLATE "C" does it."""
    return rows.take(pc.sort_indices(rows["event_id"])).combine_chunks()


def difference(found, expected):
    """What is not as it must be; none if all is. `found` is of a Schema, `expected` an Arrow table."""
    expected = in_order_of_ids(expected)
    ids = found["event_id"][1], expected["event_id"].to_pylist()
    if ids[0] != ids[1]:
        missing, too_many = set(ids[1]) - set(ids[0]), set(ids[0]) - set(ids[1])
        return f"{len(ids[0])} rows, expected {len(ids[1])}; too many: {sorted(too_many)[:3]}, missing: {sorted(missing)[:3]}"
    for name in {**found, **dict.fromkeys(expected.column_names)}:
        if name not in found:
            return f"there is no column {name}"
        kind, values = found[name]
        if name not in expected.column_names:
            # A column that no file has yet.
            wanted = [None] * len(values)
        else:
            data_type = expected.schema.field(name).type
            wanted = expected[name].to_pylist()
            if kind in ("jsonb", "json"):
                wanted = [json_of(value, data_type) for value in wanted]
        for row, one, other in zip(ids[0], values, wanted, strict=True):
            if not same(one, other):
                return f"{name} ({kind}) of {row} is {one!r}, expected {other!r}"
    return None


def same(one, other):
    """Equal, of the same kind; -0.0 is not 0.0, but in JSON, which has none."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, float) and isinstance(other, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, Decimal)) and isinstance(other, float):
        return float(one) == other
    return one == other


def json_of(value, data_type):
    """A nested value as JSON holds it: instants and days are texts, members of objects that are null are left out."""
    if value is None:
        return None
    if pa.types.is_map(data_type):
        return {key: json_of(item, data_type.item_type) for key, item in value}
    if pa.types.is_list(data_type):
        return [json_of(item, data_type.value_type) for item in value]
    if pa.types.is_struct(data_type):
        members = {field.name: json_of(value[field.name], field.type) for field in data_type}
        return {name: member for name, member in members.items() if member is not None}
    if isinstance(value, datetime):
        digits = 6 if value.microsecond % 1000 else 3 if value.microsecond else 0
        fraction = f".{value.microsecond:06}"[: digits + 1] if digits else ""
        return f"{value.year:04}-{value:%m-%dT%H:%M:%S}{fraction}Z"
    if isinstance(value, date):
        return f"{value.year:04}-{value:%m-%d}"
    return value
