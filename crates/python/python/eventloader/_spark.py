"""Spark, or whatever speaks its protocol, reads and writes the pieces of a load: Spark 4 and 3.5, Sail, Spark Connect.

One action does everything, and nothing is cached: the splits are parsed, what they say is grouped by bucket and resolved, that is grouped by
partition and written, and the answers are collected. So nothing is computed twice, unless a task is run again, which changes nothing.

Spark ≥ 4.0 hands whole groups to Python (`applyInArrow`). Spark 3.5 has no such call: there, tasks take whole shuffle partitions, which have
whole groups (`repartition` by the columns of the group). If an engine split a group all the same, the commit would refuse it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from eventloader import _native

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORM = "kind tinyint, bucket int, domain string, event_type string, unit bigint, body binary"
PARTITION = ["domain", "event_type", "unit"]


def session(remote: str | None) -> SparkSession:
    """The session of the job; with an address, that of the server there."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("eventloader")
    return (builder.remote(remote) if remote else builder).getOrCreate()


def run(job_file: str, splits: int, spark: SparkSession) -> list[pa.RecordBatch]:
    """Runs all tasks of a job; returns their answers."""

    def parse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for split in batch.column(0).to_pylist():
                yield from _native.parse_split(job_file, split)

    def resolve(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.resolve_buckets(job_file, list(batches))

    def write(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
        return _native.write_partitions(job_file, list(batches))

    parsed = spark.range(0, splits, 1, splits).mapInArrow(parse, FORM)
    resolved = grouped(parsed, ["bucket"], resolve, splits)
    written = grouped(resolved, PARTITION, write, splits)
    return answers(written)


def grouped(frame: DataFrame, columns: list[str], work, splits: int) -> DataFrame:
    """What `work` makes of whole groups of rows that have the same values in these columns."""
    if hasattr(frame.groupBy(*columns), "applyInArrow"):
        return frame.groupBy(*columns).applyInArrow(lambda rows: pa.Table.from_batches([work(rows.to_batches())]), FORM)

    def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        if first is not None:
            yield work(itertools.chain([first], batches))

    # As many tasks as there were: what is grouped is small.
    return frame.repartition(splits, *columns).mapInArrow(each, FORM)


def answers(frame: DataFrame) -> list[pa.RecordBatch]:
    """The rows of a frame, as batches of the form."""
    rows = frame.collect()
    schema = _native.batch_schema()
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    return [pa.record_batch(columns, schema=schema)]
