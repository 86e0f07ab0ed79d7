#!/usr/bin/env python3
"""Runs eventloader_dag.py on a feed with late files and a poisoned hour, then what cron and systemd are given. Started by airflow.sh.

In: BIN_DIR. Out: exit code 1 if a check fails; figures of what was seen. The target must be that of one
backfill, byte for byte, whoever starts the loads.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import importlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta

import by_scheduler
import by_test
import by_timers
from feed import DOMAINS, POISON, START, Feed
from home import NAME, Home

PROGRAMS = pathlib.Path(os.environ["BIN_DIR"]).resolve()
failures = []


def check(what: str, found: object, expected: object) -> None:
    if found != expected:
        failures.append(what)
        print(f"FAILED {what}\n  expected {str(expected)[:2000]}\n  found    {str(found)[:2000]}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/airflow.sh", description="Runs scripts/airflow/eventloader_dag.py on an hourly feed.")
    parser.add_argument("--check", action="store_true", help="6 hours by dag.test(), cron and systemd; without it 48, and 12 by a scheduler")
    parser.add_argument("--seed", type=int, default=7, help="of the events, of what comes late and of which hour is poisoned (7)")
    given = parser.parse_args()
    hours, again = (6, [1, 2, 3]) if given.check else (48, [1, 6, 24])

    with tempfile.TemporaryDirectory(prefix="airflow.") as name:
        work = pathlib.Path(name)
        feed = Feed(work / "tested", PROGRAMS, hours, delays=list(range(1, again[-1] + 1)), seed=given.seed)
        home = Home(work / "home", PROGRAMS, settings(feed, again))
        a_task_that_is_stopped_stops_its_load(home, work)
        the_hours_by_dag_test(feed, home, runs=hours + again[-1])
        the_days_by_dag_test(feed, home)
        what_is_run_again(home, work)
        if not given.check:
            hours, again = 12, [1, 2, 6]
            feed = Feed(work / "scheduled", PROGRAMS, hours, delays=list(range(1, again[-1] + 1)), seed=given.seed + 1)
            # Its first scheduled run is far away: all of them are by backfill.
            home = Home(work / "scheduler", PROGRAMS, settings(feed, again) | {"START": "datetime(2099, 1, 1, tzinfo=timezone.utc)"})
            the_hours_by_a_scheduler(feed, home, again)
        cron_and_systemd(Feed(work / "timed", PROGRAMS, 6, delays=[1, 2, 3], seed=given.seed), work)
    print(f"{len(failures)} failed checks")
    return 1 if failures else 0


def settings(feed: Feed, again: list[int]) -> dict[str, str]:
    return {
        "START": f"datetime({feed.start(0):%Y, %-m, %-d}, tzinfo=timezone.utc)",
        "SOURCE": repr(f"{feed.landing}/{{start:%Y-%m-%d}}/{{start:%H}}/{{domain}}/"),
        "FLAGS": repr(["--catalog", str(feed.catalog)]),
        "LOOK_AGAIN": repr(again),
        "RETRIES": '{"retries": 2, "retry_delay": timedelta(seconds=1)}',
    }


def a_task_that_is_stopped_stops_its_load(home: Home, work: pathlib.Path) -> None:
    """As Airflow stops it: by SIGTERM, which a task by itself ignores. The load waits for its standard input, which nobody writes."""
    program = "import signal; signal.signal(signal.SIGTERM, lambda *_: None); import lake as dag; "
    program += f"print(dag.run('-s', '-', '-t', {str(work / 'stopped')!r}, '--backfill'))"
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    task = subprocess.Popen([sys.executable, "-c", program], cwd=home.path / "dags", env=os.environ | {"PYTHONPATH": "."}, **streams)
    lock = work / "stopped" / "_eventloader" / "lock"
    deadline = time.monotonic() + 120
    while task.poll() is None and time.monotonic() < deadline:
        if lock.exists():
            task.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    task.kill()
    check("a task that is stopped stops its load", task.communicate()[0][:9], "(-15, '',")
    check("which leaves nothing", parquet(work / "stopped"), [])


def the_hours_by_dag_test(feed: Feed, home: Home, runs: int) -> None:
    begin = time.monotonic()
    told = by_test.hours_one_after_the_other(feed, home, runs, kill_every=4)
    the_operator_is_told_once(feed, home, told)
    feed.mend()
    check("mended and run again, the hour is loaded", by_test.run(home, "lake_load", feed.start(feed.poisoned)), [])
    is_one_backfill(feed, home.target)
    report_of(f"dag.test(): {runs} runs", begin, feed, home)

    check("lake_verify finds nothing", by_test.run(home, "lake_verify", feed.start(0)), [])
    (home.target / "stranger.parquet").write_bytes(b"PAR1")
    told = by_test.run(home, "lake_verify", feed.start(1))
    check("but a stranger's file, once", [f"{home.target} is not as its loads left it:\nstranger.parquet" in message for message in told], [True])


def the_days_by_dag_test(feed: Feed, home: Home) -> None:
    """The same landing directory once more: a day is an interval, and its files are not told apart by domain."""
    source = repr(f"{feed.landing}/{{start:%Y-%m-%d}}/")
    daily = settings(feed, [1]) | {"SCHEDULE": repr("0 0 * * *"), "SOURCE": source, "DOMAINS": repr(["events"]), "MAX_BAD_LINES": repr("5%")}
    target, day = home.copy("daily", daily), timedelta(days=1)
    for number in range(-(-feed.hours // 24)):
        check("a day is loaded", by_test.run(home, "daily_load", feed.start(0) + number * day, day), [])
    is_one_backfill(feed, target)


def what_is_run_again(home: Home, work: pathlib.Path) -> None:
    """Exit codes of the real program, and whether the task is retried."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    sys.path.insert(0, str(home.path / "dags"))
    dag, source, target = importlib.import_module(NAME), work / "sources", work / "codes"
    source.mkdir()
    dag.SOURCE, dag.TARGET, dag.FLAGS = f"{source}/", str(target), []
    good = source / "good.json"
    good.write_text('{"event_id": "a", "timestamp": "2024-01-01T00:00:00Z", "domain": "account", "event_type": "account-close", "data": {"id": 1}}\n')

    def outcome() -> str:
        try:
            with by_test.into(home.path / "codes.log"):
                return "done" if dag.load_interval("events", START, "50%") else "no file"
        except AirflowFailException as problem:
            return "failed" + re.search(r"exit code -?\d+", str(problem))[0][9:]
        except AirflowException as problem:
            return "retried" + re.search(r"exit code -?\d+", str(problem))[0][9:]

    check("a load is done", outcome(), "done")
    with holding(target):
        check("another load has the target", outcome(), "retried 4")
    (source / "bad.json").write_text("{\n")
    check("too many bad lines", outcome(), "failed 3")
    (source / "bad.json").write_bytes(good.read_bytes() + bytes(100))
    check("a file is damaged", outcome(), "failed 6")
    (source / "bad.json").unlink()
    dag.FLAGS = ["--mode", "none"]
    check("the settings are wrong", outcome(), "failed 2")
    dag.FLAGS = []
    next(target.rglob("*.parquet")).unlink()
    check("a file of the target is gone", outcome(), "retried 1")
    dag.SOURCE = f"{source}/{{start:%H}}/"
    check("there is no directory", outcome(), "no file")


