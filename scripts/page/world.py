"""Events with all that a page must show, and what it must show of them, counted while they are written.

In: a number of days and of rows. Out: files of events, a catalog, and a `World` that knows the rows by day and event type. Some days have
no rows, some event types have few, many or none on some; lines are redelivered, corrected and broken in ways that a page could fall for.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import json
import pathlib
import random

TYPES = {
    "account": ["account-open", "account-close", "status-change", "limit-raised", "limit-lowered"],
    "payment": ["payment-to", "payment-from", "payment-failed", "refund", "chargeback", "fee", "settlement"],
    "card": ["card-issued", "card-blocked", "authorisation", "clearing", "reversal"],
    "login": ["login", "logout", "password-reset", "second-factor", "session-expired", "device-added", "device-removed", "consent"],
}
EVENT_TYPES = [(domain, name) for domain, names in TYPES.items() for name in names]
# Each is one bad line. Of those with one reason, a page shows the first.
HOSTILE = [
    '</code></pre></script><script>alert("raw")</script>',
    "not JSON at all",
    json.dumps({"event_id": "</script><script>alert(1)</script>", "timestamp": "2024-10-10T00:00:00Z", "domain": "<img src=x onerror=alert(2)>",
                "event_type": "\"'><svg onload=alert(3)>", "data": {}}),
    json.dumps({"event_id": "bidi", "timestamp": "\u202e0102-yadretsey\u2066\u200f", "domain": "login", "event_type": "login", "data": {}},
               ensure_ascii=False),
    json.dumps({"timestamp": "2024-10-10T00:00:00Z", "domain": "login", "event_type": "login", "data": {"x": "\u0007\u001b[31m"}}),
    '{"event_id": "long", "data": "' + "W" * 20_000 + '"',
]
HOSTILE_SOURCE = "a & <b>'\"\u202e.json"


@dataclasses.dataclass
class World:
    folder: pathlib.Path
    sources: list[str]
    # By day, domain and event type.
    rows: collections.Counter
    bad: int
    # Lines that come twice in the first file.
    redelivered: int
    # Lines of the second file: later versions of rows that the target has by then.
    corrected: int


def usual(folder: pathlib.Path, days: int) -> World:
    """Days as they come, some of them odd, and a second file with later versions."""
    die = random.Random(7)
    rows, events = collections.Counter(), []
    for number in range(days):
        day = datetime.date(2024, 9, 20) + datetime.timedelta(days=number)
        if number in (33, 34, 35):
            continue
        for domain, name in EVENT_TYPES:
            count = _count(die, number, day, domain, name)
            for _ in range(count):
                events.append(_event(die, len(events), day, domain, name))
            if count:
                rows[day.isoformat(), domain, name] = count
    redelivered, corrected = events[10:330], [dict(event, data={"n": -1}) for event in events[400:450]]
    first = [json.dumps(event) for event in events + redelivered]
    bad = [line for place, line in enumerate(HOSTILE) for _ in range(3 * place + 1)]
    _write(folder / "first.json", first + bad)
    _write(folder / HOSTILE_SOURCE, [json.dumps(event) for event in corrected] + ["42"])
    _write(folder / "catalog.toml", ["[domain.%s.events.\"*\"]" % domain for domain in TYPES])
    return World(folder, ["first.json", HOSTILE_SOURCE], rows, len(bad) + 1, len(redelivered), len(corrected))


def large(folder: pathlib.Path, partitions: int) -> World:
    """A row or three in each of so many partitions."""
    die = random.Random(8)
    rows, events = collections.Counter(), []
    for number in range(partitions):
        day = datetime.date(2023, 1, 1) + datetime.timedelta(days=number // len(EVENT_TYPES))
        domain, name = EVENT_TYPES[number % len(EVENT_TYPES)]
        count = die.randint(1, 3)
        events += [_event(die, len(events) + place, day, domain, name) for place in range(count)]
        rows[day.isoformat(), domain, name] = count
    _write(folder / "large.json", [json.dumps(event) for event in events])
    _write(folder / "catalog.toml", ["[domain.%s.events.\"*\"]" % domain for domain in TYPES])
    return World(folder, ["large.json"], rows, 0, 0, 0)


def _count(die: random.Random, number: int, day: datetime.date, domain: str, name: str) -> int:
    base = 120 >> min(TYPES[domain].index(name), 4)
    count = max(1, round(base * (0.7 if day.weekday() > 4 else 1) * die.uniform(0.85, 1.15)))
    odd = {("payment-to", 50): 4 * count, ("login", 60): count // 5, ("refund", 40): 0, ("refund", 41): 0}
    if (name == "fee" and number > 66) or (name == "consent" and number % 9):
        return 0
    return odd.get((name, number), count)


def _event(die: random.Random, number: int, day: datetime.date, domain: str, name: str) -> dict:
    second = die.randrange(86_400)
    at = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(seconds=second)
    return {"event_id": f"e-{number}", "timestamp": f"{at.isoformat()}Z", "domain": domain, "event_type": name, "data": {"n": number}}


def _write(path: pathlib.Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
