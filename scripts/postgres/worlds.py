"""Random sources, loaded in random ways into a schema and, by the same commands, into a target of plain Parquet files.

After each command both have the same exit code and report, the same rows in every column, the same bad lines and the same number of
commits. At the end both meet the manifest, and `verify` finds nothing. Parquet's own truth are the manifest, `verify` and the naive
model of the tests; here it is read by pyarrow, the database by psycopg.
"""

import json
import shutil
import time

import pyarrow as pa
from tables.random_world import RandomWorld, plain_rows

from . import Violation
from .schema import Schema
from .values import difference

# What of a report is of the target's kind, or of the moment.
OF_ITS_OWN = "stages", "duration_ms", "bytes", "target", "files"
PARTITIONS = "partitions", "superseded_partitions"


def bad_lines(target):
    return sorted(line for path in (target / "_quarantine").glob("*") for line in path.read_text().splitlines())


def plain_report(report):
    """A report without what is of the target's kind, and with partitions as (type, unit of time)."""
    def stripped(value):
        if isinstance(value, dict):
            return {key: stripped(inner) for key, inner in value.items() if key not in OF_ITS_OWN}
        return [stripped(inner) for inner in value] if isinstance(value, list) else value

    report = stripped(report)
    for partition in [partition for name in PARTITIONS for partition in report.get(name, [])]:
        parts = partition["path"].split("/")
        # 2024/10/10/13/payment-to beside payment-to/2024-10-10T13
        is_plain = parts[0].isdigit() and len(parts) > 2
        partition["path"] = (parts[-1], "-".join(parts[:3]) + "".join(f"T{hour}" for hour in parts[3:-1])) if is_plain else tuple(parts)
    for name in PARTITIONS:
        report.get(name, []).sort(key=lambda partition: partition["path"])
    return report


