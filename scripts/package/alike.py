"""The programs of the wheel and those of the archive → proof that they do, print and end alike.

Invariant: whatever is compared comes from runs with the same arguments, each in a directory that was empty before the first.
"""

import re
import signal
import subprocess
import time

from . import Violation
from .installed import environment

FAULTS = "duplicates=300,corrections=200,malformed=5"
# Each with its exit code.
JOB = [
    (0, "datagen", "-n", "10000", "--faults", FAULTS, "-w", "-b", "in", "--manifest", "truth.json"),
    (0, "eventloader", "-s", "in", "-t", "lake", "--backfill"),
    (0, "eventloader", "verify", "lake", "--against", "truth.json"),
]
OTHERS = [
    (0, "datagen", "--version"),
    (0, "eventloader", "--version"),
    (0, "datagen", "--help"),
    (0, "eventloader", "catalog", "--help"),
    (0, "datagen", "-n", "1", "--world", "ledger"),
    (0, "eventloader", "catalog", "show", "--format", "duckdb"),
    (1, "eventloader", "list", "nowhere"),
    (1, "datagen", "check", "nowhere"),
    (2, "datagen", "-n", "many"),
    (2, "eventloader"),
    (2, "eventloader", "--backfil"),
    (3, "eventloader", "-s", "in", "-t", "other", "--backfill", "--max-bad-lines", "0"),
]
# What depends on the time that a run takes.
DURATION = re.compile(r"[0-9.]+ m?s$", re.MULTILINE)


def prove(one, other, work):
    """Runs the programs of two directories; returns how many files of the target are the same bytes."""
    outcomes = []
    for name, programs in ("one", one), ("other", other):
        # Both in the same place: paths are in what is printed, and in the names of files of the quarantine.
        place = work / "run"
        place.mkdir()
        outcomes.append([outcome(programs, place, code, *command) for code, *command in JOB + OTHERS])
        outcomes[-1] += [interrupted(programs, place, number) for number in (signal.SIGINT, signal.SIGTERM)]
        outcomes[-1].append(generator_interrupted(programs))
        outcomes[-1].append(without_output(programs, place))
        place.rename(work / name)
    for ours, theirs in zip(*outcomes, strict=True):
        if ours != theirs:
            raise Violation(f"the programs of {one} and of {other} differ:\n{ours}\n{theirs}")
    return same_files(work / "one", work / "other")


def outcome(programs, place, code, program, *arguments):
    """What a run prints, and how it ends."""
    command = [programs / program, *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL)
    if done.returncode != code:
        raise Violation(f"{programs / program} {' '.join(arguments)}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return program, arguments, done.stdout, DURATION.sub("", done.stderr)


def interrupted(programs, place, number):
    """How a load ends by a signal while its input is silent."""
    command = [programs / "eventloader", "-s", "-", "-t", number.name, "--backfill"]
    load = started(command, cwd=place, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (place / number.name / "_eventloader/staging").exists():
        if time.monotonic() > until:
            load.kill()
            raise Violation(f"{command[0]}: a load of standard input does not begin")
        time.sleep(0.01)
    load.send_signal(number)
    # Its input stays open until it has ended.
    try:
        load.wait(30)
    except subprocess.TimeoutExpired:
        load.kill()
        raise Violation(f"{command[0]}: {number.name} does not end a load") from None
    said = load.stderr.read()
    load.stdin.close()
    if load.returncode != -number or f"interrupted by {number.name}; nothing was changed" not in said:
        raise Violation(f"{command[0]}: {number.name} ends a load with exit code {load.returncode}, and it says: {said}")
    return said


def started(command, **others):
    """A process that signals end, also if this one was started to ignore them (`command &` in a script)."""
    def end_by_signals():
        for number in signal.SIGINT, signal.SIGTERM:
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen(command, env=environment(), preexec_fn=end_by_signals, **others)


def generator_interrupted(programs):
    """How a generator ends by Ctrl-C, which Python would handle itself."""
    command = [programs / "datagen", "--rate", "100", "-n", "1000000"]
    generator = started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # It is at work.
    generator.stdout.readline()
    generator.send_signal(signal.SIGINT)
    try:
        _, said = generator.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        generator.kill()
        raise Violation(f"{command[0]}: SIGINT does not end it") from None
    if generator.returncode != -signal.SIGINT:
        raise Violation(f"{command[0]}: SIGINT ends it with exit code {generator.returncode}, and it says: {said.decode()}")
    return said


def without_output(programs, place):
    """What a load does that was started without a standard output: nothing that it opens may take its place."""
    command = ["sh", "-c", '"$0" "$@" >&-', programs / "eventloader", "-s", "in", "-t", "unheard", "--backfill", "--report", "-"]
    done = subprocess.run(command, cwd=place, stderr=subprocess.PIPE, text=True, env=environment())
    if done.returncode != 5:
        raise Violation(f"{programs / 'eventloader'}: exit code {done.returncode} without a standard output, not 5\n{done.stderr}")
    return DURATION.sub("", done.stderr)


def same_files(one, other):
    """Compares what both made; returns the number of files of the target."""
    ours, theirs = files(one), files(other)
    if differing := sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)):
        raise Violation(f"{one} and {other} have other files or bytes: {', '.join(map(str, differing[:10]))}")
    return sum(path.parts[0] == "lake" for path in ours)


def files(directory):
    """The bytes of each file, but for the records of loads, which have the time of the load."""
    found = {path.relative_to(directory): path for path in directory.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if "_eventloader" not in name.parts}
