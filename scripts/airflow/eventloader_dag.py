"""Loads an hourly feed into one target and checks the target each day. For Airflow 3.2 or newer; docs/scheduling.md explains it.

Copy this file into the dags folder, edit the settings, make the pool and unpause both DAGs:

    airflow pools set lake 1 "one load at a time"

Whatever is retried, cleared, killed or run in another order, the target holds what one backfill of all files would leave.
"""

from __future__ import annotations

import glob
import json
import signal
import subprocess
from datetime import datetime, timedelta, timezone

from airflow.sdk import Asset, CronDataIntervalTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

# Settings. SOURCE is a directory for each interval and domain, or a file or pattern (where names that end in .tmp count, too). For a feed
# that is not split by domain, leave {domain} out and name one domain, such as "events".
NAME = "lake"  # of the pool, the asset and, with _load and _verify, the DAGs
SCHEDULE = "0 * * * *"  # for days "0 0 * * *"; not "@hourly", whose intervals are empty in Airflow 3
START = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the first interval; `airflow backfill create` loads earlier ones
SOURCE = "/data/landing/{start:%Y-%m-%d}/{start:%H}/{domain}/"
TARGET = "/data/lake"
FLAGS = []  # such as ["--catalog", "/data/mine.toml"]
DOMAINS = ["account", "transaction"]
MAX_BAD_LINES = "100"  # of an interval and domain; beyond that, nothing of it is loaded. A share, "1%", is exceeded by one of few lines
LOOK_AGAIN = [1, 6, 24]  # each interval is looked at again so many intervals later, for files that came late
RETRIES = {"retries": 5, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2}

EVENTLOADER = "eventloader"  # found in the PATH of the worker
LAKE = Asset(NAME)
COMMON = {"start_date": START, "default_args": {"pool": NAME, **RETRIES}, "tags": ["eventloader"]}


def run(*arguments: str) -> tuple[int, str, str]:
    """Runs eventloader; its exit code, standard output and messages. A task that is stopped stops it, too, which changes nothing."""
    with subprocess.Popen([EVENTLOADER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        output, messages = child.communicate()
        signal.signal(signal.SIGTERM, before)
    return child.returncode, output, messages.strip()


def load_interval(domain: str, start: datetime, max_bad_lines: str) -> dict | None:
    """Merges what an interval has that was not loaded before; the report of the load. None if there is no file yet."""
    source = SOURCE.format(start=start, domain=domain)
    if "://" not in source and not glob.glob(source, recursive=True):
        return None
    load = ["-s", source, "-t", TARGET, "--backfill", "--mode", "merge", "--skip-loaded"]
    code, report, messages = run(*load, "--max-bad-lines", max_bad_lines, "--report", "-", *FLAGS)
    if code == 0:
        print(messages)
        return json.loads(report)
    problem = f"{domain} of {start:%Y-%m-%dT%H:%MZ} (exit code {code}): {messages}"
    again = f"airflow backfill create --dag-id {NAME}_load --reprocess-behavior completed --from-date {start.isoformat()} --to-date {start.isoformat()}"
    if code == 3:
        accept = f"""--dag-run-conf '{{"max_bad_lines": "100%"}}'"""
        raise AirflowFailException(
            f"{problem}\nMend or remove the file, then run the interval again: {again}\n"
            f"Or load it with its bad lines in the quarantine: {again} {accept}"
        )
    if code == 6:
        raise AirflowFailException(f"{problem}\nThe rest is loaded. Mend or remove what is named, then run the interval again: {again}")
    if code == 2:
        raise AirflowFailException(f"{problem}\nMend the settings of the DAG, then run the interval again: {again}")
    # 1: failed, 4: another load has the target, 5: only the report is missing, below 0: killed. All of them are safe to run again.
    raise AirflowException(problem)


def facts(*reports: dict) -> dict:
    """What the asset's event says of loads."""
    counts = {name: sum(report[name] for report in reports) for name in ("lines", "written", "redelivered", "corrected")}
    counts["quarantined"] = sum(report["quarantined"]["total"] for report in reports)
    return counts | {"partitions": sorted({part["path"] for report in reports for part in report["partitions"]})}


@dag(
    dag_id=f"{NAME}_load",
    schedule=CronDataIntervalTimetable(SCHEDULE, timezone="UTC"),
    catchup=True,
    params={"max_bad_lines": Param(MAX_BAD_LINES, type="string")},
    doc_md=__doc__,
    **COMMON,
)
def load_dag():
    @task(outlets=[LAKE], map_index_template="{{ domain }}")
    def load(domain: str, params=None, data_interval_start=None, outlet_events=None):
        report = load_interval(domain, data_interval_start, params["max_bad_lines"])
        if report is None:
            raise AirflowSkipException("there is no file yet; later runs look again")
        outlet_events[LAKE].extra = facts(report)
        return report

    @task(outlets=[LAKE], map_index_template="{{ domain }}")
    def load_late(domain: str, ti=None, data_interval_start=None, data_interval_end=None, outlet_events=None):
        reports, problems = {}, []
        for intervals in LOOK_AGAIN:
            start = data_interval_start - intervals * (data_interval_end - data_interval_start)
            # An interval that has failed, or is still to be loaded, is left to its own run, which tells the operator.
            own = {"dag_id": ti.dag_id, "task_ids": ["load"], "map_index": ti.map_index, "logical_dates": [start]}
            if ti.get_ti_count(**own, states=["success", "skipped"]) == 0:
                continue
            try:
                report = load_interval(domain, start, MAX_BAD_LINES)
            except AirflowFailException as problem:
                problems.append(str(problem))
            else:
                if report and report["sources"]:
                    reports[start.isoformat()] = report
        if problems:
            raise AirflowFailException("\n".join(problems))
        if not reports:
            raise AirflowSkipException("nothing came late")
        outlet_events[LAKE].extra = facts(*reports.values())
        return reports

    load.expand(domain=DOMAINS)
    load_late.expand(domain=DOMAINS)


@dag(dag_id=f"{NAME}_verify", schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"), catchup=False, **COMMON)
def verify_dag():
    @task(inlets=[LAKE])
    def verify():
        code, problems, messages = run("verify", TARGET)
        if code == 1:
            raise AirflowFailException(f"{TARGET} is not as its loads left it:\n{problems}{messages}\ndocs/merge.md says how to put it right")
        if code != 0:
            raise AirflowException(f"exit code {code}: {messages}")
        print(messages)

    verify()


load_dag()
verify_dag()
