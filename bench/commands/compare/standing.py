"""A variant that is up, or on its way: what takes load in a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bench.commands.compare.rounds import Round
from bench.commands.compare.variants import LIMIT, CompareParameters
from bench.deployment import description
from bench.deployment.engine import StackConfig
from bench.deployment.local import LocalDeployment
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.nginx import StaticIndex, write_site
from bench.index.publish import publish_async
from bench.index.target import Target
from bench.packages.factory import Wheel
from bench.report.redact import hide
from bench.report.run_folder import RunFolder
from bench.runtime.run import Run
from sizing.counted import counted


@dataclass(frozen=True)
class Description:
    """What is known of a variant beside its figures."""

    stack: description.Stack | None = None
    settings: dict[str, str] = field(default_factory=dict)
    plan: description.Plan | None = None
    notes: list[str] = field(default_factory=list)


class Standing(Protocol):
    """A variant. `up` comes first; `stop` and `delete` take down what that got to, and may come any time."""

    name: str
    rounds: list[Round]
    """Those that count."""

    def up(self, run: Run, folder: RunFolder, wheels: Sequence[Wheel]) -> None:
        """Start it and fill it with `wheels`; what is worth keeping goes to `folder`."""
        ...

    def describe(self) -> Description:
        """What it is, once it is up."""
        ...

    @property
    def target(self) -> Target:
        """Where its load goes."""
        ...

    @property
    def processes(self) -> LocalStack:
        """What serves it."""
        ...

    def stop(self) -> list[str]:
        """End its processes; returns what remains, in words."""
        ...

    def delete(self) -> list[str]:
        """Delete its resources; returns what remains, in words."""
        ...


class StandingStack:
    """A stack on this machine."""

    def __init__(
        self,
        name: str,
        config: StackConfig,
        parameters: CompareParameters,
        scratch: Path,
        limits: Literal["auto", "off"],
    ) -> None:
        """
        Args:
            limits: `auto` or `off`, as for a run.
            scratch: a folder of its own; its owner removes it.
        """
        self.name = name
        self.rounds: list[Round] = []
        self._config = config
        self._scratch = scratch
        self._deployment = LocalDeployment(config, parameters.engine, parameters.tasks, scratch, limits=limits)
        self._target: Target | None = None
        self._secrets: set[str] = set()

    def up(self, run: Run, folder: RunFolder, wheels: Sequence[Wheel]) -> None:
        """As `Standing.up`."""
        deployment = self._deployment
        self._scratch.mkdir()
        run.step(f"evaluate {self.name}")
        deployment.evaluate()
        self._secrets = deployment.secrets
        run.findings.secrets |= self._secrets
        run.findings.warnings += [
            f"{self.name}: {warning}" for warning in deployment.deployment.outputs["capacity"]["warnings"]
        ]
        folder.write_infrastructure(deployment.deployment.graph, self._secrets)

        run.step(f"start {self.name}")
        self._target = target = deployment.start()
        planned = self.processes.state.task_count
        run.progress.note(f"{len(self.processes.tasks)} of {counted(planned, 'task')} behind {target.url}")

        run.step(f"publish to {self.name}")
        run.interruptions.run(
            publish_async(
                *(target.url, target.username, target.password, wheels),
                concurrency=deployment.concurrent_uploads,
                on_progress=run.progress.progress,
            )
        )

    def describe(self) -> Description:
        """As `Standing.describe`."""
        prefix = f"{self._config.project}:"
        settings = {key.removeprefix(prefix): value for key, value in sorted(self._config.values.items())}
        return Description(
            stack=self._deployment.stack,
            settings={key: hide(value, self._secrets) for key, value in settings.items()},
            plan=self._deployment.plan,
        )

    @property
    def target(self) -> Target:
        """As `Standing.target`."""
        assert self._target is not None, "up comes first"
        return self._target

    @property
    def processes(self) -> LocalStack:
        """As `Standing.processes`."""
        return self._deployment.processes

    def stop(self) -> list[str]:
        """As `Standing.stop`."""
        return self._deployment.stop()

    def delete(self) -> list[str]:
        """As `Standing.delete`."""
        return self._deployment.delete()


class StandingLimit:
    """nginx with the bytes of a stack that is up."""

    def __init__(self, beside: StandingStack, scratch: Path) -> None:
        """
        Args:
            beside: the stack whose listings it serves, and whose balancer and number of tasks it has.
            scratch: a folder of its own; its owner removes it.
        """
        self.name = LIMIT
        self.rounds: list[Round] = []
        self._beside = beside
        self._scratch = scratch
        self._static: StaticIndex | None = None

    def up(self, run: Run, folder: RunFolder, wheels: Sequence[Wheel]) -> None:
        """As `Standing.up`."""
        run.step(f"start {self.name}")
        self._scratch.mkdir()
        site = self._scratch / "site"
        beside = self._beside.processes
        self._static = StaticIndex(beside.state, self._scratch, len(beside.tasks), site)
        run.interruptions.run(write_site(site, self._beside.target, wheels))
        self._static.start()
        run.progress.note(f"{len(beside.tasks)} nginx behind {self._static.url}")

    def describe(self) -> Description:
        """As `Standing.describe`."""
        return Description(notes=StaticIndex.differences(len(self.processes.tasks), self._beside.name))

    @property
    def target(self) -> Target:
        """As `Standing.target`. The credentials are those of the stack: the requests are the same to the byte."""
        beside = self._beside.target
        return Target(self.processes.url, beside.username, beside.password)

    @property
    def processes(self) -> LocalStack:
        """As `Standing.processes`."""
        assert self._static is not None, "up comes first"
        return self._static

    def stop(self) -> list[str]:
        """As `Standing.stop`."""
        if self._static is not None:
            self._static.stop()
        return []

    def delete(self) -> list[str]:
        """As `Standing.delete`."""
        return []
