"""The update of a running stack to the version that knows roles: nobody is refused, and then all credentials work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud
from tests.bench.deployment.engine.clients import Clients, published, status
from tests.bench.deployment.engine.rotated import USERS
from tests.bench.deployment.engine.whole_stack import SMALL, changes, fast_engine
from tests.bench.deployment.local_processes.stacks import running, two_tasks, with_container
from tests.bench.deployment.local_processes.steady_load import SteadyLoad

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]

NEW = ("RandomPassword", "Secret", "SecretVersion")
NOBODYS = json.dumps({"username": "nobody", "accepted_passwords": ["of no use"]})


def without_roles(graph: Graph) -> Graph:
    """Tasks of the version before: they know the one credential and refuse all others."""

    def change(container: dict[str, Any]) -> None:
        assert [secret["name"] for secret in container["secrets"]] == ["PYPISERVER_CREDENTIALS"]
        for variable in ("PYPISERVER_READ_CREDENTIALS", "PYPISERVER_UPLOAD_CREDENTIALS"):
            container["environment"].append({"name": variable, "value": NOBODYS})

    return with_container(graph, change)


def test_not_one_request_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_VARIABLE, f"a test in {tmp_path.name}")
    engine = fast_engine(LocalCloud(), tmp_path / "engine")
    with monkeypatch.context() as before:
        before.setattr("pypiserver_stack.server.ROLES", ("admin",))
        first = engine.up(SMALL)
    old = published(first.outputs)
    assert list(old) == ["pypiserver"]
    with running(two_tasks(without_roles(first.graph)), tmp_path / "run") as processes:
        clients = Clients(processes.url)
        clients.hold(old)
        with SteadyLoad(clients.reading, tmp_path / "wheels", uploads_as=clients.uploading) as load:
            load.await_more(task.id for task in processes.tasks)
            changed = engine.drive(lambda stack: changes(stack.preview))
            second = engine.up(SMALL)
            processes.deploy(two_tasks(second.graph))
            load.await_more(task.id for task in processes.tasks)
            new = published(second.outputs)
            clients.hold(new)
            load.await_more(task.id for task in processes.tasks)
        assert [task.id for task in processes.tasks] == ["task-3", "task-4"]
        assert {outcome.served_by for outcome in load.outcomes} == {f"task-{number}" for number in range(1, 5)}
        assert load.failed == []
        assert new["pypiserver"] == old["pypiserver"]
        assert [status(processes.url, user, new[user]) for user in USERS] == [200, 200, 200]
    # Of what the one credential consists nothing changes.
    assert changed == {
        **{f"{type_} {role}": "create" for type_ in NEW for role in ("read", "upload")},
        "RolePolicy read-credentials": "update",
        "TaskDefinition": "replace",
        "Service": "update",
    }
    assert engine.down() == ()
