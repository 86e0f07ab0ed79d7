#!/usr/bin/env python3
"""Runs the commands that README.md shows, and compares or rewrites the output shown there. Other pages have scripts that import this one.

In: the fenced `console` blocks of a page with `<!-- run -->` or `<!-- run: duckdb -->` on the line before; in these, lines that
begin with `$ ` are commands, all others are output (standard error and standard output, as a terminal shows them). The blocks run one
after the other in one temporary directory, so a block may use what earlier ones made. A block of any language behind
`<!-- file: NAME -->` is in that directory as the file NAME from the start.
Out: with --check exit code 1 and a diff if the output differs; with --write the page with the real output.

Times and rates vary from run to run, so --check ignores them, and --write leaves a block alone in which nothing else has changed.

`datagen` and `eventloader` are taken from BIN_DIR, or else from the PATH. Blocks marked `run: duckdb` need the `duckdb` Python package,
in .venv (scripts/python_env.sh makes it) or in the python3 at hand; where there is none they are skipped. `duckdb -c SQL` is then run
by that package. Needs nothing but the standard library.
"""

from __future__ import annotations

import argparse
import difflib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^<!-- run(?:: (?P<needs>\w+))? -->\n```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = [(re.compile(pattern), shown) for pattern, shown in (
    (r"\b[0-9][0-9.,]* ?(ns|µs|ms|s|min|h)\b", "<time>"),
    (r"\b[0-9][0-9.,]* ?([kKMGT]i?B|bytes|lines|events|rows)/s\b", "<rate>"),
)]
# What stands for the duckdb command: the same table, printed by the Python package.
DUCKDB = """\
#!{python}
import sys
import duckdb
if len(sys.argv) != 3 or sys.argv[1] != "-c":
    sys.exit("usage: duckdb -c SQL")
duckdb.sql(sys.argv[2]).show(max_width=120)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/readme.py", description="Runs the commands that README.md shows.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="exit with code 1 if README.md shows other output; print the difference")
    what.add_argument("--write", action="store_true", help="put the real output into README.md")
    given = parser.parse_args()

    return renew(README, write=given.write)


def renew(page: pathlib.Path, write: bool, after: Callable[[pathlib.Path], None] = lambda home: None) -> int:
    """Compares a page with what its commands print, or rewrites it; returns the exit code. `after` is called after each block, with the
    directory in which the commands run."""
    name, text = page.relative_to(ROOT), page.read_text()
    if not BLOCK.search(text):
        sys.exit(f"error: {name} has no console block marked <!-- run -->")
    with tempfile.TemporaryDirectory(prefix=f"{page.stem.lower()}.") as work:
        renewed = with_real_output(text, pathlib.Path(work), after)
    if normal(renewed) == normal(text):
        print(f"{name} shows what its commands print")
        return 0
    if write:
        page.write_text(renewed)
        print(f"{name} now shows what its commands print")
        return 0
    shown, real = (part.splitlines(keepends=True) for part in (normal(text), normal(renewed)))
    sys.stdout.writelines(difflib.unified_diff(shown, real, str(name), "the real output"))
    script = pathlib.Path(sys.argv[0]).name
    print(f"error: {name} shows other output than its commands print; scripts/{script} --write puts it right", file=sys.stderr)
    return 1


def with_real_output(text: str, work: pathlib.Path, after: Callable[[pathlib.Path], None]) -> str:
    """The text, with what the commands of its blocks print."""
    commands, home = work / "bin", work / "home"
    commands.mkdir()
    home.mkdir()
    for file in FILE.finditer(text):
        (home / file["name"]).write_text(file["text"])
    python = python_with_duckdb()
    if python:
        shim = commands / "duckdb"
        shim.write_text(DUCKDB.format(python=python))
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    paths = [str(commands), *filter(None, [os.environ.get("BIN_DIR") and os.path.abspath(os.environ["BIN_DIR"])]), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(paths), "LC_ALL": "C.UTF-8", "COLUMNS": "120"}
    environment.pop("EVENTLOADER_CATALOG", None)
    for program in "datagen", "eventloader":
        if not shutil.which(program, path=environment["PATH"]):
            sys.exit(f"error: {program} is neither in BIN_DIR nor in the PATH; cargo build --release makes it")

    def run(block: re.Match) -> str:
        if block["needs"] == "duckdb" and not python:
            print("skipped: the block that needs duckdb; scripts/python_env.sh installs it", file=sys.stderr)
            return block[0]
        lines = []
        for line in block["text"].splitlines():
            if line.startswith("$ "):
                lines += [line, *output_of(line[2:], home, environment)]
        after(home)
        shown = "".join(f"{line}\n" for line in lines)
        # What differs in times alone stays as it is.
        kept = block["text"] if normal(shown) == normal(block["text"]) else shown
        return block[0].replace(block["text"], kept) if block["text"] else block[0].replace("```console\n", f"```console\n{kept}")

    return BLOCK.sub(run, text)


def output_of(command: str, directory: pathlib.Path, environment: dict[str, str]) -> list[str]:
    """The lines that a command prints; ends the run if it fails."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=directory, env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"error: exit code {done.returncode}: {command}\n{done.stdout}")
    return [line.rstrip() for line in done.stdout.rstrip().splitlines()]


def python_with_duckdb() -> str | None:
    """A Python that can import duckdb."""
    for python in str(ROOT / ".venv" / "bin" / "python"), sys.executable:
        if os.access(python, os.X_OK) and subprocess.run([python, "-c", "import duckdb"], capture_output=True).returncode == 0:
            return python
    return None


def normal(text: str) -> str:
    """The text, without what varies from run to run in its blocks."""
    def replaced(block: str) -> str:
        for pattern, shown in VARYING:
            block = pattern.sub(shown, block)
        return block

    return BLOCK.sub(lambda block: replaced(block[0]), text) if BLOCK.search(text) else replaced(text)


if __name__ == "__main__":
    sys.exit(main())
