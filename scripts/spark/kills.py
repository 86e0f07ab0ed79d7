"""Kills a load's driver, one of its executors, or its server (SIGKILL) at random moments.

A target has an old state. A load that would make the new one is killed. Before anything repairs it, each partition and each file of the quarantine
is old or new; the next load, which begins while what the killed one has left behind is still at work, leaves the new state.
"""

import collections
import contextlib
import os
import pathlib
import random
import shutil
import signal
import time

from . import Violation, alike
from .engines import SECONDS_MAX
from .world import KINDS, World

# What gets a signal: a word of its command line (none: the server), and the signal.
DRIVER = {
    "driver killed": ("events_load", signal.SIGKILL),
    "driver interrupted": ("events_load", signal.SIGINT),
    "driver terminated": ("events_load", signal.SIGTERM),
}
EXECUTOR = "CoarseGrainedExecutorBackend"
OF_SPARK = {"driver's JVM killed": ("deploy.SparkSubmit", signal.SIGKILL), "executor killed": (EXECUTOR, signal.SIGKILL)}
VICTIMS = {"plain": DRIVER, "sail": DRIVER | {"server killed": (None, signal.SIGKILL)}, "spark": DRIVER | OF_SPARK, "spark35": DRIVER | OF_SPARK, "ray": DRIVER}
SURVIVED = "executor killed"  # Spark makes another one


def go(binaries, work, engine, count, seed, counts):
    dice = random.Random(seed)
    world = simple_world(binaries, work, seed)
    old, new, target = (work / name for name in ("old", "new", "target"))
    first, all_files = loads(world)
    for arguments in (first, all_files):
        world.run("eventloader", *arguments, "-t", new)
    world.run("eventloader", *first, "-t", old)
    states = alike.tree(old), alike.tree(new)
    job = ["--split-size", 50_000, *all_files, "-t", target]
    usual = 0.0
    # The first one is left alone.
    for number in range(count + 1):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(old, target)
        if number:
            kill(engine, dice, (job, target), usual, states, counts)
        else:
            began = time.monotonic()
            check_all(engine, engine.load(job), target, states[1])
            usual = time.monotonic() - began


def simple_world(binaries, work, seed):
    return World(binaries, work / "world", len(KINDS) * seed, collections.Counter())


def loads(world):
    """The arguments of two loads: of some of its files, of all."""
    files = [path if path.exists() else path.with_name(f"{path.name}.gz") for path in world.sources]
    of = lambda paths: [*world.catalog_flags(world.STEPS), "-q", "-b", "--max-bad-lines", "100%", *(word for path in paths for word in ("-s", path))]
    return of(files[:2]), of(files)


def kill(engine, dice, job, usual, states, counts):
    arguments, target = job
    victim = dice.choice(list(VICTIMS[engine.name]))
    process = engine.driver(arguments)
    time.sleep(dice.uniform(0.1, 1.0) * usual)
    pattern, number = VICTIMS[engine.name][victim]
    found = strike(engine, process, (pattern, number), dice)
    if pattern is None:
        # A client waits some minutes for a server that is gone; of the one that comes it learns that its load is lost.
        engine.stop()
        engine.start()
    code = process.wait(SECONDS_MAX)
    what = f"{engine.name}: its {victim}"
    check_each(what, target, states)
    if code == 0 or victim == SURVIVED:
        done = engine.ended(process)
        if done.code:
            raise Violation(f"{what}, the load ends with {done.code}: {done.said[-3000:]}")
        check_all(engine, done, target, states[1])
        counts[f"{victim}, and the load went on" if found else "loads that were done before"] += 1
        return
    if number != signal.SIGKILL:
        check_each(what, target, (states[0], states[0]))
        # Before it has begun, Python ends by the signal itself.
        if code not in (128 + number, -number):
            raise Violation(f"{what}, it ends with {code}: {engine.ended(process).said[-3000:]}")
    until = time.monotonic() + 60
    while is_in_the_way(again := engine.load(arguments)) and time.monotonic() < until:
        counts["loads that had to wait"] += 1
        time.sleep(0.2)
    check_all(engine, again, target, states[1])
    engine.ended(process)
    counts[victim] += 1


def is_in_the_way(done):
    """The driver's other process has the lock until it ends, too; a task that is still at work makes files where the next load cleans up."""
    return done.code == 4 or (done.code == 1 and "cleaning up after an interrupted load" in done.said and "nothing was changed" in done.said)


def strike(engine, process, blow, dice):
    """Sends the signal to the server, or to a process of the load with this word; says whether there was one."""
    pattern, number = blow
    if pattern is None:
        engine.server.kill()
        return True
    found = sorted(one for one, command in of_session(process.pid) if pattern in command and (pattern != "events_load" or "java" not in command))
    for one in [dice.choice(found)] if pattern == EXECUTOR and found else found[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)
    return bool(found)


def of_session(session):
    """Number and command line of the processes that a driver has started, and its own."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            # Its name, which may have anything in it, ends with the last parenthesis.
            if int((path / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                yield int(path.name), (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def check_each(what, target, states):
    """Each directory's files are old or new."""
    found = directories(alike.tree(target))
    old, new = map(directories, states)
    for name in found.keys() | old.keys() | new.keys():
        if found.get(name) not in (old.get(name), new.get(name)):
            raise Violation(f"{what}: {name} is neither old nor new")


def directories(tree):
    """By directory: the content of its files. Of the quarantine each file is by itself."""
    found = {}
    for name, content in tree.items():
        if not name.startswith("_eventloader"):
            key = name if name.startswith("_") else name.rpartition("/")[0]
            found.setdefault(key, {})[name] = content
    return found


def check_all(engine, done, target, new):
    if done.code:
        raise Violation(f"{engine.name}: exit code {done.code}: {done.said[-3000:]}")
    if wrong := alike.different_files(*({name: content for name, content in tree.items() if not name.startswith("_eventloader")} for tree in (alike.tree(target), new))):
        raise Violation(f"{engine.name}: other bytes in {wrong}")
    if (target / "_eventloader/staging").exists():
        raise Violation(f"{engine.name}: its staging directory is left")
