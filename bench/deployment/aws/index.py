"""Indexes under test on AWS: one that a run makes and removes, and one that stays up between runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bench.common.failures import UnavailableError
from bench.common.teardown import leftovers_of
from bench.deployment import Observation, RunContext, TaskFailures
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.new_stack import NewStack
from bench.deployment.aws.stacks.stack import AwsStack
from bench.deployment.aws.stacks.stack_folder import StackFolder
from bench.deployment.aws.stacks.watchdog import Watchdog
from bench.deployment.description import Description
from bench.index.probe import probe
from bench.index.target import Target

# The name of a new balancer takes a minute or two until every resolver knows it.
_ANSWER_PATIENCE_S = 300.0
_ANSWER_INTERVAL_S = 5.0


class _OnAws:
    """What is the same of both, once `up` has said which stack it is."""

    _stack: AwsStack | None = None

    def describe(self) -> Description:
        return self._stack.describe() if self._stack is not None else Description()

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        yield Observation()

    def task_failures(self) -> TaskFailures:
        return TaskFailures()

    def task_access(self) -> None:
        """The tasks cannot be reached from outside the VPC."""


class NewIndex(_OnAws):
    """An `IndexUnderTest` that a run makes on AWS and removes."""

    is_temporary = True

    def __init__(self, new: NewStack, session: AwsSession) -> None:
        self._new = new
        self._session = session
        self._folder: StackFolder | None = None
        self._note: Callable[[str], None] = lambda text: None
        self._held = ExitStack()

    def up(self, run: RunContext) -> Target:
        """Make every resource, and wait until the index answers."""
        record, self._note = self._new.record, run.note
        run.step("account")
        run.note(f"account {record.account_id}, region {record.region}, as {record.owner}")
        self._folder = folder = self._new.begin()
        self._held.enter_context(folder.locked())
        self._held.callback(Watchdog.start(folder, run.open_log("watchdog.log")).stand_down)
        self._stack = stack = AwsStack(folder, self._session, run.show_progress)
        if self._new.makes_certificate:
            run.step("certificate")
            stack.make_certificate()
        run.step("deploy")
        stack.deploy(run)
        run.step("wait")
        target = stack.target()
        wait_until_it_answers(run, target)
        stack.is_up()
        return target

    def keep(self) -> None:
        """Leave the stack up: it is found again by its name."""
        self._held.close()

    def down(self) -> tuple[str, ...]:
        """Remove every resource."""
        try:
            return leftovers_of(self._remove)
        finally:
            self._held.close()

    def _remove(self) -> tuple[str, ...]:
        if self._stack is not None:
            return self._stack.remove(self._note)
        if self._folder is not None:
            self._folder.remove()  # nothing was made yet
        return ()


class KeptIndex(_OnAws):
    """An `IndexUnderTest` that `bench up` has made, and that stays up."""

    is_temporary = False

    def __init__(self, folder: StackFolder, session: AwsSession) -> None:
        self._folder = folder
        self._session = session
        self._held = ExitStack()

    def up(self, run: RunContext) -> Target:
        """Find the stack, its URL and its credentials."""
        run.step("find")
        self._held.enter_context(self._folder.locked())
        self._stack = stack = AwsStack(self._folder, self._session)
        stack.find(run)
        target = stack.target()
        run.wait_for(probe(target))
        return target

    def down(self) -> tuple[str, ...]:
        """Nothing of it is this run's to remove."""
        self._held.close()
        return ()


def wait_until_it_answers(run: RunContext, target: Target) -> None:
    """Ask the index until it answers.

    Raises:
        UnavailableError: it does not within five minutes; the sentence says how the last attempt failed.
    """
    run.note(f"for {target.url} to answer")
    deadline_s = time.monotonic() + _ANSWER_PATIENCE_S
    while True:
        try:
            run.wait_for(probe(target))
            return
        except UnavailableError:
            if time.monotonic() > deadline_s:
                raise
        time.sleep(_ANSWER_INTERVAL_S)
