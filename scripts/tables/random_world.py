"""Random events in files, with their catalogs and, where datagen has made them, their manifest; and the plain target that they are loaded
into, beside one of another kind by the same commands.
"""

import random
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq

from . import Violation, events


def plain_rows(target):
    """Event type's directory → its rows."""
    files = {}
    for path in sorted(target.rglob("*.parquet")):
        if "_eventloader" not in path.parts:
            files.setdefault(path.parent.name, []).append(pq.ParquetFile(path).read())
    return {name: pa.concat_tables(tables, promote_options="permissive") for name, tables in files.items()}


class RandomWorld:
    STEPS = EVENTS = 0  # files, and events in them

    def __init__(self, binaries, work, seed, counts):
        self.binaries, self.work, self.seed, self.counts = binaries, work, seed, counts
        self.dice, self.plain, self.manifest = random.Random(seed), work / "plain", None
        self.flags = ["--partition-by", "hour"] if self.dice.random() < 0.4 else []
        (work / "in").mkdir(parents=True)
        self.shop() if seed % 2 else self.generated()

    # --- Sources ---

    def generated(self):
        """Of datagen, with corrections that come late and lines that come twice, and a manifest."""
        self.manifest = self.work / "truth.json"
        name = self.dice.choice(["simple", "ledger"])
        grows = name == "ledger" and self.dice.random() < 0.5
        command = ["--world", name, "-s", str(self.seed), "-n", str(self.EVENTS), "-q", "-w", "-b", self.work / "in", "--files", str(self.STEPS), "--manifest",
                   self.manifest, "--faults", "duplicates=2%,corrections=5%,late=2%,offsets=1%" + ("" if grows else ",malformed=1%,unknown-events=1%")]
        if grows:
            command += ["--changes", "add=4,drop=2,nest=2"]
        self.run("datagen", *command)
        self.sources = sorted((self.work / "in").iterdir())
        self.catalogs = [] if name == "simple" else [self.work / "mine.toml"]
        self.extends = grows
        if self.catalogs:
            self.catalogs[0].write_bytes(self.run("datagen", "catalog").stdout)
        if not grows:
            self.dice.shuffle(self.sources)

    def shop(self):
        self.extends = False
        self.catalogs = [self.work / f"shop-{number}.toml" for number in range(len(events.GROWTH))]
        for path, text in zip(self.catalogs, events.GROWTH):
            path.write_text(text)
        for number in range(self.STEPS):
            first = number * self.EVENTS // self.STEPS
            lines = events.lines(self.dice, first, self.EVENTS // self.STEPS, lambda: f"2024-10-{self.dice.randrange(8, 14):02}")
            if number > self.STEPS // 2:
                lines = (events.grown(self.dice, line) for line in lines)
            (self.work / f"in/{number:02}.json").write_text("".join(f"{line}\n" for line in lines))
        self.sources = sorted((self.work / "in").iterdir())

    def catalog_flags(self, step):
        if len(self.catalogs) < 2:
            return [flag for path in self.catalogs for flag in ("--catalog", path)]
        # The second one from the middle on, and the third at three quarters.
        return ["--catalog", self.catalogs[(step > self.STEPS // 2) + (step > self.STEPS * 3 // 4)]]

    # --- Loads ---

    def run(self, name, *arguments, exits=(0,)):
        command = [self.binaries / name, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in exits:
            raise Violation(f"world {self.seed}: {' '.join(map(str, command))} exits with {done.returncode}: {done.stderr.decode()[-800:]}")
        return done
