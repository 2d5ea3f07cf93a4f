"""No generated secret is in clear in what the real engine writes: state, history, previews, logs, outputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pulumi.automation import Stack

from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.workspace import Workspace
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.pypiserver_stack.support.evaluation import ROOT
from tests.pypiserver_stack.support.every_option import OPTIONS
from tests.pypiserver_stack.support.random_settings import stack_configs
from tests.pypiserver_stack.support.spellings import found_in, generated_secrets

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]

# Where a secret reaches the most resources: two passwords, and hashes in the hosts' user data.
STACKS = {
    "two passwords of each role": ("stress", OPTIONS["credentials"]),
    "hashes on the hosts, compressed": ("peer", ("host_extra_commands=" + json.dumps(["echo " + "x" * 15_000]),)),
}


@pytest.mark.parametrize("name", STACKS)
def test_nowhere_in_what_a_stack_leaves(name: str, tmp_path: Path) -> None:
    stack, overrides = STACKS[name]
    leak_nothing(load_stack(ROOT, stack, overrides)[0], tmp_path)


# Each is a deployment by the CLI, and an update; in every run tests of the graph alone look at more of them.
@pytest.mark.thorough
@pytest.mark.timeout(3600)
@settings(max_examples=20, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(stack_configs())
def test_nowhere_whatever_the_settings(config: StackConfig) -> None:
    # Protected, it could not be taken down again.
    unprotected = {**config.values, f"{config.project}:deletion_protection": "false"}
    with TemporaryDirectory() as folder:
        leak_nothing(StackConfig(config.project, config.stack, unprotected), Path(folder))


def leak_nothing(config: StackConfig, folder: Path) -> None:
    """Stand a stack up, rotate its password, and look at all that was printed and written meanwhile."""
    engine = AutomationEngine(LocalCloud(), ROOT, Workspace.within(folder / "work"))
    try:
        first = engine.up(config)
        rotated = StackConfig(config.project, config.stack, {**config.values, **_another_password(config)})
        changes = engine._operate(lambda: engine._open(rotated).preview(diff=True, color="never").stdout)
        second = engine.up(rotated)
        secrets = {*generated_secrets(first.graph), *generated_secrets(second.graph)}
        assert len(secrets) >= 4
        assert "[secret]" in changes
        printed = {"preview": changes, **engine.drive(lambda stack: dict(_printed(stack)))}
        assert all(printed.values())
        # Where they are asked for they are found.
        in_clear = engine.drive(lambda stack: _said(stack, "stack", "export", "--show-secrets"))
        assert found_in(in_clear, secrets) == {*generated_secrets(second.graph)}
        assert {name: found for name, text in printed.items() if (found := found_in(text, secrets))} == {}
        assert [path for path, content in _written(folder) if found_in(content, secrets)] == []
    finally:
        assert engine.down() == ()


def _printed(stack: Stack) -> Iterator[tuple[str, str]]:
    """What commands say of a stack to whoever has not asked for its secrets."""
    for command in ("stack export", "stack output --json", "stack", "stack history --json"):
        yield command, _said(stack, *command.split())
    yield "refresh", stack.refresh(color="never", diff=True).stdout


def _said(stack: Stack, *command: str) -> str:
    return stack._run_pulumi_cmd_sync([*command]).stdout


def _another_password(config: StackConfig) -> dict[str, str]:
    """Settings with another generation of the password than there was."""
    accepted, published = (
        f"{config.project}:{key}" for key in ("password_generations", "published_password_generation")
    )
    another = "8" if "7" in config.values.get(accepted, "1").split(",") else "7"
    return {accepted: another, published: another}


def _written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())
