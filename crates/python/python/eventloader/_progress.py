"""How far an engine's tasks are → one line on a terminal, which goes away at the end.

Invariant: without a terminal, and with `--quiet`, nothing is written.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence

STAGES = "splits read", "groups of buckets resolved", "groups of partitions written"
_SECONDS = 0.25


class Progress:
    """The line."""

    def __init__(self, is_shown: bool) -> None:
        self._is_shown, self._shown_at, self._width = is_shown and sys.stderr.isatty(), 0.0, 0

    def show(self, stages: Sequence[tuple[int, int]]) -> None:
        """Of each stage that has begun, in order: how many of its tasks are done, and how many there are."""
        now = time.monotonic()
        if not self._is_shown or not stages or now - self._shown_at < _SECONDS:
            return
        self._shown_at = now
        parts = [f"{done} of {of} {what}" for (done, of), what in zip(stages, STAGES)]
        self._write(", ".join(parts))

    def watch(self, look: Callable[[], Sequence[tuple[int, int]]]) -> Callable[[], None]:
        """Shows what `look` returns, in a thread of its own, until the function that this returns is called."""
        if not self._is_shown:
            return lambda: None
        over = threading.Event()

        def go() -> None:
            while not over.wait(_SECONDS):
                try:
                    self.show(look())
                except Exception:  # noqa: BLE001
                    # An engine that can't say how far it is says soon why.
                    return

        thread = threading.Thread(target=go, daemon=True)
        thread.start()

        def stop() -> None:
            over.set()
            thread.join()

        return stop

    def clear(self) -> None:
        """Takes the line away."""
        if self._width:
            self._write("")
            print(end="\r", file=sys.stderr, flush=True)
            self._width = 0

    def _write(self, text: str) -> None:
        print(f"\r{text:{self._width}}", end="", file=sys.stderr, flush=True)
        self._width = len(text)
