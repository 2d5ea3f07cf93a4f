"""What docs/clients.md says of each client and version is what the client does: a few in every run, all in thorough."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client_matrix import matrix, page
from tests.client_matrix.matrix import Cell
from tests.client_matrix.pins import CURRENT, OLDER, pinned
from tests.pypiserver_stack.container.running_task import RunningTask, start_task

# What differs most between versions, and of the current pip, uv and poetry what the tests beside this one do not try.
IN_EVERY_RUN = {
    "pip 20.3": ["by name, with what it needs"],
    "pip 22.3": ["by name, with what it needs"],
    "pip 23.0.1": ["by name, with what it needs"],
    "pip 23.1.2": ["by name, with what it needs", "hashes"],
    "pip 24.0": ["metadata without the wheel"],
    "pip": ["versions for another Python cost no request", "yanked only where pinned", "nothing newer than a date"],
    "uv 0.4.30": ["by name, with what it needs", "yanked only where pinned", "nothing newer than a date"],
    "uv": ["versions for another Python cost no request", "yanked only where pinned", "nothing newer than a date"],
    "poetry": ["yanked only where pinned", "nothing newer than a date"],
    "twine 3.8.0": ["skips what exists"],
    "flit": ["wheel and source distribution"],
}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("matrix")
    with start_task(folder, packages=folder / "packages", PYPISERVER_BACKEND="validated") as task:
        yield task


def _case(cell: Cell) -> object:
    left = cell.head not in IN_EVERY_RUN.get(cell.client.label, [])
    return pytest.param(cell, id=str(cell), marks=[pytest.mark.thorough] if left else [])


@pytest.mark.parametrize("cell", [_case(cell) for cell in matrix.cells()])
def test_the_page_says_what_the_client_does(task: RunningTask, tmp_path: Path, cell: Cell) -> None:
    if not cell.client.runs_here:
        pytest.skip(f"{cell.client} imports pkgutil.ImpImporter, which Python 3.12 has not")
    assert cell.tried(task, tmp_path) == page.stated(cell), "run `python -m tests.client_matrix`"


def test_the_page_has_the_rows_and_columns_of_the_matrix() -> None:
    assert page.tables() == matrix.text(page.stated), "run `python -m tests.client_matrix`"


def test_every_run_tries_what_there_is() -> None:
    cells = {(cell.client.label, cell.head) for cell in matrix.cells()}
    assert {(client, head) for client, heads in IN_EVERY_RUN.items() for head in heads} <= cells


def test_the_pins_are_of_the_clients_that_are_wanted() -> None:
    versions = {name: [client.version for client in pinned() if client.name == name] for name in CURRENT}
    assert {name: tuple(found[:-1]) for name, found in versions.items()} == {
        name: OLDER.get(name, ()) for name in CURRENT
    }
