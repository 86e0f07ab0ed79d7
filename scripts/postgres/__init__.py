"""What is proved of targets in a database with other programs; see scripts/postgres.sh."""


class Violation(Exception):
    """What was seen that must not be."""
