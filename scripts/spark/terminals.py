"""Loads on a terminal: one line says how far they are, never wraps, and is gone at the end; with -q there is nothing.

In: an engine. Out: a violation for what is seen that must not be.

Invariant: what is looked at are the bytes that a terminal gets, and the screen that they make.
"""

import contextlib
import fcntl
import os
import random
import struct
import subprocess
import termios

from . import Violation
from .kills import loads, simple_world

TOLD = ["splits read", "parts resolved", "parts written"]
UNTOLD = ["the engine is at work"]
# An engine that says how far its tasks are has a line for each stage. Where Spark starts Python, there is no terminal.
SHOWN = {"plain": TOLD, "ray": TOLD, "sail": UNTOLD, "spark": [], "spark35": []}
COLUMNS = 200, 80, 40, 20


def go(binaries, work, engine, count, seed, counts):
    dice = random.Random(seed)
    for number in range(count):
        world = simple_world(binaries, work / str(number), seed + number)
        _, arguments = loads(world)
        arguments = [argument for argument in arguments if argument != "-q"]
        columns, by_variable = dice.choice(COLUMNS), dice.random() < 0.3
        # So that there is time to see something.
        with engine.sabotaged(seed, ["slow"], seconds=0.3):
            for quiet in [], ["-q"]:
                load = ["--split-size", 100_000, *arguments, *quiet, "-t", world.work / f"other{len(quiet)}"]
                code, got = on_terminal(engine, load, columns, by_variable)
                what = f"{engine.name} on a terminal of {columns} columns{', by COLUMNS' if by_variable else ''} {' '.join(quiet)}"
                if code or (quiet and any(word in got for word in [*TOLD, *UNTOLD])):
                    raise Violation(f"{what}: exit code {code}, {got[-2000:]!r}")
                if not quiet:
                    check(what, got, columns, SHOWN[engine.name])
        counts["loads seen"] += 1


def on_terminal(engine, arguments, columns, by_variable):
    """Exit code and bytes of a load that has a terminal."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS[0] if by_variable else columns, 0, 0))
    environment = {name: value for name, value in engine.environment.items() if name != "COLUMNS"} | ({"COLUMNS": str(columns)} if by_variable else {})
    command = list(map(str, [*engine.command([]), *arguments]))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    got = b""
    # At the end of the last process that has the terminal, Linux tells an error.
    with contextlib.suppress(OSError):
        while part := os.read(ours, 65536):
            got += part
    os.close(ours)
    return process.wait(), got.decode()


def check(what, got, columns, shown):
    texts = [text.rstrip() for text in got.replace("\r\n", "\n").split("\r") if text.strip() and "\n" not in text]
    if wide := [text for text in texts if len(text) >= columns]:
        raise Violation(f"{what}: the line wraps: {wide[0]!r}")
    # The last stage of a line is the one at work; a narrow terminal has room for it alone, or for the beginning of it.
    seen = list(dict.fromkeys(word for text in texts for word in shown if word in text))
    if columns >= 80 and seen != shown:
        raise Violation(f"{what}: shows {seen}, and not {shown}: {got[:2000]!r}")
    if bool(texts) != bool(shown):
        raise Violation(f"{what}: shows {texts[:3]}")
    if left := [line for line in screen(got) if any(word in line for word in [*TOLD, *UNTOLD])]:
        raise Violation(f"{what}: {left[0]!r} is left on the screen")


def screen(got):
    """The lines that a terminal shows."""
    lines, column = [""], 0
    for character in got:
        if character == "\n":
            lines.append("")
            column = 0
        elif character == "\r":
            column = 0
        else:
            lines[-1] = lines[-1][:column].ljust(column) + character + lines[-1][column + 1 :]
            column += 1
    return lines
