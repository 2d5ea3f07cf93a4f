"""What all tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# A loaded machine is slow, and that is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def pulumi_cli() -> Path:
    """The folder of a `pulumi` command: the one on PATH, or what `make pulumi` has built."""
    found = shutil.which("pulumi", path=f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        if os.environ.get("REQUIRE_ENGINE_TESTS"):
            pytest.fail("REQUIRE_ENGINE_TESTS is set and there is no pulumi command: run `make pulumi`")
        pytest.skip("engine tests need a pulumi command: install one, or run `make pulumi` where Go is installed")
    return Path(found).parent
