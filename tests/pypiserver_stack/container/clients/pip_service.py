"""A pip that stays: a line of stdin is a list of arguments, one of stdout a list of exit code and output, in JSON.

Run by the Python of an environment that has pip alone. Starting pip takes it half a second, a resolution 30 ms.
"""

import contextlib
import io
import json
import sys

from pip._internal.cli.main import main

for line in sys.stdin:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(json.loads(line))
    print(json.dumps([status, printed.getvalue()]), flush=True)
