#!/usr/bin/env python3
"""Checks what `eventloader catalog show` prints for engines. Started by ddl.sh.

Usage: check.py DIRECTORY (an empty one; the targets stay in it).
Out: exit code 1 if a check fails.
"""

from __future__ import annotations

import pathlib
import sys

import dialects
import engines
import targets

counts = {"passed": 0, "failed": 0}


def check(what: str, found: object, expected: object) -> None:
    if found == expected:
        counts["passed"] += 1
        return
    counts["failed"] += 1
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        found, expected = next(pair for pair in zip(found, expected) if pair[0] != pair[1])
    if isinstance(found, dict) and isinstance(expected, dict):
        names = [name for name in found | expected if found.get(name, ...) != expected.get(name, ...)]
        found, expected = ({name: row[name] for name in names if name in row} for row in (found, expected))
    print(f"FAILED {what}\n  expected {str(expected)[:500]}\n  found    {str(found)[:500]}", file=sys.stderr)


def main() -> int:
    home = pathlib.Path(sys.argv[1]).resolve()
    targets.make(home)
    for part in dialects.in_sqlglot, engines.in_duckdb, engines.in_clickhouse, engines.in_postgres, engines.built_in:
        before = counts["passed"]
        part(home, check)
        print(f"{part.__name__.replace('_', ' ')}: {counts['passed'] - before} checks passed", flush=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
