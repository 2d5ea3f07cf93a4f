"""A rotation while clients go on asking: through the real engine, real tasks and the balancer, and no request fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import Stack, UpResult

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.engine.state import deployment
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud
from bench.runtime.scratch import processes_of
from pypiserver_stack.rotate.steps import rotate
from tests.bench.deployment.engine.clients import Clients, published, status
from tests.bench.deployment.engine.rotated import USERS
from tests.bench.deployment.engine.whole_stack import SMALL, fast_engine
from tests.bench.deployment.local_processes.rolling_stack import RollingStack
from tests.bench.deployment.local_processes.stacks import running, two_tasks
from tests.bench.deployment.local_processes.steady_load import SteadyLoad

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


class Rotated:
    """A stack whose updates end when its local tasks have been replaced, as `wait_for_steady_state` has it on AWS."""

    def __init__(self, processes: RollingStack, clients: Clients, load: SteadyLoad) -> None:
        self._processes = processes
        self._clients = clients
        self._load = load
        self.published: list[dict[str, str]] = []
        self.graph: Graph | None = None

    def rotate(self, stack: Stack) -> str:
        update = stack.up

        def up(**options: Any) -> UpResult:
            result = update(**options)
            passwords = published({name: output.value for name, output in result.outputs.items()})
            if passwords not in self.published:
                # Some clients read it while the tasks are being replaced; others have the one before still.
                self._clients.hold(*self.published, passwords)
            self.published.append(passwords)
            self.graph = two_tasks(deployment(stack.export_stack().deployment["resources"]).graph)  # type: ignore[index]
            self._processes.deploy(self.graph)
            self._load.await_more(task.id for task in self._processes.tasks)
            return result

        def say(line: str) -> None:
            if line.startswith("Deploying: password 2"):
                # The old one is about to be dropped: by now everybody has read the new one.
                self._clients.hold(self.published[-1])
                self._load.await_more(task.id for task in self._processes.tasks)

        stack.up = up  # type: ignore[assignment,method-assign]
        return rotate(stack, say)


def test_not_one_request_of_any_role_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"a test in {tmp_path.name}"
    monkeypatch.setenv(RUN_VARIABLE, mark)
    engine = fast_engine(LocalCloud(), tmp_path / "engine")
    deployed = engine.up(SMALL)
    old = published(deployed.outputs)
    with running(two_tasks(deployed.graph), tmp_path / "run") as processes:
        clients = Clients(processes.url)
        clients.hold(old)
        with SteadyLoad(clients.reading, tmp_path / "wheels", uploads_as=clients.uploading) as load:
            load.await_more(task.id for task in processes.tasks)
            rotated = Rotated(processes, clients, load)
            engine.drive(rotated.rotate)
            new = rotated.published[-1]
            load.await_more(task.id for task in processes.tasks)
        # Three deployments of two tasks each, after the first two.
        assert [task.id for task in processes.tasks] == ["task-7", "task-8"]
        assert {outcome.served_by for outcome in load.outcomes} >= {f"task-{number}" for number in range(1, 9)}
        assert load.failed == []
        assert rotated.published == [old, new, new]
        for user in USERS:
            assert (status(processes.url, user, old[user]), status(processes.url, user, new[user])) == (401, 200)
        passwords = [*old.values(), *new.values()]
        assert len(set(passwords)) == 6
        lines = [" ".join(process.cmdline()) for process in processes_of(mark)]
        assert len(lines) > 2
        assert not any(password in line for line in lines for password in passwords)
        for log in (tmp_path / "run").rglob("log*"):
            assert log.is_dir() or not any(password.encode() in log.read_bytes() for password in passwords)
    assert processes_of(mark) == []
    assert engine.down() == ()
