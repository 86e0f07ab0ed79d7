"""Ray reads and writes the pieces of a load, by remote tasks of its own: small answers between them go through its object store."""

from __future__ import annotations

import pyarrow as pa

from eventloader import _native
from eventloader._plain import groups


def run(job_file: str, splits: int) -> list[pa.RecordBatch]:
    """Runs all tasks of a job; returns their answers."""
    import ray

    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)

    @ray.remote
    def parse(split: int) -> list[pa.RecordBatch]:
        return list(_native.parse_split(job_file, split))

    @ray.remote
    def resolve(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.resolve_buckets(job_file, batches)

    @ray.remote
    def write(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.write_partitions(job_file, batches)

    parsed = [batch for batches in ray.get([parse.remote(split) for split in range(splits)]) for batch in batches]
    resolved = ray.get([resolve.remote(group) for group in groups(parsed, ["bucket"])])
    return ray.get([write.remote(group) for group in groups(resolved, ["domain", "event_type", "unit"])])
