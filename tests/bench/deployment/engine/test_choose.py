"""Which engine `--engine` stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.common.failures import UsageError
from bench.deployment.engine.choose import choose
from bench.deployment.local_cloud import LocalCloud


@pytest.fixture
def without_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")


@pytest.fixture
def with_pulumi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.usefixtures("without_pulumi")
def test_without_a_pulumi_auto_is_embedded(tmp_path: Path) -> None:
    assert choose("auto", LocalCloud(), tmp_path, tmp_path / "work").name == "embedded"
    with pytest.raises(UsageError, match="no `pulumi` on PATH; install it, or use --engine embedded"):
        choose("pulumi", LocalCloud(), tmp_path, tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.usefixtures("with_pulumi")
def test_with_a_pulumi_auto_is_pulumi(tmp_path: Path) -> None:
    assert choose("auto", LocalCloud(), tmp_path, tmp_path / "work").name == "pulumi"
    assert choose("pulumi", LocalCloud(), tmp_path, tmp_path / "work").name == "pulumi"
    assert choose("embedded", LocalCloud(), tmp_path, tmp_path / "work").name == "embedded"
