"""`python -m bench explain` with a few steps of the ladder only, in a process of its own.

Arguments: the results folder, the numbers of the steps with commas between them, and the page to write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.commands.explain.job import Ladder
from bench.commands.explain.ladder import ladder
from bench.runtime.progress import open_progress
from bench.runtime.run import conduct


def main(results: str, numbers: str, page: str) -> int:
    steps = [ladder()[int(number)] for number in numbers.split(",")]
    options = {"packages": 3, "clients": 12}
    climb = Ladder(steps, rounds=1, engine="embedded", tasks=None, page=Path(page), options=options)
    with open_progress(sys.stderr, quiet=False) as progress:
        return conduct(Path(results), ["python", "-m", "bench", "explain"], progress, climb).exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
