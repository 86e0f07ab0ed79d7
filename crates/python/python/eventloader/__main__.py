"""`python -m eventloader …` is the command `eventloader …`."""

import sys

from eventloader._commands import eventloader

if __name__ == "__main__":
    sys.exit(eventloader())
