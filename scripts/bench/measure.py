"""Runs a command in its own process. In: a command; out: its time, CPU time and peak memory, and how much it wrote to a pipe.

On Linux the peak memory of a process counts from its fork, so it is never less than what its parent held. Therefore this process, the
parent, must stay small: it imports no engine, and results are compared in another process.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

RSS_UNIT = 1 if platform.system() == "Darwin" else 1024


@dataclasses.dataclass(frozen=True)
class Run:
    """What one process used: seconds, seconds of CPU time, bytes of memory at the peak, bytes written."""

    wall: float
    cpu: float
    rss: int
    output: int = 0

    @property
    def rate(self) -> float:
        """Bytes written per second."""
        return self.output / self.wall


def measured(command: Sequence[str | os.PathLike], env: Mapping[str, str] | None = None, reports_itself: bool = False) -> Run:
    """Runs the command to its end; ends the benchmark if it fails. Its standard output is discarded.

    With reports_itself, the last line of its output is `{"wall": seconds, "cpu": seconds}`, and these count: this is how a Python program
    leaves out its start and imports. Memory is that of the whole process, including the interpreter and its libraries.
    """
    os.sync()  # no run pays for what the previous one left to write
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE if reports_itself else subprocess.DEVNULL, env={**os.environ, **(env or {})})
    printed = process.stdout.read() if reports_itself else b""
    run = ended(process, command, began)
    return dataclasses.replace(run, **json.loads(printed.splitlines()[-1])) if reports_itself else run


def piped(command: Sequence[str | os.PathLike]) -> Run:
    """Runs the command to its end and empties the pipe that it writes to; `output` is how many bytes came."""
    os.sync()
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    taken = emptied(process.stdout.fileno())
    return dataclasses.replace(ended(process, command, began), output=taken)


def emptied(pipe: int) -> int:
    """Discards what comes through a pipe until its end, and returns how many bytes that was.

    On Linux pages are moved, not copied, so this takes almost no CPU time from the writer that is measured.
    """
    taken, at_once = 0, 1 << 20
    if hasattr(os, "splice"):
        with open(os.devnull, "wb") as nowhere:
            while moved := os.splice(pipe, nowhere.fileno(), at_once):
                taken += moved
    else:
        buffer = bytearray(at_once)
        while read := os.readv(pipe, [buffer]):
            taken += read
    return taken


def until_first_line(command: Sequence[str | os.PathLike]) -> float:
    """Seconds from the start of the command until its first line is read. Then its output is closed, which must not be an error to it."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    waited = time.perf_counter() - began
    process.stdout.close()
    ended(process, command, began)
    if not line.endswith(b"\n"):
        sys.exit(f"error: no line from {' '.join(map(str, command))}")
    return waited


def ended(process: subprocess.Popen, command: Sequence[str | os.PathLike], began: float) -> Run:
    """Waits for the end of a process, and ends the benchmark if it failed."""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"error: exit code {process.returncode}: {' '.join(map(str, command))}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * RSS_UNIT)


def median(runs: Sequence[Run]) -> Run:
    """The median of each figure, taken separately."""
    return Run(*(statistics.median(getattr(run, field.name) for run in runs) for field in dataclasses.fields(Run)))


def parquet_bytes(target: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in target.rglob("*.parquet"))


def warm(path: pathlib.Path) -> None:
    """Reads a file once, so that every program finds it in the page cache."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass
