"""Environments of clients: built once, whole, and again where something of them is missing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.client_matrix import environments
from tests.client_matrix.environments import environment
from tests.pypiserver_stack.container.small_packages import make_wheel
from tests.registry import install


@pytest.fixture
def requirements(tmp_path: Path) -> str:
    """A package that no registry is asked for."""
    return f"{make_wheel(tmp_path, 'demo', '1.0')}\n"


@pytest.fixture
def installations(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | Path, ...]]:
    """The arguments of each call of the installer so far."""
    calls = []

    def noted(*arguments: str | Path) -> None:
        calls.append(arguments)
        install(*arguments)

    monkeypatch.setattr(environments, "install", noted)
    return calls


def _imports(commands: Path) -> bool:
    return subprocess.run([commands / "python", "-c", "import demo"], check=False, capture_output=True).returncode == 0


def _module(commands: Path) -> Path:
    (module,) = commands.parent.glob("lib/python3*/site-packages/demo.py")
    return module


def test_it_is_built_once_however_many_want_it(tmp_path: Path, requirements: str, installations: list[object]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: environment(tmp_path / "cache", "demo", requirements), range(4)))
    (commands,) = found
    assert _imports(commands)  # which writes a file that was not there
    assert environment(tmp_path / "cache", "demo", requirements) == commands
    assert len(installations) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda commands: _module(commands).unlink(),
        lambda commands: _module(commands).write_text(""),
        lambda commands: (commands / "python").unlink(),
        lambda commands: (commands.parent / "whole").unlink(),
    ],
    ids=["a module is gone", "a module is cut short", "no interpreter", "nobody finished it"],
)
def test_what_is_damaged_is_built_anew(tmp_path: Path, requirements: str, damage: Callable[[Path], object]) -> None:
    damage(environment(tmp_path / "cache", "demo", requirements))
    assert _imports(environment(tmp_path / "cache", "demo", requirements))


def test_what_could_not_be_finished_is_built_by_the_next(
    tmp_path: Path, requirements: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupted:
        interrupted.setattr(environments, "install", lambda *_: pytest.skip("as where the registry gives nothing"))
        with pytest.raises(pytest.skip.Exception):
            environment(tmp_path / "cache", "demo", requirements)
    assert _imports(environment(tmp_path / "cache", "demo", requirements))


def test_other_versions_have_an_environment_of_their_own(tmp_path: Path, requirements: str) -> None:
    other = f"{make_wheel(tmp_path, 'demo', '2.0')}\n"
    first, second = (environment(tmp_path / "cache", "demo", wanted) for wanted in (requirements, other))
    assert first != second
    assert [_module(commands).read_text() for commands in (first, second)] == ["version = '1.0'\n", "version = '2.0'\n"]
