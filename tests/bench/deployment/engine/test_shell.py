"""`pulumi` from a shell, as a user of the repository types it, with the local cloud in the provider's place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.state import deployment
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.deployment.engine import person

ROOT = Path(__file__).resolve().parents[4]

pytestmark = pytest.mark.engine


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is under version control, or about to be: `pulumi` writes into the stack files."""
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


def test_preview_and_up(pulumi_cli: Path, checkout: Path, tmp_path: Path) -> None:
    assert (pulumi_cli / "pulumi-language-python").exists(), f"no language host beside {pulumi_cli}: run `make pulumi`"
    cloud = LocalCloud(entropy=b"the same for both")
    path = f"{Path(sys.executable).parent}:{pulumi_cli}:{os.environ['PATH']}"
    environment = person.environment(tmp_path, path, state=tmp_path)
    # The copy has no virtual environment of its own; `pulumi` takes the one that comes first on PATH.
    (checkout / "Pulumi.yaml").write_text((checkout / "Pulumi.yaml").read_text().replace("    virtualenv: .venv\n", ""))

    def pulumi(*arguments: str, exit_code: int = 0) -> str:
        return person.pulumi(*arguments, folder=checkout, environment=environment, exit_code=exit_code)

    wanted = EmbeddedEngine(LocalCloud(entropy=b"the same for both"), ROOT).up(load_stack(ROOT, "stress")[0])
    resources = len(wanted.graph) + 1  # and the stack
    pulumi("stack", "init", "stress")
    with cloud.providers() as providers:
        environment |= providers.environment
        assert f"+ {resources} to create" in pulumi("preview", "--stack=stress")
        assert not cloud.records
        created = pulumi("up", "--stack=stress", "--yes", "--skip-preview")
        assert f"+ {resources} created" in created
        assert "is not pinned by digest" in created
        state = json.loads(pulumi("stack", "export", "--stack=stress", "--show-secrets"))
        assert deployment(state["deployment"]["resources"]) == wanted
        assert f"{resources} unchanged" in pulumi("up", "--stack=stress", "--yes")
        pulumi("config", "set", "deletion_protection", "true", "--stack=stress")
        pulumi("up", "--stack=stress", "--yes", "--skip-preview")
        everything = cloud.records
        assert "cannot be deleted" in pulumi("destroy", "--stack=stress", "--yes", exit_code=1)
        assert cloud.records == everything
        pulumi("config", "set", "deletion_protection", "false", "--stack=stress")
        pulumi("up", "--stack=stress", "--yes", "--skip-preview")
        assert f"- {resources} deleted" in pulumi("destroy", "--stack=stress", "--yes")
        pulumi("config", "set", "profile", "huge", "--stack=stress")
        refused = pulumi("preview", "--stack=stress", exit_code=1)
        assert "profile = 'huge': one of light, " in refused
        assert "Traceback" not in refused
    assert not cloud.records
