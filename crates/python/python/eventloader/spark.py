"""`python -m eventloader.spark --print-job` prints the path of `events_load.py`, for `spark-submit`; without it, the load runs in this process."""

import sys

from eventloader import events_load

if __name__ == "__main__":
    if sys.argv[1:] == ["--print-job"]:
        print(events_load.__file__)
    else:
        sys.exit(events_load.main())
