"""What only the Pulumi engine has to get right: a folder of its own, a CLI to be stopped, secrets in stack files."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.workspace import Workspace
from bench.deployment.local_cloud import InjectedFault, LocalCloud, Record
from bench.deployment.stack_config import load_stack
from bench.runtime.interruption import Interrupted, Interruptions
from tests.bench.deployment.engine import person

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]

VPC = "urn:pulumi:dev::small::small:index:Network$aws:ec2/vpc:Vpc::net"
SUBNET = "urn:pulumi:dev::small::small:index:Network$small:index:Subnets$aws:ec2/subnet:Subnet::net-subnets"


def listing(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """Every file below a folder, with its time of change and its content."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.parametrize("fault", [[], [InjectedFault("create", nth=3, error="no")]], ids=["success", "failure"])
def test_nothing_is_written_outside_the_work_folder(
    project: Path, config: StackConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: list[InjectedFault]
) -> None:
    elsewhere = {
        name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PULUMI_HOME")
    }
    for name, folder in elsewhere.items():
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path)
    before = listing(project)

    work = tmp_path / "work"
    engine = AutomationEngine(LocalCloud(fault), project, Workspace.within(work))
    if fault:
        with pytest.raises(UnavailableError):
            engine.up(config)
    else:
        engine.up(config)
        engine.preview(config)
        engine.refresh()
    assert engine.down() == ()

    assert set(tmp_path.iterdir()) == {project, work, *elsewhere.values()}
    assert [path for folder in elsewhere.values() for path in folder.iterdir()] == []
    assert listing(project) == before


def test_no_secret_lies_in_the_work_folder(project: Path, config: StackConfig, tmp_path: Path) -> None:
    engine = AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "work"))
    password = engine.up(config).outputs["password"].encode()
    assert listing(tmp_path / "work")
    assert [path for path, (_, content) in listing(tmp_path / "work").items() if password in content] == []
    assert engine.down() == ()


class CreationWatched(LocalCloud):
    """Tells when it is asked to create a resource of a type, which takes it a while."""

    def __init__(self, type_: str, delay_s: float) -> None:
        super().__init__([InjectedFault("create", type=type_, delay_s=delay_s)])
        self._type = type_
        self.asked = threading.Event()

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        if type_ == self._type:
            self.asked.set()
        return super().create(urn, type_, inputs)


def test_what_a_killed_cli_did_not_note_is_reported(
    project: Path, config: StackConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = CreationWatched("aws:ec2/subnet:Subnet", delay_s=2)
    monkeypatch.setattr(cloud, "interrupt_patience_s", 0.0)
    engine = AutomationEngine(cloud, project, Workspace.within(tmp_path / "work"))

    def interrupt() -> None:
        cloud.asked.wait(60)
        os.kill(os.getpid(), 2)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with Interruptions() as interruptions:
        interruptions.arm()
        with pytest.raises(Interrupted):
            engine.up(config)
        leftovers = engine.down()
    interrupter.join()
    # It came into being after the CLI was gone. What the state knows is deleted, though the stack was left locked.
    assert SUBNET in leftovers
    assert VPC not in leftovers
    assert set(leftovers) == set(cloud.records)


def test_every_file_of_the_state_is_replaced_whole(project: Path, config: StackConfig, tmp_path: Path) -> None:
    # The files of attributes are written over in place: a CLI killed at that moment would leave one that is empty.
    engine = AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "work"))
    engine.up(config)
    state = list(listing(tmp_path / "work" / "state"))
    assert [path.name for path in state if path.name == "dev.json"] == ["dev.json"]
    assert [path for path in state if path.suffix == ".attrs"] == []
    assert engine.down() == ()


