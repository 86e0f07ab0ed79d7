"""One job of one peer in its own process; prints its time and CPU time.

Usage: python -m bench.peers NAME load|merge|rows SOURCE TARGET THREADS    (rows only prints the number of rows)
       python -m bench.peers duckdb_envelopes KIND SOURCE TARGET THREADS

The start of Python, the imports and the end of the process do not count.
"""

import json
import resource
import sys
import time

from bench import peers


def cpu_seconds() -> float:
    """Of this process and of its children that have ended (such as Spark's JVM)."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


name, job, source, target, threads = sys.argv[1:]
peer = peers.module(name)
if job == "rows":
    print(peer.rows(target))
    sys.exit()
began, used_before = time.perf_counter(), cpu_seconds()
if name == "duckdb_envelopes":
    peer.load(job, source, target, int(threads))
else:
    getattr(peer, job)(source, target, int(threads))
wall = time.perf_counter() - began
getattr(peer, "end", lambda: None)()
print(json.dumps({"wall": wall, "cpu": cpu_seconds() - used_before}))
