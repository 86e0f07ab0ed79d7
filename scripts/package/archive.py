"""The binaries → an archive of them, with man pages, completions and docs, laid out for a prefix such as /usr/local.

Invariant: the same binaries, docs and time give the same bytes, whoever makes it, wherever.
"""

import gzip
import io
import os
import subprocess
import tarfile

from . import LICENCES, PROGRAMS, ROOT

# Where each of them belongs below a prefix.
DOCUMENTS = {
    "man": "share/man/man1/{}.1",
    "complete-bash": "share/bash-completion/completions/{}",
    "complete-zsh": "share/zsh/site-functions/_{}",
    "complete-fish": "share/fish/vendor_completions.d/{}.fish",
}
DOCS = "share/doc/eventloader"


def make(binaries, name, directory):
    """Makes NAME.tar.gz, whose one folder is NAME; returns its path."""
    path = directory / f"{name}.tar.gz"
    time = int(os.environ["SOURCE_DATE_EPOCH"])
    with open(path, "wb") as file:
        # Without a name, and with the commit's time.
        with gzip.GzipFile("", "wb", 9, file, mtime=time) as compressed:
            with tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for member, content in sorted(members(binaries).items()):
                    info = tarfile.TarInfo(f"{name}/{member}")
                    info.size, info.mtime = len(content), time
                    info.mode = 0o755 if member.startswith("bin/") else 0o644
                    archive.addfile(info, io.BytesIO(content))
    return path


def members(binaries):
    """The content of each file by its path."""
    found = {}
    for program in PROGRAMS:
        found[f"bin/{program}"] = (binaries / program).read_bytes()
        for document, place in DOCUMENTS.items():
            run = subprocess.run([binaries / program, "--generate", document], check=True, capture_output=True)
            found[place.format(program)] = run.stdout
    for file in [ROOT / "LICENSE", ROOT / "README.md", *(ROOT / "docs").rglob("*.*")]:
        found[f"{DOCS}/{file.relative_to(ROOT)}"] = file.read_bytes()
    found[f"{DOCS}/{LICENCES.name}"] = LICENCES.read_bytes()
    return found
