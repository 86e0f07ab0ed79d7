"""Makes the archive, and proves it and the wheel good: package BINARIES TARGET_TRIPLE WORK. The wheel is in WORK/made."""

import pathlib
import platform
import subprocess
import sys

from . import Violation, alike, archive, installed, system


def main():
    binaries, work = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
    made = work / "made"
    (wheel,) = made.glob("*.whl")
    version = subprocess.run([binaries / "eventloader", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    packed = archive.make(binaries, f"eventloader-{version}-{sys.argv[2]}", made)
    try:
        of_wheel = installed.wheel(wheel, work / "venv")
        of_archive = installed.archive(packed, work / "unpacked")
        same = alike.prove(of_wheel, of_archive, work)
    except Violation as violation:
        print(f"violation: {violation}", file=sys.stderr)
        return 1
    for file in wheel, packed:
        print(f"{file.stat().st_size / 1e6:6.1f} MB  {file.name}")
    print(f"both programs run from each, print and end alike, and leave the same bytes in {same} files of a target")
    print(needs(wheel, work, of_archive))
    return 0


def needs(wheel, work, of_archive):
    """On which systems they run, in a sentence."""
    modules = list((work / "venv").rglob("_native*.so"))
    glibc = system.glibc_needed([*modules, *of_archive.iterdir()])
    if glibc is None:
        return f"they run on {platform.system()} of this version or later"
    needed, here = "{}.{}".format(*glibc), platform.libc_ver()[1]
    return f"they need glibc {needed} or later (here: {here}); for older systems, make them in an image of such a system: docs/packaging.md"


if __name__ == "__main__":
    sys.exit(main())
