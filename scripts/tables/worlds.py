"""Random sources, loaded in random ways into a target of tables and, by the same commands, into one of plain partitions.

After each commit, each table at its newest version has the rows of the plain target, for each reader; at the end so does each
version, with the rows that the plain target had after its commit: all of it, and again on a copy without the JSON commits behind
the last checkpoint. The plain target's own truth are the manifest, `verify` and the naive model of the tests.
"""

import json
import time

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from . import Violation
from .random_world import RandomWorld, plain_rows
from .readers import QUICK, READERS, delta_scan, difference, duckdb_with_delta


def sail_reads(target, table, version):
    """Sail 0.7.2 fails where `_last_checkpoint` is behind the version that is asked for, and where a path has a `~`."""
    hint = f"{table}/_delta_log/_last_checkpoint"
    last = json.loads(target.read(hint))["version"] if hint in target.keys(f"{table}/_delta_log") else 0
    return "~" not in table and (version is None or version >= last)


class World(RandomWorld):
    STEPS = 16  # more than the ten versions from one checkpoint to the next
    EVENTS = 1500

    def __init__(self, binaries, work, place, seed, counts):
        super().__init__(binaries, work, seed, counts)
        self.target, self.last = place.target(f"world-{seed}"), 0
        self.states = {}  # number of a commit → event type → rows

    # --- Loads ---

    def both(self, what, before, behind):
        """The same command for both targets; its commit, if there is one, stands for the state of the plain target."""
        done = self.run("eventloader", *before, self.plain, *behind, exits=range(256))
        options = ["--table", "delta"] if "-t" in before and not self.last else []
        table = self.run("eventloader", *before, self.target.url, *behind, *options, exits=range(256))
        if done.returncode != table.returncode:
            raise Violation(f"{what}: the plain target's exit code is {done.returncode}, that of the tables {table.returncode}: "
                            f"{done.stderr.decode()[-300:]} {table.stderr.decode()[-300:]}")
        if done.returncode:
            raise Violation(f"{what}: {done.stderr.decode()[-500:]}")
        records = self.target.records()
        if records != list(range(1, len(records) + 1)) or len(records) - self.last not in (0, 1):
            raise Violation(f"{what}: the records {records}, before it {self.last}")
        self.last = len(records)
        self.states[self.last] = plain_rows(self.plain)
        self.counts["commits"] += 1

    def go(self, every_version):
        loaded = []
        for step, source in enumerate(self.sources):
            if self.extends:
                self.run("eventloader", "catalog", "infer", "-q", "--catalog", self.catalogs[0], source, "-o", self.catalogs[0])
            catalog = self.catalog_flags(step)
            if step and catalog != self.catalog_flags(step - 1):
                # A table has one type for each column, so it is widened as a whole before anything wider is merged.
                self.both("a rewrite", ["rewrite"], ["-q", *catalog])
            loaded.append(source)
            sources = [flag for path in loaded for flag in ("-s", path)]
            way = self.dice.choices(["merge", "backfill", "day", "again"], [8, 1, 1, 2])[0]
            load = ["-q", *catalog, *self.flags]
            if way == "backfill":
                self.both("a backfill", [*load, "-b", *sources, "-t"], [])
            else:
                again = self.dice.sample(loaded, min(2, len(loaded))) if way == "again" else []
                merged = [flag for path in [source, *again] for flag in ("-s", path)]
                self.both("a merge", [*load, "-b", *merged, "--mode", "merge", "-t"], [])
            if way == "day":
                self.both("a day", [*load, "-d", f"2024-10-{self.dice.randrange(10, 14)}", *sources, "-t"], [])
            if self.dice.random() < 0.1:
                self.both("a rewrite", ["rewrite"], ["-q", *catalog, "--compression", self.dice.choice(["snappy", "zstd"])])
            if len(self.catalogs) > 1 and step in (self.STEPS // 2 + 2, self.STEPS - 1):
                self.both("a replay", ["replay"], ["-q", *catalog])
            self.check_newest(READERS if every_version else QUICK)
            if every_version:
                self.check_versions(self.target, READERS)
        if self.manifest:
            load = ["-q", *self.catalog_flags(self.STEPS), *self.flags, "-b", "-s", self.work / "in"]
            self.both("a backfill of all", [*load, "--mode", self.dice.choice(["merge", "overwrite"]), "-t"], [])
            self.run("eventloader", "verify", self.target.url, "--against", self.manifest)
        self.run("eventloader", "verify", self.target.url)
        self.check_newest(READERS)
        self.check_versions(self.target, READERS)
        self.check_predicates()
        self.check_behind_checkpoints()

    # --- What readers see ---

    def expected(self, number, table):
        """The rows of a table after that commit; of a commit that changed nothing there is none of its own."""
        number = max(known for known in self.states if known <= number)
        return self.states[number].get(table)

    def check(self, target, table, version, number, readers):
        expected = self.expected(number, table)
        for name in readers:
            if name == "Sail" and not sail_reads(target, table, version):
                self.counts["versions that Sail can't read"] += 1
                continue
            what = f"world {self.seed}: {table}, version {version}, which is commit {number}, read by {name}"
            try:
                found = READERS[name](target.table(table), version, target.options)
            except Exception as error:
                raise Violation(f"{what}: {type(error).__name__}: {error}") from error
            wrong = difference(found, expected) if expected is not None else (f"{len(found)} rows, expected none" if len(found) else None)
            if wrong:
                raise Violation(f"{what}: {wrong}")
            self.counts[f"reads by {name}"] += 1

    def check_newest(self, readers):
        for table in self.states[self.last].keys() | self.target.tables():
            numbers = self.target.log(table)
            self.check(self.target, table, None, self.last, readers)
            if sorted(set(numbers.values())) != list(numbers.values()):
                raise Violation(f"{table} has the commits {numbers}")

    def check_versions(self, target, readers, since=None):
        for table in target.tables():
            for version, number in self.target.log(table).items():
                if since is None or version >= since.get(table, 0):
                    self.check(target, table, version, number, readers)

    def check_behind_checkpoints(self):
        """On a copy: all JSON commits up to the last checkpoint are deleted, as a cleanup of logs does it."""
        checkpoints = {}
        for key in self.target.keys():
            if key.endswith(".checkpoint.parquet"):
                table, _, name = key.partition("/_delta_log/")
                checkpoints[table] = max(checkpoints.get(table, 0), int(name.partition(".")[0]))
        if not checkpoints:
            raise Violation(f"world {self.seed}: {self.last} commits, and no table has a checkpoint")
        gone = {f"{table}/_delta_log/{version:020}.json" for table, last in checkpoints.items() for version in range(last + 1)}
        copy = self.target.copy(f"copy-{self.seed}", lambda key: key not in gone)
        self.check_versions(copy, READERS, checkpoints)
        self.counts["checkpoints"] += len(checkpoints)

    def check_predicates(self, tries=6):
        """What a predicate finds, with files skipped by their statistics, is what it finds among all rows."""
        lake = duckdb_with_delta(tuple(self.target.options.items()))
        for table, rows in self.states[self.last].items():
            flat = [name for name in rows.column_names if name != "event_id" and not pa.types.is_nested(rows.schema.field(name).type)]
            # In the types of the table.
            lake.register("expected", lake.sql(f"FROM {delta_scan(self.target.table(table), None)}").to_arrow_table())
            delta = DeltaTable(self.target.table(table), storage_options=self.target.options or None)
            for _ in range(tries):
                column, comparison = self.dice.choice(flat), self.dice.choice(["<", "<=", "=", ">=", ">", "<>"])
                values = [value for value in rows[column].to_pylist() if value is not None]
                if not values:
                    continue
                value = self.dice.choice([min(values), max(values), self.dice.choice(values)])
                literal = self.literal(value, lake, column)
                where = f"{column} {comparison} {literal}" if self.dice.random() < 0.9 else f"{column} IS {self.dice.choice(['', 'NOT '])}NULL"
                count = lambda rows: f"SELECT count(*), count(DISTINCT event_id) FROM {rows} WHERE {where}"
                wanted = lake.execute(count("expected")).fetchone()
                found = {
                    "DuckDB": lake.execute(count(delta_scan(self.target.table(table), None))).fetchone(),
                    "deltalake's SQL": self.of_delta(delta, count),
                    "Polars": self.of_polars(table, column, comparison, value, where),
                }
                for name, counted in found.items():
                    if counted is not None and counted != wanted:
                        raise Violation(f"world {self.seed}: {table}: {name} finds {counted} of {where}, among all rows it is {wanted}")
                self.counts["predicates"] += 1

    def literal(self, value, lake, column):
        kind = lake.execute(f"SELECT typeof({column}) FROM expected LIMIT 1").fetchone()[0]
        text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value).replace("'", "''")
        return f"CAST('{text}' AS {kind})"

    @staticmethod
    def of_delta(delta, count):
        found = pa.table(QueryBuilder().register("t", delta).execute(count("t")).read_all())
        return tuple(found.column(number)[0].as_py() for number in range(2))

    def of_polars(self, table, column, comparison, value, where):
        if " IS " in where:
            return None
        of = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt", "<>": "ne"}[comparison]
        scan = pl.scan_delta(self.target.table(table), storage_options=self.target.options or None)
        ids = scan.filter(getattr(pl.col(column), of)(pl.lit(value))).select("event_id").collect()["event_id"]
        return len(ids), ids.n_unique()


def go(binaries, work, place, seeds, every_version, counts):
    for seed in seeds:
        started = time.perf_counter()
        world = World(binaries, work / f"world-{seed}", place, seed, counts)
        world.go(every_version)
        print(f"world {seed}: {world.last} commits, {sum(len(world.target.log(table)) for table in world.target.tables())} versions of "
              f"{len(world.target.tables())} tables, {time.perf_counter() - started:.1f} s", flush=True)
