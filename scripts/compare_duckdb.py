"""Times eventloader against DuckDB on one file of events, in alternating rounds, and compares what they wrote.

Usage: compare_duckdb.py EVENTLOADER DIRECTORY_WITH_EVENTS_JSON
       compare_duckdb.py --duckdb EVENTS_JSON TARGET THREADS      (the DuckDB job, in a process of its own)
"""

import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time

import duckdb

ROUNDS = 5
THREADS = os.cpu_count()
PAYLOAD = 'STRUCT(id VARCHAR, old_status VARCHAR, new_status VARCHAR, reason VARCHAR, "to" VARCHAR, "from" VARCHAR, amount DECIMAL(10,2))'
DOMAINS = {
    "account": 'id::INTEGER AS data_id, old_status AS data_old_status, new_status AS data_new_status, reason AS data_reason',
    "transaction": 'id AS data_id, "to" AS data_to, "from" AS data_from, amount AS data_amount',
}


def duckdb_job(source, target, threads):
    """The same load in SQL: read with explicit types, keep the latest of each event, write a file per day and type.

    It is spared what costs it time and eventloader does all the same: rows in order within a file, a quarantine, fsync,
    a commit as a whole. The table gives each row a rowid in the order of the lines, which decides between equal timestamps;
    a window over it (QUALIFY row_number() OVER ...) took no less time.
    """
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    run = duckdb.connect(config={"threads": threads}).execute
    run("SET TimeZone = 'UTC'")
    run("SET partitioned_write_max_open_files = 10000")  # more than there are partitions
    run(f"""CREATE TEMP TABLE events AS
            SELECT event_id, timestamp, domain, event_type, unnest(data)
            FROM read_json('{source}', format = 'newline_delimited', columns = {{event_id: 'VARCHAR', timestamp: 'TIMESTAMP',
                           domain: 'VARCHAR', event_type: 'VARCHAR', data: '{PAYLOAD}'}})""")
    run("""CREATE TEMP TABLE latest AS
           SELECT * FROM events
           WHERE rowid IN (SELECT max({instant: timestamp, line: rowid}).line FROM events GROUP BY event_type, event_id)""")
    for domain, columns in DOMAINS.items():
        run(f"""COPY (SELECT event_id, timestamp AT TIME ZONE 'UTC' AS timestamp, domain, {columns},
                             year(timestamp) AS year, month(timestamp) AS month, day(timestamp) AS day, event_type
                      FROM latest WHERE domain = '{domain}')
                TO '{target}/{domain}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (year, month, day, event_type))""")
    wall = time.perf_counter() - began
    done = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"wall": wall, "cpu": done.ru_utime + done.ru_stime - used.ru_utime - used.ru_stime}))


def measured(command):
    """Seconds and bytes of a process, and what it printed."""
    os.sync()  # no run pays for what the one before left to write
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"error: exit code {process.returncode}: {' '.join(map(str, command))}")
    unit = 1 if platform.system() == "Darwin" else 1024
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss * unit}, printed


def in_eventloader(program, source, target):
    return measured([program, "-s", source, "-t", target, "--backfill", "--threads", str(THREADS), "-q"])[0]


def in_duckdb(source, target):
    """Time counts from after Python's start and imports; memory is the process's, some 35 MB of it Python's."""
    target.mkdir()
    used, printed = measured([sys.executable, __file__, "--duckdb", str(source), str(target), str(THREADS)])
    return used | json.loads(printed)


def checksums(pattern, domain):
    """Per day and event type: rows, and two checksums over every column of every row."""
    names = ["event_id", "timestamp", "domain", "event_type"]
    names += [part.rpartition(" AS ")[2] for part in DOMAINS[domain].split(", ")]
    row = ", ".join(f'"{name}"' for name in names)
    return duckdb.sql(f"""SELECT CAST(timestamp AT TIME ZONE 'UTC' AS DATE) AS day, event_type, count(*), bit_xor(hash({row})), sum(hash({row}))
                          FROM read_parquet({pattern!r}, hive_partitioning = {'=' in pattern})
                          GROUP BY ALL ORDER BY ALL""").fetchall()


def compare_results(ours, theirs):
    """Exits unless both wrote the same rows; gives the counts of rows and partitions."""
    rows = partitions = 0
    for domain, types in ("account", "{account-*,status-*}"), ("transaction", "payment-*"):
        globs = [f"{ours}/*/*/*/{name}/*.parquet" for name in types.strip("{}").split(",")]
        ours_sums = sorted(entry for glob in globs for entry in checksums(glob, domain))
        theirs_sums = checksums(f"{theirs}/{domain}/year=*/*/*/*/*.parquet", domain)
        if ours_sums != theirs_sums:
            first = next(pair for pair in zip(ours_sums + [None], theirs_sums + [None]) if pair[0] != pair[1])
            sys.exit(f"error: the results differ: eventloader {first[0]}, DuckDB {first[1]}")
        rows += sum(entry[2] for entry in ours_sums)
        partitions += len(ours_sums)
    return rows, partitions


def main():
    program, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    source, ours, theirs = work / "events.json", work / "eventloader", work / "duckdb"
    duckdb.sql("SET TimeZone = 'UTC'")
    print(f"{source.stat().st_size / 1e6:.0f} MB of events, {THREADS} threads, DuckDB {duckdb.__version__}")

    runs = {"eventloader": [], "DuckDB": []}
    for number in range(ROUNDS):
        jobs = [("eventloader", lambda: in_eventloader(program, source, ours)), ("DuckDB", lambda: in_duckdb(source, theirs))]
        for name, job in jobs if number % 2 == 0 else reversed(jobs):
            shutil.rmtree(ours if name == "eventloader" else theirs, ignore_errors=True)
            runs[name].append(job())
        print(f"round {number + 1}: " + ", ".join(f"{name} {used[-1]['wall']:.2f} s" for name, used in runs.items()), flush=True)
        if number == 0:
            print("both wrote the same {:,} rows in {:,} partitions".format(*compare_results(ours, theirs)), flush=True)

    median = {name: {key: statistics.median(run[key] for run in used) for key in used[0]} for name, used in runs.items()}
    print(f"\n{'median of ' + str(ROUNDS):<14}{'wall':>10}{'CPU':>10}{'peak RSS':>12}")
    for name, used in median.items():
        print(f"{name:<14}{used['wall']:>8.2f} s{used['cpu']:>8.2f} s{used['rss'] / 2**20:>8.0f} MiB")
    ratio = {key: median["DuckDB"][key] / median["eventloader"][key] for key in ("wall", "cpu", "rss")}
    print(f"{'ratio':<14}{ratio['wall']:>9.2f}x{ratio['cpu']:>9.2f}x{ratio['rss']:>11.2f}x")
    return 1 if ratio["wall"] < 1 else 0


if __name__ == "__main__":
    if sys.argv[1] == "--duckdb":
        duckdb_job(*sys.argv[2:4], int(sys.argv[4]))
    else:
        sys.exit(main())
