"""A process that cleans up after a run that is killed: `python -m bench.runtime.watchdog RUN_MARK`.

`bench.runtime.scratch` starts it. Its standard input is a pipe that nobody writes to, and whose other end only the run
holds. The kernel closes that end when the run is gone, whatever ended it.
"""

from __future__ import annotations

import os
import sys

from bench.runtime.scratch import remove_run


def main(run_mark: str) -> None:
    """Wait until the run is gone, and remove what it left behind."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    # A process that the run was just starting carries the mark only once it executes its own program.
    for _ in range(2):
        remove_run(run_mark)


if __name__ == "__main__":
    main(sys.argv[1])
