"""Ray reads and writes the pieces of a load, by remote tasks of its own: small answers between them go through its object store."""

from __future__ import annotations

import pyarrow as pa

from eventloader import _native
from eventloader._plain import groups
from eventloader._progress import Progress


def run(job: str, splits: int, progress: Progress) -> list[pa.RecordBatch]:
    """Runs all tasks of a job; returns their answers."""
    import ray

    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False, logging_level="ERROR")
    done: list[tuple[int, int]] = []

    # A worker that dies is replaced, by Ray's default three times. What a task raises ends the job.
    @ray.remote
    def parse(split: int) -> list[pa.RecordBatch]:
        return list(_native.parse_split(job, split))

    @ray.remote
    def resolve(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.resolve_buckets(job, batches)

    @ray.remote
    def write(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.write_partitions(job, batches)

    def all_of(tasks: list) -> list:
        """The answers of tasks that run."""
        done.append((0, len(tasks)))
        waiting = tasks
        while waiting:
            ended, waiting = ray.wait(waiting)
            # What one has raised ends all at once.
            ray.get(ended)
            done[-1] = len(tasks) - len(waiting), len(tasks)
            progress.show(done)
        return ray.get(tasks)

    parsed = [batch for batches in all_of([parse.remote(split) for split in range(splits)]) for batch in batches]
    resolved = all_of([resolve.remote(group) for group in groups(parsed)])
    return all_of([write.remote(group) for group in groups(resolved)])
