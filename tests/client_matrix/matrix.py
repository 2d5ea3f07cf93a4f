"""Clients and abilities as the tables of docs/clients.md: a cell says what the client did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.client_matrix import abilities
from tests.client_matrix.abilities import INSTALLING, PUBLISHING, NotOfferedError, Trial
from tests.client_matrix.installers import INSTALLERS
from tests.client_matrix.pins import Client, pinned
from tests.client_matrix.publishers import PUBLISHERS
from tests.pypiserver_stack.container.running_task import RunningTask

# Why a client has not an ability, by its label.
_LIMITS: dict[Callable[[Trial], None], dict[str, str]] = {
    abilities.passes_over_other_pythons: {
        "poetry 1.8.5": "asks for the metadata of each",
        "poetry": "asks for the metadata of each",
    },
    abilities.reads_metadata_alone: {
        "pip 20.3": "older than PEP 658",
        "pip 22.3": "in JSON it knows the name alone that crashes it",
        "pip 23.0.1": "as 22.3",
        "pip 23.1.2": "as 22.3",
    },
    abilities.says_that_the_password_is_wrong: {
        "pip 20.3": "asks for a user name",
        "pdm": "says that there is no candidate",
        "pipenv": "says that nothing matches",
    },
    abilities.skips_what_exists: {"twine": "refuses the option for every index but PyPI"},
}


@dataclass(frozen=True)
class Cell:
    """A client and an ability."""

    table: str
    """Title of the table that it is in."""
    client: Client
    head: str
    """Of the ability's column."""
    ability: Callable[[Trial], None]

    def __str__(self) -> str:
        return f"{self.client} {self.table} {self.head}"

    def tried(self, task: RunningTask, folder: Path) -> str:
        """What the page says after the client was tried.

        Args:
            task: with one worker, and without this very trial before it.
            folder: an empty one.

        Raises:
            AssertionError: it failed, and no reason is known; or it did what it is known to fail.
        """
        why = _LIMITS.get(self.ability, {}).get(self.client.label)
        project = "-".join((self.ability.__name__, self.client.name, self.client.version))
        trial = Trial(self.client, task, folder, project.replace("_", "-").replace(".", "-"))
        try:
            self.ability(trial)
        except NotOfferedError:
            return "not offered"
        except AssertionError:
            if why is None:
                raise
            return f"no: {why}"
        assert why is None, f"{self}: it does, so that nothing holds any more of: {why}"
        return "yes"


@dataclass(frozen=True)
class Table:
    """A table of the page: a row for each client and version."""

    title: str
    abilities: Mapping[str, Callable[[Trial], None]]
    """By the head of their column."""
    names: tuple[str, ...]
    """Of the clients."""

    @property
    def rows(self) -> dict[Client, list[Cell]]:
        """The cells by client."""
        return {
            client: [Cell(self.title, client, head, ability) for head, ability in self.abilities.items()]
            for client in pinned()
            if client.name in self.names
        }

    def text(self, outcome: Callable[[Cell], str]) -> str:
        """The table in Markdown."""
        lines = [f"| {self.title} | {' | '.join(self.abilities)} |", f"|---|{'---|' * len(self.abilities)}"]
        for client, cells in self.rows.items():
            lines.append(f"| {client} | {' | '.join(map(outcome, cells))} |")
        return "\n".join(lines)


TABLES = (Table("installs", INSTALLING, tuple(INSTALLERS)), Table("publishes", PUBLISHING, tuple(PUBLISHERS)))


def cells() -> list[Cell]:
    """All of both tables."""
    return [cell for table in TABLES for row in table.rows.values() for cell in row]


def text(outcome: Callable[[Cell], str]) -> str:
    """Both tables in Markdown."""
    return "\n\n".join(table.text(outcome) for table in TABLES)
