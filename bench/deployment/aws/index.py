"""Indexes under test on AWS: one that a run makes and removes, and one that stays up between runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from bench.common.failures import UnavailableError
from bench.common.teardown import leftovers_of
from bench.deployment import Observation, RunContext, TaskFailures
from bench.deployment.aws.health.waiting import DETAILS_FILE, UnhealthyStackError, wait_until_healthy
from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.failures import failures_of
from bench.deployment.aws.observe.observation import AwsObservation, observed
from bench.deployment.aws.observe.snapshot import snapshot
from bench.deployment.aws.observe.tasks import stopped_tasks
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.new_stack import NewStack
from bench.deployment.aws.stacks.stack import AwsStack
from bench.deployment.aws.stacks.stack_folder import StackFolder
from bench.deployment.aws.stacks.watchdog import Watchdog
from bench.deployment.description import Description, Fact
from bench.index.probe import probe
from bench.index.target import Target

# An instance boots and joins in 2 to 4 minutes, an image is pulled in one, a target is healthy after its checks.
_HEALTH_PATIENCE_S = 1800.0
# The longest load there is takes a week, but nobody pays for that: after so long the samplers end by themselves.
_SAMPLER_LIMIT_S = 6 * 3600.0
# The name of a new balancer takes a minute or two until every resolver knows it.
_ANSWER_PATIENCE_S = 300.0
_ANSWER_INTERVAL_S = 5.0


class _OnAws:
    """What is the same of both, once `up` has said which stack it is."""

    _stack: AwsStack | None = None

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._seen = AwsObservation()
        self._facts: list[tuple[str, str]] = []
        self._up_unix_s = time.time()
        self._note: Callable[[str], None] = lambda text: None
        self._held = ExitStack()
        """What is given back when the run lets go of the stack."""

    def describe(self) -> Description:
        if self._stack is None:
            return Description()
        return replace(self._stack.describe(), facts=tuple(Fact(name=name, value=value) for name, value in self._facts))

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        """Note the state of the stack before the load, and its metrics during it.

        Leaving the context takes minutes, for CloudWatch publishes late.
        """
        stack = self._known_stack
        self._facts = snapshot(self._session, stack.handles)
        observation = Observation()
        with observed(self._session, stack.handles, limit_s=_SAMPLER_LIMIT_S) as seen:
            yield observation
            self._note("waiting for CloudWatch, which publishes metrics one to three minutes late")
        self._seen = seen
        self._facts += [("observation", note) for note in seen.notes]
        observation.series = seen.series

    def task_failures(self) -> TaskFailures:
        """Tasks that stopped since `up`, as far as ECS still lists them, and OOM kills during the last load."""
        if self._stack is None:
            return TaskFailures()
        stops = attempt("ecs", stopped_tasks, self._session, self._stack.handles, self._up_unix_s)
        since = failures_of([] if isinstance(stops, Absence) else stops, {})
        return replace(since, oom_kills=tuple(dict.fromkeys([*since.oom_kills, *self._seen.failures.oom_kills])))

    def task_access(self) -> None:
        """The tasks cannot be reached from outside the VPC."""

    @property
    def _known_stack(self) -> AwsStack:
        assert self._stack is not None, "up comes first"
        return self._stack


class NewIndex(_OnAws):
    """An `IndexUnderTest` that a run makes on AWS and removes."""

    is_temporary = True

    def __init__(self, new: NewStack, session: AwsSession) -> None:
        super().__init__(session)
        self._new = new
        self._folder: StackFolder | None = None

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
        deployed_unix_s = time.time()
        stack.deploy(run)
        run.step("wait")
        self._wait_until_healthy(run, deployed_unix_s)
        target = stack.target()
        wait_until_it_answers(run, target)
        self._up_unix_s = time.time()
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

    def _wait_until_healthy(self, run: RunContext, since_unix_s: float) -> None:
        try:
            wait_until_healthy(
                self._session,
                self._known_stack.handles,
                run.note,
                since_unix_s=since_unix_s,
                timeout_s=_HEALTH_PATIENCE_S,
                sleep=run.pause,
            )
        except UnhealthyStackError as error:
            run.write_text(DETAILS_FILE, "\n".join(error.details) + "\n")
            raise

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
        super().__init__(session)
        self._folder = folder

    def up(self, run: RunContext) -> Target:
        """Find the stack, its URL and its credentials."""
        self._note = run.note
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
        run.pause(_ANSWER_INTERVAL_S)
