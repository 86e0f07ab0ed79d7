"""Loads some of whose tasks raise, die or dawdle after their work: an engine that repeats them leaves what one machine leaves; one that does
not says why in one sentence and changes nothing, and its next load is right.
"""

from . import alike
from .world import World

SPECULATION = ["spark.speculation=true", "spark.speculation.interval=50ms", "spark.speculation.multiplier=1.1", "spark.speculation.quantile=0.3",
               "spark.speculation.minTaskRuntime=100ms"]


def go(binaries, work, engine, count, seed, counts):
    for number in range(count):
        world = World(binaries, work / str(number), seed + number, counts)
        # One step, all files in small splits: there should be tasks to fail.
        world.steps, world.split_size = ["overwrite"], 100_000
        fail(world, engine, counts)


def fail(world, engine, counts):
    target = world.work / "other"
    (mine,), (theirs,) = (list(world.loads(world.work / name, world.work / f"{name}.json")) for name in ("one", "other"))
    alone = world.run("eventloader", *mine, exits=range(256))
    if alone.returncode:
        counts["loads that must fail"] += 1
        return
    if engine.RETRIES:
        actions, options = ["none", "none", "none", "raise", "kill", "slow"], [*SPECULATION, "spark.task.maxFailures=8"]
    else:
        actions, options = ["none", "raise", "kill"] if engine.WORKERS else ["none", "raise"], []
    job = ["--split-size", world.split_size, *theirs]
    with engine.sabotaged(world.seed, actions, seconds=3) as met:
        run = engine.load(job, options)
        for name in met():
            counts[f"tasks that met: {name.partition('-')[0]}"] += 1
        failed = any(name.startswith("raise") for name in met())
    if engine.RETRIES or not failed:
        check(world, engine, run)
        return
    if run.code != 1 or len(run.errors) != 1 or "sabotage: this task fails once" not in run.said or "Traceback" in run.said:
        raise world.violation(engine, f"a task has failed, and the load ends with {run.code} and {run.said[-2000:]}")
    # Tasks that were at work then leave files on their way, which the next load deletes.
    if left := [name for name in alike.tree(target) if name != "_eventloader/lock" and not name.startswith("_eventloader/staging/")]:
        raise world.violation(engine, f"a task has failed, and there is {left}")
    check(world, engine, engine.load(job))
    counts["loads that failed, and changed nothing"] += 1


def check(world, engine, run):
    if run.code:
        raise world.violation(engine, f"exit code {run.code}: {run.said[-3000:]}")
    if wrong := alike.different_files(world.work / "one", world.work / "other"):
        raise world.violation(engine, f"other bytes in {wrong}")
    if wrong := alike.different_reports(*(world.work / f"{name}.json" for name in ("one", "other"))):
        raise world.violation(engine, f"another report: {wrong}")
