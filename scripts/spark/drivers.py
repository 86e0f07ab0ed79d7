"""A second driver begins beside one that is at work on the same target: it ends with exit code 4, and the first one's load is whole."""

import time

from . import Violation, alike
from .kills import loads, simple_world


def go(binaries, work, engine, count, seed, counts):
    for number in range(count):
        world = simple_world(binaries, work / str(number), seed + number)
        first, all_files = loads(world)
        one, target = world.work / "one", world.work / "other"
        world.run("eventloader", *all_files, "-t", one)
        # Its splits take long, so it is at work until the other has ended.
        with engine.sabotaged(seed, ["slow"], seconds=2, stages=["parse"]):
            process = engine.driver(["--split-size", 100_000, *all_files, "-t", target])
            until = time.monotonic() + 60
            while not (target / "_eventloader/staging").exists():
                if time.monotonic() > until or process.poll() is not None:
                    raise Violation(f"{engine.name}: a load does not begin: {engine.ended(process).said[-2000:]}")
                time.sleep(0.01)
            second = engine.load([*first, "-t", target])
            is_beside = process.poll() is None
            done = engine.ended(process)
        if not is_beside:
            raise Violation(f"{engine.name}: the first driver was done before the second began")
        if second.code != 4 or len(second.errors) != 1:
            raise Violation(f"{engine.name}: a second driver ends with {second.code}: {second.said[-2000:]}")
        if done.code:
            raise Violation(f"{engine.name}: a second driver began, and the first ends with {done.code}: {done.said[-2000:]}")
        if wrong := alike.different_files(one, target):
            raise Violation(f"{engine.name}: a second driver began, and there are other bytes in {wrong}")
        counts["second drivers refused"] += 1
