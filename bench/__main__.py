"""`python -m bench`: see `bench.cli`."""

import os
import signal
import sys

if sys.platform == "win32":
    print("Windows is not supported: use Linux, or WSL", file=sys.stderr)
    sys.exit(2)

# Until the run has handlers of its own there is nothing to take down, and importing takes a while.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(130))

from bench.cli import main  # noqa: E402

main()
