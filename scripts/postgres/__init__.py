"""What is proved of targets in a database with other programs; see scripts/postgres.sh."""

from tables import Violation

__all__ = ["Violation"]
