"""The error of an engine → the one sentence that its user needs.

What a task has raised comes to the driver inside of other texts: the traces of Python and of Java, the status of a server. What a load says of
itself is in there once or several times, and is the same each time.

Invariant: what no task of a load has said is told as the engine's own words.
"""

from __future__ import annotations

import re

# A text ends where a trace or a status begins: at an empty line, at a frame of Java, at Spark's code.
_SAID = re.compile(r"\bLoadError: (.+?)(?=\n\s*(?:\n|at |SQLSTATE|Caused by|During handling)|\s*\Z)", re.DOTALL)
_NO_PACKAGE = re.compile(r"ModuleNotFoundError: No module named '(eventloader|pyarrow)")
# The last line of a trace.
_RAISED = re.compile(r"^\s*((?:\w+\.)*\w+(?:Error|Exception|Exit|Failure): .+)$", re.MULTILINE)
_LINE_CHARACTERS_MAX = 300


class EngineError(Exception):
    """The engine has not done the tasks; the text says why."""


def explained(error: BaseException, engine: str) -> str:
    """Why an engine has failed."""
    if isinstance(error, ModuleNotFoundError):
        return f"--engine {engine} needs the package {error.name}, which this Python does not have; install it, or run the job with spark-submit"
    text = "\n".join(_texts(error))
    if said := _SAID.search(text):
        return said[1].strip()
    if missing := _NO_PACKAGE.search(text):
        return f"a worker's Python has no package {missing[1]}; install the wheel of the driver's version, and pyarrow, on all workers"
    return f"the engine has failed, nothing was changed: {_line(error)}; its log says more, and so does -v"


def _texts(error: BaseException):
    """What it says, and what those say that it comes from."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        # So that one that was raised here reads as one in a trace.
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    """What a task has raised at last; without a trace, the first line of what the engine says."""
    text = str(error)
    raised = _RAISED.findall(text)
    lines = raised[-1:] or [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    return lines[0] if len(lines[0]) <= _LINE_CHARACTERS_MAX else f"{lines[0][:_LINE_CHARACTERS_MAX]} …"
