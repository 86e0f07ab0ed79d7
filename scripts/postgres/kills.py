"""Ends the loader, its session or the server at chosen messages of a load, in several ways, and looks at what is left.

A load is a sequence of messages to the server; a proxy counts them. At one of them, before it is passed on, when its answer is there, or
some moments later, something ends. Then the schema is as before the load or as after it, in every table, with nothing between; what
the loader said is so; the same load run again goes through at once, leaves what an undisturbed one leaves, and `verify` finds nothing.
"""

import collections
import contextlib
import os
import random
import signal
import subprocess
import threading
import time

import psycopg

from . import Violation
from .proxy import Cut, Proxy, statement
from .schema import Schema, cluster, connect

EVENTS = 300
SECONDS = 180
HOWS = {
    "the loader is killed": 6, "the connection is cut": 3, "the session is terminated": 2, "the session's process is killed": 2,
    "the server stops at once": 2, "the server loses power": 2,
}
MOMENTS = "before it is passed on", "at its answer", "moments later"


class Load:
    """Commands that make the state before, and the one that is disturbed."""

    def __init__(self, name, before, command):
        self.name, self.before, self.command = name, before, command


def loads_of(binaries, work, seed):
    generate = [binaries / "datagen", "-q", "-w", "-b", work / "in", "-s", str(seed), "-n", str(EVENTS), "--files", "2", "--world", "ledger",
                "--faults", "duplicates=3%,corrections=8%,late=4%,malformed=3%"]
    subprocess.run(generate, check=True)
    first, second = sorted((work / "in").iterdir())
    whole = subprocess.run([binaries / "datagen", "catalog"], stdout=subprocess.PIPE, check=True).stdout.decode()
    wide, narrow = work / "wide.toml", work / "narrow.toml"
    wide.write_text(whole)
    # Of fewer columns and narrower types, so that the second load alters tables.
    narrow.write_text("\n".join(line for line in whole.replace("int64", "int32").splitlines() if not line.startswith("country")))
    load = lambda catalog, *sources: ["-q", "-b", "--catalog", catalog, *(flag for source in sources for flag in ("-s", source)), "-t"]
    return [
        Load("a first load", [], load(wide, first)),
        Load("a merge", [load(wide, first)], [*load(wide, second), "--mode", "merge"]),
        Load("a merge that alters tables", [load(narrow, first)], [*load(wide, second), "--mode", "merge"]),
        Load("an overwrite", [load(wide, first, second)], load(wide, second)),
        Load("a discard", [load(wide, first)], ["discard", "-q"]),
    ]


class Disturber:
    """Called by the proxy; at one message of a load it does what it is for."""

    def __init__(self, at, how, moment, delay):
        self.at, self.how, self.moment = at, how, moment
        self.statement, self.last_statement, self.process, self.done = "", "", None, threading.Event()
        self.timer, self.acting = threading.Timer(delay, self.act_later), threading.Lock()

    def on_message(self, number, kind, body):
        self.last_statement = statement(kind, body) or self.last_statement
        if number != self.at:
            return None
        self.statement = self.last_statement
        if self.moment == "before it is passed on":
            self.act()
        elif self.moment == "at its answer":
            return self.act
        else:
            self.timer.start()
        return None

    def act_later(self):
        try:
            self.act()
        except Cut:
            pass

    def is_over(self):
        """It does nothing any more."""
        with self.acting:
            self.done.set()

    def act(self):
        with self.acting:
            if self.done.is_set():
                return
            self.end_something()
            self.done.set()
        if self.how in ("the loader is killed", "the connection is cut"):
            raise Cut

    def end_something(self):
        server = cluster()
        if self.how == "the loader is killed":
            self.process.kill()
            self.process.wait()
        elif self.how == "the session is terminated":
            server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'eventloader%'")
        elif self.how == "the session's process is killed":
            for pid in server.psql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'eventloader%'").split():
                # It may have ended by itself.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        elif self.how == "the server stops at once":
            server.stop(signal.SIGQUIT)
        elif self.how == "the server loses power":
            server.stop(signal.SIGKILL)


