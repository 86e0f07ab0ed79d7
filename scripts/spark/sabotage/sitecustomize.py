"""For every Python of an engine under test, by PYTHONPATH: some tasks of a load die once after their work, or take long.

In: SABOTAGE, a directory. While there is a file plan.json in it, {"seed": N, "stages": [STAGE, …], "actions": [ACTION, …], "seconds": S}, each task of
the stages `parse`, `resolve` or `write` draws one of the actions: `none`, `raise`, `kill` (the whole process) or `slow`. Out: a file for each task that
has met its action; from then on it goes well.

Invariant: a task has done all of its work before it fails, so its files are there, and nobody may count them.
"""

import json
import os
import random
import signal
import time

DIRECTORY = os.environ.get("SABOTAGE")


def sabotaged(name, work, identify):
    def wrapped(job, argument):
        done = work(job, argument)
        # A split's batches come one by one; the work is done when all have come.
        done = list(done) if name == "parse" else done
        try:
            with open(f"{DIRECTORY}/plan.json") as file:
                plan = json.load(file)
        except FileNotFoundError:
            return done
        task = f"{job}-{name}-{identify(argument)}"
        action = random.Random(f"{plan['seed']} {name} {identify(argument)}").choice(plan["actions"])
        if action == "none" or name not in plan["stages"]:
            return done
        mark = f"{DIRECTORY}/{action}-{random.Random(task).getrandbits(64):016x}"
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return done
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if action == "raise":
            raise RuntimeError("sabotage: this task fails once")
        time.sleep(plan["seconds"])
        return done

    return wrapped


def buckets(batches):
    """The groups that batches hold rows of."""
    return sorted({bucket for batch in batches for bucket in batch.column("bucket").to_pylist()})


def patch():
    try:
        from eventloader import _native
    except ImportError:
        return
    _native.parse_split = sabotaged("parse", _native.parse_split, lambda split: split)
    _native.resolve_buckets = sabotaged("resolve", _native.resolve_buckets, buckets)
    _native.write_partitions = sabotaged("write", _native.write_partitions, buckets)


if DIRECTORY:
    patch()
