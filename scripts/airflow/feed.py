"""An hourly feed with faults, and when each of its files arrives.

In: datagen. Out: a landing directory that fills up hour by hour, `<landing>/<day>/<hour>/<domain>/…`, and the manifest of all lines.
Invariant: once everything has arrived and the poisoned file is mended, the landing directory has the lines of the generated files, each
as often as the manifest says, but for files that are delivered twice.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import subprocess
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
DOMAINS = "account", "transaction"
FAULTS = "duplicates=1%,corrections=2%,late=1%,malformed=0.5%,unknown-events=0.3%,unknown-fields=1%,blank=5"
POISON = 500  # bad lines in one hour


@dataclasses.dataclass
class Delivery:
    """A file of an hour that arrives before the run of an hour, both counted from the first."""

    hour: int
    before: int
    path: pathlib.Path
    content: bytes


class Feed:
    def __init__(self, work: pathlib.Path, programs: pathlib.Path, hours: int, delays: list[int], seed: int) -> None:
        work.mkdir()
        self.hours, self.landing, self.manifest, self.catalog = hours, work / "landing", work / "truth.json", work / "mine.toml"
        self.chance = random.Random(seed)
        self.catalog.write_bytes(subprocess.run([programs / "datagen", "catalog"], check=True, stdout=subprocess.PIPE).stdout)
        generate = ["--world", "ledger", "-s", str(seed), "-d", f"{START:%Y-%m-%d}", "--duration", f"{hours}h", "--events-per-day", "50000"]
        generate += ["--rotate", "hour", "-q", "-w", "-b", self.generated, "--faults", FAULTS, "--manifest", self.manifest]
        subprocess.run([programs / "datagen", *generate], check=True)

        # The odd hours: one is poisoned, one has no file in time, one a file that is still being written, one a file that comes twice.
        self.poisoned, self.empty, self.unfinished, self.doubled = self.chance.sample(range(1, hours), 4)
        self.late_files, self.deliveries = 0, []
        for hour in range(hours):
            for domain, lines in self._lines(hour).items():
                self.deliveries += self._deliveries(hour, domain, lines, delays)
        self.mended = next(each for each in self.deliveries if each.path == self.directory(self.poisoned, "transaction") / "1.json")
        poison = b"".join(b'{"event_id": "%d", "timestamp": "yesterday", "domain": \n' % line for line in range(POISON))
        self.deliveries[self.deliveries.index(self.mended)] = dataclasses.replace(self.mended, content=self.mended.content + poison)

    def start(self, hour: int) -> datetime:
        return START + timedelta(hours=hour)

    def directory(self, hour: int, domain: str) -> pathlib.Path:
        return self.landing / f"{self.start(hour):%Y-%m-%d}" / f"{self.start(hour):%H}" / domain

    def arrive(self, before: int) -> None:
        """Puts into place what arrives before the run of that hour."""
        self._put(delivery for delivery in self.deliveries if delivery.before == before)

    def arrive_in_time(self) -> None:
        self._put(delivery for delivery in self.deliveries if delivery.before == delivery.hour)

    def arrive_late(self) -> None:
        self._put(delivery for delivery in self.deliveries if delivery.before != delivery.hour)

    def _put(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            delivery.path.parent.mkdir(parents=True, exist_ok=True)
            delivery.path.write_bytes(delivery.content)

    def killed(self, every: int) -> list[int]:
        """The hours whose first load is killed: one in so many, where there is something to load."""
        return [hour for hour in range(1, self.hours, every) if hour not in (self.poisoned, self.empty, self.unfinished)]

    @property
    def generated(self) -> pathlib.Path:
        return self.landing.with_name("generated")

    def mend(self) -> None:
        self.mended.path.write_bytes(self.mended.content)

    def _lines(self, hour: int) -> dict[str, list[bytes]]:
        """The lines of an hour by domain; what has neither comes with the larger one."""
        lines = {domain: [] for domain in DOMAINS}
        for line in (self.generated / f"events-{self.start(hour):%Y-%m-%dT%H}.json").read_bytes().splitlines(keepends=True):
            try:
                domain = json.loads(line)["domain"]
            except (ValueError, KeyError, TypeError):
                domain = None
            lines[domain if domain in DOMAINS else "transaction"].append(line)
        return lines

    def _deliveries(self, hour: int, domain: str, lines: list[bytes], delays: list[int]) -> list[Delivery]:
        on_time, late = self.directory(hour, domain) / "1.json", self.directory(hour, domain) / "2.json"
        whole, delay = b"".join(lines), self.chance.choice(delays)
        if hour == self.empty:
            self.late_files += 1
            return [Delivery(hour, hour + delay, on_time, whole)]
        if hour == self.unfinished:
            self.late_files += 1
            return [Delivery(hour, hour, on_time, whole[: len(whole) // 2]), Delivery(hour, hour + delay, on_time, whole)]
        if hour == self.doubled:
            return [Delivery(hour, hour, on_time, whole), Delivery(hour, hour + delay, late, whole)]
        if hour == self.poisoned or self.chance.random() > 0.3:
            return [Delivery(hour, hour, on_time, whole)]
        self.late_files += 1
        cut = self.chance.randrange(1, len(lines))
        return [Delivery(hour, hour, on_time, b"".join(lines[:cut])), Delivery(hour, hour + delay, late, b"".join(lines[cut:]))]
