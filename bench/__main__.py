"""`python -m bench`: see `bench.cli`."""

import os
import signal
import sys

if sys.platform == "win32":
    print("Windows is not supported: use Linux, or WSL", file=sys.stderr)
    sys.exit(2)

# Whoever started us with a standard stream closed must not have it replaced by the first file or socket that is opened.
for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
    try:
        os.fstat(descriptor)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        setattr(sys, name, open(descriptor, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # for good

# Until the run has handlers of its own there is nothing to take down, and importing takes a while.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda *_: os._exit(130))

try:
    from bench.cli import main
except ModuleNotFoundError as missing:
    if missing.name and missing.name.split(".")[0] in ("bench", "pypiserver_stack", "sizing"):
        raise
    print(
        f"{missing.name} is not installed here: run `make install`, then `.venv/bin/python -m bench`", file=sys.stderr
    )
    sys.exit(2)

main()
