"""Events for runs at once: each is known by its id and its number, and is there in two types."""

import collections
import json


def write(path, events):
    """A source of events (id, day, number), in two types; returns its rows."""
    lines, rows = [], collections.Counter()
    for event_id, day, number in events:
        for kind in "account-open", "status-change":
            data = {"id": number} | ({} if kind == "account-open" else {"old_status": None, "new_status": "OPEN", "reason": "none"})
            event = {"event_id": event_id, "timestamp": f"2024-10-{day:02}T00:00:{number % 60:02}", "domain": "account", "event_type": kind, "data": data}
            lines.append(json.dumps(event))
            rows[kind, event_id, number] += 1
    path.write_text("".join(f"{line}\n" for line in lines))
    return rows
