"""eventloader loads JSON events into Parquet, exactly one row per event; datagen generates such events.

The package has both programs as commands: `eventloader` and `datagen`, and `python -m eventloader`. `events_load.py` is a load that Spark, Sail or
Ray distributes. Other engines do the same with four calls, which take and return `pyarrow.RecordBatch`es of one form, `batch_schema()`:

1. `Job(arguments)` in the driver locks the target and divides the sources;
2. `parse_split(job.handle, number)` for each of `job.split_count` splits;
3. `resolve_buckets(job.handle, batches)` for whole groups of rows that have the same `bucket`;
4. `write_partitions(job.handle, batches)` for whole groups of what these return, again by `bucket`; `job.commit(batches)` of all that comes out.

Tasks may run several times, anywhere that sees the target under the same path. What was lost or doubled between them, `commit` refuses.
"""

from eventloader._native import __version__

__all__ = ["Job", "LoadError", "__version__", "batch_schema", "parse_split", "resolve_buckets", "write_partitions"]


def __getattr__(name: str):
    # The commands need none of these, nor pyarrow.
    if name in __all__:
        from eventloader import _native

        return getattr(_native, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
