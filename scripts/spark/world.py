"""Random events in files of all forms, and random flags of a load; what one machine makes of them stands for what an engine must.

The events are those of scripts/tables: datagen's two worlds and a shop. Here they may also be records of another producer, or of catalogs that
take any type, and files may be compressed, arrays or documents, have a line of more than 16 MiB or bad lines nearly alone, or be cut off, so that the load fails.
"""

import gzip
import json
import subprocess

import pyarrow as pa
from tables.random_world import RandomWorld

from . import Violation

ENVELOPES = "segment", "stripe", "cloudtrail", "eventbridge", "debezium", "kafka", "journald"
OPEN_CATALOG = '[domain.account.events."*"]\n[domain.transaction.events.payment-to.fields]\nid = "string"\n[domain."*"]\n'
LONG_LINE_BYTES = 17 << 20
SPLITS_MAX = 100  # of a file, about
CUT_OFF = 6  # the last digit of such seeds; a shop, by the order of the kinds
KINDS = "world", "shop", "open", "envelope", "world"  # by seed


class World(RandomWorld):
    STEPS = 4
    EVENTS = 2000
    # Also what has no lock, and steps of which one does not do the same twice.
    ALL_WAYS = False

    def __init__(self, binaries, work, seed, counts):
        self.kind = KINDS[seed % len(KINDS)]
        super().__init__(binaries, work, seed, counts)
        if self.extends:
            self.run("eventloader", "catalog", "infer", "-q", "--catalog", self.catalogs[0], *self.sources, "-o", self.catalogs[0])
            # What is found may stand in another order than in the catalog of the generator, which its manifest is about.
            self.manifest = None
        self.reform()
        self.choose_flags()

    def shop(self):
        # By seed's parity; here the kind decides.
        self.made()

    def generated(self):
        self.made()

    def made(self):
        if self.kind == "shop":
            return super().shop()
        if self.kind != "envelope":
            super().generated()
            if self.kind == "open":
                (self.work / "open.toml").write_text(OPEN_CATALOG)
                self.catalogs, self.extends, self.manifest = [self.work / "open.toml"], False, None
            return None
        name, self.manifest, self.extends = self.dice.choice(ENVELOPES), self.work / "truth.json", False
        self.catalogs = [self.work / "envelope.toml"]
        self.catalogs[0].write_bytes(self.run("datagen", "catalog", "--envelope", name).stdout)
        self.run("datagen", "--envelope", name, "-s", str(self.seed), "-n", str(self.EVENTS), "-q", "-w", "-b", self.work / "in", "--files", str(self.STEPS),
                 "--manifest", self.manifest, "--faults", "duplicates=2%,corrections=5%")
        self.sources = sorted((self.work / "in").iterdir())
        return None

    def reform(self):
        """Some files get another form, which holds the same events."""
        for path in self.sources:
            form = self.dice.choices(["lines", "gzip", "zstd", "array", "documents", "long", "bad"], [12, 3, 2, 2, 2, 1, 1])[0]
            lines = path.read_bytes().splitlines()
            if form in ("array", "documents") and not all(map(is_json, lines)):
                lines, self.manifest = list(filter(is_json, lines)), None
            self.counts[f"files: {form}"] += 1
            if form == "gzip":
                subprocess.run(["gzip", "-q", path], check=True)
            elif form == "zstd":
                path.write_bytes(pa.compress(path.read_bytes(), "zstd", asbytes=True))
            elif form == "array":
                path.write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n")
            elif form == "documents":
                # A line of several may be taken for one line, which is bad.
                self.manifest = None
                path.write_bytes(b"".join(line + self.dice.choice([b"", b" ", b"\n", b"\n\n"]) for line in lines))
            elif form != "lines":
                self.manifest = None
                long_line = b'{"pad":"' + b"x" * LONG_LINE_BYTES + b'",' + lines[0][1:]
                lines += [long_line] if form == "long" else [b"bad %d" % number for number in range(4 * len(lines))]
                self.dice.shuffle(lines)
                path.write_bytes(b"\n".join(lines) + self.dice.choice([b"", b"\n"]))

        if self.seed % 10 == CUT_OFF:
            self.counts["files: cut off"] += 1
            path = self.work / "in/cut.json.gz"
            path.write_bytes(gzip.compress(b"\n".join(lines))[:-40])
            self.sources.append(path)

    def choose_flags(self):
        dice = self.dice
        for chance, flags in [(0.2, ["--flatten", "false"]), (0.25, ["--layout", "hive"]), (0.3, ["--superseded-samples", str(dice.randrange(1, 9))]),
                              (0.2, ["--compression", "snappy"]), (0.2, ["--max-bad-lines", "100%"]), (0.1, ["--max-bad-lines", "3"])]:
            self.flags += flags if dice.random() < chance and flags[0] not in self.flags else []
        if dice.random() < 0.2:
            self.flags += ["--dedupe-scope", "day"]
            self.manifest = None
        self.selection = dice.choices([["-b"], ["-d", "2024-10-11"], ["--since", "2024-10-11", "--until", "2024-10-12"]], [6, 1, 1])[0]
        if self.selection != ["-b"]:
            self.manifest = None
        # Into a target that has something of it already, or into none. A merge is in two steps.
        self.steps = dice.choice([["overwrite"], ["merge"], ["overwrite", "merge"], ["merge", "merge"]])
        if "day" in self.flags:
            self.steps = ["overwrite"]
        self.more = []
        if self.ALL_WAYS:
            if "--layout" not in self.flags and dice.random() < 0.3:
                self.flags += ["--table", "delta"]
            if self.steps == ["overwrite", "merge"] and dice.random() < 0.5:
                self.steps = ["merge", "overwrite"]
            elif self.steps == ["merge", "merge"] and dice.random() < 0.5:
                # What the first step has merged, the second one recognises.
                self.more = ["--skip-loaded"]
        # A long line in splits of 10 kB would be thousands of tasks.
        longest = max(path.stat().st_size for path in (self.work / "in").iterdir())
        self.split_size = max(dice.choice([10_000, 50_000, 200_000, 1_000_000, 64 << 20]), longest // SPLITS_MAX)

    def loads(self, target, report):
        """The arguments of each load, in order."""
        catalog = self.catalog_flags(self.STEPS)
        for number, mode in enumerate(self.steps):
            sources = self.sources if number == len(self.steps) - 1 else self.sources[: self.STEPS // 2]
            files = [path if path.exists() else path.with_name(f"{path.name}.gz") for path in sources]
            yield [*catalog, *self.flags, *self.selection, "--mode", mode, *self.more, *(word for path in files for word in ("-s", path)), "-t", target, "--report", report]

    def listed(self, target):
        """What `list` says of the loads, without their times."""
        lines = self.run("eventloader", "list", "--json", target).stdout.splitlines()
        return [{key: value for key, value in json.loads(line).items() if key != "at"} for line in lines]

    def verified(self, target):
        self.run("eventloader", "verify", "-q", target, *(["--against", self.manifest] if self.manifest else []))
        self.counts["targets met their manifest"] += self.manifest is not None

    def violation(self, engine, what):
        return Violation(f"world {self.seed} on {engine.name}, --split-size {self.split_size}, {' '.join(map(str, [*self.flags, *self.selection, *self.steps]))}: {what}")


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
