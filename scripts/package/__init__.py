"""What is handed out: the archive of both programs is made here, and the wheel and the archive are proved good."""

PROGRAMS = "datagen", "eventloader"


class Violation(Exception):
    """Something is not as it must be."""
