"""The hours of a feed by a real scheduler: `airflow backfill create`, a poisoned hour, what the message advises, files that come late.

In: a feed, a throw-away Airflow. Out: what the operator was told.
Invariant: the processes that are started end with the functions that start them; they listen on loopback only. A backfill is created while no
scheduler runs: SQLite refuses a transaction that writes after it has read, if another process has written meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from feed import Feed
from home import NAME, Home

DAG = f"{NAME}_load"


@contextlib.contextmanager
def running(home: Home) -> Iterator[None]:
    """An API server, which the tasks need, and the DAGs in the database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
    }
    home.airflow("dags", "reserialize")
    with part(home, "api-server", "--workers", "1"):
        until("the API server is up", lambda: is_up(port), 180)
        yield


@contextlib.contextmanager
def part(home: Home, *command: str) -> Iterator[None]:
    """A part of Airflow, and all that it starts: its process group is its own."""
    with open(home.path / f"{command[0]}.log", "ab") as log:
        process = subprocess.Popen(["airflow", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)


def is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(what: str, holds: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"error: after {seconds:.0f} s it is not so that {what}")
        time.sleep(0.5)


def backfill(home: Home, feed: Feed, first: int, last: int, *flags: str) -> None:
    """Runs the intervals of some hours."""
    dates = ["--from-date", feed.start(first).isoformat(), "--to-date", feed.start(last).isoformat()]
    home.airflow("backfill", "create", "--dag-id", DAG, *dates, "--max-active-runs", "4", *flags)
    schedule(home, last - first + 1)


def advised(home: Home, command: str) -> None:
    """Runs a command of the message, as an operator would paste it."""
    if not command.startswith("airflow backfill create "):
        sys.exit(f"error: the message's last line ends with no command, but with {command}")
    subprocess.run(["/bin/sh", "-c", command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    schedule(home, 1)


def schedule(home: Home, runs: int) -> None:
    """Runs a scheduler until all runs have ended."""
    open_runs = "select 1 from dag_run where state not in ('success', 'failed')"
    open_backfills = "select 1 from backfill where completed_at is null"
    with part(home, "scheduler"):
        until("the backfill has ended", lambda: not home.rows(open_runs) and not home.rows(open_backfills), 120 + 60 * runs)


def told(home: Home) -> list[str]:
    """The messages of all tasks that failed for good, from their logs."""
    messages = []
    for log in sorted((home.path / "logs").glob(f"dag_id={DAG}/**/*.log")):
        for line in log.read_text().splitlines():
            for problem in json.loads(line).get("error_detail") or []:
                if problem["exc_type"] == "AirflowFailException":
                    messages.append(problem["exc_value"])
    return messages
