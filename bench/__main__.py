"""`python -m bench`: see `bench.cli`."""

import os
import signal

# Until the run has handlers of its own there is nothing to take down, and importing takes a while.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os._exit(130))

from bench.cli import main  # noqa: E402

main()