class World(RandomWorld):
    STEPS = 12
    EVENTS = 1200

    def __init__(self, binaries, work, connection, seed, counts):
        super().__init__(binaries, work, seed, counts)
        self.connection, self.schema, self.commits = connection, Schema(f"World {seed}"), 0
        self.flags += ["--flatten", "false"] if self.dice.random() < 0.2 else []
        self.at = 0  # how many sources were loaded

    # --- Loads ---

    def both(self, what, before, behind, reports=True):
        """The same command for both targets, after which they are compared."""
        what, reported = f"world {self.seed}: {what}", []
        report = self.work / "report.json"
        runs = []
        for target in self.plain, self.schema.url:
            report.unlink(missing_ok=True)
            runs.append(self.run("eventloader", *before, target, *behind, *(["--report", report] if reports else []), exits=range(256)))
            reported.append(plain_report(json.loads(report.read_text())) if report.exists() else None)
        plain, database = runs
        if plain.returncode != database.returncode:
            raise Violation(f"{what}: the exit code of plain files is {plain.returncode}, that of the database {database.returncode}: "
                            f"{plain.stderr.decode()[-500:]} {database.stderr.decode()[-500:]}")
        if plain.returncode:
            raise Violation(f"{what}: {plain.stderr.decode()[-500:]}")
        if reported[0] != reported[1]:
            raise Violation(f"{what}: the reports of {' '.join(map(str, [*before, *behind]))} differ: {'; '.join(differences(*reported))}")
        self.check(what)

    def check(self, what):
        rows, tables = self.plain_rows(), self.schema.tables(self.connection)
        for table in rows.keys() | set(tables):
            if table not in tables:
                raise Violation(f"{what}: there is no table {table}")
            found = self.schema.rows(self.connection, table)
            if table not in rows:
                # All of its rows have moved or gone.
                wrong = f"{len(found['event_id'][1])} rows, expected none" if found["event_id"][1] else None
            else:
                wrong = difference(found, rows[table])
            if wrong:
                raise Violation(f"{what}: {table}: {wrong}")
            self.counts["tables compared"] += 1
            self.counts["rows compared"] += len(found["event_id"][1])
        if self.schema.bad_lines(self.connection) != bad_lines(self.plain):
            raise Violation(f"{what}: the bad lines differ")
        commits = self.schema.commits(self.connection)
        listed = [self.listed(target) for target in (self.plain, self.schema.url)]
        if listed[0] != listed[1] or commits != [load["commit"] for load in listed[0]]:
            raise Violation(f"{what}: the loads {commits}; of plain files {listed[0]}; of the database {listed[1]}")
        self.counts["commits"] += len(commits) - self.commits
        self.counts["commands without a commit"] += len(commits) == self.commits
        self.commits = len(commits)

    def plain_rows(self):
        try:
            return plain_rows(self.plain)
        except pa.ArrowTypeError:
            # Files of before and after a member of an object became wider: pyarrow reads none of them as the other.
            copy = self.work / "rewritten"
            shutil.copytree(self.plain, copy)
            self.run("eventloader", "rewrite", copy, "-q", *self.catalog_flags(self.at))
            rows = plain_rows(copy)
            shutil.rmtree(copy)
            return rows

    def listed(self, target):
        """What `list` says of the loads, without their times."""
        lines = self.run("eventloader", "list", "--json", target).stdout.splitlines()
        return [{key: value for key, value in json.loads(line).items() if key != "at"} for line in lines]

    def go(self):
        loaded = []
        for step, source in enumerate(self.sources):
            if self.extends:
                self.run("eventloader", "catalog", "infer", "-q", "--catalog", self.catalogs[0], source, "-o", self.catalogs[0])
            loaded.append(source)
            self.at = step
            self.step(step, source, loaded)
        self.at = self.STEPS
        load = ["-q", *self.catalog_flags(self.at), *self.flags, "-b", "-s", self.work / "in"]
        self.both("a backfill of all", [*load, "--mode", self.dice.choice(["merge", "overwrite"]), "-t"], [])
        self.both("the same again", [*load, "--mode", "merge", "-t"], [])
        if self.manifest:
            self.run("eventloader", "verify", self.schema.url, "--against", self.manifest)
        self.run("eventloader", "verify", self.schema.url)
        if self.dice.random() < 0.5:
            self.both("a discard", ["discard", "-q"], [], reports=False)

    def step(self, step, source, loaded):
        load = ["-q", *self.catalog_flags(step), *self.flags]
        sources = [flag for path in loaded for flag in ("-s", path)]
        way = self.dice.choices(["merge", "backfill", "day", "again", "landing"], [8, 1, 1, 2, 2])[0]
        if way == "backfill":
            self.both("a backfill", [*load, "-b", *sources, "-t"], [])
        elif way == "landing":
            self.both("a merge of what was not loaded", [*load, "-b", *sources, "--mode", "merge", "--skip-loaded", "-t"], [])
        else:
            again = self.dice.sample(loaded, min(2, len(loaded))) if way == "again" else []
            merged = [flag for path in [source, *again] for flag in ("-s", path)]
            self.both("a merge", [*load, "-b", *merged, "--mode", "merge", "-t"], [])
        if way == "day":
            self.both("a day", [*load, "-d", f"2024-10-{self.dice.randrange(10, 14)}", *sources, "-t"], [])
        if len(self.catalogs) > 1 and step in (self.STEPS // 2 + 2, self.STEPS - 1):
            self.both("a replay", ["replay"], ["-q", *self.catalog_flags(step)])
        if self.dice.random() < 0.3:
            self.run("eventloader", "verify", self.schema.url)


def differences(one, other, at=""):
    """Where two reports differ, the first few."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for key in {**one, **other} for found in differences(one.get(key), other.get(key), f"{at}.{key}")][:8]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for number, pair in enumerate(zip(one, other)) for found in differences(*pair, f"{at}[{number}]")][:8]
    return [] if one == other else [f"{at[1:]}: plain files {str(one)[:300]}, database {str(other)[:300]}"]


def go(binaries, work, connection, seeds, counts):
    for seed in seeds:
        started = time.perf_counter()
        world = World(binaries, work / f"world-{seed}", connection, seed, counts)
        world.schema.drop(connection)
        world.go()
        print(f"world {seed}: {world.commits} commits, {len(world.schema.tables(connection))} tables, {time.perf_counter() - started:.1f} s", flush=True)
        world.schema.drop(connection)
