"""Spark, or whatever speaks its protocol, reads and writes the pieces of a load: Spark 4 and 3.5, Sail, Spark Connect.

One action does everything, and nothing is cached: the splits are parsed, what they say is grouped by bucket and resolved, that is grouped again and
written, and the answers are collected. So nothing is computed twice, unless a task is run again, which changes nothing.

Spark ≥ 4.0 hands whole groups to Python (`applyInArrow`). Spark 3.5 has no such call: there, tasks take whole shuffle partitions, which have
whole groups (`repartition` by their bucket). If an engine split a group all the same, the commit would refuse it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from eventloader import _native
from eventloader._progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORM = "kind tinyint, bucket int, domain string, event_type string, unit bigint, body binary"
GROUP = "eventloader"
# The least number of tasks that resolve and write. One large split may have many partitions.
TASKS_MIN = 16


def session(remote: str | None, progress: Progress) -> SparkSession:
    """The session of the job; with an address, that of the server there."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("eventloader")
    if remote:
        return builder.remote(remote).getOrCreate()
    if progress.is_shown:
        # Spark's own line would be on the same one.
        builder = builder.config("spark.ui.showConsoleProgress", "false")
    return builder.getOrCreate()


def run(job: str, splits: int, spark: SparkSession, progress: Progress) -> list[pa.RecordBatch]:
    """Runs all tasks of a job; returns their answers."""
    tasks = max(splits, TASKS_MIN)
    # What is grouped is small, so Spark would have it all resolved and written by one task or two: it looks at bytes, not at work.
    for setting, value in ("spark.sql.adaptive.enabled", "false"), ("spark.sql.shuffle.partitions", str(tasks)):
        # Another engine may have no such setting.
        with contextlib.suppress(Exception):
            spark.conf.set(setting, value)

    def parse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for split in batch.column(0).to_pylist():
                yield from _native.parse_split(job, split)

    def resolve(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.resolve_buckets(job, list(batches))

    def write(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.write_partitions(job, list(batches))

    parsed = spark.range(0, splits, 1, splits).mapInArrow(parse, FORM)
    resolved = grouped(parsed, resolve, tasks)
    written = grouped(resolved, write, tasks)
    over = watched(spark, f"eventloader: {splits} splits", progress)
    try:
        return answers(written)
    finally:
        over()


def grouped(frame: DataFrame, work: Callable[[Iterable[pa.RecordBatch]], pa.RecordBatch], tasks: int) -> DataFrame:
    """What `work` makes of whole groups of rows that have the same bucket."""

    def group(rows: pa.Table) -> pa.Table:
        return pa.Table.from_batches([work(rows.to_batches())])

    def groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        if first is not None:
            yield work(itertools.chain([first], batches))

    # The plan that Spark's UI shows has these names.
    group.__name__ = groups.__name__ = work.__name__
    if hasattr(frame.groupBy("bucket"), "applyInArrow"):
        return frame.groupBy("bucket").applyInArrow(group, FORM)
    return frame.repartition(tasks, "bucket").mapInArrow(groups, FORM)


def answers(frame: DataFrame) -> list[pa.RecordBatch]:
    """The rows of a frame, as batches of the form."""
    rows = frame.collect()
    schema = _native.batch_schema()
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return [pa.record_batch(columns, schema=schema)]


def watched(spark: SparkSession, description: str, progress: Progress) -> Callable[[], None]:
    """Names what runs next in Spark's UI, and shows how far it is, until the function that this returns is called."""
    if hasattr(spark, "registerProgressHandler") and type(spark).__module__.startswith("pyspark.sql.connect"):

        told: list[tuple[int, int]] = []

        def handler(stages, **_others) -> None:
            told[:] = [(stage.num_completed_tasks, stage.num_tasks) for stage in sorted(stages or [], key=lambda stage: stage.stage_id)]

        spark.registerProgressHandler(handler)
        stop = progress.watch(lambda: told)

        def over() -> None:
            stop()
            spark.removeProgressHandler(handler)

        return over
    try:
        context = spark.sparkContext
    except Exception:  # noqa: BLE001
        # A server's client of Spark 3.5 has none.
        return lambda: None
    context.setJobGroup(GROUP, description)
    tracker = context.statusTracker()

    def look() -> list[tuple[int, int]]:
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(GROUP)]
        stages = sorted({stage for job in jobs if job for stage in job.stageIds})
        found = [tracker.getStageInfo(stage) for stage in stages]
        return [(stage.numCompletedTasks, stage.numTasks) for stage in found if stage and stage.numActiveTasks + stage.numCompletedTasks]

    return progress.watch(look)
