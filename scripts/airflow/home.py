"""A throw-away Airflow: a home with the DAG file as a data engineer edits it, a database, and a loader that can be killed.

In: the programs, the settings. Out: commands of Airflow, and what its database says.
Invariant: nothing but the settings of the DAG file is changed.
"""

from __future__ import annotations

import os
import pathlib
import re
import sqlite3
import subprocess
import sys
from datetime import datetime

DAG_FILE = pathlib.Path(__file__).with_name("eventloader_dag.py")
NAME = "lake"

# Stands before the loader in the PATH. Where a file in `kills` has the name of its source, it kills the load midway, once.
KILLER = """#!{python} -SE
import os, pathlib, random, signal, subprocess, sys, time
loader, kills, staging = {loader!r}, pathlib.Path({kills!r}), pathlib.Path({target!r}, "_eventloader", "staging")
source = sys.argv[sys.argv.index("-s") + 1] if "-s" in sys.argv else ""
wanted = kills / "-".join(pathlib.Path(source).parts[-3:])
if not source or not wanted.exists():
    os.execv(loader, [loader, *sys.argv[1:]])
wanted.unlink()
child = subprocess.Popen([loader, *sys.argv[1:]])
while child.poll() is None and not staging.is_dir():
    time.sleep(0.0005)
# The first one at once: a load of an hour takes a few milliseconds.
time.sleep(random.random() * 0.02 if (kills / "midway").exists() else 0)
child.kill()
child.wait()
if staging.is_dir():
    with open(kills / "midway", "a") as log:
        log.write(wanted.name + "\\n")
os.kill(os.getpid(), signal.SIGKILL)
"""


class Home:
    """The DAGs of `settings` are the first ones; `copy` adds others beside them."""

    def __init__(self, path: pathlib.Path, programs: pathlib.Path, settings: dict[str, str]) -> None:
        path.mkdir()
        self.path = path
        os.environ["AIRFLOW_HOME"] = str(path)
        # Several processes write to it; SQLite makes one wait for the other, by itself for 5 s.
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{path}/airflow.db?timeout=120"
        self.target, self.kills = self.path / NAME, self.path / "kills"
        self.kills.mkdir()
        (self.path / "dags").mkdir()
        self.programs = self.path / "bin"
        killer = self.programs / "eventloader"
        killer.parent.mkdir()
        text = KILLER.format(python=sys.executable, loader=str(programs / "eventloader"), kills=str(self.kills), target=str(self.target))
        killer.write_text(text)
        killer.chmod(0o755)
        os.environ["PATH"] = f"{self.programs}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"

        self.airflow("db", "migrate")
        self.copy(NAME, settings)

    def copy(self, name: str, settings: dict[str, str]) -> pathlib.Path:
        """Copies the DAG file, edits it and makes the pool, as a data engineer does; the path of the target."""
        target = self.path / name
        (self.path / "dags" / f"{name}.py").write_text(edited(settings | {"NAME": repr(name), "TARGET": repr(str(target))}))
        self.airflow("pools", "set", name, "1", "one load at a time")
        return target

    def airflow(self, *arguments: str) -> str:
        done = subprocess.run(["airflow", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"error: exit code {done.returncode}: airflow {' '.join(arguments)}\n{done.stdout}")
        return done.stdout

    def rows(self, query: str, *values: object) -> list[tuple]:
        """What the database says."""
        with sqlite3.connect(f"file:{self.path / 'airflow.db'}?mode=ro", uri=True, timeout=60) as database:
            return database.execute(query, values).fetchall()

    def kill(self, hour: datetime, domain: str) -> None:
        """The next load of that hour is killed."""
        (self.kills / f"{hour:%Y-%m-%d-%H}-{domain}").touch()

    def killed_midway(self) -> int:
        log = self.kills / "midway"
        return len(log.read_text().splitlines()) if log.exists() else 0


def edited(settings: dict[str, str]) -> str:
    """The DAG file with other settings, each of which it must have once."""
    text = DAG_FILE.read_text()
    for name, value in settings.items():
        text, found = re.subn(rf"(?m)^{name} = .*$", lambda _: f"{name} = {value}", text)
        if found != 1:
            sys.exit(f"error: {DAG_FILE.name} has the setting {name} {found} times")
    return text
