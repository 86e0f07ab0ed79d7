"""The wheel and the archive → their programs, installed as a user would install them, each into an empty place.

Invariant: nothing is fetched, and nothing of the checkout is used.
"""

import os
import subprocess
import sys

from . import LICENCES, Violation


def wheel(file, place):
    """Makes an environment with nothing but the wheel; returns the directory of its programs."""
    run([sys.executable, "-m", "venv", place])
    run([place / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", file])
    has_licences(place, file)
    return place / "bin"


def archive(file, place):
    """Unpacks the archive; returns the directory of its programs."""
    place.mkdir()
    run(["tar", "-xzf", file, "-C", place])
    (top,) = place.iterdir()
    for document in "man/man1", "bash-completion/completions", "zsh/site-functions", "fish/vendor_completions.d", "doc/eventloader":
        if not any((top / "share" / document).iterdir()):
            raise Violation(f"{file.name}: share/{document} is empty")
    has_licences(top, file)
    return top / "bin"


def has_licences(place, file):
    if not any(found.read_bytes() == LICENCES.read_bytes() for found in place.rglob(LICENCES.name)):
        raise Violation(f"{file.name}: there is no {LICENCES.name}, or another")


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    if done.returncode:
        raise Violation(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


def environment():
    """As of a shell that knows nothing of this project."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EVENTLOADER"))}
