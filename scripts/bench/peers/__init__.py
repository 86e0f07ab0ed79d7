"""The job of eventloader in other engines, each in the way its documentation recommends.

Each module has `load(source, target, threads)`: reads the JSON lines of `source` with explicit types, keeps the latest version
of each (event_type, event_id), of equal times the later line, and writes zstd Parquet to
`target/DOMAIN/year=Y/month=M/day=D/event_type=T/`. The two domains are two tables of different columns. The engines are spared
what eventloader does besides: strict JSON and values, a quarantine, rows in order within a file, accounting, syncing to disk, a
commit as a whole.

Those of MERGING have `merge(source, target, threads)` too: new lines into what `load` has written.

Times in the modules: CPU seconds for 1,050,000 lines over 7 days, unless it says otherwise, on two cores that other work shared.
"""

import importlib
from types import ModuleType

NAMES = {"duckdb": "DuckDB", "polars": "Polars", "chdb": "ClickHouse (chdb)", "spark": "Spark"}


# Peers that merge.
MERGING = {"duckdb": "DuckDB", "delta": "delta-rs"}


def module(name: str) -> ModuleType:
    """The peer of this name; its engine is imported with it."""
    return importlib.import_module(f"bench.peers.in_{name}")
