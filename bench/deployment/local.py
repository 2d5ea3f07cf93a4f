"""One stack on this machine: its program evaluated, its processes started, and all of it taken down again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bench.common.failures import UnavailableError, UsageError
from bench.deployment import description
from bench.deployment.engine import Deployment, Engine, StackConfig
from bench.deployment.engine.choose import choose
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_processes.balancer import find_envoy
from bench.deployment.local_processes.limits import TaskLimits
from bench.deployment.local_processes.reconcile import DesiredState, LocalStack, desired_state, honest_task_count
from bench.index.target import Target

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
_USUAL_UPLOADS = 4


class LocalDeployment:
    """A stack, as far as it has come up. `stop` and `delete` take down whatever that is, and may be called any time."""

    def __init__(
        self,
        config: StackConfig,
        engine: Literal["auto", "pulumi", "embedded"],
        tasks: int | None,
        folder: Path,
        *,
        limits: Literal["auto", "off"] = "off",
    ) -> None:
        """
        Args:
            tasks: how many of the planned tasks to run; None: as many as this machine can run honestly.
            folder: for all that it writes; its owner removes it.
            limits: `auto` puts each task under the limits that it would have on AWS, where this machine can.
        """
        self._config = config
        self._engine_name = engine
        self._tasks = tasks
        self._folder = folder
        self._limits: Literal["auto", "off"] = limits
        self._engine: Engine | None = None
        self._deployment: Deployment | None = None
        self._processes: LocalStack | None = None

    def evaluate(self) -> Deployment:
        """Have an engine make the stack's resources.

        Raises:
            UsageError: the program refuses its settings, or there is no such engine.
            UnavailableError: a resource could not be made.
        """
        self._engine = choose(self._engine_name, LocalCloud(), PROJECT_FOLDER, self._folder / "engine")
        self._deployment = self._engine.up(self._config)
        return self._deployment

    def start(self) -> Target:
        """Start the tasks and the balancer that the resources describe; they are healthy when this returns.

        Raises:
            UsageError: the plan has fewer tasks than are asked for.
            UnavailableError: something cannot run here, or did not come up.
        """
        outputs = self.deployment.outputs
        find_envoy()
        state = desired_state(self.deployment.graph)
        check_url(outputs["url"], state)
        # Known before it is started: `stop` has to end what a start that is interrupted got to.
        task_count = self._task_count(state)
        self._processes = LocalStack(state, self._folder, task_count, self._task_limits(state, task_count))
        self._processes.start()
        return Target(self._processes.url, outputs["username"], outputs["password"])

    def update(self, config: StackConfig) -> Deployment:
        """Bring the resources of the running stack to another configuration, and deploy what they then describe.

        Raises:
            UsageError: the program refuses the settings.
            UnavailableError: a resource could not be changed, or its deployment failed; see `LocalStack.deploy`.
        """
        assert self._engine is not None, "evaluate comes first"
        self._deployment = self._engine.up(config)
        self._config = config
        self.processes.deploy(desired_state(self._deployment.graph))
        return self._deployment

    @property
    def deployment(self) -> Deployment:
        """What the engine made."""
        assert self._deployment is not None, "evaluate comes first"
        return self._deployment

    @property
    def processes(self) -> LocalStack:
        """What runs."""
        assert self._processes is not None, "start comes first"
        return self._processes

    @property
    def concurrent_uploads(self) -> int:
        """How many uploads at once its server keeps apart: started by the image's entry point, it mixes them up."""
        return _USUAL_UPLOADS if self.processes.state.task.entry_point else 1

    @property
    def secrets(self) -> set[str]:
        """What nothing may quote."""
        return {str(self.deployment.outputs[name]) for name in self.deployment.secret_outputs}

    @property
    def stack(self) -> description.Stack:
        """What was deployed, and by what."""
        assert self._engine is not None, "evaluate comes first"
        profile = self.deployment.outputs["profile"]
        return description.Stack(name=self._config.stack, profile=profile, engine=self._engine.name, target="local")

    @property
    def plan(self) -> description.Plan:
        """What sizing planned for AWS."""
        plan = self.deployment.outputs["capacity"]
        fields = {name: plan[name] for name in description.Plan.model_fields if name != "instances"}
        return description.Plan(instances=plan["instance_min_count"], **fields)

    def oom_sentences(self) -> list[str]:
        """In words, which tasks had OOM kills."""
        return self._processes.oom_sentences() if self._processes is not None else []

    def stop(self) -> list[str]:
        """End the processes."""
        if self._processes is not None:
            self._processes.stop()
        return []

    def delete(self) -> list[str]:
        """Delete the resources; returns what remains, in words."""
        return list(self._engine.down()) if self._engine is not None else []

    def _task_limits(self, state: DesiredState, task_count: int) -> TaskLimits | None:
        if self._limits == "off":
            return None
        full = -(-task_count // self.deployment.outputs["capacity"]["tasks_per_instance"])
        return TaskLimits(state.instance, max(state.instance.min_count, full), self._folder)

    def _task_count(self, state: DesiredState) -> int:
        if self._tasks is None:
            return honest_task_count(state, self.deployment.outputs["capacity"]["container_cpu_units"])
        if not 1 <= self._tasks <= state.task_max_count:
            raise UsageError(f"--tasks {self._tasks}: the plan has at most {state.task_max_count}, and 1 at the least")
        return self._tasks


def check_url(url: str, state: DesiredState) -> None:
    """The exported URL must lead to the very balancer and listener that stand in for it here."""
    parts = urlsplit(url)
    names, port = state.balancer.host_names, state.balancer.listener_port
    if parts.hostname not in names or (parts.port or (443 if parts.scheme == "https" else 80)) != port:
        raise UnavailableError(
            f"the stack exports {url}, but its listener is port {port} of {', '.join(sorted(names))}"
        )
