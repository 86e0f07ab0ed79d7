"""The crates that are linked into the wheel and the archive → their licences as one text, in LICENCES: package.licences TARGET_TRIPLE.

Both have one text. It is that of the wheel, which is linked with all that the binaries are, and with pyo3.

Invariant: the same lock file gives the same bytes, and no crate is without a text.
"""

import json
import pathlib
import subprocess
import sys

from . import LICENCES, ROOT, Violation

NAMES = "LICENSE", "LICENCE", "COPYRIGHT", "NOTICE", "UNLICENSE"
BEGIN = """\
The programs eventloader and datagen, and the Python module of eventloader, are linked with the crates below.
Each is followed by what it says of its licence; the texts follow, each with the crates that it came with.
"""
# Of crates that have no file with it, by what they say of their licence: a name that files of others have.
COMMON = {"Apache-2.0": "LICENSE-APACHE", "MIT": "LICENSE-MIT"}


def linked(host):
    """The crates by name and version, without those that only build others."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", host, "--manifest-path", ROOT / "crates/python/Cargo.toml"]
    run = subprocess.run([*command, "--features", "objects,postgres"], check=True, capture_output=True, text=True)
    metadata = json.loads(run.stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {node["id"]: node["deps"] for node in metadata["resolve"]["nodes"]}
    found, ahead = set(), [metadata["resolve"]["root"]]
    while ahead:
        crate = ahead.pop()
        if crate in found or any("proc-macro" in target["kind"] for target in packages[crate]["targets"]):
            continue
        found.add(crate)
        ahead += [need["pkg"] for need in needs[crate] if any(kind["kind"] is None for kind in need["dep_kinds"])]
    crates = [packages[crate] for crate in found if packages[crate]["source"]]
    return sorted(crates, key=lambda crate: (crate["name"], crate["version"]))


def files(crate):
    """The files of a crate that are its licences, and those of sources that it contains."""
    top = pathlib.Path(crate["manifest_path"]).parent
    for path in sorted(top.rglob("*")):
        # That of zstd's sources is the GPL, one of two that they may be used by.
        names = (*NAMES, "COPYING") if path.parent == top else NAMES
        if path.is_file() and path.name.upper().startswith(names) and "benches" not in path.parts:
            yield path


def text(host):
    crates = linked(host)
    texts, by_name, without = {}, {}, []
    for crate in crates:
        paths = list(files(crate))
        for path in paths:
            content = "\n".join(line.rstrip() for line in path.read_text("utf-8").strip().splitlines())
            # Of one text in two layouts, the first stays.
            _, users = texts.setdefault(" ".join(content.split()), (content, []))
            users.append(crate)
            by_name.setdefault(path.name, users)
        if not paths:
            without.append(crate)
    for crate in without:
        if COMMON.get(crate["license"]) not in by_name:
            raise Violation(f"{crate['name']} {crate['version']} ({crate['license']}) has no file with its licence")
        by_name[COMMON[crate["license"]]].append(crate)
    parts = [BEGIN, "".join(f"{named(crate)}: {crate['license']}\n" for crate in crates)]
    for content, users in texts.values():
        of = ", ".join(sorted({named(crate) for crate in users}))
        parts.append(f"{'=' * 80}\n{of}\n{'=' * 80}\n\n{content}\n")
    return "\n".join(parts)


def named(crate):
    return f"{crate['name']} {crate['version']}"


def main():
    try:
        LICENCES.write_text(text(sys.argv[1]), "utf-8")
    except Violation as violation:
        sys.exit(f"violation: {violation}")


if __name__ == "__main__":
    main()
