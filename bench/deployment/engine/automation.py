"""The Pulumi engine: drives the CLI through the Automation API, with the program run in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pulumi.automation import CommandError, EngineEvent, LocalWorkspace, OnEvent, OpMap, OpType, OutputMap, Stack

from bench.common.failures import BenchError, UnavailableError, UsageError
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.background import END_PATIENCE_S, Background
from bench.deployment.engine.cloud import Cloud
from bench.deployment.engine.language_host import language_host
from bench.deployment.engine.program import Program, failure
from bench.deployment.engine.pulumi_command import PrivateCommand, find_pulumi
from bench.deployment.engine.state import deployment
from bench.deployment.engine.workspace import Workspace, undecipherable, write_project
from bench.deployment.pulumi_wire.grpc_service import listening
from pypiserver_stack.rotate.command_error import first_error

_DESTROY_ATTEMPTS = 3

T = TypeVar("T")
OnProgress = Callable[[int, int], object]


class AutomationEngine:
    """Evaluates a project's program with the Pulumi CLI."""

    name = "pulumi"

    def __init__(
        self, cloud: Cloud, project_dir: Path, workspace: Workspace, on_progress: OnProgress | None = None
    ) -> None:
        """
        Args:
            project_dir: the folder of the program's `__main__.py`; nothing is written there.
            workspace: where everything is written; its owner removes it after `down`.
            on_progress: called in this thread while an `up` or a `down` goes on, with the number of resources that are
                done, and of those that were begun.

        Raises:
            UsageError: there is no `pulumi` on PATH.
        """
        self._cloud = cloud
        self._project_dir = project_dir
        self._workspace = workspace
        self._command = PrivateCommand(find_pulumi(), workspace.environment())
        self._on_progress = on_progress
        self._done = self._begun = 0
        self._stack: Stack | None = None
        self._running: Background[Any] | None = None
        self._state_is_doubtful = False
        self.changes: Mapping[str, int] = {}
        """Number of resources by kind of change in the last `up` or `refresh`, such as `{"create": 63}`."""
        self.failure: BenchError | None = None
        """Why the last `down` did not delete everything; None where it did."""

    def up(self, config: StackConfig) -> Deployment:
        """The second time it updates what is there."""

        def up() -> Deployment:
            stack = self._open(config)
            result = stack.up(color="never", show_secrets=False, on_event=self._counting)
            self.changes = _by_kind(result.summary.resource_changes)
            state = stack.export_stack().deployment
            return deployment(state["resources"] if state else ())

        return self._operate(up)

    def current(self, config: StackConfig) -> Deployment:
        """The deployment that an earlier `up` made, by its state; of no resources where there was none."""

        def current() -> Deployment:
            state = self._open(config).export_stack().deployment or {}
            # A command that was killed may have made these, and has not heard of it.
            self._state_is_doubtful |= bool(state.get("pending_operations"))
            return deployment(state.get("resources") or ())

        return self._operate(current)

    def preview(self, config: StackConfig) -> Mapping[str, int]:
        """Number of resources that `up` would change, by kind of change. Raises what `up` raises."""
        return self._operate(lambda: _by_kind(self._open(config).preview(color="never").change_summary))

    def refresh(self) -> None:
        """Bring the state into line with the cloud, after an `up`."""
        stack = self._stack
        assert stack is not None

        def refresh() -> None:
            self.changes = _by_kind(stack.refresh(color="never", show_secrets=False).summary.resource_changes)

        self._operate(refresh)

    def drive(self, operation: Callable[[Stack], T]) -> T:
        """Let something else operate the stack through the Automation API, after an `up`."""
        stack = self._stack
        assert stack is not None
        workspace = LocalWorkspace(work_dir=stack.workspace.work_dir, pulumi_command=self._command)
        return self._operate(lambda: operation(Stack.select(stack.name, workspace)))

    def down(self) -> tuple[str, ...]:
        if not self.end_what_runs():
            return (*self._cloud.leftovers, f"the evaluation of {self._project_dir}, which does not end")
        for _ in range(_DESTROY_ATTEMPTS):
            if self._stack is None:
                break
            try:
                self.failure = None
                self._operate(self._destroy, self._cloud.destroy_timeout_s)
            except BenchError as error:
                self.failure = error
                self._state_is_doubtful = True
        return self._cloud.leftovers

    def _destroy(self) -> None:
        assert self._stack is not None
        if self._state_is_doubtful:
            # A command that was killed left the stack locked, and may have made what its state does not know.
            with contextlib.suppress(CommandError):
                self._stack.cancel()
            self._stack.refresh(color="never", show_secrets=False, clear_pending_creates=True)
        self._stack.destroy(color="never", show_secrets=False, continue_on_error=True, on_event=self._counting)
        self._stack.workspace.remove_stack(self._stack.name, preserve_config=True)
        self._stack = None

    def _open(self, config: StackConfig) -> Stack:
        folder = self._workspace.project
        write_project(folder, config)
        if self._stack is None:
            self._command.environment |= self._workspace.passphrase(config)
            self._command.check_version(folder)
            workspace = _QuickWorkspace(work_dir=str(folder), pulumi_command=self._command)
            try:
                self._stack = Stack.create_or_select(config.stack, workspace)
            except CommandError as error:
                if config.encrypted:
                    raise UsageError(f"{undecipherable(config)}: {first_error(error)}") from error
                raise
        return self._stack

    def _operate(self, operation: Callable[[], T], timeout_s: float = float("inf")) -> T:
        """Do something with the CLI in a thread, so that a signal strikes while we wait for it, and not in between."""
        program = Program(self._project_dir)

        def attached() -> T:
            with self._cloud.providers() as providers:
                self._command.environment |= providers.environment
                try:
                    with listening(language_host(program)) as host:
                        self._command.language_host = host
                        try:
                            return operation()
                        finally:
                            program.end()
                except Exception as error:
                    raise failure(error, program.error, providers.cause) from error

        self._running = running = Background(attached)
        self._done = self._begun = 0
        running.start()
        if not running.wait(timeout_s, self._tell_progress):
            self.end_what_runs()
            raise UnavailableError(f"pulumi did not end within {timeout_s:.0f} s")
        return running.result()

    @property
    def _counting(self) -> OnEvent | None:
        """What the CLI tells its events to; they cost a log file, and are for those who want them."""
        return self._count if self._on_progress is not None else None

    def _count(self, event: EngineEvent) -> None:
        self._begun += event.resource_pre_event is not None
        self._done += event.res_outputs_event is not None

    def _tell_progress(self) -> None:
        if self._on_progress is not None and self._begun:
            self._on_progress(self._done, self._begun)

    def end_what_runs(self) -> bool:
        """End an operation that an exception in the main thread has left behind; False where that does not succeed."""
        if self._running is None or self._running.wait(0):
            return True
        self._state_is_doubtful = True
        self._command.stop(self._cloud.interrupt_patience_s)
        # What is left then ends by itself.
        ended = self._running.wait(END_PATIENCE_S)
        if ended:
            self._command.resume()
        return ended


class _QuickWorkspace(LocalWorkspace):
    """One where an update does not start the CLI twice more, to ask for outputs that nobody here takes from it."""

    def stack_outputs(self, stack_name: str) -> OutputMap:
        return {}


def _by_kind(changes: OpMap | None) -> dict[str, int]:
    return {OpType(kind).value: count for kind, count in (changes or {}).items()}
