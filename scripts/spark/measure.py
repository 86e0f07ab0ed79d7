"""What a load takes on an engine, by the number of its splits, beside eventloader on one machine; and what Spark moves between its tasks."""

import json
import subprocess
import time

from . import Violation

SPLITS = 2, 4, 8
ROUNDS = 3
# So many days, with their events: 100 partitions.
DAYS = 20


def go(binaries, work, engine, events, seed, counts):
    work.mkdir(parents=True)
    source = work / "in"
    run(binaries / "datagen", "--world", "ledger", "--events-per-day", events // DAYS, "-s", seed, "-n", events, "-q", "-w", "-b", source, "--faults",
        "duplicates=1%,corrections=1%")
    (file,) = source.iterdir()
    catalog = work / "ledger.toml"
    catalog.write_bytes(subprocess.run([binaries / "datagen", "catalog"], check=True, capture_output=True).stdout)
    load = ["-q", "-b", "--catalog", catalog, "-s", file]
    alone = min(timed(run, binaries / "eventloader", *load, "-t", work / f"one-{number}")[0] for number in range(ROUNDS))
    print(f"{engine.name}: {events} events, {file.stat().st_size / 1e6:.0f} MB; eventloader on one machine: {alone:.2f} s")
    for splits in SPLITS:
        of_splits(engine, (work, file, load), (events, splits))
        counts["numbers of splits"] += 1


def of_splits(engine, about, numbers):
    (work, file, load), (events, splits) = about, numbers
    logs = work / f"log-{splits}"
    logs.mkdir()
    options = ["spark.eventLog.enabled=true", f"spark.eventLog.dir=file://{logs}", "spark.eventLog.rolling.enabled=false", "spark.eventLog.compress=false"]
    job = ["--split-size", -(-file.stat().st_size // splits), *load, "-t", work / f"other-{splits}"]
    seconds, done = timed(engine.load, job, options)
    if done.code:
        raise Violation(f"{engine.name}: exit code {done.code}: {done.said[-3000:]}")
    stages = [stage for path in logs.rglob("*") if path.is_file() for stage in stages_of(path)]
    what = "; ".join(f"{name} {wall:.1f} s, {tasks} tasks of {work_seconds:.1f} s in all, {written / events:.1f} bytes an event to the next"
                     for name, (wall, tasks, work_seconds, written) in zip(("parse", "resolve", "write"), stages))
    print(f"  {splits} splits: {seconds:.1f} s{': ' if what else ''}{what}", flush=True)


def stages_of(log):
    """Of each stage in Spark's event log: seconds, tasks, seconds of all tasks, bytes that it wrote for the next."""
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["Event"] != "SparkListenerStageCompleted":
            continue
        info = event["Stage Info"]
        sums = {entry["Name"]: int(entry["Value"]) for entry in info["Accumulables"] if entry["Name"].startswith("internal.metrics.")}
        written = sums.get("internal.metrics.shuffle.write.bytesWritten", 0)
        yield ((info["Completion Time"] - info["Submission Time"]) / 1000, info["Number of Tasks"], sums.get("internal.metrics.executorRunTime", 0) / 1000, written)


def timed(work, *arguments):
    began = time.perf_counter()
    done = work(*arguments)
    return time.perf_counter() - began, done


def run(*command):
    subprocess.run(list(map(str, command)), check=True)
