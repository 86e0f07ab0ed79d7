"""The hours of a feed, one `dag.test()` after the other, while files arrive late, loads are killed and one hour is poisoned.

In: a feed, a throw-away Airflow. Out: what went wrong, and figures.
Invariant: the operator gets one message, for the poisoned hour; once that is mended and run again, everything has been loaded.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest import mock

from feed import Feed
from home import NAME, Home

FAILED = re.compile(r"^airflow\.sdk\.exceptions\.(Airflow\w+): (.*?)(?=\n\d{4}-\d\d-\d\dT)", re.MULTILINE | re.DOTALL)


def hours_one_after_the_other(feed: Feed, home: Home, runs: int, kill_every: int) -> list[str]:
    """Runs the interval of each hour, and some more for what comes late; what the operator was told."""
    told = []
    for hour in range(runs):
        feed.arrive(before=hour)
        if hour in feed.killed(kill_every):
            home.kill(feed.start(hour), "transaction")
        told += run(home, f"{NAME}_load", feed.start(hour))
    return told


def run(home: Home, dag_id: str, start: datetime, length: timedelta = timedelta(hours=1)) -> list[str]:
    """Runs an interval; the messages of what failed for good."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.timetables.base import DataInterval
    from airflow.timetables.interval import CronDataIntervalTimetable

    # `dag.test()` makes manual runs, whose interval is the one before their time; here each is to have that of the scheduler's run.
    def scheduled(_: object, *, run_after: object) -> DataInterval:
        return DataInterval(run_after, run_after + length)

    log = home.path / f"{dag_id}-{start:%Y-%m-%dT%H}.log"
    with into(log):
        bag = DagBag(home.path / "dags")
        with mock.patch.object(CronDataIntervalTimetable, "infer_manual_data_interval", scheduled):
            bag.dags[dag_id].test(logical_date=start)
    if bag.import_errors:
        sys.exit(f"error: Airflow can't import the DAG file: {bag.import_errors}")
    return [message for kind, message in FAILED.findall(log.read_text()) if kind == "AirflowFailException"]


@contextlib.contextmanager
def into(log: pathlib.Path) -> Iterator[None]:
    """What is printed meanwhile, by this process and others, goes into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in zip((1, 2), saved):
            os.dup2(copy, number)
            os.close(copy)
