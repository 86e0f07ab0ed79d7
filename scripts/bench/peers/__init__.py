"""The job of eventloader in other engines, each done as its documentation recommends.

Each module has `load(source, target, threads)`: reads the JSON lines of `source` with explicit types, keeps the latest version
of each (event_type, event_id), of equal times the later line, and writes zstd Parquet to
`target/DOMAIN/year=Y/month=M/day=D/event_type=T/`. The two domains are two tables with different columns. The engines are spared
what eventloader does besides: strict JSON and values, a quarantine, rows in order within a file, accounting, syncing to disk, an
atomic commit.

The modules in MERGING also have `merge(source, target, threads)`: new lines into what `load` has written.

Times in the modules are CPU seconds for 1,050,000 lines over 7 days, unless stated otherwise, on two cores shared with other work.
"""

import importlib
from types import ModuleType

NAMES = {"duckdb": "DuckDB", "polars": "Polars", "chdb": "ClickHouse (chdb)", "spark": "Spark"}


# Peers that merge.
MERGING = {"duckdb": "DuckDB", "delta": "delta-rs"}


def module(name: str) -> ModuleType:
    """The peer of this name; importing it imports its engine."""
    return importlib.import_module(f"bench.peers.in_{name}")
