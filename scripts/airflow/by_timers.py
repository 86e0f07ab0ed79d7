"""The hours of a feed by the commands of the crontab in docs/scheduling.md and of the units in scripts/systemd.

In: the page, the units, and what stands for their paths and bound. Out: exit codes and messages of the commands, what `systemd-analyze` says.
Invariant: a command runs as cron or systemd would run it, with their environment and what they make of a percent sign.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ROOT / "scripts" / "systemd"


def crontab(edits: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment and the commands of the page's crontab, as a user edits it."""
    text = re.search(r"<!-- crontab -->\n```crontab\n(.*?)```", (ROOT / "docs" / "scheduling.md").read_text(), re.DOTALL)[1]
    for theirs, ours in edits.items():
        text = text.replace(theirs, ours)
    lines = text.splitlines()
    settings = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    commands = [line.split(maxsplit=5)[5] for line in lines if not re.match(r"\w+=", line)]
    # What stands behind the first bare percent sign would be the command's standard input.
    return settings, [re.split(r"(?<!\\)%", command)[0].replace(r"\%", "%") for command in commands]


def by_cron(settings: dict[str, str], command: str, home: pathlib.Path) -> tuple[int, str]:
    """Runs a command as cron does; its exit code and what cron would mail."""
    environment = {"SHELL": "/bin/sh", "HOME": str(home), "LOGNAME": "data", "PATH": "/usr/bin:/bin"} | settings
    return finished(["/bin/sh", "-c", command], environment, home)


def services(edits: dict[str, str], directory: pathlib.Path) -> dict[str, pathlib.Path]:
    """The units as a user edits them."""
    directory.mkdir()
    for unit in UNITS.iterdir():
        text = unit.read_text()
        for theirs, ours in edits.items():
            text = text.replace(theirs, ours)
        (directory / unit.name).write_text(text)
    return {unit.name: unit for unit in sorted(directory.iterdir())}


def by_systemd(service: pathlib.Path, catalog: pathlib.Path) -> tuple[int, str]:
    """Runs what a service would run; its exit code and what would be in the journal."""
    command = re.search(r"(?m)^ExecStart=(.*)$", service.read_text())[1]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "EVENTLOADER_CATALOG": str(catalog)}
    # Of the specifiers, only the percent sign itself may be there.
    assert not re.search(r"%", command.replace("%%", "")), command
    return finished(shlex.split(command.replace("%%", "%")), environment, service.parent)


def finished(command: list[str], environment: dict[str, str], home: pathlib.Path) -> tuple[int, str]:
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, env=environment, cwd=home, text=True, **streams)
    return done.returncode, done.stdout


def findings(units: dict[str, pathlib.Path]) -> list[str] | None:
    """What `systemd-analyze verify` finds in these units; None where there is no systemd."""
    if shutil.which("systemd-analyze") is None:
        return None
    said = subprocess.run(["systemd-analyze", "verify", *units.values()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # It names the unit, and finds unknown keys without an exit code; what it says of the machine's own units is not ours.
    return [line for line in said.stdout.splitlines() if any(name in line for name in units)]
