"""Try every client at every ability, and write what they did into docs/clients.md: `python -m tests.client_matrix`."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.client_matrix import matrix, page
from tests.client_matrix.matrix import Cell
from tests.pypiserver_stack.container.running_task import start_task

# Each is a process that takes a core.
AT_ONCE = 2


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        folder = Path(name)
        with start_task(folder / "task", packages=folder / "packages", PYPISERVER_BACKEND="validated") as task:

            def tried(cell: Cell) -> str:
                outcome = cell.tried(task, folder / str(cell))
                print(f"{cell}: {outcome}", file=sys.stderr, flush=True)
                return outcome

            cells = matrix.cells()
            outcomes = dict(zip(cells, pool.map(tried, cells), strict=True))
    page.write(matrix.text(outcomes.__getitem__))


if __name__ == "__main__":
    main()
