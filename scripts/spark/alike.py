"""Two targets, or two reports → what differs beyond the moments at which they were made."""

import json

# What a record of a commit has of its moment: the time, the names of files on their way, inode and time of what they became.
OF_THE_MOMENT = "at", "staged", "stamp"
TIMES = "stages", "duration_ms"


def without(value, names):
    if isinstance(value, dict):
        return {key: without(inner, names) for key, inner in value.items() if key not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


def tree(target):
    """The content of each file; of the records in _eventloader, what is not of the moment."""
    found = {}
    for path in sorted(target.rglob("*")) if target.exists() else ():
        if path.is_file():
            name, content = path.relative_to(target), path.read_bytes()
            is_record = name.parts[0] == "_eventloader" and path.suffix == ".json"
            found[str(name)] = without(json.loads(content), OF_THE_MOMENT) if is_record else content
    return found


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
