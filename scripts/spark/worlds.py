"""Random worlds, each loaded by eventloader on one machine and by an engine: exit code, errors, report, bytes and record must be the same."""

from . import alike
from .world import World


class AnyWorld(World):
    ALL_WAYS = True


def go(binaries, work, engine, count, seed, counts):
    for number in range(seed, seed + count):
        load(AnyWorld(binaries, work / str(number), number, counts), engine, counts)


def load(world, engine, counts):
    """Loads a world twice, in as many steps as it has."""
    one, other = world.work / "one", world.work / "other"
    reports = [world.work / name for name in ("one.json", "other.json")]
    for mine, theirs in zip(world.loads(one, reports[0]), world.loads(other, reports[1])):
        alone = world.run("eventloader", *mine, exits=range(256))
        job = engine.load(["--split-size", world.split_size, *theirs])
        compare(world, engine, (alone, job), (one, other), reports)
        counts["loads"] += alone.returncode == 0
        counts["loads that must fail"] += alone.returncode != 0
    # What the manifest says is there behind the last step.
    if job.code == 0:
        world.verified(other)


def compare(world, engine, runs, targets, reports):
    alone, job = runs
    if alone.returncode != job.code:
        raise world.violation(engine, f"exit code {job.code}, on one machine {alone.returncode}: {job.said[-3000:]} {alone.stderr.decode()[-1000:]}")
    errors = [line for line in alone.stderr.decode().splitlines() if line.startswith("error: ")]
    told = [error.replace(str(targets[1]), str(targets[0])) for error in job.errors]
    if errors != told:
        raise world.violation(engine, f"says {told}, one machine {errors}")
    if wrong := alike.different_files(*targets):
        raise world.violation(engine, f"other bytes in {wrong}")
    if job.code == 0:
        if wrong := alike.different_reports(*reports):
            raise world.violation(engine, f"another report: {wrong}")
        if world.listed(targets[0]) != world.listed(targets[1]):
            raise world.violation(engine, "list says something else")
        world.run("eventloader", "verify", "-q", targets[1])
