"""How far an engine's tasks are → one line on a terminal, which goes away at the end.

Invariant: without a terminal, and with `--quiet`, nothing is written. The line never wraps: what is on a second line would stay.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

STAGES = "splits read", "parts resolved", "parts written"
_SECONDS = 0.25
_COLUMNS = 80


class Progress:
    """The line."""

    def __init__(self, is_shown: bool) -> None:
        self.is_shown = is_shown and sys.stderr.isatty()
        self._began, self._shown_at, self._text = time.monotonic(), 0.0, ""

    def show(self, stages: Sequence[tuple[int, int]]) -> None:
        """Of each stage, in order: how many of its tasks are done, and how many there are. Some engines don't say it."""
        now = time.monotonic()
        if not self.is_shown or now - self._shown_at < _SECONDS:
            return
        self._shown_at = now
        # Behind the first that is not done, none has begun.
        begun = 1 + next((at for at, (done, of) in enumerate(stages) if done < of), len(stages))
        parts = [f"{of} {what}" if done == of else f"{done} of {of} {what}" for (done, of), what in zip(stages[:begun], STAGES)]
        self._write(fitting(parts or [f"the engine is at work, {now - self._began:.0f} s"], columns()))

    def watch(self, look: Callable[[], Sequence[tuple[int, int]]]) -> Callable[[], None]:
        """Shows what `look` returns, in a thread of its own, until the function that this returns is called."""
        if not self.is_shown:
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
        if self._text:
            self._write("")
            print(end="\r", file=sys.stderr, flush=True)

    def _write(self, text: str) -> None:
        if text != self._text:
            # A terminal that has become narrower would wrap the blanks, too.
            width = min(len(self._text), max(columns() - 1, 0))
            print(f"\r{text:{width}}", end="", file=sys.stderr, flush=True)
            self._text = text


def columns() -> int:
    """The width of the terminal; `COLUMNS` says it where it is set."""
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def fitting(parts: Sequence[str], width: int) -> str:
    """The last parts, as many as a line has room for; the last column is the cursor's."""
    for first in range(len(parts)):
        text = ", ".join(parts[first:])
        if len(text) < width:
            return text
    return parts[-1][: max(width - 1, 0)]
