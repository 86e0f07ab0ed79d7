"""What is proved of loads that an engine distributes; see scripts/spark.sh."""


class Violation(Exception):
    """What was seen that must not be."""
