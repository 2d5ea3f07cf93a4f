"""What a test installs from the package registry while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def install(*arguments: str | Path) -> None:
    """Run `uv pip ARGUMENTS`. Where the registry gives nothing, behind a dead proxy for one, the test is left out.

    In CI it fails there: nothing may be left out.
    """
    command = [sys.executable, "-m", "uv", "--quiet", "pip", *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return
    reason = f"the package registry did not give what this test needs: {done.stderr.strip()}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
