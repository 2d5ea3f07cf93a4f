"""An index that exists already. Nothing of it is made, and nothing removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.common.failures import UsageError
from bench.deployment import Observation, RunContext, TaskFailures
from bench.deployment.description import Description
from bench.index.probe import probe
from bench.index.target import Target


class LiveIndex:
    """An index at a URL, which answers clients and says nothing of its tasks; an `IndexUnderTest`."""

    is_temporary = False

    def __init__(self, target: Target) -> None:
        """
        Raises:
            UsageError: there is no password for the user.
        """
        if target.username and not target.password:
            raise UsageError(f"PYPI_PASSWORD is not set: set it to the password of {target.username}")
        self._target = target

    def up(self, run: RunContext) -> Target:
        """Check that the index answers, with these credentials."""
        run.keep_secret({self._target.password})
        run.step("probe")
        run.wait_for(probe(self._target))
        return self._target

    def describe(self) -> Description:
        return Description(url=self._target.url)

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        """Nothing is known of its tasks."""
        yield Observation()

    def task_failures(self) -> TaskFailures:
        return TaskFailures()

    def task_access(self) -> None:
        """The tasks cannot be reached."""

    def down(self) -> tuple[str, ...]:
        return ()
