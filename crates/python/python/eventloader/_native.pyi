from collections.abc import Iterator, Sequence
from types import TracebackType

import pyarrow as pa

__version__: str

def run_eventloader(arguments: list[str], /) -> int: ...
def run_datagen(arguments: list[str], /) -> int: ...

class LoadError(Exception):
    """A load that failed. The text says what happened, where, and what to do."""

    exit_code: int
    """The exit code of `eventloader` when it fails so."""

class Job:
    """A load that an engine distributes. From here on it holds the lock of its target."""

    def __init__(
        self, arguments: Sequence[str], *, split_bytes: int = 67_108_864, buckets: int | None = None, task_memory_bytes: int | None = None
    ) -> None:
        """Lists the sources and divides them. `arguments` are those of `eventloader`, without its name."""

    @property
    def handle(self) -> str:
        """What a task finds the job by, in any process: one line of text."""

    @property
    def split_count(self) -> int:
        """How many splits there are, numbered from 0."""

    def commit(self, answers: Sequence[pa.RecordBatch]) -> str:
        """Proves the counts of all tasks and commits. Prints the summary; returns the report as JSON."""

    def abandon(self) -> None:
        """Ends the job without a commit, if it is not over. The target is left as it was found."""

    def __enter__(self) -> Job: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Abandons the job, if it is not over."""

class SplitBatches(Iterator[pa.RecordBatch]): ...

def batch_schema() -> pa.Schema:
    """The form of all batches that tasks hand to each other."""

def parse_split(job: str, split: int) -> SplitBatches:
    """Reads a split. Its rows go into files beside the target; what other tasks must know comes back."""

def resolve_buckets(job: str, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Decides which rows are the latest, in buckets all of whose rows are in the batches. Hands on what it does not take."""

def write_partitions(job: str, batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Writes partitions all of whose rows are named in the batches, and syncs them together. Hands on what it does not take."""
