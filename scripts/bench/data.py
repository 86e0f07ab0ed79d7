"""Makes the input of a workload: datagen's events, spread over a number of days, some of them delivered again; or events of many types.

In: datagen, a number of events, a number of days. Out: a file of JSON lines, the same bytes every time; made once per
directory. datagen's own events are a minute apart, 1,430 a day. To get more of them into a day their times are rewritten,
at even steps with a jitter of a few seconds, so they are nearly in order, like those of a real stream.
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator

SEED = 123
FIRST_DAY = datetime.date(2024, 10, 10)
DAY = 86_400

# A line of datagen: {"event_id": "<36 characters>", "timestamp": "<19 characters>", ...
STAMP = slice(14 + 36 + 17, 14 + 36 + 17 + 19)
BEFORE_STAMP = re.compile(rb'\{"event_id": "[0-9a-f-]{36}", "timestamp": "')
CORRECTIONS = ((re.compile(rb'"new_status": "[A-Z]*"'), b'"new_status": "CORRECTED"'),
               (re.compile(rb'"amount": [0-9.]+'), b'"amount": 1234.5'))


@dataclasses.dataclass(frozen=True)
class Input:
    """What a file of events holds: how many events, over how many days (None: datagen's own times), 5 % of them twice."""

    events: int
    days: int | None

    @property
    def name(self) -> str:
        return f"events-{self.events}-{'as-generated' if self.days is None else f'{self.days}-days'}"

    @property
    def lines(self) -> int:
        return self.events + (self.events + 19) // 20


def made(what: Input, datagen: pathlib.Path, directory: pathlib.Path) -> pathlib.Path:
    """The file of these events in the directory; made if it is missing."""
    path = directory / f"{what.name}.json"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        with subprocess.Popen([datagen, "-s", str(SEED), "-n", str(what.events)], stdout=subprocess.PIPE) as process, \
                open(unfinished, "wb", buffering=1 << 20) as file:
            events: Iterable[bytes] = process.stdout
            if what.days is not None:
                events = spread(events, what.events, what.days)
            file.writelines(with_later_copies(events, what.events))
        if process.returncode != 0:
            raise SystemExit(f"error: datagen ended with exit code {process.returncode}")
        unfinished.rename(path)
    return path


def made_wide(lines: int, types: int, columns: int, values: int, directory: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A catalog of event types with columns of text, and a file of their events with so many values each, over seven days."""
    name = f"wide-{lines}-{types}-{columns}-{values}"
    catalog, path = directory / f"{name}.toml", directory / f"{name}.json"
    if not path.exists():
        fields = "".join(f"column_{column} = 'string'\n" for column in range(columns))
        catalog.write_text("".join(f"[domain.wide.events.type-{of_type}.fields]\n{fields}" for of_type in range(types)))
        unfinished = path.with_suffix(".part")
        with open(unfinished, "w", buffering=1 << 20) as file:
            for line in range(lines):
                day, of_type, first = FIRST_DAY + datetime.timedelta(line * 7 // lines), line * 7919 % types, line * 31 % (columns - values + 1)
                payload = ", ".join(f'"column_{column}": "{line}-{column}"' for column in range(first, first + values))
                file.write(f'{{"event_id": "{line:032x}", "timestamp": "{day}T08:00:00", "domain": "wide", "event_type": "type-{of_type}", '
                           f'"data": {{{payload}}}}}\n')
        unfinished.rename(path)
    return catalog, path


def compressed(path: pathlib.Path, program: str) -> pathlib.Path:
    """The file beside it, compressed by gzip or zstd at the program's default level."""
    packed = path.with_name(path.name + {"gzip": ".gz", "zstd": ".zst"}[program])
    if not packed.exists():
        unfinished = packed.with_suffix(".part")
        with open(unfinished, "wb") as file:
            subprocess.run([program, "-q", "-c", path], stdout=file, check=True)
        unfinished.rename(packed)
    return packed


def spread(lines: Iterable[bytes], events: int, days: int) -> Iterator[bytes]:
    """The lines with new times, evenly spread over the days, each up to 5 s off its step."""
    dates = [(FIRST_DAY + datetime.timedelta(day)).isoformat().encode() + b"T" for day in range(days)]
    clock = [b"%02d:%02d:%02d" % (second // 3600, second // 60 % 60, second % 60) for second in range(DAY)]
    last = days * DAY - 1
    for index, line in enumerate(lines):
        second = min(max(index * days * DAY // events + index * 7919 % 11 - 5, 0), last)
        day, second = divmod(second, DAY)
        yield line[:STAMP.start] + dates[day] + clock[second] + line[STAMP.stop:]


def with_later_copies(lines: Iterable[bytes], events: int) -> Iterator[bytes]:
    """The lines, every 20th of them once more, a fiftieth of the file later.

    Half of these copies repeat the line. The other half are corrected, in turn with the same time (of equal times the
    later line counts), with the time of the correction (later, perhaps on another day), and with an earlier time (an old
    version that comes late and loses).
    """
    waiting: deque[tuple[int, bytes, bytes]] = deque()
    distance = events // 50
    earlier = b""
    for index, line in enumerate(lines):
        if index == 0 and not BEFORE_STAMP.match(line):
            raise SystemExit("error: datagen's lines do not look as expected")
        yield line
        if waiting and waiting[0][0] <= index:
            yield copy_of(*waiting.popleft(), now=line[STAMP])
        if index % 20 == 0:
            waiting.append((index + distance, line, earlier or line[STAMP]))
            earlier = line[STAMP]
    for number, line, before in waiting:
        yield copy_of(number, line, before, now=line[STAMP])


def copy_of(number: int, line: bytes, before: bytes, now: bytes) -> bytes:
    """The second delivery of a line; number decides which kind of copy it is."""
    kind = number // 20 % 6
    if kind % 2 == 0:
        return line
    for pattern, text in CORRECTIONS:
        line = pattern.sub(text, line)
    stamp = (line[STAMP], now, before)[kind // 2]
    return line[:STAMP.start] + stamp + line[STAMP.stop:]
