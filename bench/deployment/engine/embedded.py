"""The embedded engine: evaluates the program in this process, against a cloud that answers here. Needs no `pulumi`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pulumi.runtime.mocks import MockEngine
from pulumi.runtime.settings import Settings

from bench.common.failures import UsageError
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.background import END_PATIENCE_S, Background
from bench.deployment.engine.cloud import InProcessCloud
from bench.deployment.engine.program import Program, failure
from bench.deployment.engine.state import deployment
from bench.deployment.engine.workspace import undecipherable

# The program's messages: its errors are raised as well, and its warnings about capacity are among the stack's outputs.
_SILENT = logging.getLogger(__name__)
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class EmbeddedEngine:
    """Evaluates a project's program in this process."""

    name = "embedded"

    def __init__(self, cloud: InProcessCloud, project_dir: Path) -> None:
        self._cloud = cloud
        self._project_dir = project_dir
        self._end: Callable[[], bool] = lambda: True

    def up(self, config: StackConfig) -> Deployment:
        if config.encrypted:
            raise UsageError(f"{undecipherable(config)} without the Pulumi CLI: install it and use --engine pulumi")
        monitor = self._cloud.monitor(config.project, config.stack)
        program = Program(self._project_dir)

        def connect() -> Settings:
            engine = MockEngine(_SILENT)
            return Settings(config.project, config.stack, monitor, engine, dry_run=False, organization="organization")

        evaluation = Background(lambda: program.evaluate(connect, config.values))

        def end() -> bool:
            monitor.close()
            program.end()
            return evaluation.wait(END_PATIENCE_S)

        self._end = end
        evaluation.start()
        try:
            evaluation.result()
        except Exception as error:
            raise failure(error, program.error, monitor.cause) from error
        return deployment(monitor.state)

    def down(self) -> tuple[str, ...]:
        ended = self._end()
        self._cloud.delete_all()
        if ended:
            return self._cloud.leftovers
        return (*self._cloud.leftovers, f"the evaluation of {self._project_dir}, which does not end")
