"""Two targets, or two reports → what differs beyond the moments at which they were made."""

import json
import re

# What a record of a commit has of its moment: the time, the names of files on their way, inode and time of what they became.
OF_THE_MOMENT = "at", "staged", "stamp", "attempt"
# The same in the log of a table, with the id that a table gets when it is made.
OF_THE_LOG = "timestamp", "modificationTime", "deletionTimestamp", "lastUpdated", "createdTime", "id"
TIMES = "stages", "duration_ms"
RUN = re.compile(r"\b[0-9a-f]{32}\b")


def without(value, names):
    if isinstance(value, dict):
        return {key: without(inner, names) for key, inner in value.items() if key not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


def comparable(name, content):
    """What a file has that is not of the moment; None of what only follows from other files."""
    directory, _, last = name.rpartition("/")
    if directory.startswith("_eventloader") and last.endswith(".json"):
        return json.loads(RUN.sub("RUN", json.dumps(without(json.loads(content), OF_THE_MOMENT))))
    if not directory.endswith("_delta_log"):
        return content
    if last.endswith(".json") and last[:-5].isdigit():
        return [json.loads(RUN.sub("RUN", json.dumps(without(json.loads(line), OF_THE_LOG)))) for line in content.splitlines()]
    return None


def files(target):
    """The files below a directory: their paths there, and their bytes."""
    for path in sorted(target.rglob("*")) if target.exists() else ():
        if path.is_file():
            yield path.relative_to(target).as_posix(), path.read_bytes()


def tree(target):
    return tree_of(files(target))


def tree_of(files):
    """What each file has. Files of a table have the name of the run that made them, and those that were replaced stay until a sweep."""
    found = {}
    for name, stored in files:
        content = comparable(name, stored)
        if content is not None:
            found.setdefault(RUN.sub("RUN", name), []).append(content)
    return {name: sorted(contents, key=repr) for name, contents in found.items()}


def different_files(one, other):
    """The names of the first files that differ, for people; empty if none does."""
    ours, theirs = (target if isinstance(target, dict) else tree(target) for target in (one, other))
    return ", ".join(sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))[:5])


def different_members(one, other, path=""):
    """Where two values of JSON differ first; empty if they don't."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(f"{path}.{key}", one.get(key), other.get(key)) for key in [*one, *(other.keys() - one.keys())]]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{path}[{at}]", *pair) for at, pair in enumerate(zip(one, other))]
    else:
        return "" if one == other else f"{path}: {str(one)[:100]} beside {str(other)[:100]}"
    return next((found for name, ours, theirs in pairs if (found := different_members(ours, theirs, name))), "")


def different_reports(one, other):
    """Where two reports differ other than in times."""
    return different_members(*(without(json.loads(path.read_text()), TIMES) for path in (one, other)))
