"""What all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

LEFT_OUT = pytest.StashKey[int]()

# A loaded machine is slow, and that is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def _pulumi() -> str | None:
    return shutil.which("pulumi", path=f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a pulumi command the engine tests are left out, which the summary says in one line."""
    if _pulumi() or os.environ.get("REQUIRE_ENGINE_TESTS"):
        return
    left_out = [item for item in items if "pulumi_cli" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
    config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{count} engine tests left out: they need a pulumi command; install one, or run `make pulumi` where Go is"
        )


@pytest.fixture(scope="session")
def pulumi_cli() -> Path:
    """The folder of a `pulumi` command: the one on PATH, or what `make pulumi` has built."""
    found = _pulumi()
    if found is None:
        pytest.fail("REQUIRE_ENGINE_TESTS is set and there is no pulumi command: run `make pulumi`")
    return Path(found).parent
