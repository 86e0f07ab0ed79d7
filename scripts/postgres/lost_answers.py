"""Merges through a proxy that loses the connection at COMMIT: before it is passed on, or when it is done and the answer is on its way;
once, or again while the loader asks what became of it.

Whatever the loader says is so: exit code 0, the load is there; 1, it is not, and nothing has changed; if it can't know, it says that. Run
again until they are in, the merges leave what the manifest says, and one row in `_loads` each.
"""

import collections
import random
import subprocess
import time

from . import Violation
from .proxy import Cut, Proxy, statement
from .schema import Schema, cluster

EVENTS_IN_EACH = 20
MANNERS = "before it is passed on", "before its answer", "before its answer, and each later connection for a second", "not at all"


class Lossy:
    """Loses one answer to COMMIT in a manner; later connections are let through, or only after a while."""

    def __init__(self, manner):
        self.manner, self.commits, self.blocked_until = manner, 0, 0.0

    def on_message(self, _number, kind, body):
        if self.blocked_until > time.monotonic():
            raise Cut
        if not statement(kind, body).upper().startswith("COMMIT"):
            return None
        self.commits += 1
        if self.commits > 1 or self.manner == "not at all":
            return None
        if self.manner == "before it is passed on":
            raise Cut
        if "each later" in self.manner:
            self.blocked_until = time.monotonic() + 1
        return self.cut

    @staticmethod
    def cut():
        raise Cut


def go(binaries, work, connection, commits, seed):
    started, dice = time.perf_counter(), random.Random(seed)
    work.mkdir()
    generate = ["-s", str(seed), "-n", str(commits * EVENTS_IN_EACH), "-q", "-w", "-b", work / "in", "--files", str(commits), "--manifest", work / "truth.json"]
    subprocess.run([binaries / "datagen", *generate, "--faults", "duplicates=2%,corrections=5%,late=2%"], check=True)
    schema, port, said = Schema(f"lost {seed}"), cluster().port, collections.Counter()
    schema.drop(connection)
    for source in sorted((work / "in").iterdir()):
        for _ in range(10):
            manner = dice.choice(MANNERS)
            before = schema.commits(connection)
            with Proxy(port, Lossy(manner).on_message) as proxy:
                command = [binaries / "eventloader", "-q", "-b", "-s", source, "-t", schema.behind(proxy.own_port).url, "--mode", "merge"]
                done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
            is_there = len(schema.commits(connection)) > len(before)
            said[manner, done.returncode, is_there] += 1
            wrong = check(done, is_there)
            if wrong:
                raise Violation(f"{source.name}, the answer to COMMIT lost {manner}: {wrong}: {done.returncode}: {done.stderr}")
            if is_there:
                break
        else:
            raise Violation(f"{source.name} can't be merged: {done.stderr}")
    for arguments in ([], ["--against", work / "truth.json"]):
        done = subprocess.run([binaries / "eventloader", "verify", schema.url, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Violation(f"after {commits} merges, verify says: {done.stdout}")
    if schema.commits(connection) != list(range(1, commits + 1)):
        raise Violation(f"{commits} merges, and the loads {schema.commits(connection)}")
    for (manner, code, is_there), count in sorted(said.items()):
        print(f"  {count} × connection lost {manner}: exit code {code}, the load is {'there' if is_there else 'not there'}")
    print(f"{commits} merges, each once in _loads, each row once by the manifest; {time.perf_counter() - started:.0f} s", flush=True)
    schema.drop(connection)


def check(done, is_there):
    """What is wrong with what the loader says; none if nothing is."""
    if done.returncode == 0:
        return None if is_there else "it reports success, and the load is not there"
    if done.returncode != 1:
        return "an exit code that does not say what happened"
    if is_there and "nothing was changed" in done.stderr:
        return "it says that nothing was changed, and the load is there"
    return None
