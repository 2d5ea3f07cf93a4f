"""Types of pulumi_aws: mypy reads the services that the sources use, and skips the others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_service_that_is_used_is_type_checked() -> None:
    """What mypy skips has any type, and takes every argument."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (read,) = (override["module"] for override in overrides if override.get("follow_imports") == "normal")
    sources = (
        path.read_text() for room in ("bench", "pypiserver_stack", "tests") for path in ROOT.glob(f"{room}/**/*.py")
    )
    used = {service for text in sources for service in re.findall(r"\baws\.([a-z0-9]+)\.(?:[A-Z]|get_)", text)}
    assert used == {module.split(".")[1] for module in read if module.endswith(".*")}
