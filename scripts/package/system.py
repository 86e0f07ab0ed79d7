"""Files of machine code → the oldest glibc that has all that they call.

Invariant: the answer is what the linker has written into the files, not what this system has.
"""

import re

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile


def glibc_needed(files):
    """The version as two numbers; `None` if none of them needs glibc, as on macOS."""
    return max((version for file in files for version in versions(file)), default=None)


def versions(path):
    with open(path, "rb") as file:
        try:
            needs = ELFFile(file).get_section_by_name(".gnu.version_r")
        except ELFError:
            return
        for _, symbols in needs.iter_versions() if needs else ():
            for symbol in symbols:
                if version := re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", symbol.name):
                    yield int(version[1]), int(version[2])
