"""Random worlds from a bucket into a bucket of the server that MOTO_ENDPOINT names, by eventloader on one machine and by an engine: the same is left.

scripts/servers.sh moto -- scripts/spark.sh --buckets N; the wheel and the binaries need the feature `objects`.
"""

import os

from pyarrow import fs

from . import Violation, alike
from .world import World

BUCKET = "lake"


class InBucket(World):
    """A world whose files are objects. A bucket has tables."""

    ALL_WAYS = True

    def __init__(self, binaries, work, seed, counts, engine):
        super().__init__(binaries, work, seed, counts)
        if "--layout" in self.flags:
            at = self.flags.index("--layout")
            del self.flags[at : at + 2]
        self.endpoint = os.environ["MOTO_ENDPOINT"]
        self.store = fs.S3FileSystem(endpoint_override=self.endpoint, region="us-east-1")
        self.place = f"{BUCKET}/{engine}-{seed}-{os.getpid()}"
        for path in (self.work / "in").iterdir():
            with self.store.open_output_stream(f"{self.place}/in/{path.name}") as stream:
                stream.write(path.read_bytes())

    def loads(self, target, report):
        local, inside = str(self.work / "in"), f"s3://{self.place}/in"
        for arguments in super().loads(f"s3://{self.place}/{target}", self.work / report):
            yield [*(str(word).replace(local, inside) for word in arguments), "--endpoint", self.endpoint]

    def tree(self, target):
        top = f"{self.place}/{target}"
        found = self.store.get_file_info(fs.FileSelector(top, recursive=True, allow_not_found=True))
        files = [info.path for info in found if info.type == fs.FileType.File]
        if left := [path for path in files if "/_eventloader/staging/" in path]:
            raise Violation(f"{self.place}: {left[0]} is left over")
        return alike.tree_of((path.removeprefix(f"{top}/"), self.store.open_input_stream(path).read()) for path in files)


def go(binaries, work, engine, count, seed, counts):
    if "MOTO_ENDPOINT" not in os.environ:
        raise Violation("there is no bucket: scripts/servers.sh moto -- scripts/spark.sh --buckets N")
    for number in range(seed, seed + count):
        load(InBucket(binaries, work / str(number), number, counts, engine.name), engine, counts)


def load(world, engine, counts):
    """Loads a world twice, in as many steps as it has."""
    for mine, theirs in zip(world.loads("one", "one.json"), world.loads("other", "other.json")):
        alone = world.run("eventloader", *mine, exits=range(256))
        job = engine.load(["--split-size", world.split_size, *theirs])
        if alone.returncode != job.code:
            raise world.violation(engine, f"exit code {job.code}, on one machine {alone.returncode}: {job.said[-3000:]} {alone.stderr.decode()[-1000:]}")
        if wrong := alike.different_files(world.tree("one"), world.tree("other")):
            raise world.violation(engine, f"other bytes in {wrong}")
        if job.code == 0:
            if wrong := alike.different_reports(*(world.work / f"{name}.json" for name in ("one", "other"))):
                raise world.violation(engine, f"another report: {wrong}")
            world.run("eventloader", "verify", "-q", f"s3://{world.place}/other", "--endpoint", world.endpoint)
        counts["loads" if job.code == 0 else "loads that must fail"] += 1
