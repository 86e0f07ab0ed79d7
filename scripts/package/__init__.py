"""What is handed out: the archive of both programs is made here, and the wheel and the archive are proved good."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = "datagen", "eventloader"
# The licences of the crates that both are linked with; made anew each time.
LICENCES = ROOT / "crates/python/THIRD_PARTY_LICENSES"


class Violation(Exception):
    """Something is not as it must be."""