def test_a_resource_that_disappeared_is_made_again(project: Path, config: StackConfig, tmp_path: Path) -> None:
    cloud = LocalCloud()
    engine = AutomationEngine(cloud, project, Workspace.within(tmp_path / "work"))
    deployment = engine.up(config)
    before = cloud.records[SUBNET]
    cloud.delete(SUBNET)
    engine.refresh()
    assert engine.changes["delete"] == 1
    assert engine.up(config).outputs == deployment.outputs
    assert cloud.records[SUBNET].inputs == before.inputs
    assert cloud.records[SUBNET].id != before.id
    assert engine.down() == ()


@pytest.fixture
def with_secret(project: Path, tmp_path: Path, pulumi_cli: Path) -> StackConfig:
    """The small project's stack, with its colour encrypted by the CLI itself."""
    shell = person.environment(tmp_path, os.environ["PATH"], state=tmp_path)
    environment = {**shell, "PULUMI_CONFIG_PASSPHRASE": "of the user"}
    for command in (["stack", "init", "dev"], ["config", "set", "--secret", "colour", "octarine", "--stack", "dev"]):
        person.pulumi(*command, folder=project, environment=environment)
    assert "secure" in (project / "Pulumi.dev.yaml").read_text()
    return load_stack(project, "dev")[0]


def test_secrets_of_the_stack_file_are_decrypted_with_the_users_passphrase(
    with_secret: StackConfig, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the user")
    engine = AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "work"))
    assert engine.up(with_secret).outputs["colour"] == "octarine"
    assert engine.down() == ()


def test_secrets_that_cannot_be_decrypted_are_the_users_to_solve(
    with_secret: StackConfig, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "work"))
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    with pytest.raises(UsageError, match=r"^small:colour of stack dev .* set PULUMI_CONFIG_PASSPHRASE"):
        engine.up(with_secret)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    with pytest.raises(UsageError, match=r"^small:colour of stack dev .* incorrect passphrase"):
        engine.up(with_secret)
    assert engine.down() == ()
    with pytest.raises(UsageError, match=r"^small:colour of stack dev .* --engine pulumi"):
        EmbeddedEngine(LocalCloud(), project).up(with_secret)
    without_salt = StackConfig("small", "dev", with_secret.values, with_secret.encrypted)
    with pytest.raises(UsageError, match=r"^small:colour of stack dev .* override them with -c"):
        AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "other")).up(without_salt)


@dataclass(frozen=True)
class InstalledProviders:
    """Providers that the CLI finds by itself, and that pass their errors to it."""

    environment: Mapping[str, str]
    cause: None = None


@dataclass
class RemoteCloud:
    """A cloud that serves nothing on this machine."""

    interrupt_patience_s: float = 20.0
    destroy_timeout_s: float = 60.0
    leftovers: tuple[str, ...] = ()

    def providers(self) -> AbstractContextManager[InstalledProviders]:
        return nullcontext(InstalledProviders({"AWS_REGION": "eu-central-1"}))


def test_a_cloud_may_have_nothing_to_serve(project: Path, config: StackConfig, tmp_path: Path) -> None:
    (project / "__main__.py").write_text(
        "import pulumi\npulumi.ComponentResource('small:index:Network', 'net')\npulumi.export('colour', 'red')\n"
    )
    cloud = RemoteCloud()
    engine = AutomationEngine(cloud, project, Workspace.within(tmp_path / "work"))
    deployment = engine.up(config)
    assert deployment.outputs == {"colour": "red"}
    assert [resource.name for resource in deployment.graph] == ["net"]
    engine.refresh()
    cloud.leftovers = ("vpc-0",)
    assert engine.down() == ("vpc-0",)


def test_a_cli_that_is_too_old_is_refused(
    project: Path, config: StackConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text("#!/bin/sh\necho v3.100.0\n")
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    engine = AutomationEngine(LocalCloud(), project, Workspace.within(tmp_path / "work"))
    with pytest.raises(UsageError, match=r"^pulumi v3\.100\.0 is too old: install 3\.181\.0 or newer"):
        engine.up(config)
    assert engine.down() == ()
