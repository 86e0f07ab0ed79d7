"""Python alone reads and writes the pieces of a load, one after the other: to see that an installation works, and in tests."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from eventloader import _native
from eventloader._progress import Progress


def run(job: str, splits: int, progress: Progress) -> list[pa.RecordBatch]:
    """Runs all tasks of a job; returns their answers."""
    done: list[tuple[int, int]] = []

    def each(items, work):
        """What `work` makes of each item."""
        done.append((0, len(items)))
        for item in items:
            yield work(item)
            done[-1] = done[-1][0] + 1, len(items)
            progress.show(done)

    parsed = [batch for batches in each(range(splits), lambda split: list(_native.parse_split(job, split))) for batch in batches]
    resolved = list(each(groups(parsed), lambda group: _native.resolve_buckets(job, group)))
    return list(each(groups(resolved), lambda group: _native.write_partitions(job, group)))


def groups(batches: list[pa.RecordBatch]) -> list[list[pa.RecordBatch]]:
    """The rows of batches, those of a bucket together."""
    table = pa.Table.from_batches(batches, schema=_native.batch_schema())
    numbered = table.append_column("row", pa.array(range(table.num_rows), pa.int64()))
    rows = numbered.group_by("bucket", use_threads=False).aggregate([("row", "list")])["row_list"]
    return [table.take(pc.list_flatten(pa.array([of_group.as_py()]))).to_batches() for of_group in rows]