def the_hours_by_a_scheduler(feed: Feed, home: Home, again: list[int]) -> None:
    begin, last = time.monotonic(), feed.hours - 1
    feed.arrive_in_time()
    with by_scheduler.running(home):
        for hour in feed.killed(4):
            home.kill(feed.start(hour), "transaction")
        by_scheduler.backfill(home, feed, 0, last)
        told = by_scheduler.told(home)
        the_operator_is_told_once(feed, home, told)
        # The operator takes the advice of the message's last line, as it stands there.
        by_scheduler.advised(home, told[0].splitlines()[-1].split(": ", 1)[1])

        # What comes late now is found by the next hours' runs, or by running the hour again.
        feed.arrive_late()
        by_scheduler.backfill(home, feed, last + 1, last + again[-1])
        by_scheduler.backfill(home, feed, 0, last - again[-1], "--reprocess-behavior", "completed")
        check("nothing else was told", by_scheduler.told(home), told)
    check("all runs end well", home.rows("select logical_date from dag_run where state != 'success'"), [])
    is_one_backfill(feed, home.target, accepted=POISON)
    report_of("airflow backfill create", begin, feed, home)


def the_operator_is_told_once(feed: Feed, home: Home, told: list[str]) -> None:
    check("the operator gets one message", len(told), 1)
    poisoned = feed.start(feed.poisoned)
    check("of the poisoned hour", [message.startswith(f"transaction of {poisoned:%Y-%m-%dT%H}:00Z (exit code 3): ") for message in told], [True])
    print(f"What the operator is told of the poisoned hour:\n{told[0] if told else None}")
    runs = home.rows("select logical_date from dag_run where state != 'success'")
    check("all other runs end well", runs, [(f"{poisoned:%Y-%m-%d %H:%M:%S}.000000",)])
    tasks = home.rows("select task_id, map_index, try_number from task_instance where state = 'failed'")
    check("without a retry", tasks, [("load", DOMAINS.index("transaction"), 1)])
    check("what was killed was run again", len(home.rows("select 1 from task_instance where try_number > 1 and state = 'success'")) > 0, True)


