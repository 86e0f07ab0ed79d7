"""What is proved of targets of tables with other programs; see scripts/tables.sh."""


class Violation(Exception):
    """What was seen that must not be."""
