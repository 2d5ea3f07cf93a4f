"""A small project with the real credentials and a task that they are injected into, for tests of their rotation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import LocalCloud, Record

PROGRAM = """
import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings import read_configuration, read_settings
from pypiserver_stack.storage.credentials import Credentials

settings = read_settings(read_configuration())
credentials = Credentials("index", settings, Tags(settings), roles=("admin", "read", "upload"))
secrets = [credential.value_from for credential in credentials.by_role.values()]
task = aws.ecs.TaskDefinition(
    "index",
    family="index",
    container_definitions=pulumi.Output.json_dumps([{"name": "index", "secrets": secrets}]),
)
service = aws.ecs.Service("index", cluster="index", task_definition=task.arn, force_delete=True)
for role, output in (("admin", "password"), ("read", "read_password"), ("upload", "upload_password")):
    pulumi.export(output, credentials.by_role[role].password)
passwords = pulumi.Output.all(service.id, list(settings.password_generations), settings.published_generation)
pulumi.export("password_generations", passwords[1])
pulumi.export("published_password_generation", passwords[2])
"""

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
PASSWORD = "random:index/randomPassword:RandomPassword"
USERS = {"pypiserver": "password", "pypiserver-read": "read_password", "pypiserver-upload": "upload_password"}
"""The user of each role, and the output that has its password."""


def write_project(folder: Path) -> None:
    """The project `small` with its stack `dev`."""
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text('config:\n  small:service_name: index\n  small:allow_http: "true"\n')


class RotatedCloud(LocalCloud):
    """Keeps every version of a secret, as AWS does, and can be told to refuse one change to a task definition."""

    def __init__(self) -> None:
        super().__init__()
        self.changes_until_refusal: int | None = None
        self._versions: dict[str, str] = {}

    def create(self, urn: str, type_: str, *arguments: Any, **named: Any) -> Record:
        self._judge(urn)
        return self._kept(super().create(urn, type_, *arguments, **named))

    def update(self, urn: str, *arguments: Any, **named: Any) -> Record:
        self._judge(urn)
        return self._kept(super().update(urn, *arguments, **named))

    def _kept(self, record: Record) -> Record:
        if record.type == VERSION:
            self._versions[record.outputs["versionId"]] = record.inputs["secretString"]
        return record

    def _judge(self, urn: str) -> None:
        if self.changes_until_refusal is None or f"${TASK}::" not in f"${urn.split('::')[2]}::":
            return
        self.changes_until_refusal -= 1
        if self.changes_until_refusal < 0:
            self.changes_until_refusal = None
            raise CloudError("no more task definitions today")

    def of_type(self, type_: str) -> list[Record]:
        """What there is of one type."""
        return [record for record in self.records.values() if record.type == type_]

    @property
    def passwords(self) -> dict[str, str]:
        """What was generated, by the name of the resource, in the order of the names."""
        return dict(sorted((one.urn.rsplit("::", 1)[1], one.outputs["result"]) for one in self.of_type(PASSWORD)))

    def secrets_of_the_tasks(self) -> dict[str, Any]:
        """User name to the secret's value in the version that the task definition names."""
        (task,) = self.of_type(TASK)
        texts = _texts(json.loads(task.inputs["containerDefinitions"]))
        pinned = [text.rsplit(":", 1)[1] for text in texts if ":secretsmanager:" in text]
        values = [json.loads(self._versions[version]) for version in pinned]
        return {value["username"]: value for value in values}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