def report_of(how: str, begin: float, feed: Feed, home: Home) -> None:
    check("loads are killed midway", home.killed_midway() > 0, True)
    events = [json.loads(extra) for (extra,) in home.rows("select extra from asset_event")]
    print(
        f"{how} in {time.monotonic() - begin:.0f} s: {feed.late_files} files came late, {home.killed_midway()} loads were killed midway, "
        f"{len(events)} asset events of {sum(event['written'] for event in events)} rows written"
    )


def cron_and_systemd(feed: Feed, work: pathlib.Path) -> None:
    """The hours by turns; what is poisoned holds up the others until it is mended, and each run says so."""
    programs, target = work / "programs", work / "lake"
    programs.mkdir()
    (programs / "eventloader").symlink_to(PROGRAMS / "eventloader")
    edits = {"/data/landing": str(feed.landing), "/data/lake": str(target), "/usr/local/bin": str(programs)}
    settings, (load, verify) = by_timers.crontab(edits)
    # The types of the feed are not the built-in ones.
    settings["EVENTLOADER_CATALOG"] = str(feed.catalog)
    units = by_timers.services(edits, work / "units")
    found = by_timers.findings(units)
    check("systemd-analyze verify finds nothing", found or [], [])

    ways = lambda: by_timers.by_cron(settings, load, work), lambda: by_timers.by_systemd(units["eventloader-load.service"], feed.catalog)
    codes = []
    feed.landing.mkdir()
    for hour in range(feed.hours + 4):
        feed.arrive(before=hour)
        code, said = ways[hour % 2]()
        codes.append(code)
        check(f"hour {hour}: nothing is said unless something is wrong", bool(said), code != 0)
    check("the poisoned file is refused until it is mended", codes, [0] * feed.poisoned + [3] * (feed.hours + 4 - feed.poisoned))
    feed.mend()
    check("mended, it is loaded", ways[1](), (0, ""))
    check("the next run has nothing to do", ways[0](), (0, ""))
    check("verify by cron", by_timers.by_cron(settings, verify, work), (0, ""))
    check("verify by systemd", by_timers.by_systemd(units["eventloader-verify.service"], feed.catalog)[0], 0)
    is_one_backfill(feed, target)

    with holding(target):
        check("while another load has the target, cron's and systemd's say so", [way()[0] for way in ways], [4, 4])
    print(f"cron and systemd: {len(codes)} runs, exit codes {codes}; units verified: {'no systemd here' if found is None else len(units)}")


@contextlib.contextmanager
def holding(target: pathlib.Path) -> Iterator[None]:
    """A load that waits for its standard input has the target."""
    command = [PROGRAMS / "eventloader", "-q", "-s", "-", "-t", target, "--mode", "merge", "--backfill"]
    other = subprocess.Popen(command, stdin=subprocess.PIPE)
    lock, deadline = target / "_eventloader" / "lock", time.monotonic() + 60
    # It has the number of the process that holds it.
    while not (lock.exists() and str(other.pid) in lock.read_text()):
        if time.monotonic() > deadline:
            sys.exit(f"error: no load has got hold of {target}")
        time.sleep(0.01)
    try:
        yield
    finally:
        other.communicate()


def is_one_backfill(feed: Feed, target: pathlib.Path, accepted: int = 0) -> None:
    """The same files with the same bytes as one backfill has, and the bad lines, but for those that were accepted; what the manifest says."""
    one = feed.landing.with_name("one")
    subprocess.run([PROGRAMS / "eventloader", "-q", "-s", feed.generated, "-t", one, "--backfill", "--catalog", feed.catalog], check=True)
    files = parquet(one)
    check("the target has the files of one backfill", parquet(target), files)
    _, differ, missing = filecmp.cmpfiles(one, target, files, shallow=False)
    check("and their bytes", (len(files) > 4, differ, missing), (True, [], []))
    check("and its bad lines", bad_lines(target), bad_lines(one) + accepted)
    against = [] if accepted else ["--against", feed.manifest]
    verify = subprocess.run([PROGRAMS / "eventloader", "verify", target, *against], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check("and verify finds nothing", (verify.returncode, verify.stdout), (0, verify.stdout))
    print(verify.stdout.strip())


def bad_lines(target: pathlib.Path) -> int:
    command = [PROGRAMS / "eventloader", "quarantine", "-q", target, "--json"]
    groups = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return sum(json.loads(group)["lines"] for group in groups.splitlines())


def parquet(target: pathlib.Path) -> list[str]:
    return sorted(str(file.relative_to(target)) for file in target.rglob("*.parquet"))


if __name__ == "__main__":
    sys.exit(main())