class Killer:
    def __init__(self, binary, seed):
        self.binary, self.schema = binary, Schema(f"killed {seed}")
        self.counts = collections.Counter()

    def command(self, arguments, schema):
        # Commands other than a load have their target behind their name.
        at = arguments.index("-t") + 1 if "-t" in arguments else 1
        return [self.binary, *arguments[:at], schema.url, *arguments[at:]]

    def run(self, arguments, schema=None):
        done = subprocess.run(self.command(arguments, schema or self.schema), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise Violation(f"{' '.join(map(str, arguments))} exits with {done.returncode}: {done.stderr}")

    def prepare(self, load):
        with connect() as connection:
            self.schema.drop(connection)
        for command in load.before:
            self.run(command)

    def content(self):
        # After one of its processes was killed, the server may take a connection and end it again.
        for last in [False] * 20 + [True]:
            try:
                with connect() as connection:
                    return self.schema.content(connection)
            except psycopg.OperationalError:
                if last:
                    raise
                time.sleep(0.2)
        return None

    def disturbed(self, load, disturber):
        """The outcome of a load through a proxy."""
        with Proxy(cluster().port, disturber.on_message) as proxy:
            process = subprocess.Popen(self.command(load.command, self.schema.behind(proxy.own_port)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            disturber.process = process
            restarted = threading.Thread(target=self.restart, args=[process, disturber])
            restarted.start()
            try:
                said = process.communicate(timeout=SECONDS)[1]
            except subprocess.TimeoutExpired:
                process.kill()
                raise Violation(f"{load.name} hangs: {disturber.how} {disturber.moment}: {disturber.statement}") from None
            restarted.join()
            return process.returncode, said, proxy.number

    @staticmethod
    def restart(process, disturber):
        """Starts the server again soon after it was stopped."""
        while process.poll() is None and not disturber.done.wait(0.05):
            pass
        disturber.is_over()
        if not cluster().pids():
            cluster().start()
        cluster().wait_until_ready()

    def go(self, load, dice, times):
        self.prepare(load)
        before = self.content()
        code, said, messages = self.disturbed(load, Disturber(0, "", "", 0))
        if code:
            raise Violation(f"{load.name}, undisturbed, exits with {code}: {said}")
        after = self.content()
        if after == before:
            raise Violation(f"{load.name} changes nothing")
        for _ in range(times):
            self.prepare(load)
            how = dice.choices(list(HOWS), list(HOWS.values()))[0]
            # Some more among the last, where it is decided.
            at = dice.randint(1, messages) if dice.random() < 0.75 else messages - dice.randrange(min(6, messages))
            disturber = Disturber(at, how, dice.choice(MOMENTS), dice.random() ** 3 * 0.1)
            code, said, _ = self.disturbed(load, disturber)
            what = f"{load.name}, message {at} of {messages}, {how} {disturber.moment}: {disturber.statement[:80]!r}"
            self.judge(what, load, before, after, code, said)

    def judge(self, what, load, before, after, code, said):
        found = self.content()
        if found not in (before, after):
            raise Violation(f"{what}: the schema is neither as before nor as after: {described(found, before, after)}")
        is_done = found == after
        wrong = {
            code not in (0, 1, -signal.SIGKILL): "an exit code that says nothing",
            code == 0 and not is_done: "it reports success, and nothing is there",
            code == 1 and is_done and "nothing was changed" in said: "it says that nothing was changed, and the load is there",
        }
        if True in wrong:
            raise Violation(f"{what}: {wrong[True]}: exit code {code}: {said}")
        began = time.perf_counter()
        # What is discarded can't be discarded again.
        if not (is_done and load.command[0] == "discard"):
            self.run(load.command)
        took = time.perf_counter() - began
        if took > SECONDS / 10:
            raise Violation(f"{what}: the next run took {took:.0f} s")
        if self.content() != after:
            raise Violation(f"{what}: after the next run the schema is not as after an undisturbed load: {described(self.content(), before, after)}")
        self.run(["verify", "-q"])
        self.counts["disturbed"] += 1
        self.counts["loader killed"] += code == -signal.SIGKILL
        self.counts["failed"] += code == 1
        self.counts["went through"] += code == 0
        self.counts["there afterwards"] += is_done


def described(found, before, after):
    return {name: {"found": found.get(name), "before": before.get(name), "after": after.get(name)}
            for name in {**found, **before, **after} if found.get(name) not in (before.get(name), after.get(name)) or before.get(name) != after.get(name)}


def go(binaries, work, kills, seed):
    started, dice = time.perf_counter(), random.Random(seed)
    work.mkdir()
    killer = Killer(binaries / "eventloader", seed)
    loads = loads_of(binaries, work, seed)
    for number, load in enumerate(loads):
        killer.go(load, dice, kills // len(loads) + (number < kills % len(loads)))
    counts = killer.counts
    print(f"{counts['disturbed']} disturbed loads in {len(loads)} kinds ({counts['loader killed']} loaders killed, {counts['failed']} failed, {counts['went through']} went"
          f" through); {counts['there afterwards']} were there afterwards as a whole, all others not at all; {time.perf_counter() - started:.0f} s", flush=True)
    with connect() as connection:
        killer.schema.drop(connection)
