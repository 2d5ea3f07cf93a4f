"""An index under test without tasks or resources: it goes up at once, and reports what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from bench.deployment import Observation, RunContext, TaskFailures
from bench.deployment.description import Description, Stack
from bench.deployment.observe.series import Series
from bench.index.target import Target
from tests.bench.fake_index import FakeIndex, serving

PASSWORD = "a password that nobody may quote"
STACK = Stack(name="fake", profile="none", engine="none", target="local")


@dataclass
class FakeIndexUnderTest:
    """An `IndexUnderTest` that is served from a thread of the test."""

    index: FakeIndex = field(default_factory=partial(FakeIndex, tasks=("task-1", "task-2")))
    is_temporary: bool = True
    during_up: Callable[[], object] = lambda: None
    """Called when it is half up."""
    during_load: Callable[[], object] = lambda: None
    """Called when a load is about to begin."""
    failures: TaskFailures = field(default_factory=TaskFailures)
    series: list[Series] = field(default_factory=list)
    leftovers: tuple[str, ...] = ()
    calls: list[str] = field(default_factory=list)
    _served: ExitStack = field(default_factory=ExitStack)

    def up(self, run: RunContext) -> Target:
        self.calls.append("up")
        run.step("start")
        run.keep_secret({PASSWORD})
        self.during_up()
        self._served.enter_context(serving(self.index))
        reader, uploader = (Target(self.index.url, user, PASSWORD) for user in ("reader", "uploader"))
        return Target(self.index.url, "somebody", PASSWORD, reader, uploader)

    def describe(self) -> Description:
        return Description(
            url=self.index.url if self.index.port else None,
            stack=STACK,
            tasks=("task-1", "task-2"),
            concurrent_uploads=1,
            warnings=(f"the password is {PASSWORD}",),
        )

    @contextmanager
    def observe(self) -> Iterator[Observation]:
        self.during_load()
        observation = Observation()
        yield observation
        observation.tasks_cpu_s = {"task-1": 0.5, "task-2": 0.25}
        observation.balancer_cpu_s = 0.125
        observation.requests_by_task = {"task-1": 3, "task-2": 3}
        observation.series = self.series

    def task_failures(self) -> TaskFailures:
        return self.failures

    def task_access(self) -> None:
        return None

    def down(self) -> tuple[str, ...]:
        self.calls.append("down")
        self._served.close()
        return self.leftovers
