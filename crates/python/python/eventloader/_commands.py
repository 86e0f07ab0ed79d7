"""The commands `eventloader` and `datagen`: the arguments of the process go in, an exit code comes out.

Invariant: a command behaves as the program of the same name does. So what the interpreter has changed of the process is taken back
first, and nothing is imported that takes time.
"""

import os
import signal
import sys

from eventloader import _native


def eventloader() -> int:
    """Runs eventloader with the arguments of the process; returns its exit code."""
    _become_program()
    return _native.run_eventloader(sys.argv[1:])


def datagen() -> int:
    """Runs datagen with the arguments of the process; returns its exit code."""
    _become_program()
    return _native.run_datagen(sys.argv[1:])


def _become_program() -> None:
    # Python's handler would only note an interrupt, until the program is done. One that the parent ignores stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Of a closed descriptor, the next file that is opened would get the number, and with it what the program prints. Rust's
    # runtime opens the null device for it in the same way.
    for descriptor in 0, 1, 2:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
